from flask import Request, Response

from flask_routehandlers import CallNext


def middleware(request: Request, call_next: CallNext) -> Response:
    return call_next(request)  # by mypy: call-arg; by pyright: reportCallIssue
