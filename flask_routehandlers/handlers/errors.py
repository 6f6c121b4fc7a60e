"""The answer to an exception, as the app gives it, for the middleware around a handler."""

from __future__ import annotations

from inspect import signature
from typing import Any

from flask import Flask, Request, Response
from flask.globals import app_ctx
from werkzeug.exceptions import HTTPException

#: Flask 3.2 passes the context to its methods.
_TAKES_CONTEXT = "ctx" in signature(Flask.handle_user_exception).parameters


def answer_error(app: Flask, request: Request, error: Exception) -> Response | None:
    """Return the response that the client would get for an exception, if it has one.

    HTTP errors have one, and so does any exception for whose class, or for a base class below
    ``Exception``, the app or the blueprint has an error handler. Handlers for ``Exception`` and
    for 500 are the last resort, and run outside of all middleware.
    """
    if not isinstance(error, HTTPException) and not _has_handler(app, request, type(error)):
        return None
    handle: Any = app.handle_user_exception
    answer = handle(app_ctx, error) if _TAKES_CONTEXT else handle(error)
    if isinstance(answer, HTTPException):
        # Flask would call it as a WSGI app, whose body is a stream.
        answer = answer.get_response(request.environ)
    return app.make_response(answer)


def _has_handler(app: Flask, request: Request, kind: type[Exception]) -> bool:
    """Return whether Flask would call a handler that is registered for a specific class."""
    for name in (*request.blueprints, None):
        handlers = app.error_handler_spec[name][None]
        for base in kind.__mro__:
            if base in handlers:
                return base not in (Exception, BaseException)
    return False


def makes_response(error: type[HTTPException]) -> bool:
    """Return whether a class of errors makes its responses itself.

    Then nothing is known about their body: problem details and the OpenAPI document leave it
    alone.
    """
    return (
        error.get_body is not HTTPException.get_body
        or error.get_response is not HTTPException.get_response
    )
