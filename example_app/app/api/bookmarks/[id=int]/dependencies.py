"""The bookmark that the URL names."""

from __future__ import annotations

from sqlite3 import Connection

from werkzeug.exceptions import NotFound

from ..._lib import bookmarks
from ..._lib.types import Bookmark


def bookmark(id: int, db: Connection) -> Bookmark | NotFound:
    """Read the bookmark."""
    return bookmarks.get(db, id) or NotFound("There is no such bookmark.")
