"""/api/about: an overview, on a page that any static host can serve."""

from __future__ import annotations

from flask import render_template

from ..._lib import bookmarks
from ..._lib.database import get_db

revalidate = 60
cache_tags = [bookmarks.TAG]


def GET() -> str:
    """Show the newest bookmarks, and each tag with its count and feed."""
    db = get_db()
    newest = bookmarks.find(db, limit=10)
    return render_template("about.html", newest=newest, counts=bookmarks.count_tags(db))
