"""/api/bookmarks: all of them."""

from __future__ import annotations

import sqlite3
from typing import Literal

from flask import url_for
from werkzeug.exceptions import Conflict

from flask_routehandlers import Body, Query

from .._lib import bookmarks
from .._lib.pages import find_page
from .._lib.types import Bookmark, Bookmarks, Location, NewBookmark, Page


def GET(page: Query[Page], db: sqlite3.Connection) -> Bookmarks:
    """List bookmarks, newest first, a page at a time."""
    return find_page(db, page)


def POST(
    body: Body[NewBookmark], transaction: sqlite3.Connection
) -> tuple[Bookmark, Literal[201], Location] | Conflict:
    """Create a bookmark: 409 if its URL has one."""
    try:
        bookmark = bookmarks.add(transaction, body)
    except sqlite3.IntegrityError:
        return Conflict(f"A bookmark for {body['url']} already exists.")
    location = url_for("api./bookmarks/[id=int]", id=bookmark["id"])
    return bookmark, 201, {"Location": location}
