"""/api/bookmarks/<id>: one bookmark."""

from __future__ import annotations

import sqlite3

from werkzeug.exceptions import Conflict, NotFound

from flask_routehandlers import Body, NoContent

from ..._lib import bookmarks
from ..._lib.database import get_db, writing
from ..._lib.types import Bookmark, Changes


def GET(id: int) -> Bookmark | NotFound:
    """Read a bookmark."""
    return bookmarks.get_or_404(get_db(), id)


def PATCH(id: int, body: Body[Changes]) -> Bookmark | NotFound | Conflict:
    """Change the fields that the body has: 409 if another bookmark has the URL."""
    try:
        with writing() as db:
            bookmarks.change(db, id, body)
    except sqlite3.IntegrityError:
        return Conflict(f"A bookmark for {body['url']} already exists.")
    return bookmarks.get_or_404(db, id)


def DELETE(id: int) -> NoContent | NotFound:
    """Delete a bookmark."""
    with writing() as db:
        is_removed = bookmarks.remove(db, id)
    return ("", 204) if is_removed else NotFound("There is no such bookmark.")
