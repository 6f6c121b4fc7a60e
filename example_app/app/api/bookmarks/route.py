"""/api/bookmarks: all of them."""

from __future__ import annotations

import sqlite3
from typing import Literal

from flask import url_for
from werkzeug.exceptions import Conflict, NotFound

from flask_routehandlers import Body, Query

from .._lib import bookmarks
from .._lib.database import writing
from .._lib.pages import find_page
from .._lib.types import Bookmark, Bookmarks, Location, NewBookmark, Page


def GET(page: Query[Page]) -> Bookmarks:
    """List bookmarks, newest first; ``?tag=`` filters, ``?limit=`` and ``?before=`` page."""
    return find_page(page)


def POST(
    body: Body[NewBookmark],
) -> tuple[Bookmark, Literal[201], Location] | Conflict | NotFound:
    """Create a bookmark: 409 if its URL has one."""
    try:
        with writing() as db:
            bookmark_id = bookmarks.add(db, body)
    except sqlite3.IntegrityError:
        return Conflict(f"A bookmark for {body['url']} already exists.")
    location = url_for("api./bookmarks/[id=int]", id=bookmark_id)
    return bookmarks.get_or_404(db, bookmark_id), 201, {"Location": location}
