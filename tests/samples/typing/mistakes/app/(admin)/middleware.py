from flask import Request, Response

from flask_routehandlers import AsyncCallNext, AsyncMiddleware, CallNext, Middleware


async def tag(request: Request, call_next: AsyncCallNext) -> Response:
    response = call_next()
    response.status = "200 OK"  # by mypy: attr-defined; by pyright: reportAttributeAccessIssue
    return await response


def add_header(request: Request, call_next: CallNext) -> Response:
    response = call_next()
    response.header = "yes"  # by mypy: attr-defined; by pyright: reportAttributeAccessIssue
    return response


first: Middleware = tag  # by mypy: assignment; by pyright: reportAssignmentType
second: AsyncMiddleware = add_header  # by mypy: assignment; by pyright: reportAssignmentType
middleware = [tag, add_header]
