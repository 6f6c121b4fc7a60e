"""Bookmarks: a small API, feeds and pages on SQLite."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask, redirect, url_for
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue

from flask_routehandlers import RouteHandlers

from .app.api._lib import database


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Create the app, and its database if that does not exist.

    :param config: settings that override those below.
    """
    app = Flask(__name__)
    app.config.from_mapping(
        DATABASE=os.path.join(app.instance_path, "bookmarks.sqlite"),
        # Fill a new database with a few bookmarks.
        SAMPLES=True,
        MAX_CONTENT_LENGTH=64 * 1024,
        # The key that senders sign with. Without it the webhook is disabled.
        WEBHOOK_SECRET=os.environ.get("WEBHOOK_SECRET", ""),
        # The token of administrators. Without it their routes are disabled.
        ADMIN_TOKEN=os.environ.get("ADMIN_TOKEN", ""),
        # Origins whose pages can use the API: https://example.com https://...
        CORS_ORIGINS=os.environ.get("CORS_ORIGINS", ""),
        # Seconds between two looks for new bookmarks, and until a client has to reconnect.
        EVENTS_INTERVAL=1.0,
        EVENTS_SECONDS=60.0,
        # The store that workers and machines share, and the key that signs what is in it.
        ROUTE_HANDLERS_CACHE_URL=os.environ.get("REDIS_URL") or None,
        SECRET_KEY=os.environ.get("SECRET_KEY", ""),
        # Identifies the feed and its entries to feed readers: choose one, and keep it.
        FEED_ID="tag:example.com,2025:bookmarks",
    )
    app.config.from_mapping(config or {})
    app.json = DefaultJSONProvider(app)
    app.json.sort_keys = False
    database.init_app(app)
    RouteHandlers(app, root="app/api")

    @app.get("/")
    def index() -> ResponseReturnValue:
        return redirect(url_for("api./browse/[[*tags]]"))

    return app
