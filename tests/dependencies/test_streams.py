"""Dependencies live until a stream has been sent, inside the context of the request."""

from __future__ import annotations

import re

import pytest
from flask import g
from werkzeug.exceptions import Conflict
from werkzeug.test import create_environ, run_wsgi_app

from tests.dependencies.support import (
    COMMITTED,
    SESSIONS,
    both_kinds,
    rolled_back,
    take_log,
)

#: Streams of the pieces ``a`` and ``b``, in each form that a handler can return.
STREAMS = {
    "generator": """
def GET(db):
    for piece in "ab":
        log(piece)
        yield piece
""",
    "returned generator": """
def pieces():
    for piece in "ab":
        log(piece)
        yield piece
def GET(db): return pieces(), 200, {"Stream": "yes"}
""",
    "async generator": """
async def GET(db):
    for piece in "ab":
        log(piece)
        yield piece
""",
    "iterator": """
class Pieces:
    def __init__(self): self.pieces = iter("ab")
    def __iter__(self): return self
    def __next__(self):
        piece = next(self.pieces)
        log(piece)
        return piece
def GET(db): return Response(Pieces())
""",
    "file": """
from io import BytesIO
class File(BytesIO):
    def read(self, size=-1):
        piece = super().read(1)
        if piece: log(piece.decode())
        return piece
def GET(db): return send_file(File(b"ab"), "text/plain")
""",
    "aborted": """
def pieces():
    for piece in "ab":
        log(piece)
        yield piece
def GET(db): abort(Response(pieces()))
""",
}

each_stream = pytest.mark.parametrize("route", STREAMS.values(), ids=STREAMS)

SENT = ["open", "a", "b", "commit", "close"]


@both_kinds
@each_stream
@pytest.mark.parametrize("middleware", ["", "def", "async def"])
def test_a_session_lives_until_a_stream_ends(serve, kind, route, middleware):
    files = {"dependencies.py": SESSIONS[kind], "x/route.py": route}
    if middleware:
        call = "await call_next()" if "async" in middleware else "call_next()"
        files["middleware.py"] = f"{middleware} middleware(call_next): return {call}"
    client = serve(files)
    response = client.get("/api/x")
    assert "commit" not in take_log()
    assert response.text == "ab"
    assert take_log()[-2:] == ["commit", "close"]


@both_kinds
@each_stream
def test_a_session_of_a_middleware_lives_as_long(serve, kind, route):
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": "def middleware(db, call_next): return call_next()",
            "x/route.py": route,
        }
    )
    assert client.get("/api/x").text == "ab"
    assert take_log() == SENT


@both_kinds
@each_stream
def test_the_context_of_the_request_is_kept(serve, kind, route):
    session = SESSIONS[kind].replace('log("close")', "log(current.path)\n        log(g.name)")
    client = serve(session, route)

    @client.application.before_request
    def set_name():
        g.name = "mine"

    assert client.get("/api/x").text == "ab"
    assert take_log()[-2:] == ["/api/x", "mine"]


def begin(client, path="/api/x"):
    """Return the body of a response, of which one piece has been read."""
    body, status, _ = run_wsgi_app(client.application, create_environ(path))
    assert status == "200 OK"
    return body


@both_kinds
@each_stream
def test_a_client_that_leaves_ends_the_session(serve, kind, route):
    client = serve(SESSIONS[kind], route)
    body = begin(client)
    assert take_log() == ["open", "a"]
    body.close()
    assert take_log() == ["rollback GeneratorExit", "close"]
    body.close()
    assert take_log() == []


@both_kinds
def test_an_error_of_the_stream_is_thrown_in(serve, kind):
    client = serve(SESSIONS[kind], "def GET(db):\n    yield 'a'\n    1 / 0")
    body = begin(client)
    with pytest.raises(ZeroDivisionError):
        list(body)
    body.close()
    assert take_log() == rolled_back("ZeroDivisionError")


@both_kinds
@each_stream
def test_a_commit_that_fails_breaks_the_connection(serve, kind, route, caplog):
    session = SESSIONS[kind].replace('log("commit")', "raise Conflict('Taken.')")
    client = serve(session, route)
    client.application.logger.disabled = False
    body = begin(client)
    # Before the server ends the response, so the client learns that something is missing.
    with pytest.raises(Conflict):
        list(body)
    body.close()
    assert take_log() == ["open", "a", "b", "rollback Conflict", "close"]
    [record] = caplog.records
    assert record.message == "Exception on /api/x [GET]"
    assert "Taken." in str(record.exc_info[1])


@both_kinds
def test_an_error_of_the_clean_up_after_a_client_left_is_logged(serve, kind, caplog):
    session = SESSIONS[kind].replace('log("close")', "log('close')\n        1 / 0")
    client = serve(session, STREAMS["generator"])
    client.application.logger.disabled = False
    body = begin(client)
    with pytest.raises(ZeroDivisionError):
        body.close()
    assert take_log() == ["open", "a", "rollback GeneratorExit", "close"]
    assert [record.message for record in caplog.records] == ["Exception on /api/x [GET]"]


@both_kinds
@each_stream
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_what_has_no_body_cleans_up_at_once(serve, kind, route, method):
    middleware = """
def middleware(call_next):
    response = call_next()
    log(f"got {response.status_code}")
    return response
"""
    if method == "GET":
        route = "def GET(db): return (piece for piece in 'ab'), 204"
    files = {"dependencies.py": SESSIONS[kind], "middleware.py": middleware, "x/route.py": route}
    client = serve(files)
    response = client.open("/api/x", method=method)
    assert response.data == b""
    assert take_log() == [*COMMITTED, f"got {response.status_code}"]


@pytest.mark.parametrize("status", [204, 304])
def test_a_stream_that_becomes_empty_commits(serve, status):
    client = serve(SESSIONS["sync"], STREAMS["generator"])

    @client.application.after_request
    def empty(response):
        response.status_code = status
        return response

    client.get("/api/x").close()
    assert take_log() == COMMITTED


@both_kinds
@each_stream
def test_a_stream_that_is_replaced_cleans_up_at_once(serve, kind, route):
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": """
def outer(call_next):
    response = call_next()
    log("outer")
    return response

def inner(call_next):
    call_next()
    return "mine"

middleware = [outer, inner]
""",
            "x/route.py": route,
        }
    )
    assert client.get("/api/x").text == "mine"
    events = take_log()
    assert [event for event in events if event != "outer"] == COMMITTED
    if kind == "sync" and "async" not in route:
        assert events[-1] == "outer"


@both_kinds
def test_a_wrapped_stream_keeps_its_session(serve, kind):
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": """
def middleware(call_next):
    pieces = call_next().response
    return Response(f"<{piece}>" for piece in pieces)
""",
            "x/route.py": STREAMS["generator"],
        }
    )
    assert client.get("/api/x").text == "<a><b>"
    assert take_log() == SENT


@both_kinds
def test_a_stream_that_middleware_reads_ends_the_session(serve, kind):
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": """
def middleware(call_next):
    response = call_next()
    log(response.get_data(as_text=True))
    return response
""",
            "x/route.py": STREAMS["generator"],
        }
    )
    assert client.get("/api/x").text == "ab"
    assert take_log() == [*SENT, "ab"]


@both_kinds
def test_a_stream_in_the_place_of_a_failure_rolls_back(serve, kind):
    client = serve(
        {
            "dependencies.py": SESSIONS[kind],
            "middleware.py": """
def middleware(db, call_next):
    call_next()
    return (piece for piece in "ab")
""",
            "x/route.py": "def GET(): abort(409)",
        }
    )
    assert client.get("/api/x").text == "ab"
    assert take_log() == rolled_back("Conflict")


def test_a_list_of_pieces_is_not_a_stream(serve):
    client = serve(SESSIONS["sync"], "def GET(db): return Response(['a', 'b'])")
    response = client.get("/api/x")
    assert take_log() == COMMITTED
    assert response.text == "ab"


@both_kinds
def test_each_link_keeps_its_own_open(serve, kind):
    session = SESSIONS[kind]
    outer = re.sub(r'log\((f?)"', r'log(\1"outer ', session).replace("db()", "outer()")
    client = serve(
        {
            "dependencies.py": session + outer,
            "middleware.py": "def middleware(outer, call_next): return call_next()",
            "x/route.py": STREAMS["iterator"],
        }
    )
    assert client.get("/api/x").text == "ab"
    assert take_log() == [
        "outer open", "open", "a", "b", "commit", "close", "outer commit", "outer close"
    ]  # fmt: skip


def test_a_part_of_a_file_can_be_sent(serve, tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("abcdef")
    client = serve(SESSIONS["sync"], f"def GET(db): return send_file({str(path)!r})")
    with client.get("/api/x", headers={"Range": "bytes=2-3"}) as response:
        assert (response.status_code, response.text) == (206, "cd")
        assert take_log() == COMMITTED
    with client.get("/api/x", headers={"If-None-Match": response.headers["ETag"]}) as response:
        assert response.status_code == 304
        assert take_log() == COMMITTED
