"""Runs what a page shows: its files in a project folder, its commands, and curl against a server.

The commands run in :mod:`tests.forks`, and ``flask run`` serves the app.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
from flask import Flask, url_for

import flask_routehandlers
from flask_routehandlers import Problem, RouteTreeError, testing
from flask_routehandlers.cli.check import checks
from flask_routehandlers.mount import mounts_of
from tests import forks
from tests.pages import REPOSITORY
from tests.servers import RedisServer, redis_server
from tests.support import until, write_files

ANY_HANDLER = "def GET(): ..."

#: The files of a project whose page does not show them.
DEFAULT_FILES = {
    "wsgi.py": "from flask import Flask\n\nfrom flask_routehandlers import RouteHandlers\n\n"
    "app = Flask(__name__)\nRouteHandlers(app)\n"
}

#: The URL that pages show for a Redis server. Where they do, one runs on a free port.
REDIS = "redis://localhost:6379/0"

#: Commands that prepare a folder. They run as they are.
PREPARATIONS = ("ln", "mkdir", "rm", "touch")

#: Parts of an output that differ from run to run, and what pages show in their place.
VARYING = {
    r"\bin \d+\.\d\ds\b": "in 0.01s",
    r"\nAge: \d\b": "\nAge: 0",
    r"; ttl=5\d\b": "; ttl=59",
}

#: Headers that ``curl -i`` prints too, and that pages leave out.
HEADERS_LEFT_OUT = ("Server", "Date", "Connection")


class Project:
    """The project of a page, in a folder that the page calls ``/srv/shop``."""

    def __init__(self, above: Path) -> None:
        self._above = above
        self._numbers = count()
        self._stack = ExitStack()
        self.start_over()

    def start_over(self) -> None:
        """Forget the files that the page has shown so far."""
        self._files = dict(DEFAULT_FILES)
        self.leave()

    def add(self, file: str, content: str) -> None:
        """Add a file to the project, or replace it."""
        self._files[file] = content
        self.leave()

    def leave(self) -> None:
        """Stop the servers, and use a new folder: Python keeps bytecode by path and time stamp."""
        self._stack.close()
        for name in ("folder", "port", "_redis"):
            self.__dict__.pop(name, None)

    @cached_property
    def folder(self) -> Path:
        folder = self._above / str(next(self._numbers)) / "shop"
        (folder / "app").mkdir(parents=True)
        return write_files(folder, {n: self._with_redis(t) for n, t in self._files.items()})

    @cached_property
    def port(self) -> int:
        return self._stack.enter_context(serving(self.folder, self._new_file()))

    @cached_property
    def _redis(self) -> RedisServer:
        return self._stack.enter_context(redis_server())

    def _new_file(self) -> Path:
        return self._above / f"output{next(self._numbers)}.txt"

    def _with_redis(self, text: str) -> str:
        return text.replace(REDIS, self._redis.url) if REDIS in text else text

    def _real(self, text: str) -> str:
        return self._with_redis(text).replace("/srv/", f"{self.folder.parent}/")

    def _shown(self, text: str) -> str:
        """Return an output as the page shows it."""
        text = text.replace(str(self.folder.parent), "/srv").replace("python -m flask", "flask")
        text = re.sub(r"\b_routehandlers_[0-9a-f]{8}\.", "", text)
        for pattern, shown in VARYING.items():
            text = re.sub(pattern, shown, text)
        return text

    def run(self, command: str, shown: str) -> str:
        """Run a command and return its output. If none is shown, it only has to succeed."""
        name, *arguments = shlex.split(self._real(command))
        if name == "curl":
            return self._shown(curl(arguments, self.port))
        in_repository = arguments[:2] == ["--app", "example_app"]
        folder = REPOSITORY if in_repository else self.folder
        if name == "flask":
            status, output = forks.run([name, *arguments], folder, environment(), self._new_file())
        elif name in ("pytest", "ruff"):
            status, output = run_child([sys.executable, "-m", name, *arguments], folder)
        elif name == "python":
            status, output = run_child([sys.executable, *arguments], folder)
        elif name in PREPARATIONS:
            status, output = run_child([name, *arguments], folder)
        else:
            raise ValueError(f"{name} is not a command that pages can show")
        return self._shown(output) if status or shown else ""

    def doctest(self, text: str) -> str:
        """Run ``>>>`` examples; the report is empty if they give what they show."""
        script = self.folder / f"doctest{next(self._numbers)}.txt"
        script.write_text(self._real(text) + "\n", encoding="utf-8")
        return self._shown(forks.run_doctest(script, environment(), self._new_file())[1])

    def problems(self, named: Iterable[str] = (), condition: str = "") -> str:
        """Start the app, and return why it is refused, or what ``check`` reports.

        :param named: route files, or folders, that are written with any handler.
        :param condition: one of :data:`CONDITIONS`, or none.
        """
        for name in named:
            path = name if name.endswith(".py") else f"{name}/route.py"
            write_files(self.folder, {f"app/api/{path}": ANY_HANDLER})
        with CONDITIONS[condition](self) if condition else nullcontext():
            problems = find_problems(self.folder / "wsgi.py")
        return self._shown("\n\n".join(map(str, problems)))

    def ask(self, statements: Iterable[str]) -> Iterator[str]:
        """Execute statements with the app of the project; yield what each gives or raises."""
        app = load(self.folder / "wsgi.py").app
        app.testing = True
        names = NAMES | {"app": app, "client": app.test_client()}
        for statement in statements:
            yield self._shown(evaluate(statement, names))


@contextmanager
def new_project() -> Iterator[Project]:
    # Not in pytest's tmp_path, which other users may not enter: see _unreadable_folders.
    with tempfile.TemporaryDirectory() as name:
        above = Path(name).resolve()
        above.chmod(0o755)
        project = Project(above)
        try:
            yield project
        finally:
            project.leave()


def load(wsgi: Path) -> ModuleType:
    """Execute a ``wsgi.py`` in this process."""
    name = "_".join(("wsgi", *wsgi.parent.parts[-2:]))
    spec = importlib.util.spec_from_file_location(name, wsgi)
    assert spec
    assert spec.loader
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def find_problems(wsgi: Path) -> list[Problem]:
    """Start an app; return why it does not start, or what ``check`` finds."""
    try:
        app = load(wsgi).app
    except RouteTreeError as error:
        return list(error.problems)
    with patch.object(checks, "find_installed", lambda module: None):
        reports = [checks.check_mount(app, mount) for mount in mounts_of(app)]
    return [finding for report in reports for finding in report.findings]


#: The names that statements of examples use.
NAMES = {
    "Flask": Flask,
    "url_for": url_for,
    **{name: getattr(flask_routehandlers, name) for name in flask_routehandlers.__all__},
    **{name: getattr(testing, name) for name in testing.__all__},
}


def evaluate(statement: str, names: dict[str, Any]) -> str:
    """Return what Python prints for a statement: a value, or the last lines of a traceback."""
    try:
        code = compile(statement, "<example>", "eval")
    except SyntaxError:
        code = compile(statement, "<example>", "exec")
    try:
        value = eval(code, dict(names))
    except Exception as error:
        return "".join(traceback.format_exception_only(error)).rstrip()
    return "" if value is None else repr(value)


def environment() -> dict[str, str]:
    """Return the environment of a command: this one without settings of Flask and pytest."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "PYTEST_", "COV_"))}
    return kept | {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "80", "NO_COLOR": "1"}


def run_child(call: list[str], folder: Path) -> tuple[int, str]:
    """Run a program; return its exit status and output."""
    done = subprocess.run(
        call,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=forks.TIMEOUT,
    )
    return done.returncode, done.stdout


@contextmanager
def serving(folder: Path, log: Path, *options: str, **settings: str) -> Iterator[int]:
    """Serve a project with ``flask run`` on a free port, which is given.

    The log is printed at the end: pytest shows it when the test fails.

    :param options: options of ``flask``.
    :param settings: additional environment variables.
    """
    call = ["flask", *options, "run", "--port", "0"]
    server = forks.start(call, folder, environment() | settings, log)
    pattern = re.compile(r"Running on http://127\.0\.0\.1:(\d+)")

    def has_started() -> bool:
        return not server.is_alive() or (log.exists() and pattern.search(log.read_text()))

    try:
        until(has_started, forks.TIMEOUT)
        match = pattern.search(log.read_text())
        if match is None:
            pytest.fail("flask run does not start")
        yield int(match[1])
    finally:
        server.kill()
        server.join()
        print(f"The log of flask run in {folder}:\n{log.read_text()}")


def curl(arguments: list[str], port: int) -> str:
    """Return what curl would print; it knows those of its options that pages use."""
    method, headers, body = "GET", {}, None
    options, url = set(), ""
    rest = iter(arguments)
    for argument in rest:
        if argument == "-X":
            method = next(rest)
        elif argument == "-H":
            name, _, value = next(rest).partition(":")
            headers[name] = value.strip()
        elif argument == "-A":
            headers["User-Agent"] = next(rest)
        elif argument in ("-d", "--json"):
            body = next(rest)
            method = "POST" if method == "GET" else method
            kind = "json" if argument == "--json" else "x-www-form-urlencoded"
            headers.setdefault("Content-Type", f"application/{kind}")
        elif argument in ("-i", "-I", "-N", "--path-as-is"):
            options.add(argument)
        else:
            assert not argument.startswith("-"), f"{argument} is not an option that pages can show"
            url = argument
    parts = urlsplit(f"http://{url.removeprefix('http://')}")
    assert parts.netloc == "localhost:5000"
    dots = any(segment in (".", "..") for segment in parts.path.split("/"))
    assert not dots or "--path-as-is" in options, "curl would send another path"
    target = parts._replace(scheme="", netloc="").geturl()
    request = ("HEAD" if "-I" in options else method, target, body, headers)
    text = exchange(port, request, with_head=bool(options & {"-i", "-I"}))
    return text.replace(f"localhost:{port}", "localhost:5000")


def exchange(port: int, request: tuple[Any, ...], *, with_head: bool) -> str:
    """Send a request (method, target, body, headers); return the response as curl prints it."""
    connection = HTTPConnection("127.0.0.1", port, timeout=forks.TIMEOUT)
    try:
        connection.request(*request)
        response = connection.getresponse()
        body = response.read().decode()
    finally:
        connection.close()
    if not with_head:
        return body
    headers = [
        f"{name}: {value}" for name, value in response.getheaders() if name not in HEADERS_LEFT_OUT
    ]
    return "\n".join([f"HTTP/1.1 {response.status} {response.reason}", *headers, "", body])


@contextmanager
def _without(*packages: str) -> Iterator[None]:
    """Make the import of packages fail."""
    saved = {name: sys.modules[name] for name in sys.modules if name.startswith(packages)}
    sys.modules.update(dict.fromkeys(packages))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for package in packages:
            del sys.modules[package]
        sys.modules.update(saved)


@contextmanager
def _unreadable_folders(project: Project) -> Iterator[None]:
    """Show the folders called ``secret`` as another user sees them; root may read everything."""
    folders = list(project.folder.rglob("secret"))
    for folder in folders:
        folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        for folder in folders:
            folder.chmod(0o755)


#: The conditions of examples.
CONDITIONS: dict[str, Callable[[Project], Any]] = {
    "no asgiref": lambda project: _without("asgiref"),
    "no flask_swagger_ui": lambda project: _without("flask_swagger_ui"),
    "no pydantic": lambda project: _without("pydantic", "msgspec"),
    "no redis": lambda project: _without("redis"),
    "secret cannot be read": _unreadable_folders,
}
