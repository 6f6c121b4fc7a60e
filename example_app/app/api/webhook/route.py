"""/api/webhook: bookmarks from programs that sign what they send."""

from __future__ import annotations

from typing import Literal

from flask import url_for

from flask_routehandlers import Body

from .._lib import bookmarks
from .._lib.database import writing
from .._lib.types import Bookmark, Location, NewBookmark


def POST(body: Body[NewBookmark]) -> tuple[Bookmark, Literal[200, 201], Location]:
    """Import a bookmark: 201, or 200 if it exists, since senders repeat themselves."""
    with writing() as db:
        # Lock before the look-up: the same bookmark can arrive twice at once.
        db.execute("BEGIN IMMEDIATE")
        known = bookmarks.id_of(db, body["url"])
        bookmark_id = known or bookmarks.add(db, body)
    location = url_for("api./bookmarks/[id=int]", id=bookmark_id)
    return bookmarks.get_or_404(db, bookmark_id), 200 if known else 201, {"Location": location}
