"""/api/bookmarks: all of them."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import abort, url_for

from .._lib import bookmarks
from .._lib.database import writing
from .._lib.pages import read_page
from .._lib.validation import read_bookmark


def GET() -> dict[str, Any]:
    """List bookmarks, newest first; ``?tag=`` filters, ``?limit=`` and ``?before=`` page."""
    return read_page()


def POST() -> tuple[bookmarks.Bookmark, int, dict[str, str]]:
    """Create a bookmark: 409 if its URL has one."""
    fields = read_bookmark()
    try:
        with writing() as db:
            bookmark_id = bookmarks.add(db, fields)
    except sqlite3.IntegrityError:
        abort(409, f"A bookmark for {fields['url']} already exists.")
    location = url_for("api./bookmarks/[id=int]", id=bookmark_id)
    return bookmarks.get_or_404(db, bookmark_id), 201, {"Location": location}
