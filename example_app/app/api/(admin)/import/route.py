"""/api/import: many bookmarks at once."""

from __future__ import annotations

from flask import Request

from ..._lib import bookmarks
from ..._lib.database import writing
from ..._lib.validation import read_bookmarks


def POST(request: Request) -> dict[str, int]:
    """Add the ``bookmarks`` of the body that are new, or none if one of them is invalid."""
    request.max_content_length = 16 * 1024 * 1024
    received = read_bookmarks()
    added = 0
    with writing() as db:
        # Lock before the look-up: another request can add the URL in between.
        db.execute("BEGIN IMMEDIATE")
        for fields in received:
            if bookmarks.id_of(db, fields["url"]) is None:
                bookmarks.add(db, fields)
                added += 1
    return {"added": added, "known": len(received) - added}
