"""For every route of the API: a request id, and CORS.

An unexpected exception passes through middleware, so headers for every answer are set in
``after_this_request`` functions, which Flask runs for its 500 too.
"""

from __future__ import annotations

import re
from uuid import uuid4

from flask import Request, Response, after_this_request, current_app, g
from werkzeug.datastructures import HeaderSet

from flask_routehandlers import CallNext

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

#: Headers that pages of other origins can send and read, in addition to the browser's own.
_SENT = HeaderSet(["Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID"])
_READ = HeaderSet(["Location", "X-Request-ID"])


def name_request(request: Request, call_next: CallNext) -> Response:
    """Set ``g.request_id`` and ``X-Request-ID``: the client's, or a new one."""
    request_id = request.headers.get("X-Request-ID", "")
    if not _REQUEST_ID.fullmatch(request_id):
        request_id = uuid4().hex
    g.request_id = request_id

    @after_this_request
    def add_header(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id
        return response

    return call_next()


def share_with_origins(request: Request, call_next: CallNext) -> Response:
    """Let pages of the origins in ``CORS_ORIGINS`` use the API (CORS).

    A preflight has no credentials, so it is answered here, before a middleware below requires
    them.
    """
    origins = current_app.config["CORS_ORIGINS"].split()
    allowed = request.origin in origins

    @after_this_request
    def add_headers(response: Response) -> Response:
        if origins:
            # Also without an Origin: a cache must not serve that answer to a page.
            response.vary.add("Origin")
        if allowed:
            response.access_control_allow_origin = request.origin
            response.access_control_expose_headers = _READ
        return response

    rule = request.url_rule
    is_preflight = request.method == "OPTIONS" and request.access_control_request_method
    if not (allowed and is_preflight and rule and rule.methods):
        return call_next()
    response = Response(status=204)
    # The methods of the file, as in an automatic Allow.
    response.access_control_allow_methods = HeaderSet(sorted(rule.methods))
    response.access_control_allow_headers = _SENT
    response.access_control_max_age = 600
    return response


middleware = [name_request, share_with_origins]
