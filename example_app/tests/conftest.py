"""An app with an empty database for each test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import WSGIRequestHandler, make_server

from example_app import create_app


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    """Create an app whose static handlers store in memory."""
    return create_app(
        {
            "TESTING": True,
            "DATABASE": str(tmp_path / "bookmarks.sqlite"),
            "SAMPLES": False,
            "ROUTE_HANDLERS_CACHE_URL": None,
            "WEBHOOK_SECRET": "a secret for tests",
            "ADMIN_TOKEN": "token-for-tests",
            "EVENTS_INTERVAL": 0.01,
            "EVENTS_SECONDS": 0.0,
        }
    )


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Replace the fixture of pytest-flask.

    In its context all requests of a test would share one ``g``, and one database connection.
    """


@pytest.fixture
def add(client: FlaskClient) -> Callable[..., dict[str, Any]]:
    """Create a bookmark through the API; return it."""

    def add(url: str, **fields: Any) -> dict[str, Any]:
        response = client.post("/api/bookmarks", json={"url": url, **fields})
        assert response.status_code == 201, response.text
        return response.json

    return add


class _QuietHandler(WSGIRequestHandler):
    def log(self, *args: Any) -> None:
        pass


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    """Serve the app; return the port. Its streams last longer than a test."""
    app.config["EVENTS_SECONDS"] = 60.0
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()
