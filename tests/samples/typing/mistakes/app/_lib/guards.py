from flask import Request, Response

from flask_routehandlers import CallNext, Handler, Middleware


def require_scheme(scheme: str) -> Middleware:
    def middleware(request: Request, call_next: CallNext) -> Response | None:
        return call_next() if request.scheme == scheme else None

    return middleware  # by mypy: return-value; by pyright: reportReturnType


def require_form() -> Middleware:
    def middleware(request: Request, next: CallNext) -> Response:
        return next()

    return middleware  # by mypy: return-value; by pyright: reportReturnType


def counted(handler: Handler) -> Handler:
    return handler
