"""Fixtures for the tests of how handlers are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.binding.support import FOLDER, SHOW, URL
from tests.support import bare_app, refused


@pytest.fixture
def arguments_of(make_app: Callable[..., Flask]) -> Callable[[str], Any]:
    """Return the arguments of the handler in a route file, which returns ``show(locals())``."""

    def call(code: str) -> Any:
        response = make_app({f"{FOLDER}/route.py": SHOW + code}).test_client().get(URL)
        assert response.status_code == 200
        return response.json

    return call


@pytest.fixture
def refusal(tree: Callable[..., Path]) -> Callable[..., list[str]]:
    """Return why the handlers of a route file are refused, as sentences."""

    def refuse(code: str, folder: str = FOLDER) -> list[str]:
        file = f"{folder}/route.py"
        problems = refused(bare_app(tree({file: code})))
        assert all(problem.files == (file,) for problem in problems)
        return [f"{problem.reason} {problem.hint}" for problem in problems]

    return refuse
