"""/api/import: many bookmarks at once."""

from __future__ import annotations

from sqlite3 import Connection

from flask_routehandlers import Body

from ..._lib import bookmarks
from ..._lib.types import Backup


def POST(body: Body[Backup], transaction: Connection) -> dict[str, int]:
    """Add the ``bookmarks`` of the body that are new, or none if one of them is invalid."""
    received = body["bookmarks"]
    added = 0
    # Lock before the look-up: another request can add the URL in between.
    transaction.execute("BEGIN IMMEDIATE")
    for fields in received:
        if bookmarks.get_by_url(transaction, fields["url"]) is None:
            bookmarks.add(transaction, fields)
            added += 1
    return {"added": added, "known": len(received) - added}
