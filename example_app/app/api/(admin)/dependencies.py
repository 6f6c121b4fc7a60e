"""Who may use the group for administrators."""

from __future__ import annotations

import hmac

from flask import Request, current_app, g
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import ServiceUnavailable, Unauthorized

from flask_routehandlers import Bearer


def administrator(request: Request, token: Bearer) -> Unauthorized | ServiceUnavailable | None:
    """Require the ``ADMIN_TOKEN``."""
    expected = current_app.config["ADMIN_TOKEN"]
    if not expected:
        return ServiceUnavailable("Administration is disabled: ADMIN_TOKEN is not set.")
    # As bytes: strings that are not ASCII cannot be compared in constant time.
    if hmac.compare_digest(token.encode(), expected.encode()):
        return None
    current_app.logger.warning(
        "%s %s without the admin token, request %s", request.method, request.path, g.request_id
    )
    return Unauthorized(
        "This is not the token of this server.", www_authenticate=WWWAuthenticate("bearer")
    )
