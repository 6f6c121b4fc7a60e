"""/api/about: an overview, on a page that any static host can serve."""

from __future__ import annotations

from sqlite3 import Connection

from flask import render_template

from ..._lib import bookmarks

revalidate = 60
cache_tags = [bookmarks.TAG]


def GET(db: Connection) -> str:
    """Show the newest bookmarks, and each tag with its count and feed."""
    newest = bookmarks.find(db, limit=10)
    return render_template("about.html", newest=newest, counts=bookmarks.count_tags(db))
