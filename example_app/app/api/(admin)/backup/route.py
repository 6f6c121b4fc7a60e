"""/api/backup: all bookmarks in one file, which /api/import takes."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from ..._lib import bookmarks


def GET(db: Connection) -> tuple[dict[str, Any], dict[str, str]]:
    """Return every bookmark, oldest first, without ids: an import assigns new ones."""
    found = bookmarks.find_after(db, 0, limit=-1)
    fields = [{name: each for name, each in row.items() if name != "id"} for row in found]
    return {"bookmarks": fields}, {
        "Cache-Control": "no-store",
        "Content-Disposition": "attachment; filename=bookmarks.json",
    }
