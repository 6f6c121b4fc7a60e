"""Bookmarks: a small API, a feed and a page, on SQLite."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask, json, redirect, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from flask_routehandlers import RouteHandlers

from .app.api._lib import database


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the app. Its database is created when it is not there.

    :param config: overrides what is set here.
    """
    app = Flask(__name__)
    app.config.from_mapping(
        DATABASE=os.path.join(app.instance_path, "bookmarks.sqlite"),
        # A few bookmarks to look at, put into a new database.
        SAMPLES=True,
        MAX_CONTENT_LENGTH=64 * 1024,
        # What senders sign with. Without a secret the webhook is closed.
        WEBHOOK_SECRET=os.environ.get("WEBHOOK_SECRET", ""),
        # How often a stream looks for new bookmarks, and after how long its client reconnects.
        EVENTS_INTERVAL=1.0,
        EVENTS_SECONDS=60.0,
        # Feed readers know the feed and its entries by it: choose your own, and keep it.
        FEED_ID="tag:example.com,2025:bookmarks",
    )
    app.config.from_mapping(config or {})
    app.json.sort_keys = False
    database.init_app(app)
    RouteHandlers(app, root="app/api")
    app.register_error_handler(HTTPException, answer_problem)

    @app.get("/")
    def index() -> ResponseReturnValue:
        return redirect(url_for("api./browse/[[*tags]]"))

    return app


def answer_problem(error: HTTPException) -> ResponseReturnValue:
    """Answer an HTTP error as JSON (RFC 9457), with the headers that it brings."""
    response = error.get_response()
    response.content_type = "application/problem+json"
    problem = {"type": "about:blank", "title": error.name, "status": error.code}
    response.data = json.dumps(problem | {"detail": error.description}) + "\n"
    return response
