"""No header or body costs more than linear time: long ones in the worst form for careless parsers.

The time is that of the processor, so that it does not depend on other processes. What takes long
is compared with a header of a quarter of the size: whatever the machine, it costs a parser that
takes linear time a quarter of the time, and one that takes quadratic time a sixteenth.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, write_files

FILES = {
    "plain/route.py": "def GET(): return 'x'\ndef POST(): return {}\n",
    "missing/route.py": "from flask import abort\ndef GET(): abort(404)\n",
    "static/[id]/route.py": "revalidate = 60\ndef GET(id): return id\n",
    "guarded/middleware.py": "def middleware(call_next): return call_next()\n",
    "guarded/route.py": "from flask import abort\ndef GET(): abort(409)\n",
    "bearer/route.py": (
        "from flask_routehandlers import Bearer\ndef GET(token: Bearer): return ''\n"
    ),
    "typed/route.py": (
        "from flask_routehandlers import Body, Form\n"
        "def POST(body: Body[dict[str, list[int]]]): return ''\n"
        "def PUT(a: Form[list[int]]): return ''\n"
    ),
    "inputs/route.py": (
        "from flask_routehandlers import Cookie, Header\n"
        "def GET(if_match: Header[str] = '', cache_control: Header[list[str]] = [],\n"
        "        user: Cookie[str] = ''): return ''\n"
    ),
}

#: The beginning of a field in a multipart body.
FIELD = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'

#: Each way through the code that reads a header. ``{}`` is a number that no request has had.
REQUESTS = [
    "GET /api/plain",
    "HEAD /api/plain",
    "OPTIONS /api/plain",
    "DELETE /api/plain",
    "GET /api/missing",
    "GET /api/none",
    "GET /none",
    "GET /api/static/{}",
    "GET /api/static/0",
    "HEAD /api/static/0",
    "GET /api/guarded",
    "OPTIONS /api/guarded",
    "GET /api/bearer",
    "GET /api/inputs",
]

HEADERS = [
    "ACCEPT",
    "ACCESS_CONTROL_REQUEST_METHOD",
    "AUTHORIZATION",
    "CACHE_CONTROL",
    "COOKIE",
    "IF_MATCH",
    "IF_MODIFIED_SINCE",
    "IF_NONE_MATCH",
    "IF_RANGE",
    "ORIGIN",
    "RANGE",
]

CHARACTERS = ' \t,;="\\/*W<(\xe9\0'

#: Repeated, between other characters, as a list of short and of quoted items, as credentials.
FORMS = {
    "repeated": lambda character, size: character * size,
    "enclosed": lambda character, size: f"x{character * size}y",
    "listed": lambda character, size: f"{character}," * (size // 2),
    "quoted": lambda character, size: f'"{character}' * (size // 2),
    "credentials": lambda character, size: f"Bearer {character * size}y",
}

#: The method, the media type and the forms of bodies; ``~`` is a repeated character.
BODIES = {
    "json": ("POST", "application/json", ["~", '{"a":[~', '{"~":1}', '{"a":"~"}', '{"a":[1~]}']),
    "form": ("PUT", "application/x-www-form-urlencoded", ["~", "a=~&b=", "~=1&", "a=1&~"]),
    "multipart": (
        "PUT",
        "multipart/form-data; boundary=x",
        ["~", f"{FIELD}~", f"{FIELD}~\r\n--x--"],
    ),
}

SIZE = 64 * 1024

#: Seconds of processor time that are compared: a quadratic parser needs far more.
LONG = 0.2


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Return an app with these files, each of which has answered once."""
    folder = tmp_path_factory.mktemp("headers")
    app = bare_app(write_files(folder, {f"app/api/{name}": code for name, code in FILES.items()}))
    RouteHandlers(app)
    for request in REQUESTS:
        run(app, request.format("first"), {})
    return app


def run(app: Flask, request: str, headers: dict[str, str]) -> float:
    """Answer a request; return the processor time that it took."""
    method, url = request.split()
    environ = create_environ(url, method=method)
    return time_of(app, environ | {f"HTTP_{name}": value for name, value in headers.items()})


def time_of(app: Flask, environ: dict[str, Any]) -> float:
    """Answer a request; return the processor time that it took."""
    begin = time.process_time()
    run_wsgi_app(app.wsgi_app, environ, buffered=True)
    return time.process_time() - begin


def is_linear(cost: Callable[[int, int], float]) -> bool:
    """Return whether a cost grows as the size does.

    :param cost: called with a size, and with a number that is another one each time.
    """

    def shortest(size: int, times: int) -> float:
        return min(cost(size, repeat) for repeat in range(times))

    return shortest(SIZE, 1) < LONG or shortest(SIZE, 3) < 8 * shortest(SIZE // 4, 3)


def costs_linear_time(app: Flask, request: str, names: list[str], form: str, number: int) -> bool:
    """Return whether the cost of a character in these headers grows as its number does."""

    def cost(size: int, repeat: int) -> float:
        headers = dict.fromkeys(names, FORMS[form](CHARACTERS[number], size))
        return run(app, request.format(f"{number}-{size}-{repeat}"), headers)

    return is_linear(cost)


@pytest.mark.ci
@pytest.mark.parametrize("form", FORMS)
def test_long_headers_cost_linear_time(served, form):
    for request, number in product(REQUESTS, range(len(CHARACTERS))):
        place = request, CHARACTERS[number]
        assert costs_linear_time(served, request, HEADERS, form, number), place


@pytest.mark.ci
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("header", HEADERS)
def test_a_long_header_costs_linear_time(served, header, form):
    for request, number in product(REQUESTS, range(len(CHARACTERS))):
        place = request, CHARACTERS[number]
        assert costs_linear_time(served, request, [header], form, number), place


@pytest.mark.parametrize("kind", BODIES)
def test_a_long_body_costs_linear_time(served, kind):
    method, content_type, forms = BODIES[kind]
    for form, character in product(forms, CHARACTERS + "[{&%:-\r\n0"):
        cost = partial(body_cost, served, method, content_type, form, character)
        assert is_linear(cost), (form, character)


def body_cost(
    app: Flask, method: str, content_type: str, form: str, character: str, size: int, repeat: int
) -> float:
    """Return the processor time of a request with a long body."""
    body = form.replace("~", character * size).encode()
    environ = create_environ("/api/typed", method=method, data=body, content_type=content_type)
    return time_of(app, environ)


def test_a_long_accept_header_is_not_read(served):
    value = "text/html," + " " * 1024
    environ = create_environ("/api/none") | {"HTTP_ACCEPT": value}
    _, _, headers = run_wsgi_app(served.wsgi_app, environ, buffered=True)
    assert headers["Content-Type"] == "application/problem+json"
    environ["HTTP_ACCEPT"] = value[:1024]
    _, _, headers = run_wsgi_app(served.wsgi_app, environ, buffered=True)
    assert headers["Content-Type"] == "text/html; charset=utf-8"
