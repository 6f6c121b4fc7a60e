"""Fixtures for the tests of dependencies: clients, and refusals in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_routehandlers import Problem
from tests.dependencies.support import IMPORTS, LOG
from tests.support import bare_app, refused


@pytest.fixture(autouse=True)
def _empty_log() -> None:
    LOG.clear()


@pytest.fixture
def serve(make_app: Callable[..., Flask]) -> Callable[..., FlaskClient]:
    """Return a client of an app with some files. Its errors are responses, as in production.

    The first argument is the ``dependencies.py`` of the root, or several files; the second one
    is the route file at ``/api/x``.
    """

    def make(
        dependencies: str | Mapping[str, str], route: str | None = None, /, **options: Any
    ) -> FlaskClient:
        files = dependencies
        if isinstance(files, str):
            files = {"dependencies.py": files}
        if route is not None:
            files = {**files, "x/route.py": route}
        app = make_app({file: IMPORTS + code for file, code in files.items()}, **options)
        app.logger.disabled = True
        return app.test_client()

    return make


@pytest.fixture
def refuse(tree: Callable[..., Path]) -> Callable[..., list[tuple[tuple[str, ...], str]]]:
    """Return why a tree is refused: the files, and the reason with its hint."""

    def make(
        dependencies: str | Mapping[str, str], route: str = "def GET(): return ''"
    ) -> list[tuple[tuple[str, ...], str]]:
        files = dependencies
        if isinstance(files, str):
            files = {"dependencies.py": files, "x/route.py": route}
        code = {file: IMPORTS + code for file, code in files.items()}
        return [_describe(problem) for problem in refused(bare_app(tree(code)))]

    return make


def _describe(problem: Problem) -> tuple[tuple[str, ...], str]:
    assert problem.severity == "error"
    return problem.files, f"{problem.reason} {problem.hint}"
