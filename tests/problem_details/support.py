"""Errors, and looks at how an app answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

PROBLEM = "application/problem+json"
PAGE = "text/html; charset=utf-8"
HTML = {"Accept": "text/html"}

#: What no answer may show.
CANARY = "c4n4ry-in-a-c0al-m1ne"

BASIC, BEARER = WWWAuthenticate("basic", {"realm": "my shop"}), WWWAuthenticate("bearer")

#: The members of an error 422 at ``/api/things`` whose description is a dict.
MEMBERS = {
    "type": "about:blank",
    "title": "Unprocessable Entity",
    "status": 422,
    "instance": "/api/things",
}


class Teapot(HTTPException):
    code = 418
    description = "Short and stout."


class ShopError(Exception):
    """An error of an app that is not an HTTP error by itself."""


class SoldOutError(HTTPException, ShopError):
    code = 410
    description = "The last one went yesterday."


class Unknown(HTTPException):
    code = 499


def raiser(error: Exception) -> Callable[[], NoReturn]:
    """Return a function that raises an error: one instance for all requests, as apps may do."""

    def fail() -> NoReturn:
        raise error

    return fail


def own_answer(error: Exception) -> tuple[str, int]:
    """Answer as an error handler of an app."""
    return f"own {type(error).__name__}", 444


def problem(response: TestResponse) -> dict[str, Any]:
    """Return the members of a response that must be problem details."""
    assert response.content_type == PROBLEM
    assert "accept" in response.vary
    assert response.json["status"] == response.status_code
    return response.json


def raw_answer(app: Flask, path: str) -> tuple[int, bytes, str | None]:
    """Return status, body and content type for a percent-encoded path as it is."""
    environ = create_environ()
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    body, status, headers = run_wsgi_app(app, environ, buffered=True)
    return int(status[:3]), b"".join(body), headers.get("Content-Type")


def outcome(app: Flask, url: str, method: str = "GET", accept: str | None = None) -> object:
    """Return the whole of an answer, or the exception that reaches the debugger."""
    headers = {} if accept is None else {"Accept": accept}
    environ = create_environ(url, method=method, headers=headers)
    try:
        body, status, answered = run_wsgi_app(app, environ, buffered=True)
    except Exception as error:
        return repr(error)
    return b"".join(body), status, sorted(answered)


NOT_FOUND = NotFound.description
