"""The stream of new bookmarks, in process and over a real server."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from http.client import HTTPConnection

import pytest

from flask_routehandlers import run_async


def test_a_stream_continues_after_the_last_event(client, add):
    bookmarks = [add(f"https://example.com/{number}", notes="two\nlines") for number in range(3)]
    response = client.get("/api/events", headers={"Last-Event-ID": "1"})
    assert response.mimetype == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-store"
    start, *events, end = response.text.split("\n\n")
    assert (start, end) == ("id: 1", "")
    for event, bookmark in zip(events, bookmarks[1:], strict=True):
        number, name, data = event.split("\n")
        assert (number, name) == (f"id: {bookmark['id']}", "event: bookmark")
        assert json.loads(data.removeprefix("data: ")) == bookmark


def test_a_stream_begins_with_what_comes_next(client, add):
    add("https://example.com/a")
    assert client.get("/api/events").text == "id: 1\n\n"


def test_a_stream_ends_at_its_limit(client, app, add):
    app.config["EVENTS_SECONDS"] = 60.0
    for number in range(3):
        add(f"https://example.com/{number}")
    text = client.get("/api/events?limit=2", headers={"Last-Event-ID": "0"}).text
    assert text.count("event: bookmark") == 2


def test_a_quiet_stream_sends_comments_and_ends(client, app):
    app.config["EVENTS_SECONDS"] = 0.05
    chunks = client.get("/api/events").text.split("\n\n")
    assert chunks[0] == "id: 0"
    assert set(chunks[1:]) == {":", ""}


def test_head_answers_without_a_stream(client, app):
    app.config["EVENTS_SECONDS"] = 60.0
    response = client.head("/api/events")
    assert (response.status_code, response.data) == (200, b"")


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("?limit=0", {}),
        ("?limit=101", {}),
        ("?limit=x", {}),
        ("", {"Last-Event-ID": ""}),
        ("", {"Last-Event-ID": "-1"}),
        ("", {"Last-Event-ID": "x"}),
        ("", {"Last-Event-ID": str(2**63)}),
    ],
)
def test_a_wrong_beginning_or_limit_is_refused(client, query, headers):
    response = client.get(f"/api/events{query}", headers=headers)
    assert response.status_code == 422
    [error] = response.json["errors"]
    assert error["pointer"] in ("#/limit", "#/last-event-id")


def read_event(response) -> bytes:
    lines = iter(response.readline, b"\n")
    return b"".join(lines)


@pytest.fixture
def stream(port):
    """A client that has read the beginning of a stream, and the threads before it connected."""
    run_async(asyncio.sleep(0))  # the thread of the event loop stays
    before = set(threading.enumerate())
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/api/events?limit=2")
    response = connection.getresponse()
    assert read_event(response) == b"id: 0\n"
    yield connection, response, before
    response.close()
    connection.close()
    wait_for_other_threads(before)


def wait_for_other_threads(threads) -> None:
    for _ in range(500):
        if set(threading.enumerate()) <= threads:
            return
        time.sleep(0.01)
    pytest.fail("the stream did not end")


def test_a_server_sends_each_new_bookmark(stream, add):
    _, response, before = stream
    for number in (1, 2):
        add(f"https://example.com/{number}")
        event = b""
        while b"event: bookmark" not in event:
            event = read_event(response)
            assert event, "the stream ended"
        assert event.startswith(b"id: %d\n" % number)
    assert response.read().replace(b":\n\n", b"") == b""
    wait_for_other_threads(before)


def test_a_stream_ends_when_its_client_goes(stream):
    connection, response, before = stream
    assert set(threading.enumerate()) > before
    response.close()
    connection.close()
    wait_for_other_threads(before)
