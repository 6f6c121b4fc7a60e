"""/api/events: new bookmarks as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from sqlite3 import Connection
from typing import Annotated, Literal, TypedDict

from flask import current_app, json
from pydantic import Field

from flask_routehandlers import Header, Query

from ..._lib import bookmarks
from ..._lib.types import LARGEST_ID, Limit

EventStream = TypedDict(
    "EventStream",
    {"Content-Type": Literal["text/event-stream; charset=utf-8"], "Cache-Control": str},
)


def GET(
    db: Connection,
    limit: Query[Limit] = 100,
    last_event_id: Header[Annotated[int, Field(ge=0, le=LARGEST_ID)] | None] = None,
) -> tuple[AsyncIterator[str], EventStream]:
    """Stream new bookmarks, or those after ``Last-Event-ID``; at most ``?limit=`` of them.

    The id of an event is the id of its bookmark.
    """
    after = bookmarks.newest_id(db) if last_event_id is None else last_event_id
    return events(db, after, limit), {
        "Content-Type": "text/event-stream; charset=utf-8",
        "Cache-Control": "no-store",
    }


async def events(db: Connection, after: int, limit: int) -> AsyncIterator[str]:
    """Yield the stream. It ends after ``EVENTS_SECONDS``; clients reconnect automatically."""
    end = time.monotonic() + current_app.config["EVENTS_SECONDS"]
    # An id without data: the point to continue from if the stream ends before any event.
    yield f"id: {after}\n\n"
    while True:
        for bookmark in bookmarks.find_after(db, after, limit):
            yield f"id: {bookmark['id']}\nevent: bookmark\ndata: {json.dumps(bookmark)}\n\n"
            after = bookmark["id"]
            limit -= 1
        if not limit or time.monotonic() >= end:
            return
        await asyncio.sleep(current_app.config["EVENTS_INTERVAL"])
        # A comment. Sending it fails when the client is gone, and ends this generator.
        yield ":\n\n"
