"""Bookmarks: a small API, a feed and a page, on SQLite."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask, redirect, url_for
from flask.typing import ResponseReturnValue

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
        # What administrators authenticate with. Without a token their routes are closed.
        ADMIN_TOKEN=os.environ.get("ADMIN_TOKEN", ""),
        # Whose pages may use the API, separated by spaces: https://example.com https://...
        CORS_ORIGINS=os.environ.get("CORS_ORIGINS", ""),
        # How often a stream looks for new bookmarks, and after how long its client reconnects.
        EVENTS_INTERVAL=1.0,
        EVENTS_SECONDS=60.0,
        # What workers and machines share of the feeds and the page, and what it is signed with.
        ROUTE_HANDLERS_CACHE_URL=os.environ.get("REDIS_URL") or None,
        SECRET_KEY=os.environ.get("SECRET_KEY", ""),
        # Feed readers know the feed and its entries by it: choose your own, and keep it.
        FEED_ID="tag:example.com,2025:bookmarks",
    )
    app.config.from_mapping(config or {})
    app.json.sort_keys = False
    database.init_app(app)
    RouteHandlers(app, root="app/api")

    @app.get("/")
    def index() -> ResponseReturnValue:
        return redirect(url_for("api./browse/[[*tags]]"))

    return app
