"""``flask route-handlers new``: the files that it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import url_for
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter

import flask_routehandlers
from flask_routehandlers import RouteHandlers
from flask_routehandlers.binding.annotations import LIST_OF_STR
from flask_routehandlers.cli import group
from flask_routehandlers.cli.scaffold import write
from flask_routehandlers.cli.sources import middleware_source, route_source
from flask_routehandlers.handlers.exports import METHODS
from tests.support import bare_app, write_files

CHECKOUT = str(Path(flask_routehandlers.__file__).parents[1])

WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
RouteHandlers(app)
"""


@pytest.fixture
def new(tree, monkeypatch):
    """Run ``new`` in a project folder for an app with these files: exit status and output."""

    def run(*arguments: str, files: Any = None, app: Any = None, **options: Any) -> Any:
        if app is None:
            folder = tree({"route.py": "def GET(): ..."} | (files or {}))
            app = bare_app(folder)
            RouteHandlers(app, **options)
        run.folder = Path(app.root_path)
        monkeypatch.chdir(run.folder)
        result = app.test_cli_runner().invoke(group, ["new", *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    return run


def snapshot(folder: Path) -> dict[str, str | None]:
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def written(folder: Path, before: dict[str, str | None]) -> dict[str, str]:
    """The files that are new; all others are as they were."""
    after = snapshot(folder)
    assert {name: after[name] for name in before} == before
    return {name: text for name, text in after.items() if name not in before and text}


ROUTE = '''\
from flask.typing import ResponseReturnValue


def GET(id: int) -> ResponseReturnValue:
    """Answer GET /api/posts/<int:id>."""
    return {"id": id}


def PATCH(id: int) -> ResponseReturnValue:
    """Answer PATCH /api/posts/<int:id>."""
    return {"id": id}
'''
MIDDLEWARE = '''\
from collections.abc import Callable

from flask import Request, Response


def middleware(request: Request, call_next: Callable[[], Response]) -> Response:
    """Run for every request to a route file in this folder or below."""
    return call_next()
'''


def test_a_route_file_and_its_middleware_in_full(new):
    assert new("posts/[id=int]", "GET", "PATCH", "--middleware") == (
        0,
        "Created app/api/posts/[id=int]/middleware.py\n"
        "Created app/api/posts/[id=int]/route.py\n"
        "URL      /api/posts/<int:id>\n"
        'url_for  url_for("api./posts/[id=int]", id=1)\n',
    )
    folder = new.folder / "app/api/posts/[id=int]"
    assert (folder / "route.py").read_text() == ROUTE
    assert (folder / "middleware.py").read_text() == MIDDLEWARE
    assert sorted(os.listdir(folder)) == ["middleware.py", "route.py"]


PATHS = {
    ".": ("route.py", "/api", 'url_for("api./")'),
    "users": ("users/route.py", "/api/users", 'url_for("api./users")'),
    "users/": ("users/route.py", "/api/users", 'url_for("api./users")'),
    "users/route.py": ("users/route.py", "/api/users", 'url_for("api./users")'),
    "[slug]": ("[slug]/route.py", "/api/<slug>", 'url_for("api./[slug]", slug="slug")'),
    "(own)/[x=float]": (
        "(own)/[x=float]/route.py", "/api/<float:x>", 'url_for("api./[x=float]", x=1.5)',
    ),
    "u/[id=uuid].json": (
        "u/[id=uuid].json/route.py", "/api/u/<uuid:id>.json",
        'url_for("api./u/[id=uuid]%2Ejson", id="00000000-0000-0000-0000-000000000001")',
    ),
    "[...path]": (
        "[...path]/route.py", "/api/<path:path>", 'url_for("api./[*path]", path=["a", "b"])',
    ),
    "docs/[[...p]]": (
        "docs/[[...p]]/route.py", "/api/docs and /api/docs/<path:p>",
        'url_for("api./docs/[[*p]]", p=["a", "b"])',
    ),
    "%5Fname": ("%5Fname/route.py", "/api/_name", 'url_for("api./%5Fname")'),
    ".well-known/x": (".well-known/x/route.py", "/api/.well-known/x",
                      'url_for("api./%2Ewell-known/x")'),
}  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--async",)], ids=["sync", "async"])
@pytest.mark.parametrize(("path", "expected"), PATHS.items(), ids=PATHS)
def test_what_is_printed_is_true_of_the_app_that_has_the_file(new, tree, path, expected, options):
    file, url, call = expected
    app = bare_app(tree({"other/route.py": "def GET(): ..."}))
    RouteHandlers(app)
    before = snapshot(Path(app.root_path))
    status, output = new(path, *METHODS, "--middleware", *options, app=app)
    assert (status, output.splitlines()[2:]) == (0, [f"URL      {url}", f"url_for  {call}"])
    middleware = file.replace("route.py", "middleware.py")
    assert output.splitlines()[:2] == [f"Created app/api/{middleware}", f"Created app/api/{file}"]
    assert set(written(new.folder, before)) == {f"app/api/{file}", f"app/api/{middleware}"}

    served = bare_app(new.folder)
    RouteHandlers(served)
    client = served.test_client()
    with served.test_request_context():
        target = eval(call, {"url_for": url_for})
    rule, values = served.url_map.bind("").match(target, return_rule=True)
    assert rule.rule in url.split(" and ")
    for method in METHODS:
        response = client.open(target, method=method)
        assert response.status_code in (200, 201, 204), (method, response.text)
    assert client.get(target).json == json.loads(served.json.dumps(values))


def test_without_methods_it_handles_get(new):
    assert new("users")[0] == 0
    text = (new.folder / "app/api/users/route.py").read_text()
    assert text.count("def ") == text.count("def GET()") == 1


def test_a_method_given_twice_is_written_once(new):
    assert new("users", "PUT", "GET", "PUT")[0] == 0
    text = (new.folder / "app/api/users/route.py").read_text()
    assert [line.split("(")[0] for line in text.splitlines() if "def" in line] == [
        "def PUT",
        "def GET",
    ]


def test_parameters_of_the_prefix_are_parameters_of_the_handler(new):
    status, output = new("users/[id=int]", url_prefix="/<lang>/<int:year>/api")
    assert (status, output.splitlines()[1:]) == (
        0,
        [
            "URL      /<lang>/<int:year>/api/users/<int:id>",
            'url_for  url_for("api./users/[id=int]", lang="lang", year=1, id=1)',
        ],
    )
    text = (new.folder / "app/api/users/[id=int]/route.py").read_text()
    assert "def GET(lang: str, year: int, id: int) -> ResponseReturnValue:\n" in text


def test_what_a_converter_of_the_app_gives_is_not_guessed(new, tree):
    app = bare_app(tree({}, ""))
    app.url_map.converters["even"] = type("Even", (BaseConverter,), {"regex": r"\d+"})
    RouteHandlers(app)
    assert new("[n=even]", app=app)[0] == 0
    text = (new.folder / "app/api/[n=even]/route.py").read_text()
    assert text.startswith("from typing import Any\n\nfrom flask.typing import Res")
    assert 'def GET(n: Any) -> ResponseReturnValue:\n    """' in text
    assert 'return {"n": str(n)}' in text


# What is refused ------------------------------------------------------------------------------

FILES = {
    "users/[id]/route.py": "def GET(id): ...",
    "users/[id]/middleware.py": "def middleware(call_next): return call_next()",
    "files/[...path]/route.py": "def GET(path): ...",
    "lib.py": "",
    "note.txt": "",
    "covered/middleware.py": "",
}

REFUSED = {
    "a name of a parameter": (("[post-id]",), "[post-id]", "Did you mean [post_id]?"),
    "a parameter of Express": (("a/:id",), "a/:id", "Did you mean [id]?"),
    "a parameter of FastAPI": (("{id:int}",), "{id:int}", "Did you mean [id=int]?"),
    "the rest of FastAPI": (("{id:path}",), "{id:path}", "Did you mean [...id]?"),
    "a parameter of Flask": (("<int:id>",), "<int:id>", "Did you mean [id=int]?"),
    "a file": (("users.py",), "users.py", "Did you mean users? The file in it is always"),
    "each folder": (("[a][b]/x/[]",), "[a][b]/x/[]", "Write [name]."),
    "an unknown converter": (("[n=nix]",), "[n=nix]/route.py", "The app has no converter 'nix'."),
    "the file itself": (("users/[id]",), "users/[id]/route.py", "The file is there already."),
    "its middleware": (
        ("covered", "--middleware"), "covered/middleware.py", "The file is there already.",
    ),
    "another name at one place": (
        ("users/[name]/x",), "users/[id]/route.py\nusers/[name]/x/route.py",
        "The folders [id] and [name] match the same URLs.",
    ),
    "one URL through a group": (
        ("(own)/users/[id]",), "(own)/users/[id]/route.py\nusers/[id]/route.py",
        "These files have the same URL.",
    ),
    "letter case": (
        ("Users/x",), "Users/x/route.py\nusers/[id]/route.py",
        "The folders Users and users differ only in letter case",
    ),
    "what is behind a catch-all": (
        ("files/[...path]/x",), "files/[...path]/x/route.py",
        "[...path] matches the rest of the URL",
    ),
    "a name twice": (("[id]/[id]",), "[id]/[id]/route.py", "two parameters named 'id'."),
    "a module of the same name": (
        ("lib",), "lib.py\nlib", "The file and the folder have the same module name, 'lib'",
    ),
    "a file in place of a folder": (
        ("note.txt/x",), "note.txt", "It is a file, and a folder is needed.",
    ),
    "the folder above": (("../x",), "..", "The path leads out of the root."),
    "a way out and in again": (("x/../../y",), "x/..", "The path leads out of the root."),
    "an absolute path": (("/etc/x",), "/etc/x", "without a slash in front"),
    "an empty folder": (("a//b",), "a/", "The path has an empty folder name"),
    "a dot": (("a/./b",), "a/.", "The path has an empty folder name, or a dot"),
    "a private folder": (("_lib/x",), "_lib", "Did you mean %5Flib?"),
    "a hidden folder": (("a/.git",), "a/.git", "The folder .git is private or hidden"),
    "a backslash": (("a\\b",), "a\\b", "A folder name cannot contain the character '\\\\'."),
}  # fmt: skip


@pytest.mark.parametrize(("arguments", "files", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_not_start_is_refused_and_nothing_is_written(new, tree, arguments, files, said):
    app = bare_app(tree(FILES))
    with pytest.warns(flask_routehandlers.RouteHandlersWarning):
        RouteHandlers(app)
    before = snapshot(Path(app.root_path))
    status, output = new(*arguments, app=app)
    assert status == 2
    assert f"in {app.root_path}/app/api:\n\n" in output
    assert f"\n\n{files}\n" in output
    assert said in output
    assert snapshot(new.folder) == before


def test_all_that_is_wrong_with_a_path_is_told_at_once(new):
    status, output = new("[]/[a][b]/(x)y", "GET")
    assert (status, output.split(":")[:2]) == (2, ["Error", " Nothing is written"])
    assert "3 problems in " in output


def test_a_rule_of_the_apps_own_is_in_the_way(new, tree):
    app = bare_app(tree({}, ""))
    RouteHandlers(app)
    app.add_url_rule("/api/<name>", "own", lambda name: name)
    status, output = new("[slug]", app=app)
    assert status == 2
    assert "The app already has a rule for /api/<slug>: /api/<name> of the endpoint" in output


def test_a_parameter_of_the_prefix_is_in_the_way(new):
    status, output = new("[lang]", url_prefix="/<lang>/api")
    assert status == 2
    assert "The url_prefix '/<lang>/api' has a parameter 'lang' too." in output


@pytest.mark.parametrize("path", ["out", "out/x/y", "users/out"])
def test_nothing_is_written_through_a_link_that_leads_out_of_the_root(new, tree, tmp_path, path):
    app = bare_app(tree({}, "users"))
    RouteHandlers(app)
    outside = tmp_path / "outside"
    outside.mkdir()
    os.symlink(outside, f"{app.root_path}/app/api/{path.removesuffix('/x/y')}")
    status, output = new(path, app=app)
    assert status == 2
    assert f"The symbolic link points outside the root, to {outside}" in output
    assert list(outside.iterdir()) == []


def test_a_tree_that_has_problems_of_its_own_can_grow(tree, new, monkeypatch):
    folder = tree({"[a]/route.py": "def GET(): ...", "[b]/route.py": "def GET(): ..."})
    write_files(folder, {"wsgi.py": WSGI})
    done = flask(folder, "route-handlers", "new", "users/[n=own]")
    assert done == (
        0,
        "Created app/api/users/[n=own]/route.py\n"
        "URL      /api/users/<own:n>\n"
        'url_for  url_for("api./users/[n=own]", n="n")\n'
        "The app could not be loaded, so its own url_prefix and rules are not known. "
        "`flask route-handlers check` tells more.\n",
        "",
    )
    status, _, errors = flask(folder, "route-handlers", "new", "[c]")
    assert status == 2
    assert "The folders [a] and [b] and [c] match the same URLs" in errors


# As its users run it --------------------------------------------------------------------------


def flask(folder: Path, *arguments: str) -> tuple[int, str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("FLASK")}
    done = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=folder,
        env=inherited | {"PYTHONPATH": CHECKOUT},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_first_file_of_a_project_creates_the_root(tmp_path):
    write_files(tmp_path, {"wsgi.py": WSGI})
    status, output, errors = flask(tmp_path, "route-handlers", "new", "hello/[name]")
    assert (status, errors) == (0, "")
    assert output.startswith("Created app/api/hello/[name]/route.py\nURL      /api/hello/<name>\n")
    assert flask(tmp_path, "route-handlers", "match", "GET", "/api/hello/you")[0] == 0
    assert flask(tmp_path, "route-handlers", "check", "--strict")[:2] == (
        0,
        "1 route file: nothing is wrong\n",
    )


def test_without_an_app_the_root_is_asked_for(tmp_path):
    status, output, errors = flask(tmp_path, "route-handlers", "new", "hello")
    assert (status, output) == (2, "")
    assert errors.startswith("Error: Could not locate a Flask application.")
    assert errors.endswith(
        "\nTo write to a tree without its app, say where it is: --root app/api.\n"
    )
    assert list(tmp_path.iterdir()) == []
    status, output, _ = flask(tmp_path, "route-handlers", "new", "hello", "--root", "web/app/v1")
    assert (status, output.splitlines()[:2]) == (
        0,
        ["Created web/app/v1/hello/route.py", "URL      /v1/hello"],
    )


def test_with_several_trees_one_has_to_be_named(new, tree):
    app = bare_app(tree({}, ""))
    folder = Path(app.root_path)
    RouteHandlers(app)
    RouteHandlers(app, write_files(folder / "pages", {"x/route.py": "def GET(): ..."}))
    assert new("hello", app=app) == (
        2,
        "Error: Say which tree is meant, with --name or --root. "
        "The app has api (app/api), pages (pages).\n",
    )
    assert new("hello", "--name", "none", app=app)[0] == 2
    assert new("hello", "--name", "pages", app=app)[1].splitlines() == [
        "Created pages/hello/route.py",
        "URL      /hello",
        'url_for  url_for("pages./hello")',
    ]
    assert new("hello", "--root", "app/api", app=app)[1].startswith("Created app/api/hello/")


USAGE = {
    ("users", "get"): "get is not a method that a route file handles. Did you mean GET?",
    ("users", "GET", "delet"): "delet is not a method that a route file handles. Did you mean D",
    ("users", "GET,post"): "Invalid value for METHODS: Write spaces between: GET POST",
    ("api/users",): "Invalid value for PATH: Leave out api: users",
    ("users", "TRACE"): "TRACE is not a method that a route file handles. Write DELETE, GET, ",
    ("GET", "users"): "Invalid value for PATH: It comes first: users GET",
    ("app/api/users/[id]", "GET"): "Invalid value for PATH: Leave out app/api: 'users/[id]'",
    ("/api/users/[id]",): "Invalid value for PATH: Leave out /api: 'users/[id]'",
    # What a shell makes of posts/[id], where there are such files.
    ("posts/i",): "The shell has put files in place of a pattern, it seems: posts/i. Quote the",
    ("posts/i", "posts/d", "GET"): "it seems: posts/i, posts/d. Quote the path: 'posts/[id]'.",
    ("v1", "d", "GET"): "it seems: v1, d. Quote the path: 'posts/[id]'.",
}


@pytest.mark.parametrize(("arguments", "said"), USAGE.items(), ids=" ".join)
def test_arguments_that_cannot_be_meant_are_explained(new, tree, arguments, said):
    app = bare_app(tree({}, ""))
    RouteHandlers(app)
    write_files(Path(app.root_path), {"posts/i": "", "posts/d": "", "d": "", "users": ""})
    before = snapshot(Path(app.root_path))
    status, output = new(*arguments, app=app)
    assert status == 2
    assert said in output
    assert snapshot(new.folder) == before


def test_a_short_name_that_is_meant_is_written(new, tree):
    app = bare_app(tree({}, "posts/i/x"))
    RouteHandlers(app)
    write_files(Path(app.root_path), {"posts/i": "", "users": ""})
    assert new("posts/i", app=app)[0] == 0
    assert new("users", app=app)[0] == 0
    assert new("posts/k", app=app)[0] == 0


def test_a_shell_that_replaces_brackets_is_told_about(tmp_path):
    write_files(tmp_path, {"wsgi.py": WSGI, "posts/i": "", "posts/d": ""})
    command = f"'{sys.executable}' -m flask route-handlers new posts/[id] GET"
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": CHECKOUT},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "it seems: posts/d, posts/i. Quote the path: 'posts/[id]'." in done.stderr


# What is written ------------------------------------------------------------------------------

TYPES = [str, int, float, UUID, LIST_OF_STR, None]
NAMES = st.sampled_from(["id", "日本", "é", *(f"{'long_' * n}name" for n in range(9))])
SOURCES = st.builds(
    route_source,
    st.sampled_from(["/", "/api/a b", '/a"b', '/"""', '/""""', "/é/日本/'", "/<int:id>.json"]),
    st.lists(st.sampled_from(METHODS), min_size=1, unique=True),
    st.dictionaries(NAMES, st.sampled_from(TYPES), max_size=5),
    is_async=st.booleans(),
)


@pytest.mark.parametrize("count", [40, pytest.param(1000, marks=pytest.mark.soak)])
def test_every_file_is_formatted_checked_and_typed(count, tmp_path):
    texts: set[str] = set()

    @settings(max_examples=count, database=None, deadline=None, derandomize=True)
    @given(SOURCES)
    def collect(text: str) -> None:
        texts.add(text)

    collect()
    texts |= {middleware_source(), middleware_source(is_async=True)}
    for number, text in enumerate(sorted(texts)):
        (tmp_path / f"module{number}.py").write_text(text, encoding="utf-8")
    for command in (
        ["ruff", "format", "--diff", "--isolated", "."],
        [
            "ruff",
            "check",
            "--isolated",
            "--select",
            "E,F,I,UP,B,SIM,RET,W",
            "--ignore",
            "E501",
            ".",
        ],
        ["mypy", "--strict", "--cache-dir", os.devnull, "--config-file", os.devnull, "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_file_that_appears_meanwhile_is_left_alone_and_nothing_else_stays(tmp_path):
    theirs = tmp_path / "a/b/route.py"
    write_files(tmp_path, {"a/b/route.py": "theirs"})
    with pytest.raises(FileExistsError):
        write([(str(tmp_path / "new/x/middleware.py"), "ours"), (str(theirs), "ours")])
    assert snapshot(tmp_path) == {"a": None, "a/b": None, "a/b/route.py": "theirs"}


def test_a_write_that_fails_leaves_nothing(tmp_path):
    surrogate = "\ud800"  # cannot be encoded
    with pytest.raises(UnicodeEncodeError):
        write(
            [(str(tmp_path / "a/middleware.py"), "x"), (str(tmp_path / "a/route.py"), surrogate)]
        )
    assert snapshot(tmp_path) == {}


def test_a_file_that_cannot_be_written_is_told_and_leaves_no_folder(new, tree):
    app = bare_app(tree({}, ""))
    RouteHandlers(app)
    before = snapshot(Path(app.root_path))
    status, output = new(f"a/b/{'x' * 300}", app=app)
    assert status == 2
    assert output.startswith("Error: Nothing is written: [Errno 36] File name too long: ")
    assert snapshot(new.folder) == before


@pytest.mark.parametrize("is_there", [False, True], ids=["new", "there already"])
def test_a_file_system_without_hard_links_will_do(tmp_path, monkeypatch, is_there):
    def link(*paths: str) -> None:
        raise PermissionError(1, "Operation not permitted")  # as FAT answers

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "a/route.py"
    if is_there:
        write_files(tmp_path, {"a/route.py": "theirs"})
        with pytest.raises(FileExistsError):
            write([(str(path), "ours")])
    else:
        write([(str(path), "ours")])
    assert snapshot(tmp_path) == {"a": None, "a/route.py": "theirs" if is_there else "ours"}


def test_whoever_reads_a_new_file_reads_all_of_it(tmp_path):
    text = "x = 1\n" * 20_000
    seen: set[int] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            for path in tmp_path.glob("*.py"):
                seen.add(len(path.read_text()))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(30):
            write([(str(tmp_path / f"file{number}.py"), text)])
    finally:
        done.set()
        reader.join()
    assert seen <= {len(text)}


def test_of_many_who_write_one_file_at_once_one_does(tmp_path):
    path = tmp_path / "a/route.py"
    (tmp_path / "a").mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c",
             "import sys; from flask_routehandlers.cli.scaffold import write\n"
             f"write([({str(path)!r}, 'writer {number}')])"],
            env=os.environ | {"PYTHONPATH": CHECKOUT},
            stderr=subprocess.DEVNULL,
        )
        for number in range(6)
    ]  # fmt: skip
    codes = [process.wait(60) for process in processes]
    winner = codes.index(0)
    assert codes.count(0) == 1
    assert snapshot(tmp_path) == {"a": None, "a/route.py": f"writer {winner}"}
