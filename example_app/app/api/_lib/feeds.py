"""Atom feeds of bookmarks."""

from __future__ import annotations

from collections.abc import Iterable
from sqlite3 import Connection

from flask import Response, render_template

from . import bookmarks

#: The number of bookmarks in a feed.
LENGTH = 20


def make_feed(db: Connection, url: str, tags: Iterable[str] = ()) -> Response:
    """Return a feed of the newest bookmarks that have all the tags.

    :param url: the URL of the feed.
    """
    newest = bookmarks.find(db, limit=LENGTH, tags=tags)
    xml = render_template("feed.xml", url=url, bookmarks=newest)
    return Response(xml, mimetype="application/atom+xml")
