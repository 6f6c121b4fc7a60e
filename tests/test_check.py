"""``flask route-handlers check``: what it finds, how it is shown, and its exit statuses."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_routehandlers import RouteHandlers, RouteHandlersWarning
from flask_routehandlers.cli import group
from tests.support import bare_app

GET = 'def GET():\n    """Say hello."""\n    return "hello"\n'


def check(app: Flask, *arguments: str) -> tuple[int, str]:
    """Exit status and output of the command, in this process, with files as below the root."""
    result = app.test_cli_runner().invoke(group, ["check", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output.replace(f"{app.root_path}/app/api/", "")


@pytest.fixture
def app_with(tree: Callable[..., Path]) -> Callable[..., Flask]:
    """An app that serves these files, whatever start-up warns about."""

    def make(files: dict[str, str], **options: Any) -> Flask:
        app = bare_app(tree(files))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RouteHandlersWarning)
            RouteHandlers(app, **options)
        return app

    return make


def test_names_that_nothing_reads_are_shown(app_with):
    app = app_with(
        {"a/route.py": f"dynamicParams = True\nruntime = 'edge'\nrevalidate = 9\n{GET}"}
    )
    assert check(app) == (
        0,
        "a/route.py\n"
        "  warning: a/route.py defines dynamicParams, a name of Next.js that nothing reads. "
        "Write dynamic_params.\n"
        "  warning: a/route.py defines runtime, a name of Next.js that nothing reads. "
        "There is no such thing here: remove it.\n"
        "\n"
        "1 route file: 2 warnings\n",
    )
