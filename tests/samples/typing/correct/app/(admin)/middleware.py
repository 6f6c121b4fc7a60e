from flask import Request, Response
from flask_routehandlers import AsyncCallNext, AsyncMiddleware, Middleware

from .._lib.guards import require_scheme


async def tag(request: Request, call_next: AsyncCallNext) -> Response:
    response = await call_next()
    response.headers["X-Admin"] = "yes"
    return response


middleware: list[Middleware | AsyncMiddleware] = [require_scheme("http"), tag]
