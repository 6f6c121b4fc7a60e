"""Fixtures for the tests of requests to handlers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient


@pytest.fixture
def make_client(make_app: Callable[..., Flask]) -> Callable[..., FlaskClient]:
    """Return a client of an app with one route file, at ``/api/x``, or with several."""

    def make(files: str | Mapping[str, str], **options: Any) -> FlaskClient:
        if isinstance(files, str):
            files = {"x/route.py": files}
        return make_app(files, **options).test_client()

    return make
