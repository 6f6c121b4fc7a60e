"""``flask route-handlers check``: what it finds, how it is shown, and its exit statuses."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from flask_routehandlers import RouteHandlers, RouteHandlersWarning
from flask_routehandlers.cli import group
from tests.support import bare_app, write_files

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


def test_every_tree_of_an_app_is_checked_when_some_of_them_are_refused(tree):
    folder = tree({"a/route.py": "def get(): ...", "b/route.py": GET})
    write_files(folder / "pages", {"x/route.py": GET, "x/routes.py": GET})
    write_files(folder / "admin", {"[id]/route.py": "def GET(name): ..."})

    def create_app() -> Flask:
        app = bare_app(folder)
        for root in ("app/api", "pages", "admin"):
            RouteHandlers(app, root)
        return app

    result = CliRunner().invoke(group, ["check"], obj=ScriptInfo(create_app=create_app))
    assert (result.exit_code, result.output.replace(f"{folder}/", "")) == (
        1,
        "app/api/a/route.py\n"
        "  error: The file defines get(), which is no handler: "
        "a handler has the name of an HTTP method in upper case. "
        "Did you mean GET? Give a helper another name.\n"
        "\n"
        "admin/[id]/route.py\n"
        "  error: GET asks for 'name', which is not in the path. "
        "It can have 'id', 'request' and 'params', or give the parameter a default.\n"
        "\n"
        "pages/x/routes.py\n"
        "  warning: x/routes.py is not a route file and gets no URL. "
        "Rename it to route.py if it should answer requests.\n"
        "\n"
        "4 route files: 2 errors, 1 warning\n",
    )


def test_a_store_in_each_of_several_processes_is_told_once(tree, monkeypatch):
    folder = tree({"a/route.py": f"revalidate = 60\n{GET}"})
    app = bare_app(folder)
    RouteHandlers(app, write_files(folder / "dynamic", {"route.py": GET}))
    RouteHandlers(app)
    RouteHandlers(app, write_files(folder / "pages", {"x/route.py": f"revalidate = 60\n{GET}"}))
    monkeypatch.chdir(folder)
    assert check(app) == (0, "3 route files: nothing is wrong\n")
    write_files(folder, {"gunicorn.conf.py": "workers = 4"})
    assert check(app) == (
        0,
        "app/api\n"
        "  warning: Static handlers store what they answer in the memory of each process, and "
        "several processes are likely: gunicorn.conf.py has workers = 4. "
        "Revalidating reaches only one of them. "
        "Set ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey server.\n"
        "\n"
        "3 route files: 1 warning\n",
    )
