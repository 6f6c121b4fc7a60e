"""/api/webhook: bookmarks from programs that sign what they send."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Literal

from flask import url_for

from flask_routehandlers import Body

from .._lib import bookmarks
from .._lib.types import Bookmark, Location, NewBookmark


def POST(
    body: Body[NewBookmark], transaction: Connection
) -> tuple[Bookmark, Literal[200, 201], Location]:
    """Import a bookmark: 201, or 200 if it exists, since senders repeat themselves."""
    # Lock before the look-up: the same bookmark can arrive twice at once.
    transaction.execute("BEGIN IMMEDIATE")
    known = bookmarks.get_by_url(transaction, body["url"])
    bookmark = known or bookmarks.add(transaction, body)
    location = url_for("api./bookmarks/[id=int]", id=bookmark["id"])
    return bookmark, 200 if known else 201, {"Location": location}
