"""A tree served by ``flask run --debug``: changes on disk show in the next answers.

The servers here are real processes of Flask's command, with Werkzeug's own reloader.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from pathlib import Path
from random import Random

import pytest

from flask_routehandlers.reloader import INTERVAL, Watcher, take_snapshot
from tests.support import write_files

REPOSITORY = Path(__file__).parents[1]
WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
RouteHandlers(app)
"""
#: Seconds to wait for a change: much more than it takes, since the machine can be busy.
PATIENCE = 60

#: Seconds that a change takes at most on an idle machine.
VISIBLE = 3

RELOADERS = ("stat", "watchdog")

#: Whether Werkzeug's reloader notices edits with the watchdog that is installed.
IS_SEEING = {"stat": True, "watchdog": int(version("watchdog").partition(".")[0]) < 7}


def route(text: str, n: int = 0) -> str:
    # Python uses the bytecode of an older file with the same size and second.
    return f"def GET():\n    return {text!r}\n{'#' * n}\n"


class Server:
    """``flask run``, or another command of a server, in a project folder.

    :param log: a file for its output.
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
        self.port = int(self.printed(r"(?:Running on|Listening at:) http://127\.0\.0\.1:(\d+)"))

    def printed(self, pattern: str) -> str:
        """Wait for output; return the first group of the pattern, or the match without groups."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            match = re.search(pattern, self.output, re.S)
            if match:
                return match[len(match.groups())]
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

    def shows(self, path: str, status: int, text: str = "", seconds: float = PATIENCE) -> float:
        """Wait for an answer, and return the seconds that it took.

        :param text: the body for 200, else a part of it.
        """
        began = time.monotonic()
        answer: tuple[int, str] | str = "nothing"
        while True:
            with suppress(OSError, HTTPException):  # the process is restarting
                answer = self.get(path)
            taken = time.monotonic() - began
            if answer[0] == status and (text == answer[1] if status == 200 else text in answer[1]):
                return taken
            assert self.process.poll() is None, self.output
            assert taken < seconds, f"{path} is {answer}, not {status} {text}\n{self.output}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End both processes: they have their own session."""
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
    spec = getattr(request.node, "callspec", None)
    reloader = spec.params.get("reloader") if spec else None
    blind = tmp_path / "blind"
    write_files(blind, {"watchdog/__init__.py": "raise ImportError('hidden from this test')\n"})
    paths = [str(REPOSITORY)] if reloader == "watchdog" else [str(blind), str(REPOSITORY)]
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "WERKZEUG_"))}
    environ = kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    servers: list[Server] = []

    def start(files: dict[str, str], *call: str, **variables: str) -> Server:
        environ.update(variables)
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
        #: Each file with the text of its answer, or that it adds; ``None`` for a broken one.
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
                + "#"
                * self.count
            )
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.rng.random() < 0.5:
            path.write_text(source, encoding="utf-8")
        else:  # as editors do that never leave a partial file
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
        """Make one random edit, and return its description."""
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
        """Return status and text of a URL: of its middleware and route, or of the debugger."""
        routes = [file for file in self.files if file.endswith("route.py")]
        found = [(rank, file) for file in routes if (rank := self.rank(file, url)) is not None]
        if not found:
            return 404, ""
        file = min(found)[1]
        folders = file.split("/")[:-1]
        above = ("/".join([*folders[:n], "middleware.py"]) for n in range(len(folders) + 1))
        texts = [self.files[name] for name in [*above, file] if name in self.files]
        if None in texts:
            return 500, "SyntaxError"
        return 200, "".join(text for text in texts if text)

    @staticmethod
    def rank(file: str, url: str) -> list[bool] | None:
        """For each segment whether it is a parameter, or ``None`` for a file of other URLs."""
        folders = [part for part in file.split("/")[:-1] if not part.startswith("(")]
        asked = url.split("/")[2:]
        if len(asked) != len(folders):
            return None
        if any(folder not in ("[id]", part) for folder, part in zip(folders, asked, strict=True)):
            return None
        return [folder == "[id]" for folder in folders]


def check_all(server: Server, edits: Edits, edit: str, seconds: float = PATIENCE) -> float:
    """Check every URL that has ever existed; return the seconds until all were right."""
    began = time.monotonic()
    for url in sorted(edits.urls):
        left = seconds - (time.monotonic() - began)
        try:
            server.shows(url, *edits.answer(url), max(left, 0.2))
        except AssertionError as error:
            raise AssertionError(f"after {edit}: {error}") from error
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("reloader", "count"),
    [
        ("stat", 1),
        pytest.param("stat", 12, marks=pytest.mark.ci),
        pytest.param("watchdog", 12, marks=pytest.mark.ci),
    ],
)
def test_every_edit_shows_in_the_next_answers(serve, tmp_path, reloader, count):
    edits = Edits(tmp_path / "project/app/api", Random(reloader))
    server = serve({})
    server.printed(f"Restarting with {reloader}")
    server.shows("/api/start", *edits.answer("/api/start"))
    assert ("Only route trees are reloaded." in server.output) is not IS_SEEING[reloader]
    for _ in range(count):
        check_all(server, edits, edits.edit())


@pytest.mark.parametrize(
    "bursts",
    [pytest.param(1, marks=pytest.mark.ci), pytest.param(15, marks=pytest.mark.soak)],
)
def test_edits_while_the_app_is_loading_count(serve, tmp_path, bursts):
    rng = Random(bursts)
    edits = Edits(tmp_path / "project/app/api", rng)
    server = serve({})
    server.shows("/api/start", *edits.answer("/api/start"))
    for _ in range(bursts):
        done = []
        for _ in range(8):
            done.append(edits.edit())
            # Not to wait for anything, but to edit at any moment of a restart.
            time.sleep(rng.uniform(0, 0.3))
        check_all(server, edits, "; ".join(done))


@pytest.mark.soak
@pytest.mark.parametrize("reloader", RELOADERS)
def test_fifty_edits_show_within_three_seconds(serve, tmp_path, reloader):
    edits = Edits(tmp_path / "project/app/api", Random(f"fifty with {reloader}"))
    server = serve({})
    server.shows("/api/start", *edits.answer("/api/start"))
    taken = [check_all(server, edits, edits.edit(), VISIBLE) for _ in range(50)]
    print(f"{reloader}: {min(taken):.1f} to {max(taken):.1f} s")


# A tree that is broken at the first start.

GOOD = {"app/api/good/route.py": route("good")}


@pytest.mark.ci
@pytest.mark.parametrize("reloader", RELOADERS)
def test_a_syntax_error_at_the_first_start(serve, reloader):
    server = serve(GOOD | {"app/api/bad/route.py": "\ndef GET(:\n"})
    server.shows("/api/good", 200, "good")
    file = str(server.project / "app/api/bad/route.py")
    status, page = server.get("/api/bad")
    assert status == 500
    assert f"File &#34;{file}&#34;, line 2" in page
    assert "def GET(:" in page
    # In the terminal too, before anyone has requested the URL.
    printed = server.printed(rf'File "{re.escape(file)}", line 2.*?RouteImportError: [^\n]*')
    assert printed.count("importlib") == 0
    write_files(server.project, {"app/api/bad/route.py": route("good again")})
    server.shows("/api/bad", 200, "good again")


@pytest.mark.ci
def test_a_syntax_error_in_a_middleware_file(serve):
    broken = {"app/api/a/middleware.py": "def middleware(:", "app/api/a/route.py": route("a")}
    server = serve(GOOD | broken)
    server.shows("/api/good", 200, "good")
    write_files(server.project, {"app/api/a/b/route.py": route("below")})
    server.shows("/api/a/b", 500, "a/middleware.py could not be imported")
    (server.project / "app/api/a/middleware.py").unlink()
    server.shows("/api/a/b", 200, "below")


@pytest.mark.ci
@pytest.mark.parametrize(
    ("reloader", "files", "problem", "repair"),
    [
        (
            "stat",
            {"app/api/(a)/x/route.py": route("a"), "app/api/x/route.py": route("x")},
            "(a)/x/route.py",
            lambda root: (root / "(a)/x/route.py").unlink(),
        ),
        (
            "watchdog",
            {"app/api/x/[post-id]/route.py": route("x"), "app/api/x/route.py": route("x")},
            "post_id",
            lambda root: (root / "x/[post-id]").rename(root / "x/[post_id]"),
        ),
        (
            "stat",
            {"app/api/x/route.py": "def PACTH(): ...\n" + route("x")},
            "PACTH",
            lambda root: write_files(root, {"x/route.py": route("x")}),
        ),
        (
            "stat",
            {},
            "does not exist",
            lambda root: write_files(root, {"x/route.py": route("x")}),
        ),
    ],
    ids=["two files of one URL", "a folder name", "a name in a file", "no root"],
)
def test_a_refused_tree_is_served_once_repaired(serve, reloader, files, problem, repair):
    server = serve(files)
    server.shows("/api/x", 500, problem)
    assert (
        f" * 1 problem in {server.project}/app/api. The app starts as soon as the tree is fixed.\n"
    ) in server.output
    repair(server.project / "app/api")
    server.shows("/api/x", 200, "x")


@pytest.mark.ci
@pytest.mark.parametrize("command", [("run", "--port", "0", "--no-reload"), ("routes",)])
def test_a_refused_tree_ends_other_commands(tmp_path, command):
    write_files(tmp_path, {"wsgi.py": WSGI})
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--debug", *command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 1
    assert "does not exist" in done.stderr


@pytest.mark.ci
@pytest.mark.parametrize(
    ("file", "before", "line"),
    [
        ("app/api/x/queries.py", None, "from .queries import ONE"),
        ("app/api/_lib/queries.py", "ONE = (", "from .._lib.queries import ONE"),
        ("shop/queries.py", None, "from shop.queries import ONE"),
        ("libs/one/two/queries.py", "ONE = (", "from libs.one.two.queries import ONE"),
    ],
    ids=["missing nearby", "broken in a private folder", "missing outside", "broken outside"],
)
def test_a_repaired_import_brings_a_route_back(serve, file, before, line):
    broken = {} if before is None else {file: before}
    server = serve(GOOD | broken | {"app/api/x/route.py": f"{line}\n{route('x')}"})
    server.shows("/api/good", 200, "good")
    server.shows("/api/x", 500, "x/route.py could not be imported")
    write_files(server.project, {file: "ONE = 1\n"})
    server.shows("/api/x", 200, "x")


# gunicorn.

GUNICORN = ("-m", "gunicorn", "wsgi:app", "--bind", "127.0.0.1:0", "--reload")


@pytest.mark.ci
@pytest.mark.parametrize("worker", ["sync", "gthread"])
@pytest.mark.parametrize("debug", ["0", "1"])
def test_gunicorn_shows_an_error_until_it_is_repaired(serve, debug, worker):
    server = serve(GOOD, *GUNICORN, "--worker-class", worker, "--threads", "2", FLASK_DEBUG=debug)
    server.shows("/api/good", 200, "good")
    write_files(server.project, {"app/api/good/route.py": "def GET(:\n"})
    server.shows("/api/good", 500)
    if debug == "0":
        server.shows("/api/good", 500, "good/route.py could not be imported: SyntaxError")
    server.printed("SyntaxError: ")
    write_files(server.project, {"app/api/good/route.py": route("repaired")})
    server.shows("/api/good", 200, "repaired")
    write_files(server.project, {"app/api/new/route.py": route("new")})
    server.shows("/api/new", 200, "new")
    (server.project / "app/api/new").rename(server.project / "app/api/moved")
    server.shows("/api/moved", 200, "new")
    server.shows("/api/new", 404)


@pytest.mark.ci
@pytest.mark.parametrize(
    ("files", "problem", "repair"),
    [
        ({"app/api/[a-b]/route.py": ""}, "is not a Python identifier", {}),
        (
            {"app/api/x/route.py": f"from shop.prices import PEN\n{route('x')}"},
            "No module named 'shop'",
            {"shop/prices.py": "PEN = 1\n"},
        ),
        (
            {
                "app/api/x/route.py": f"from shop.prices import PEN\n{route('x')}",
                "app/api/y/route.py": f"from shop.prices import PEN\n{route('x')}",
                "shop/prices.py": "PEN = 1 / 0\n",
            },
            "ZeroDivisionError",
            {"shop/prices.py": "PEN = 1\n"},
        ),
    ],
    ids=["a folder name", "a missing module outside", "a broken module outside"],
)
def test_gunicorn_starts_with_a_refused_tree(serve, files, problem, repair):
    server = serve(GOOD | files, *GUNICORN)
    server.shows("/api/good", 500, problem)
    server.shows("/anything", 500, problem)
    if repair:
        write_files(server.project, repair)
        server.shows("/api/x", 200, "x")
    else:
        shutil.rmtree(server.project / "app/api/[a-b]")
    server.shows("/api/good", 200, "good")


@pytest.mark.ci
def test_gunicorn_without_reload_does_not_start(tmp_path):
    write_files(tmp_path, {"wsgi.py": WSGI, "app/api/x/route.py": "def GET(:\n"})
    done = subprocess.run(
        [sys.executable, *GUNICORN[:-1]],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 3
    assert "RouteTreeError: 1 problem in " in done.stderr


# The process.


@pytest.mark.ci
def test_an_app_that_runs_itself_reloads(serve):
    ending = "if __name__ == '__main__':\n    app.run(port=0, debug=True)\n"
    server = serve(GOOD | {"wsgi.py": WSGI + ending}, "wsgi.py")
    server.shows("/api/good", 200, "good")
    write_files(server.project, {"app/api/new/route.py": route("new")})
    server.shows("/api/new", 200, "new")


@pytest.mark.ci
def test_exit_functions_run_before_a_reload(serve):
    ending = "import atexit, pathlib\natexit.register(pathlib.Path('ended').touch)\n"
    server = serve(GOOD | {"wsgi.py": WSGI + ending})
    server.shows("/api/good", 200, "good")
    (server.project / "app/api/good/route.py").rename(server.project / "app/api/route.py")
    server.shows("/api", 200, "good")
    assert (server.project / "ended").exists()


@pytest.mark.ci
def test_a_process_of_the_app_is_not_ended(tmp_path):
    write_files(tmp_path, GOOD | {"wsgi.py": WSGI})
    # It changes its tree in a reloader's environment, and goes on for longer than a reload takes.
    code = (
        "import pathlib, time, wsgi\n"
        "pathlib.Path('app/api/route.py').touch()\n"
        f"time.sleep({8 * INTERVAL})\n"
        "print('done')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "WERKZEUG_RUN_MAIN": "true"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (0, "done\n")


def test_a_production_process_watches_nothing(make_app):
    make_app({}, "a")
    assert not any(isinstance(thread, Watcher) for thread in threading.enumerate())


# What counts as a change.


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda root: write_files(root, {"b/route.py": ""}), True),
        (lambda root: write_files(root, {"b/c/d/middleware.py": ""}), True),
        (lambda root: write_files(root, {"a/helper.py": ""}), True),
        (lambda root: write_files(root, {"a/_lib/helper.py": ""}), True),
        (lambda root: write_files(root, {".well-known/x/route.py": ""}), True),
        (lambda root: write_files(root, {"a/route.py": "# longer"}), True),
        (lambda root: os.utime(root / "a/route.py", (1, 1)), True),
        (lambda root: (root / "a/route.py").unlink(), True),
        (lambda root: (root / "a/route.py").rename(root / "a/routes.py"), True),
        (lambda root: (root / "a").rename(root / "b"), True),
        (lambda root: (root / "b").symlink_to("a"), True),
        (lambda root: shutil.rmtree(root), True),
        (lambda root: (root / "b").mkdir(), False),
        (lambda root: write_files(root, {"a/notes.txt": "", "a/.route.py.swp": ""}), False),
        (lambda root: write_files(root, {"a/__pycache__/route.cpython-311.pyc": ""}), False),
        (lambda root: write_files(root, {".git/hooks/x.py": ""}), False),
    ],
)
def test_what_counts_as_a_change(tmp_path, change, counts):
    root = write_files(tmp_path / "api", {"a/route.py": ""})
    first = take_snapshot(str(root))
    assert take_snapshot(str(root)) == first
    change(root)
    assert (take_snapshot(str(root)) != first) == counts


def test_an_empty_root_is_not_a_missing_one(tmp_path):
    root = str(tmp_path / "api")
    missing = take_snapshot(root)
    os.mkdir(root)
    assert take_snapshot(root) != missing
