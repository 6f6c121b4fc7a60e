"""/api/tags: all tags."""

from __future__ import annotations

from .._lib import bookmarks
from .._lib.database import get_db


def GET() -> dict[str, dict[str, int]]:
    """Count the bookmarks of each tag."""
    return {"tags": bookmarks.count_tags(get_db())}
