"""Around every route of the API: a request id, and CORS.

An HTTP error passes through a middleware as an exception, so what every answer gets is set with
``after_this_request``, which Flask runs for errors too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from flask import Request, Response, after_this_request, current_app, g

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

#: What pages of other origins may send and read, beside what a browser allows anyway.
_SENT = ("Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID")
_READ = ("Location", "X-Request-ID")


def name_request(request: Request, call_next: Callable[[], Response]) -> Response:
    """Keep the client's ``X-Request-ID``, or make one: ``g.request_id``, and in the answer."""
    given = request.headers.get("X-Request-ID", "")
    request_id = g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex

    @after_this_request
    def add_header(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id
        return response

    return call_next()


def share_with_origins(request: Request, call_next: Callable[[], Response]) -> Response:
    """Let pages of the origins in ``CORS_ORIGINS`` use the API (CORS).

    A preflight carries no credentials, so it is answered here, before a middleware below asks
    for some. It runs nothing else.
    """
    origins = current_app.config["CORS_ORIGINS"].split()
    allowed = request.origin in origins

    @after_this_request
    def add_headers(response: Response) -> Response:
        if origins:
            # Also without an Origin: a cache must not give that answer to a page of another one.
            response.vary.add("Origin")
        if allowed:
            response.access_control_allow_origin = request.origin
            response.access_control_expose_headers = _READ
        return response

    if not (allowed and request.method == "OPTIONS" and request.access_control_request_method):
        return call_next()
    response = Response(status=204)
    # The methods of the file, as in an automatic Allow.
    response.access_control_allow_methods = sorted(request.url_rule.methods)
    response.access_control_allow_headers = _SENT
    response.access_control_max_age = 600
    return response


middleware = [name_request, share_with_origins]
