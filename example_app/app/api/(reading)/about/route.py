"""/api/about: what is here, on a page that can be put on any static host."""

from __future__ import annotations

from flask import render_template

from ..._lib import bookmarks
from ..._lib.database import get_db

revalidate = 60
cache_tags = [bookmarks.TAG]


def GET() -> str:
    """How many bookmarks there are, the newest, and the feed of each tag."""
    db = get_db()
    newest = bookmarks.find(db, limit=10)
    return render_template("about.html", newest=newest, counts=bookmarks.count_tags(db))
