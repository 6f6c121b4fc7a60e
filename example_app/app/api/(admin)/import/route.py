"""/api/import: many bookmarks at once."""

from __future__ import annotations

from flask_routehandlers import Body

from ..._lib import bookmarks
from ..._lib.database import writing
from ..._lib.types import Backup


def POST(body: Body[Backup]) -> dict[str, int]:
    """Add the ``bookmarks`` of the body that are new, or none if one of them is invalid."""
    received = body["bookmarks"]
    added = 0
    with writing() as db:
        # Lock before the look-up: another request can add the URL in between.
        db.execute("BEGIN IMMEDIATE")
        for fields in received:
            if bookmarks.id_of(db, fields["url"]) is None:
                bookmarks.add(db, fields)
                added += 1
    return {"added": added, "known": len(received) - added}
