"""Fixtures for the tests of middleware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.middleware.support import OK


@pytest.fixture
def make_client(make_app: Callable[..., Flask]) -> Callable[..., FlaskClient]:
    """Return a client of an app with a route at ``/api/x``; exceptions reach the test.

    It is called with the middleware file of the root, or with several files, and the route file.
    """

    def make(
        middleware: str | Mapping[str, str], route: str = OK, /, **options: Any
    ) -> FlaskClient:
        files = {"middleware.py": middleware} if isinstance(middleware, str) else middleware
        app = make_app({"x/route.py": route, **files}, **options)
        app.testing = True
        return app.test_client()

    return make
