"""/api/search: find bookmarks by words."""

from __future__ import annotations

from sqlite3 import Connection

from flask_routehandlers import Query

from .._lib.pages import find_page
from .._lib.types import Bookmarks, Search


def GET(search: Query[Search], db: Connection) -> Bookmarks:
    """Find the words of ``?q=`` in title, URL or notes, in any letter case."""
    return find_page(db, search)
