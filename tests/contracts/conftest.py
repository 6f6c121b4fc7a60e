"""Fixtures for the tests of contracts: clients of apps with one route file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.contracts.support import IMPORTS, KINDS, one_route
from tests.support import bare_app, refused

Serve = Callable[..., FlaskClient]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Return a client of an app with one route file; it is called with the file's code.

    Exceptions reach the test, and responses are checked, as in an app's own tests.
    """
    count = 0

    def make(code: str, **config: Any) -> FlaskClient:
        nonlocal count
        count += 1
        app = one_route(tmp_path / f"p{count}", code, TESTING=True, **config)
        return app.test_client()

    return make


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of structured types."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="module")
def client(kind: str, request: pytest.FixtureRequest, tmp_path_factory) -> FlaskClient:
    """A client of the route file that ``route_file(kind)`` of the test module returns."""
    code = request.module.route_file(kind)
    app = one_route(tmp_path_factory.mktemp("project"), code, TESTING=True)
    return app.test_client()


@pytest.fixture
def refusal(tree):
    """Return why one route file is refused: each reason with its hint."""

    def refuse(code: str, file: str = "x/route.py") -> list[tuple[str, str]]:
        problems = refused(bare_app(tree({file: IMPORTS + code})))
        assert all(problem.files == (file,) for problem in problems)
        return [(problem.reason, problem.hint) for problem in problems]

    return refuse
