"""/api/bookmarks/<id>: one bookmark."""

from __future__ import annotations

import sqlite3

from flask import abort

from ..._lib import bookmarks
from ..._lib.database import get_db, writing
from ..._lib.validation import read_changes


def GET(id: int) -> bookmarks.Bookmark:
    """Read a bookmark."""
    return bookmarks.get_or_404(get_db(), id)


def PATCH(id: int) -> bookmarks.Bookmark:
    """Change the fields that the body has: 409 if another bookmark has the URL."""
    fields = read_changes()
    try:
        with writing() as db:
            bookmarks.change(db, id, fields)
    except sqlite3.IntegrityError:
        abort(409, f"A bookmark for {fields['url']} already exists.")
    return bookmarks.get_or_404(db, id)


def DELETE(id: int) -> tuple[str, int]:
    """Delete a bookmark."""
    with writing() as db:
        if not bookmarks.remove(db, id):
            abort(404, "There is no such bookmark.")
    return "", 204
