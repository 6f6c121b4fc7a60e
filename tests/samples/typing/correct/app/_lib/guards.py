from __future__ import annotations

from functools import wraps
from typing import Any

from flask import Request, abort, current_app
from flask.typing import ResponseReturnValue
from flask_routehandlers import CallNext, Handler, Middleware


def require_scheme(scheme: str) -> Middleware:
    """Make a middleware that lets requests of one scheme pass."""

    def middleware(request: Request, call_next: CallNext) -> ResponseReturnValue:
        return call_next() if request.scheme == scheme else abort(403)

    return middleware


def counted(handler: Handler) -> Handler:
    """Count the calls of a handler."""

    @wraps(handler)
    def wrapper(*args: Any, **kwargs: Any) -> ResponseReturnValue:
        counts = current_app.extensions.setdefault("counts", {})
        counts[handler] = counts.get(handler, 0) + 1
        answer: ResponseReturnValue = current_app.ensure_sync(handler)(*args, **kwargs)
        return answer

    return wrapper
