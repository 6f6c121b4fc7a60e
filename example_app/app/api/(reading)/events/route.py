"""/api/events: new bookmarks as server-sent events."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Request, Response, current_app, json, stream_with_context

from ..._lib import bookmarks
from ..._lib.database import get_db
from ..._lib.validation import parse_number, read_number


def GET(request: Request) -> Response:
    """Stream new bookmarks, or those after ``Last-Event-ID``; at most ``?limit=`` of them.

    The id of an event is the id of its bookmark.
    """
    # Check the input now: after the first byte it is too late for a 400.
    limit = read_number("limit", default=100, most=100)
    last = request.headers.get("Last-Event-ID")
    if last is None:
        after = bookmarks.newest_id(get_db())
    else:
        after = parse_number("Last-Event-ID", last, 0, bookmarks.LARGEST_ID)
    return Response(
        stream_with_context(events(after, limit)),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store"},
    )


def events(after: int, limit: int) -> Iterator[str]:
    """Yield the stream. It ends after ``EVENTS_SECONDS``; clients reconnect automatically."""
    end = time.monotonic() + current_app.config["EVENTS_SECONDS"]
    # An id without data: the point to continue from if the stream ends before any event.
    yield f"id: {after}\n\n"
    while True:
        for bookmark in bookmarks.find_after(get_db(), after, limit):
            yield f"id: {bookmark['id']}\nevent: bookmark\ndata: {json.dumps(bookmark)}\n\n"
            after = bookmark["id"]
            limit -= 1
        if not limit or time.monotonic() >= end:
            return
        time.sleep(current_app.config["EVENTS_INTERVAL"])
        # A comment. Sending it fails when the client is gone, and closes this generator.
        yield ":\n\n"
