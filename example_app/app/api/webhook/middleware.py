"""Senders have to know ``WEBHOOK_SECRET``."""

from __future__ import annotations

import hashlib
import hmac

from flask import Request, Response, abort, current_app
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import ServiceUnavailable, Unauthorized

from flask_routehandlers import CallNext, Header


def middleware(
    request: Request, call_next: CallNext, x_signature: Header[str] = ""
) -> Response | Unauthorized | ServiceUnavailable:
    """Require a signed body.

    ``X-Signature: sha256=...`` has its HMAC in hexadecimal.
    """
    secret = current_app.config["WEBHOOK_SECRET"]
    if not secret:
        abort(503, "Webhooks are disabled: WEBHOOK_SECRET is not set.")
    signature = hmac.new(secret.encode(), request.get_data(), hashlib.sha256).hexdigest()
    # As bytes: strings that are not ASCII cannot be compared in constant time.
    if not hmac.compare_digest(x_signature.encode(), f"sha256={signature}".encode()):
        raise Unauthorized(
            "X-Signature must be sha256= and the HMAC-SHA256 of the body with the shared secret.",
            www_authenticate=WWWAuthenticate("hmac-sha256"),
        )
    return call_next()
