"""An import is larger than other bodies."""

from __future__ import annotations

from flask import Request, Response

from flask_routehandlers import CallNext


def middleware(request: Request, call_next: CallNext) -> Response:
    """Accept 16 MB, before the body is read."""
    request.max_content_length = 16 * 1024 * 1024
    return call_next()
