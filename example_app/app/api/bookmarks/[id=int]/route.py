"""/api/bookmarks/<id>: one bookmark."""

from __future__ import annotations

import sqlite3

from werkzeug.exceptions import Conflict, NotFound

from flask_routehandlers import Body, NoContent

from ..._lib import bookmarks
from ..._lib.types import Bookmark, Changes


def GET(bookmark: Bookmark) -> Bookmark:
    """Read a bookmark."""
    return bookmark


def PATCH(
    bookmark: Bookmark, body: Body[Changes], transaction: sqlite3.Connection
) -> Bookmark | NotFound | Conflict:
    """Change the fields that the body has: 409 if another bookmark has the URL."""
    try:
        bookmarks.change(transaction, bookmark["id"], body)
    except sqlite3.IntegrityError:
        return Conflict(f"A bookmark for {body['url']} already exists.")
    # Another request can have deleted it.
    return bookmarks.get(transaction, bookmark["id"]) or NotFound("It has been deleted.")


def DELETE(bookmark: Bookmark, transaction: sqlite3.Connection) -> NoContent:
    """Delete a bookmark."""
    bookmarks.remove(transaction, bookmark["id"])
    return "", 204
