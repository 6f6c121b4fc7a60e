"""/api/webhook: bookmarks from other programs, which sign what they send."""

from __future__ import annotations

import hashlib
import hmac

from flask import Request, abort, current_app, url_for
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from .._lib import bookmarks
from .._lib.database import get_db
from .._lib.validation import read_bookmark


def POST(request: Request) -> tuple[bookmarks.Bookmark, int, dict[str, str]]:
    """Import a bookmark: 201, or 200 when it is here already, since senders repeat themselves.

    ``X-Signature: sha256=...`` holds the HMAC of the body in hexadecimal.
    """
    check_signature(request)
    fields = read_bookmark()
    with get_db() as db:
        # Taken before looking: the same bookmark may arrive twice at once.
        db.execute("BEGIN IMMEDIATE")
        known = bookmarks.id_of(db, fields["url"])
        bookmark_id = known or bookmarks.add(db, fields)
    location = url_for("api./bookmarks/[id=int]", id=bookmark_id)
    return bookmarks.get_or_404(db, bookmark_id), 200 if known else 201, {"Location": location}


def check_signature(request: Request) -> None:
    """Go on only for a body that was signed with ``WEBHOOK_SECRET``."""
    secret = current_app.config["WEBHOOK_SECRET"]
    if not secret:
        abort(503, "Webhooks are not set up here: WEBHOOK_SECRET is empty.")
    given = request.headers.get("X-Signature", "")
    signature = hmac.new(secret.encode(), request.get_data(), hashlib.sha256).hexdigest()
    # As bytes: text that is not ASCII cannot be compared in constant time.
    if not hmac.compare_digest(given.encode(), f"sha256={signature}".encode()):
        raise Unauthorized(
            "X-Signature must be sha256= and the HMAC-SHA256 of the body with the shared secret.",
            www_authenticate=WWWAuthenticate("hmac-sha256"),
        )
