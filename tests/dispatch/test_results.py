"""What handlers return, await and stream."""

from __future__ import annotations

import socket
import threading
from contextvars import ContextVar
from http.client import HTTPConnection
from itertools import product

import pytest
from flask import Flask, g

from flask_routehandlers import RouteHandlers
from tests.support import running


@pytest.mark.parametrize(
    ("code", "status", "mimetype", "body"),
    [
        ("return 'text'", 200, "text/html", b"text"),
        ("return ''", 200, "text/html", b""),
        ("return b'\\x00\\xff'", 200, "text/html", b"\x00\xff"),
        ("return bytearray(b'bytes')", 200, "text/html", b"bytes"),
        ("return {'a': 1}", 200, "application/json", b'{"a":1}\n'),
        ("return {}", 200, "application/json", b"{}\n"),
        ("return [1, 'two']", 200, "application/json", b'[1,"two"]\n'),
        ("return 'made', 201", 201, "text/html", b"made"),
        ("return {'a': 1}, 202", 202, "application/json", b'{"a":1}\n'),
        ("return '', 204", 204, "text/html", b""),
        ("return 'x', '418 TEAPOT'", 418, "text/html", b"x"),
        ("return 'x', {'Content-Type': 'text/x'}", 200, "text/x", b"x"),
        ("return 'x', 203, [('Content-Type', 'text/y')]", 203, "text/y", b"x"),
        ("return flask.Response('r', 201, mimetype='text/plain')", 201, "text/plain", b"r"),
        ("return flask.Response('r'), 202", 202, "text/html", b"r"),
        ("return flask.jsonify(1)", 200, "application/json", b"1\n"),
        ("return flask.make_response('m', 203)", 203, "text/html", b"m"),
        ("return werkzeug.Response('w', 206)", 206, "text/plain", b"w"),
        ("return werkzeug.exceptions.Gone()", 410, "application/problem+json", None),
        ("flask.abort(flask.Response('over', 409))", 409, "text/html", b"over"),
        ("return wsgi", 299, "text/wsgi", b"from WSGI"),
        ("return iter(['a', 'b'])", 200, "text/html", b"ab"),
        ("return (c for c in 'abc')", 200, "text/html", b"abc"),
        ("return (c for c in 'abc'), 203", 203, "text/html", b"abc"),
    ],
)
@pytest.mark.parametrize("kind", ["def", "async def", "def with request"])
def test_a_handler_returns_what_views_return(make_client, kind, code, status, mimetype, body):
    parameters = "request, params" if kind == "def with request" else ""
    code = f"""
import flask, werkzeug, werkzeug.exceptions

def wsgi(environ, start_response):
    start_response("299 Odd", [("Content-Type", "text/wsgi")])
    return [b"from WSGI"]

{kind.removesuffix(" with request")} GET({parameters}):
    {code}
"""
    client = make_client(code)
    response = client.get("/api/x")
    assert (response.status_code, response.mimetype) == (status, mimetype)
    assert body is None or response.data == body
    head = client.head("/api/x")
    assert (head.status_code, head.mimetype, head.data) == (status, mimetype, b"")


@pytest.mark.parametrize("signature", ["def GET()", "def GET(request)", "async def GET()"])
def test_none_is_an_error_that_names_the_file(make_client, caplog, signature):
    client = make_client({"users/[id]/route.py": f"{signature}: pass\ndef POST(): return None"})
    for method in ("GET", "POST"):
        caplog.clear()
        assert client.open("/api/users/3", method=method).status_code == 500
        [record] = caplog.records
        assert record.exc_info[0] is TypeError
        assert str(record.exc_info[1]) == (
            f"{method} in users/[id]/route.py returned None. A handler returns a response: "
            'a str, a dict or list (JSON), a Response, or "", 204 for an empty one.'
        )


def test_none_for_a_head_request_names_get(make_client, caplog):
    assert make_client("def GET(): pass").head("/api/x").status_code == 500
    assert str(caplog.records[0].exc_info[1]).startswith("GET in x/route.py returned None.")


RESPONSES = 'a str, a dict or list (JSON), a Response, or "", 204 for an empty one.'

INVALID = {
    "{1, 2}": "a value of the type set",
    "datetime(2030, 1, 2)": "a value of the type datetime",
    "3": "a value of the type int",
    "object()": "a value of the type object",
    "User": "a value of the type type",
    "len": "a value of the type builtin_function_or_method",
    "()": "a value of the type tuple",
    "(None, 204)": "None in a tuple",
    "(None, {'X-Header': 'x'})": "None in a tuple",
    "({1, 2}, 200)": "a value of the type set in a tuple",
    "('x',)": "a tuple of 1",
    "('x', 200, {}, 4)": "a tuple of 4",
}


@pytest.mark.parametrize(("value", "returned"), INVALID.items(), ids=INVALID)
def test_other_results_name_handler_and_file(make_client, value, returned):
    code = (
        "from datetime import datetime\n"
        "class User: pass\n"
        f"def GET(): return {value}\n"
        f"async def POST(): return {value}\n"
        f"def PUT(request): return {value}\n"
    )
    around = "def middleware(call_next): return call_next()\n"
    async_around = "async def middleware(call_next): return await call_next()\n"
    files = {
        "x/route.py": code,
        "sync/x/route.py": code,
        "sync/middleware.py": around,
        "async/x/route.py": code,
        "async/middleware.py": async_around,
    }
    client = make_client(files)
    client.application.testing = True
    for folder, method in product(("", "sync/", "async/"), ("GET", "POST", "PUT")):
        with pytest.raises(TypeError) as caught:
            client.open(f"/api/{folder}x", method=method)
        assert str(caught.value) == (
            f"{method} in {folder}x/route.py returned {returned}. "
            f"A handler returns a response: {RESPONSES}"
        )


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_other_results_of_middleware_are_named(make_client, kind):
    files = {"x/route.py": "def GET(): return ''\n"}
    files["x/middleware.py"] = f"{kind} middleware(): return None, 204\n"
    client = make_client(files)
    client.application.testing = True
    with pytest.raises(TypeError) as caught:
        client.get("/api/x")
    assert str(caught.value) == (
        "middleware in x/middleware.py returned None in a tuple. "
        f"A middleware returns a response: {RESPONSES}"
    )


def test_other_results_of_static_get_are_named(make_client):
    client = make_client("revalidate = 60\ndef GET(): return {1, 2}\n")
    client.application.testing = True
    with pytest.raises(TypeError, match=r"^GET in x/route\.py returned a value of the type set\."):
        client.get("/api/x")


def test_an_app_may_accept_other_results(tree):
    class SetFlask(Flask):
        def make_response(self, rv):
            return super().make_response(sorted(rv) if isinstance(rv, set) else rv)

    files = {"x/route.py": "def GET(): return {2, 1}\nasync def POST(): return {2, 1}\n"}
    app = SetFlask("sets", root_path=str(tree(files)), static_folder=None)
    RouteHandlers(app)
    assert app.test_client().get("/api/x").json == [1, 2]
    assert app.test_client().post("/api/x").json == [1, 2]


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_values_that_are_not_json_are_errors(make_client, method, debug):
    client = make_client(
        "def GET(): return {'x': object()}\n"
        "def POST(): return [object()], 201\n"
        "async def PUT(): return [object()]\n"
    )
    client.application.testing = True
    client.application.debug = debug
    with pytest.raises(TypeError) as caught:
        client.open("/api/x", method=method)
    assert str(caught.value) == "Object of type object is not JSON serializable"
    assert caught.value.__notes__ == [
        f"It is in what {method} in x/route.py returned. Return dicts, lists, strings and "
        f"numbers; for models, annotate what {method} returns, for example -> list[Item]."
    ]


# Async handlers.

ASYNC = """
import asyncio, functools
from flask import current_app, g, request as proxy, session

def plain(f):
    @functools.wraps(f)
    def wrapper(**values):
        return f(**values)
    return wrapper

{decorator}
async def GET(id, request):
    await asyncio.sleep(0)
    assert proxy.path == request.path
    g.inside = id
    return [id, proxy.path, current_app.config["VAR"].get(), g.user]
"""


@pytest.mark.parametrize("decorator", ["", "@plain", "@plain\n@plain"])
def test_an_async_handler_has_its_request_context(make_app, decorator):
    app = make_app({"[id]/route.py": ASYNC.format(decorator=decorator)})
    app.config["VAR"] = ContextVar("var", default="unset")
    inside = []

    @app.before_request
    def prepare():
        app.config["VAR"].set("set before")
        g.user = "ann"

    app.teardown_request(lambda error: inside.append(g.inside))
    assert app.test_client().get("/api/3").json == ["3", "/api/3", "set before", "ann"]
    assert inside == ["3"]


def test_a_sync_handler_may_return_a_coroutine(make_client):
    code = (
        "def unnamed(f): return lambda **values: f(**values)\n"
        "@unnamed\nasync def GET(id): return id\n"
        "async def late(): return 'late'\n"
        "def POST(): return late()\n"
    )
    client = make_client({"[id]/route.py": code})
    assert client.get("/api/3").text == "3"
    assert client.post("/api/3").text == "late"


def test_errors_of_async_handlers_are_handled(make_app):
    code = (
        "import flask\n"
        "async def GET(): flask.abort(409)\n"
        "async def POST(): raise KeyError('lost')\n"
    )
    app = make_app({"x/route.py": code})
    app.register_error_handler(KeyError, lambda error: (f"handled {error}", 418))
    client = app.test_client()
    assert client.get("/api/x").status_code == 409
    response = client.post("/api/x")
    assert (response.status_code, response.text) == (418, "handled 'lost'")


def test_the_app_decides_how_coroutines_run(tree):
    class LoopFlask(Flask):
        def async_to_sync(self, function):
            run = super().async_to_sync(function)
            return lambda *args: f"{run(*args)}, by the app"

    app = LoopFlask("loop", root_path=str(tree({"x/route.py": "async def GET(): return 'run'"})))
    RouteHandlers(app)
    assert app.test_client().get("/api/x").text == "run, by the app"


# Streams.

STREAM = """
from flask import current_app, g, request

def GET(name):
    events = current_app.config["EVENTS"]
    try:
        for n in range(3):
            yield f"{n} {name} {request.args['q']} {g.user}\\n"
            assert events["go on"].acquire(timeout=30)
    finally:
        events["closed"].set()

def POST(name):
    return (f"{request.args['q']}{n}" for n in range(2))

def PATCH(name):
    return (f"{request.args['q']}{n}" for n in range(2)), 201, {"X-Name": name}

async def PUT(name):
    def lines():
        yield request.path
    return lines()
"""


@pytest.fixture
def streaming(make_app):
    """Return an app whose GET waits for a semaphore after each piece."""
    app = make_app({"[name]/route.py": STREAM})
    app.config["EVENTS"] = {"go on": threading.Semaphore(0), "closed": threading.Event()}

    @app.before_request
    def prepare():
        g.user = "ann"

    return app


def test_a_generator_is_sent_piece_by_piece(streaming):
    events = streaming.config["EVENTS"]
    with running(streaming) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/api/log?q=x")
        response = connection.getresponse()
        for n in range(3):
            # The generator waits for the semaphore: this piece came alone.
            assert response.readline() == f"{n} log x ann\n".encode()
            assert not events["closed"].is_set()
            events["go on"].release()
        assert response.read() == b""
        assert events["closed"].wait(30)
        connection.close()


def test_a_generator_ends_when_the_client_leaves(make_app):
    code = (
        "from flask import current_app\n"
        "def GET():\n"
        "    try:\n"
        "        for _ in range(10_000): yield 'x' * 10_000\n"
        "        current_app.config['ENDED'].append('exhausted')\n"
        "    finally:\n"
        "        current_app.config['CLOSED'].set()\n"
    )
    app = make_app({"x/route.py": code})
    app.config.update(ENDED=[], CLOSED=threading.Event())
    with running(app) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(b"GET /api/x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert app.config["CLOSED"].wait(30)
    assert app.config["ENDED"] == []


def test_returned_generators_keep_their_context(streaming):
    client = streaming.test_client()
    assert client.post("/api/log?q=x").text == "x0x1"
    assert client.put("/api/log").text == "/api/log"
    response = client.patch("/api/log?q=x")
    assert (response.status_code, response.text) == (201, "x0x1")
    assert response.headers["X-Name"] == "log"


def test_an_early_error_of_a_generator_is_raised(make_client):
    client = make_client("def GET():\n    raise ValueError('too early')\n    yield ''")
    with pytest.raises(ValueError, match="too early"):
        client.get("/api/x").get_data()


def test_head_of_a_generator_starts_nothing(streaming):
    response = streaming.test_client().head("/api/log?q=x")
    assert (response.status_code, response.data) == (200, b"")
    assert not streaming.config["EVENTS"]["closed"].is_set()
