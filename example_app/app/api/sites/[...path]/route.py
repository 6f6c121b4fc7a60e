"""/api/sites/<host>/<path>: the bookmarks of a site, or of a part of it."""

from __future__ import annotations

from sqlite3 import Connection

from flask_routehandlers import Query

from ..._lib.pages import find_page
from ..._lib.types import Bookmarks, Page


def GET(path: list[str], page: Query[Page], db: Connection) -> Bookmarks:
    """Find the bookmarks on a host, below a path."""
    host, *folders = path
    return find_page(db, page, site="/".join([host.lower(), *folders, ""]))
