"""Atom feeds of bookmarks."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response, render_template

from . import bookmarks
from .database import get_db

#: How many bookmarks a feed has.
LENGTH = 20


def make_feed(url: str, tags: Iterable[str] = ()) -> Response:
    """A feed of the newest bookmarks that have some tags.

    :param url: its own URL.
    """
    found = bookmarks.find(get_db(), limit=LENGTH, tags=tags)
    xml = render_template("feed.xml", url=url, bookmarks=found)
    return Response(xml, mimetype="application/atom+xml")
