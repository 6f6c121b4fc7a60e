"""Administrators only: every route in this group requires a bearer token."""

from __future__ import annotations

import hmac

from flask import Request, Response, abort, current_app, g
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from flask_routehandlers import CallNext


def middleware(request: Request, call_next: CallNext) -> Response:
    """Require ``Authorization: Bearer`` with the ``ADMIN_TOKEN``."""
    token = current_app.config["ADMIN_TOKEN"]
    if not token:
        abort(503, "Administration is disabled: ADMIN_TOKEN is not set.")
    sent = request.authorization
    given = sent.token if sent and sent.type == "bearer" else None
    # As bytes: strings that are not ASCII cannot be compared in constant time.
    if not hmac.compare_digest((given or "").encode(), token.encode()):
        current_app.logger.warning(
            "%s %s without the admin token, request %s", request.method, request.path, g.request_id
        )
        raise Unauthorized(
            "Send Authorization: Bearer with the token of this server.",
            www_authenticate=WWWAuthenticate("bearer", {"realm": "bookmarks administration"}),
        )
    return call_next()
