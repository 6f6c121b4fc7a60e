"""/api/tags: all tags."""

from __future__ import annotations

from sqlite3 import Connection

from .._lib import bookmarks


def GET(db: Connection) -> dict[str, dict[str, int]]:
    """Count the bookmarks of each tag."""
    return {"tags": bookmarks.count_tags(db)}
