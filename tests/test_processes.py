"""Whether several processes with a store each are likely: at start-up, and for ``check``."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

import flask_routehandlers
from flask_routehandlers import RouteHandlers, RouteHandlersWarning
from flask_routehandlers.caching.processes import find_several
from tests.support import bare_app, write_files

CHECKOUT = str(Path(flask_routehandlers.__file__).parents[1])

STATIC = "revalidate = 60\n\n\ndef GET():\n    return 'static'\n"

WSGI = """
import sys
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
app.config["SECRET_KEY"] = "not for production"
{config}
RouteHandlers(app, "app/api")
RouteHandlers(app, "app/other")
print("loaded", file=sys.stderr, flush=True)
"""


def text(several: str) -> str:
    return (
        "Static handlers store what they answer in the memory of each process, and several "
        f"processes are likely: {several}. Revalidating reaches only one of them. "
        "Set ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey server."
    )


def environment(more: Mapping[str, str]) -> dict[str, str]:
    left_out = ("FLASK_", "GUNICORN_", "WEB_CONCURRENCY", "COV_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    return kept | {"PYTHONPATH": CHECKOUT} | dict(more)


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    def write(files: Mapping[str, str] | None = None, config: str = "") -> Path:
        trees = {"app/api/a/route.py": STATIC, "app/other/b/route.py": STATIC}
        return write_files(
            tmp_path, {"wsgi.py": WSGI.format(config=config), **trees, **(files or {})}
        )

    return write


def said_below_gunicorn(
    folder: Path, loads: int, *arguments: str, **more: str
) -> list[tuple[str, str]]:
    """The warnings of a gunicorn whose processes have loaded the app so many times."""
    log = folder / "log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-b", "unix:socket", *arguments, "wsgi:app"],
            cwd=folder,
            env=environment(more),
            stdout=output,
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 30
        while len(re.findall("^loaded$", log.read_text(), re.M)) < loads:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
    finally:
        server.terminate()
        server.wait(30)
    printed = log.read_text()
    assert len(re.findall("^loaded$", printed, re.M)) == loads
    return re.findall(r"^(\S+): RouteHandlersWarning: (.*)$", printed, re.M)


SEVERAL = {
    "an option": (["-w", "3"], {}, {}, "gunicorn runs 3", 3),
    "threads": (["-w", "2", "--threads", "2"], {}, {}, "gunicorn runs 2", 2),
    "the app is preloaded": (["--workers=3", "--preload"], {}, {}, "gunicorn runs 3", 1),
    "its file": ([], {"gunicorn.conf.py": "workers = 1 + 1"}, {}, "gunicorn runs 2", 2),
    "its variable": ([], {}, {"GUNICORN_CMD_ARGS": "-w 2"}, "gunicorn runs 2", 2),
    "the variable of many": ([], {}, {"WEB_CONCURRENCY": "2"}, "gunicorn runs 2", 2),
}


@pytest.mark.parametrize(
    ("arguments", "files", "variables", "several", "loads"), SEVERAL.values(), ids=SEVERAL
)
def test_below_gunicorn_with_several_workers_it_is_said_once(
    project, arguments, files, variables, several, loads
):
    folder = project(files)
    # Two trees and several workers, and one warning, at the line of the first RouteHandlers.
    assert said_below_gunicorn(folder, loads, *arguments, **variables) == [
        (f"{folder}/wsgi.py:9", text(several))
    ]


def test_below_gunicorn_with_one_worker_nothing_is_said(project):
    # Its own option comes before the variable.
    assert said_below_gunicorn(project(), 1, "-w", "1", WEB_CONCURRENCY="4") == []


def test_nothing_is_said_where_the_processes_share_a_store(project):
    folder = project(config="app.config['ROUTE_HANDLERS_CACHE_URL'] = 'redis://localhost:1'")
    assert said_below_gunicorn(folder, 2, "-w", "2") == []


def test_nothing_is_said_where_nothing_is_static(project):
    plain = "def GET():\n    return 'hello'\n"
    folder = project({"app/api/a/route.py": plain, "app/other/b/route.py": plain})
    assert said_below_gunicorn(folder, 2, "-w", "2") == []


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> Iterator[None]:
    """A folder without settings, and no settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "FLASK_RUN_FROM_CLI"):
        monkeypatch.delenv(name, raising=False)


def test_below_another_server_the_settings_count(tree, monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    app = bare_app(tree({"a/route.py": STATIC}))
    with pytest.warns(RouteHandlersWarning) as caught:
        RouteHandlers(app)
    assert [str(warning.message) for warning in caught] == [text("WEB_CONCURRENCY is 4")]


def test_a_command_of_flask_is_no_server(tree, monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RouteHandlers(bare_app(tree({"a/route.py": STATIC})))


def test_a_tree_that_is_refused_says_nothing_of_processes(tree, monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    app = bare_app(tree({"a/route.py": STATIC, "b/route.py": "def get(): ..."}))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(flask_routehandlers.RouteTreeError):
            RouteHandlers(app)


SETTINGS = [
    ({}, None, None),
    ({"WEB_CONCURRENCY": "2"}, None, "WEB_CONCURRENCY is 2"),
    ({"WEB_CONCURRENCY": "1"}, None, None),
    ({"WEB_CONCURRENCY": "0"}, None, None),
    ({"WEB_CONCURRENCY": ""}, None, None),
    ({"WEB_CONCURRENCY": "many"}, None, None),
    ({"GUNICORN_CMD_ARGS": "-w 4"}, None, "GUNICORN_CMD_ARGS asks for 4"),
    ({"GUNICORN_CMD_ARGS": "--bind :80 -w4"}, None, "GUNICORN_CMD_ARGS asks for 4"),
    ({"GUNICORN_CMD_ARGS": "--workers 4"}, None, "GUNICORN_CMD_ARGS asks for 4"),
    ({"GUNICORN_CMD_ARGS": "--workers=4 -t 3"}, None, "GUNICORN_CMD_ARGS asks for 4"),
    ({"GUNICORN_CMD_ARGS": "-w 4 -w 1"}, None, None),
    ({"GUNICORN_CMD_ARGS": "-w 1", "WEB_CONCURRENCY": "4"}, "workers = 4", None),
    ({"GUNICORN_CMD_ARGS": "--workers"}, None, None),
    ({"GUNICORN_CMD_ARGS": "--worker-class gthread --threads=4"}, None, None),
    ({"GUNICORN_CMD_ARGS": "-b :80", "WEB_CONCURRENCY": "2"}, None, "WEB_CONCURRENCY is 2"),
    ({}, "workers = 4", "gunicorn.conf.py has workers = 4"),
    (
        {},
        "import os\nworkers = os.cpu_count() * 2",
        "gunicorn.conf.py has workers = os.cpu_count() * 2",
    ),
    ({}, "workers = 4\nworkers = 1", None),
    ({"WEB_CONCURRENCY": "4"}, "workers = 1", None),
    ({"WEB_CONCURRENCY": "4"}, "threads = 1", "WEB_CONCURRENCY is 4"),
    ({"WEB_CONCURRENCY": "4"}, "workers = (", "WEB_CONCURRENCY is 4"),
]


@pytest.mark.parametrize(("variables", "file", "several"), SETTINGS)
def test_the_first_setting_that_says_anything_counts_as_it_does_for_gunicorn(
    variables, file, several, tmp_path, monkeypatch
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if file:
        write_files(tmp_path, {"gunicorn.conf.py": file})
    assert find_several(by_settings=True) == several
    assert find_several(by_settings=False) is None


@pytest.mark.parametrize(
    ("count", "worker", "several"),
    [(3, 0, "uWSGI runs 3"), (3, 1, "uWSGI runs 3"), (3, 2, None), (1, 1, None)],
    ids=["before the fork", "first worker", "second worker", "one worker"],
)
def test_inside_of_uwsgi_its_module_says_how_many_there_are(count, worker, several, monkeypatch):
    # As uWSGI 2.0 has it; with lazy-apps each worker loads the app.
    module = SimpleNamespace(numproc=count, worker_id=lambda: worker)
    monkeypatch.setitem(sys.modules, "uwsgi", module)
    monkeypatch.setenv("WEB_CONCURRENCY", "4")
    assert find_several(by_settings=True) == several
