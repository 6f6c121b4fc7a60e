"""Generators below middleware, and middleware that is one."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from importlib.metadata import version

import pytest
from flask import current_app, g

from tests.middleware.support import OK, both_kinds, nest, round_trip, trace, tracer
from tests.support import running

STREAM = """
from flask import Response, current_app, g, request, stream_with_context

def pieces(name):
    events = current_app.config["EVENTS"]
    try:
        for n in range(3):
            yield f"{n} {name} {request.args['q']} {g.user}\\n"
            assert events["go on"].acquire(timeout=30)
    finally:
        events["closed"].set()

def GET(name):
    yield from pieces(name)

async def POST(name):
    return pieces(name)

def PUT(name):
    return Response(stream_with_context(pieces(name)), 203)

async def PATCH(name):
    return stream_with_context(pieces(name)), 203
"""

FLASK_VERSION = tuple(map(int, version("flask").split(".")[:3]))

# Before 3.1.2, Flask's own stream_with_context failed when it was called in an event loop.
METHODS = ("GET", "POST", "PUT", "PATCH") if FLASK_VERSION >= (3, 1, 2) else ("GET", "POST")


@pytest.mark.parametrize("chain", ["S", "A", "SS", "SA", "AS", "AA", "ASA"])
def test_a_stream_is_sent_piece_by_piece(make_app, chain):
    links = [tracer(kind, "async" if kind == "A" else "sync") for kind in chain]
    files, url = nest(links, OK)
    app = make_app({**files, f"{url.removeprefix('/api/')}/[name]/route.py": STREAM})
    app.before_request(lambda: setattr(g, "user", "ann"))
    with running(app) as port:
        for method in METHODS:
            go_on, closed = threading.Semaphore(0), threading.Event()
            app.config["EVENTS"] = {"go on": go_on, "closed": closed}
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request(method, f"{url}/log?q=x")
            response = connection.getresponse()
            assert response.getheader("Trace") == round_trip(*chain), method
            for n in range(3):
                # The generator waits for the semaphore: this piece came alone.
                assert response.readline() == f"{n} log x ann\n".encode(), method
                assert not closed.is_set()
                go_on.release()
            assert response.read() == b""
            assert closed.wait(30)
            connection.close()


@both_kinds
def test_head_of_a_stream_starts_nothing(make_client, kind):
    route = "def GET():\n    raise AssertionError('started')\n    yield ''\n"
    response = make_client(tracer("root", kind), route).head("/api/x")
    assert (response.status_code, response.data, trace(response)) == (200, b"", "root /root")


@both_kinds
def test_an_abandoned_stream_leaves_no_context(make_client, kind):
    client = make_client(tracer("root", kind), "def GET():\n    yield 'a'\n    yield 'b'\n")
    response = client.get("/api/x")
    assert next(response.iter_encoded()) == b"a"
    response.close()
    assert not current_app


def test_a_generator_function_can_be_middleware(make_client):
    code = """
from flask import request

def middleware(call_next):
    yield f"{request.path}: "
    for piece in call_next().iter_encoded():
        yield piece.upper()
"""
    client = make_client(code, "def GET():\n    yield 'a'\n    yield 'b'\n")
    assert client.get("/api/x").text == "/api/x: AB"
