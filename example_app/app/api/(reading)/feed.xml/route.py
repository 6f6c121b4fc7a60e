"""/api/feed.xml: the newest bookmarks for feed readers."""

from __future__ import annotations

from sqlite3 import Connection

from flask import Response, url_for

from ..._lib import bookmarks
from ..._lib.feeds import make_feed

# Feed readers ask often. A write revalidates the feed; a minute is the upper limit.
revalidate = 60
cache_tags = [bookmarks.TAG]


def GET(db: Connection) -> Response:
    """Return an Atom feed of all bookmarks."""
    return make_feed(db, url_for("api./feed%2Exml"))
