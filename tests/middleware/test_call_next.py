"""What ``call_next()`` returns, what becomes of the answer, and how it can be misused."""

from __future__ import annotations

import gc

import pytest
from flask import Flask, Response
from flask.json.provider import DefaultJSONProvider

from flask_routehandlers import RouteHandlers
from tests.middleware.support import (
    METHODS,
    OK,
    UNKNOWN,
    both_kinds,
    nest,
    trace,
    tracer,
    variant,
)
from tests.support import bare_app

#: What a handler returns, and the status, media type and body that come of it.
RESPONSES = {
    "return 'text'": (200, "text/html", b"text"),
    "return {'a': 1}": (200, "application/json", b'{"a":1}\n'),
    "return [1]": (200, "application/json", b"[1]\n"),
    "return 'made', 201, {'X-Handler': 'yes'}": (201, "text/html", b"made"),
    "return {'a': 1}, 202": (202, "application/json", b'{"a":1}\n'),
    "return '', 204": (204, "text/html", b""),
    "return flask.Response('r', 203)": (203, "text/html", b"r"),
    "return werkzeug.Response('w', 206)": (206, "text/plain", b"w"),
    "return flask.redirect('/there', 303)": (303, "text/html", None),
    "return wsgi": (299, "text/wsgi", b"from WSGI"),
    "return werkzeug.exceptions.Gone()": (410, "application/problem+json", None),
    "return iter(['a', 'b'])": (200, "text/html", b"ab"),
    "return (c for c in 'abc'), 203": (203, "text/html", b"abc"),
    "return generator()": (200, "text/html", b"abc"),
}

PREAMBLE = """
import flask, werkzeug, werkzeug.exceptions

def generator():
    yield from "abc"

def wsgi(environ, start_response):
    start_response("299 Odd", [("Content-Type", "text/wsgi")])
    return [b"from WSGI"]
"""

#: Checks that it gets a response, and records status and media type in a header.
INSPECTOR = """
from flask import Response

def middleware(call_next):
    response = call_next()
    assert isinstance(response, Response), type(response)
    response.headers.add("Seen", f"{response.status_code} {response.mimetype}")
    return response
"""


@pytest.mark.parametrize("chain", ["sync", "async", "async sync", "sync async"])
@pytest.mark.parametrize("define", ["def", "async def"])
def test_call_next_returns_a_response(make_client, define, chain):
    kinds = chain.split()
    files, url = nest([variant(INSPECTOR, kind) for kind in kinds], OK)
    inner = url.removeprefix("/api/")
    for number, code in enumerate(RESPONSES):
        files[f"{inner}/r{number}/route.py"] = f"{PREAMBLE}{define} GET():\n    {code}\n"
    client = make_client(files)
    for number, (code, (status, mimetype, body)) in enumerate(RESPONSES.items()):
        response = client.get(f"{url}/r{number}")
        assert (response.status_code, response.mimetype) == (status, mimetype), code
        assert response.headers.getlist("Seen") == [f"{status} {mimetype}"] * len(kinds), code
        assert body is None or response.data == body, code


def test_call_next_uses_the_response_class(tree):
    class OwnResponse(Response):
        pass

    code = "def middleware(call_next): return type(call_next()).__name__\n"
    app = bare_app(tree({"middleware.py": code, "x/route.py": OK}))
    app.response_class = OwnResponse
    RouteHandlers(app)
    assert app.test_client().get("/api/x").text == "OwnResponse"


ANSWERS = {
    "return call_next()": (200, "answer"),
    "return call_next(), 202": (202, "answer"),
    "call_next()\n    return 'replaced', 203": (203, "replaced"),
    "r = call_next()\n    r.data = 'changed'\n    return r": (200, "changed"),
    "return {'status': call_next().status_code}": (200, '{"status":200}\n'),
    "return 'kept out', 401": (401, "kept out"),
    "return Response('kept out', 403)": (403, "kept out"),
    "return iter(['a', 'b'])": (200, "ab"),
}


@both_kinds
@pytest.mark.parametrize("around", ["", "sync", "async"])
def test_the_result_of_middleware_is_the_answer(make_client, around, kind):
    files = {"middleware.py": tracer("around", around)} if around else {}
    for number, code in enumerate(ANSWERS):
        code = f"from flask import Response\ndef middleware(call_next):\n    {code}\n"
        files[f"r{number}/middleware.py"] = variant(code, kind)
        files[f"r{number}/route.py"] = OK
    client = make_client(files)
    for number, (code, expected) in enumerate(ANSWERS.items()):
        response = client.get(f"/api/r{number}")
        assert (response.status_code, response.text) == expected, code
        assert trace(response) == ("around /around" if around else None), code


@both_kinds
def test_nothing_runs_below_an_early_answer(make_client, kind):
    client = make_client(
        {
            "middleware.py": tracer("root"),
            "x/middleware.py": variant("def middleware(): return 'kept out', 403\n", kind),
            "x/y/middleware.py": "def middleware(): 1 / 0\n",
            "x/y/route.py": "def GET(): 1 / 0\n",
        }
    )
    for method in (*METHODS, *UNKNOWN):
        response = client.open("/api/x/y", method=method)
        assert (response.status_code, trace(response)) == (403, "root /root"), method
        assert "Allow" not in response.headers


NO_RESPONSE = (
    "{} returned None. A middleware returns a response: "
    'a str, a dict or list (JSON), a Response, or "", 204 for an empty one.'
)
TWICE = (
    "{} called call_next() twice. A request is answered once: keep the response of the first call."
)
ARGUMENT = (
    "{} passed call_next() an argument. It takes none: the next function gets the same request."
)
MISUSES = {
    "call_next()\n    return call_next()": (RuntimeError, TWICE),
    "return call_next(request)": (TypeError, ARGUMENT),
    "return call_next(request=request)": (TypeError, ARGUMENT),
    "call_next()": (TypeError, NO_RESPONSE),
    "return None": (TypeError, NO_RESPONSE),
}


@pytest.mark.parametrize("code", MISUSES, ids=["twice", "argument", "named", "lost", "None"])
@both_kinds
def test_a_misuse_names_function_and_file(make_client, caplog, kind, code):
    error, message = MISUSES[code]
    code = variant(f"def middleware(request, call_next):\n    {code}\n", kind)
    for others in (
        {},
        {"middleware.py": tracer("outer")},
        {"middleware.py": tracer("outer", "async")},
        {"x/y/middleware.py": tracer("inner")},
        {"x/y/middleware.py": tracer("inner", "async")},
    ):
        caplog.clear()
        client = make_client({**others, "x/middleware.py": code, "x/y/route.py": OK})
        client.application.testing = False
        assert client.get("/api/x/y").status_code == 500
        [record] = caplog.records
        assert type(record.exc_info[1]) is error
        assert str(record.exc_info[1]) == message.format("middleware in x/middleware.py")


@pytest.mark.parametrize("code", MISUSES, ids=["twice", "argument", "named", "lost", "None"])
@both_kinds
def test_a_misuse_in_a_list_names_its_number(make_client, kind, code):
    error, message = MISUSES[code]
    code = variant(f"def check(request, call_next):\n    {code}\n", kind)
    client = make_client(f"{code}middleware = [check]\n")
    with pytest.raises(error) as caught:
        client.get("/api/x")
    assert str(caught.value) == message.format("middleware[0] (check) in middleware.py")


@pytest.mark.parametrize("handler", ["def GET(): 1 / 0\n", OK], ids=["raises", "returns"])
def test_a_second_call_never_runs_the_handler(make_client, handler):
    code = """
def middleware(call_next):
    try:
        response = call_next()
    except ZeroDivisionError:
        response = "caught"
    try:
        call_next()
    except RuntimeError:
        return response
"""
    expected = "answer" if handler == OK else "caught"
    assert make_client(code, handler).get("/api/x").text == expected


def test_concurrent_calls_run_the_handler_once(make_client):
    code = """
import asyncio

async def middleware(call_next):
    results = await asyncio.gather(call_next(), call_next(), return_exceptions=True)
    return [type(result).__name__ for result in results]
"""
    assert make_client(code).get("/api/x").json == ["Response", "RuntimeError"]


def test_call_next_can_be_awaited_in_a_gather(make_client):
    code = """
import asyncio

async def middleware(call_next):
    response, other = await asyncio.gather(call_next(), asyncio.sleep(0, "other"))
    return response.get_data(as_text=True) + " and " + other
"""
    client = make_client({"middleware.py": code, "x/middleware.py": tracer("inner")})
    assert client.get("/api/x").text == "answer and other"


def test_call_next_can_be_given_a_timeout(make_client):
    code = """
import asyncio

async def middleware(call_next):
    try:
        return await asyncio.wait_for(call_next(), 0.02)
    except TimeoutError:
        return "too slow", 504
"""
    client = make_client(code, "import asyncio\nasync def GET(): await asyncio.Event().wait()\n")
    assert client.get("/api/x").status_code == 504


def test_forgetting_await_is_explained(make_client):
    client = make_client("async def middleware(call_next): return call_next()\n")
    with pytest.raises(TypeError) as caught:
        client.get("/api/x")
    assert str(caught.value) == (
        "middleware in middleware.py returned a coroutine. Write await call_next()."
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [("call_next()\n    return 'own answer'", 200), ("return call_next().headers", 500)],
    ids=["ignored", "used"],
)
def test_without_await_nothing_below_runs(make_client, code, status):
    route = "def GET(): raise AssertionError('the handler ran')\n"
    client = make_client(f"async def middleware(call_next):\n    {code}\n", route)
    app = client.application
    app.testing = False
    app.logger.disabled = True  # a record would keep the coroutine alive

    def collected_status() -> int:
        status = client.get("/api/x").status_code
        gc.collect()
        return status

    with pytest.warns(RuntimeWarning, match="call_next' was never awaited"):
        assert collected_status() == status


class OwnFlask(Flask):
    """An app that gives every dict another status."""

    def make_response(self, rv):
        return super().make_response((rv, 203) if isinstance(rv, dict) else rv)


class OwnJSON(DefaultJSONProvider):
    """A JSON provider that adds a header."""

    def response(self, *args, **kwargs):
        response = super().response(*args, **kwargs)
        response.headers["X-Own"] = "1"
        return response


@pytest.mark.parametrize(("app_class", "status"), [(Flask, 200), (OwnFlask, 203)])
def test_the_app_makes_responses_of_dicts(tree, app_class, status):
    around = "def middleware(call_next): return call_next()\n"
    folder = tree({"x/route.py": "def GET(): return {'a': 1}\n", "middleware.py": around})
    app = app_class("own", root_path=str(folder), static_folder=None)
    RouteHandlers(app)
    app.json = OwnJSON(app)  # also later than the routes
    response = app.test_client().get("/api/x")
    assert (response.status_code, response.json) == (status, {"a": 1})
    assert response.headers["X-Own"] == "1"
