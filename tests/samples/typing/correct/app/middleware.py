from flask import Request
from flask.typing import ResponseReturnValue
from flask_routehandlers import CallNext


def middleware(request: Request, call_next: CallNext) -> ResponseReturnValue:
    response = call_next()
    response.headers["X-Served-By"] = "typed"
    return response
