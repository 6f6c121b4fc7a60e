"""Middleware files for the tests of this folder, and a look at which of them ran."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

#: A route file where only its middleware matters.
OK = "def GET(): return 'answer'\n"

#: The methods that a route file can handle, and some that it cannot.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
UNKNOWN = ("TRACE", "CONNECT", "PROPFIND", "PURGE", "MADEUP", "X" * 300)

#: The form of a middleware function, as the messages show it.
FORM = "def middleware(request, call_next), which returns call_next() or another response"

#: Records in ``app.config["RAN"]`` that it ran.
WITNESS = """
from flask import current_app

def middleware(request, call_next):
    current_app.config["RAN"].append(f"middleware {request.method}")
    return call_next()
"""

both_kinds = pytest.mark.parametrize("kind", ["sync", "async"])


def variant(code: str, kind: str) -> str:
    """Return a file of sync middleware, or the same with ``async def`` and ``await``."""
    if kind == "sync":
        return code
    code = re.sub(r"\bdef (middleware|check)\(", r"async def \1(", code)
    return re.sub(r"\bcall_next\((.*?)\)", r"(await call_next(\1))", code)


def tracer(name: str, kind: str = "sync") -> str:
    """Return a middleware file that records when it begins and ends, and shows it in a header."""
    code = f"""
from flask import g

def middleware(call_next):
    g.setdefault("trace", []).append("{name}")
    response = call_next()
    g.trace.append("/{name}")
    response.headers["Trace"] = " ".join(g.trace)
    return response
"""
    return variant(code, kind)


def trace(response: TestResponse) -> str | None:
    """Return what the middleware of :func:`tracer` recorded, as the outermost one saw it."""
    return response.headers.get("Trace")


def round_trip(*names: str) -> str:
    """Return the trace of a chain, by the names of its middleware from the outside in."""
    return " ".join([*names, *(f"/{name}" for name in reversed(names))])


def nest(middleware: list[str], route: str) -> tuple[dict[str, str], str]:
    """Return files with one middleware in each folder and a route in the last, and its URL."""
    folders = [f"f{number}/" for number in range(len(middleware))]
    files = {"".join(folders[:n]) + "middleware.py": code for n, code in enumerate(middleware)}
    url = "".join(folders)
    return {**files, f"{url}route.py": route}, f"/api/{url}".rstrip("/")


def raw_status(app: Flask, path: str, method: str = "GET") -> int:
    """Return the status for a path exactly as it is, which a client would change."""
    environ = create_environ("/", method=method) | {"PATH_INFO": path}
    return int(run_wsgi_app(app, environ, buffered=True)[1][:3])
