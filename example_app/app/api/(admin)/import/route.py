"""/api/import: many bookmarks at once."""

from __future__ import annotations

from flask import Request

from ..._lib import bookmarks
from ..._lib.database import writing
from ..._lib.validation import read_bookmarks


def POST(request: Request) -> dict[str, int]:
    """Add the ``bookmarks`` of the body that are not here yet; if one is wrong, none."""
    request.max_content_length = 16 * 1024 * 1024
    every = read_bookmarks()
    added = 0
    with writing() as db:
        # Taken before looking: a URL may arrive through another request meanwhile.
        db.execute("BEGIN IMMEDIATE")
        for fields in every:
            if bookmarks.id_of(db, fields["url"]) is None:
                bookmarks.add(db, fields)
                added += 1
    return {"added": added, "known": len(every) - added}
