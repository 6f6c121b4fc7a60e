"""Fixtures for the tests of problem details."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_routehandlers import RouteHandlers
from tests.support import bare_app

ROUTE = """
from flask import current_app

def GET():
    return current_app.config["FAIL"]()

async def POST():
    return current_app.config["FAIL"]()
"""


@pytest.fixture
def failing_app(tree: Callable[..., Path]) -> Callable[..., Flask]:
    """Return an app with a tree whose ``/api/things`` calls a function.

    ``before(app)`` is called before the tree is served.
    """

    def make(
        fail: Callable[[], Any],
        *,
        before: Callable[[Flask], None] = lambda app: None,
        **options: Any,
    ) -> Flask:
        app = bare_app(tree({"things/route.py": ROUTE}))
        app.config["FAIL"] = fail
        before(app)
        RouteHandlers(app, **options)
        return app

    return make
