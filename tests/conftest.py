"""Fixtures for every test: trees on disk, and the apps that serve them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, has_request_context
from hypothesis import HealthCheck, settings

from flask_routehandlers import RouteHandlers
from tests.commands import flask_in_process
from tests.support import ECHO, bare_app, stop_clock, write_files

# A busy machine takes its time over an example, and a failure can be repeated.
settings.register_profile(
    "tests", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tests")

_numbers = count()


@pytest.fixture(autouse=True, scope="module")
def _frozen_heap() -> None:
    """Leave what is there already out of collections of garbage.

    Else each takes half a second after some thousand tests, whose modules stay.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def tree(tmp_path: Path) -> Callable[..., Path]:
    """Write a tree below ``app/api`` of a new project folder; return the project folder.

    ``tree({"users/route.py": "def GET(): ..."}, "posts/[id]")`` writes the files as given, and a
    route file that tells its rule and parameters into each of the folders that follow.
    The project folder is new each time: Python keeps bytecode by path and time stamp.
    """

    def write(files: Mapping[str, str] | None = None, /, *routes: str) -> Path:
        folder = tmp_path / f"project{next(_numbers)}"
        (folder / "app/api").mkdir(parents=True)
        every = dict(files or {}) | {f"{route}/route.py".lstrip("/"): ECHO for route in routes}
        write_files(folder / "app/api", every)
        return folder

    return write


@pytest.fixture
def make_app(tree: Callable[..., Path]) -> Callable[..., Flask]:
    """An app that serves the files given below ``/api``, with the same arguments as ``tree``."""

    def make(files: Mapping[str, str] | None = None, /, *routes: str, **options: Any) -> Flask:
        app = bare_app(tree(files, *routes))
        RouteHandlers(app, **options)
        stop_clock(app)
        return app

    return make


@pytest.fixture
def flask(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Run ``flask`` in this process: ``flask({"wsgi.py": ...}, "routes")`` gives the exit status,
    the output and the errors. The files are written to ``tmp_path``, the current folder."""
    with flask_in_process(tmp_path) as run:
        yield run


@pytest.fixture(autouse=True)
def _no_leaked_context() -> Iterator[None]:
    yield
    assert not has_request_context(), "the test left a request context behind"
