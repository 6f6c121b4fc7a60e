"""A tree behind ``flask run --debug``: what happens to it on disk shows in the next answers.

Everything here is a real process of Flask's command, with Werkzeug's own reloader.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from pathlib import Path
from random import Random

import pytest

from flask_routehandlers.reloader import INTERVAL, SHARE, Watcher
from tests.support import write_files

REPOSITORY = Path(__file__).parents[1]
WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
RouteHandlers(app)
"""
#: Seconds until a change shows.
VISIBLE = 3

RELOADERS = [
    "stat",
    pytest.param(
        "watchdog",
        marks=pytest.mark.skipif(not find_spec("watchdog"), reason="watchdog is not installed"),
    ),
]


def route(text: str, n: int = 0) -> str:
    # Python takes the bytecode of an older file with the same size and second.
    return f"def GET():\n    return {text!r}\n{'#' * n}\n"


class Server:
    """``flask run`` in a project folder.

    :param log: a file for what it prints.
    """

    def __init__(self, project: Path, log: Path, environ: dict[str, str], *call: str) -> None:
        self.project = project
        self.log = log
        with log.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, *(call or ("-m", "flask", "run", "--debug", "--port", "0"))],
                cwd=project,
                env=environ,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.port = int(self.printed(r"Running on http://127\.0\.0\.1:(\d+)", 20))

    def printed(self, pattern: str, seconds: float = VISIBLE) -> str:
        """The first group of a pattern that its output matches within some seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.process.poll() is None:
            match = re.search(pattern, self.output, re.S)
            if match:
                return match[1] if match.groups() else match[0]
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in\n{self.output}")

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def get(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def shows(self, path: str, status: int, text: str = "", seconds: float = VISIBLE) -> float:
        """Wait for an answer; return the seconds that it took."""
        began = time.monotonic()
        answer: tuple[int, str] | str = "nothing"
        while True:
            try:
                answer = self.get(path)
            except (OSError, HTTPException):  # the process ended over it, and comes again
                pass
            taken = time.monotonic() - began
            if answer[0] == status and (text == answer[1] if status == 200 else text in answer[1]):
                return taken
            assert self.process.poll() is None, self.output
            assert taken < seconds, f"{path} is {answer}, not {status} {text}\n{self.output}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End both processes, which are a session of their own."""
        os.killpg(self.process.pid, 15)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait(5)


@pytest.fixture
def serve(tmp_path, request) -> Iterator[Callable[..., Server]]:
    """Start ``flask run --debug`` for files below a new project folder, with the reloader that
    the test's parameter ``reloader`` names: ``stat`` where watchdog cannot be imported."""
    reloader = request.node.callspec.params.get("reloader") if hasattr(request.node, "callspec") else None
    blind = tmp_path / "blind"
    write_files(blind, {"watchdog/__init__.py": "raise ImportError('hidden from this test')\n"})
    paths = [str(REPOSITORY)] if reloader == "watchdog" else [str(blind), str(REPOSITORY)]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "WERKZEUG_"))}
    environ = kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    servers: list[Server] = []

    def start(files: dict[str, str], *call: str) -> Server:
        project = write_files(tmp_path / "project", {"wsgi.py": WSGI} | files)
        servers.append(Server(project, tmp_path / "log", environ, *call))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


# Any edits.


class Edits:
    """Random edits of a tree, and what its URLs have to answer after each."""

    NAMES = ("users", "posts", "[id]", "(admin)", "v1.0", "tags")
    BROKEN = "def GET(:\n"

    def __init__(self, root: Path, rng: Random) -> None:
        self.root = root
        self.rng = rng
        self.count = 0
        #: Each file with the text that it answers, or adds; ``None`` for a broken one.
        self.files: dict[str, str | None] = {}
        self.urls: set[str] = {"/api"}
        self.write("start/route.py")

    def write(self, file: str, *, broken: bool = False) -> str:
        self.count += 1
        text = None if broken else f"<{self.count}>"
        if broken:
            source = self.BROKEN + "#" * self.count
        elif file.endswith("route.py"):
            source = route(text or "", self.count)
        else:
            source = (
                "def middleware(call_next):\n    response = call_next()\n"
                f"    response.data = {text!r} + response.get_data(True)\n    return response\n"
                + "#" * self.count
            )
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.rng.random() < 0.5:
            path.write_text(source, encoding="utf-8")
        else:  # as editors do that never leave half a file
            other = path.with_name(f".{path.name}.swp")
            other.write_text(source, encoding="utf-8")
            other.replace(path)
        self.files[file] = text
        self.learn()
        return f"{'break' if broken else 'write'} {file}"

    def learn(self) -> None:
        self.urls |= {self.url(file) for file in self.files if file.endswith("route.py")}

    def url(self, file: str) -> str:
        parts = [part for part in file.split("/")[:-1] if not part.startswith("(")]
        return "/".join(["/api", *("7" if part == "[id]" else part for part in parts)])

    def fits(self, folder: str) -> bool:
        """Whether a new folder would be legal: a parameter once, no URL twice."""
        file = f"{folder}/route.py"
        taken = {self.url(other) for other in self.files if other.endswith("route.py")}
        return folder.count("[id]") < 2 and self.url(file) not in taken

    def folder(self) -> str:
        for _ in range(100):
            folder = "/".join(self.rng.choices(self.NAMES, k=self.rng.randint(1, 3)))
            if self.fits(folder):
                return folder
        raise AssertionError("no folder is left")

    def edit(self) -> str:
        """Do one thing; say what."""
        routes = [file for file in self.files if file.endswith("route.py")]
        middleware = [file for file in self.files if file.endswith("middleware.py")]
        broken = [file for file, text in self.files.items() if text is None]
        kind = self.rng.choice(
            ["add", "add", "delete", "rename", "edit", "break", "middleware", "folder", "fix"]
        )
        if kind == "fix" and broken:
            return self.write(self.rng.choice(broken))
        if kind == "delete" and len(routes) > 1:
            file = self.rng.choice(routes[1:] + middleware)
            (self.root / file).unlink()
            del self.files[file]
            return f"delete {file}"
        if kind == "rename" and len(routes) > 1:
            return self.move(self.rng.choice(routes[1:]), f"{self.folder()}/route.py")
        if kind == "edit":
            return self.write(self.rng.choice(routes + middleware))
        if kind == "break":
            return self.write(self.rng.choice(routes[1:] + middleware or routes), broken=True)
        if kind == "middleware":
            place = self.rng.choice(routes).rpartition("/")[0]
            return self.write(f"{place}/middleware.py")
        if kind == "folder":
            top = sorted({file.split("/")[0] for file in routes[1:]})
            if top:
                return self.move(self.rng.choice(top), f"moved{self.count}")
        return self.write(f"{self.folder()}/route.py")

    def move(self, old: str, new: str) -> str:
        self.count += 1
        (self.root / new).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self.root / old, self.root / new)
        for file in list(self.files):
            if file == old or file.startswith(f"{old}/"):
                self.files[new + file[len(old) :]] = self.files.pop(file)
        self.learn()
        return f"move {old} to {new}"

    def answer(self, url: str) -> tuple[int, str]:
        """What a URL answers: texts of the middleware and of the route, or the debugger."""
        for file in self.files:
            if file.endswith("route.py") and self.matches(file, url):
                break
        else:
            return 404, ""
        folders = file.split("/")[:-1]
        above = ("/".join([*folders[:n], "middleware.py"]) for n in range(len(folders) + 1))
        texts = [self.files[name] for name in [*above, file] if name in self.files]
        if None in texts:
            return 500, "SyntaxError"
        return 200, "".join(text for text in texts if text)

    def matches(self, file: str, url: str) -> bool:
        return self.url(file) == url


def edit_at_random(server: Server, edits: Edits, count: int) -> list[float]:
    """Edit, and look at every URL there has ever been; return the seconds until it was right."""
    taken = []
    for _ in range(count):
        what = edits.edit()
        began = time.monotonic()
        for url in sorted(edits.urls):
            status, text = edits.answer(url)
            left = VISIBLE - (time.monotonic() - began)
            try:
                server.shows(url, status, text, max(left, 0.2))
            except AssertionError as error:
                raise AssertionError(f"after {what}: {error}") from error
        taken.append(time.monotonic() - began)
    return taken


@pytest.mark.parametrize("reloader", RELOADERS)
def test_every_edit_shows_within_three_seconds(serve, tmp_path, reloader):
    edits = Edits(tmp_path / "project/app/api", Random(reloader))
    server = serve({})
    server.printed(f"Restarting with {reloader}")
    server.shows("/api/start", *edits.answer("/api/start"), 20)
    edit_at_random(server, edits, 6)


@pytest.mark.soak
@pytest.mark.parametrize("reloader", RELOADERS)
def test_fifty_edits_show_within_three_seconds_each(serve, tmp_path, reloader):
    edits = Edits(tmp_path / "project/app/api", Random(f"{reloader} {time.time_ns()}"))
    server = serve({})
    server.shows("/api/start", *edits.answer("/api/start"), 20)
    taken = edit_at_random(server, edits, 50)
    print(f"{reloader}: {min(taken):.1f} to {max(taken):.1f} s")
