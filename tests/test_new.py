"""``flask route-handlers new``: the files that it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import url_for
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers, RouteHandlersWarning
from flask_routehandlers.cli.scaffold import Place, make_plan, write
from flask_routehandlers.cli.source import (
    dependencies_source,
    middleware_source,
    route_source,
)
from flask_routehandlers.handlers.exports import METHODS
from flask_routehandlers.routing.converters import LIST_OF_STR
from tests.commands import WSGI, child_environment, invoke
from tests.support import bare_app, write_files


@pytest.fixture
def new(tree, monkeypatch):
    """Run ``new`` in a project folder for an app with these files: exit status and output."""

    def run(*arguments: str, app: Any = None, **options: Any) -> Any:
        if app is None:
            app = bare_app(tree({"route.py": "def GET(): ..."}))
            RouteHandlers(app, **options)
        run.folder = Path(app.root_path)
        monkeypatch.chdir(run.folder)
        status, output, errors = invoke(app, "new", *arguments)
        return status, output + errors

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
from flask import Request, Response
from flask_routehandlers import CallNext


def middleware(request: Request, call_next: CallNext) -> Response:
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


DEPENDENCIES = '''\
from typing import Any


def item(id: int) -> dict[str, Any]:
    """Return the argument item of handlers in this folder and below."""
    return {"id": id}
'''
ROUTE_WITH_DEPENDENCY = '''\
from typing import Any

from flask.typing import ResponseReturnValue


def GET(item: dict[str, Any]) -> ResponseReturnValue:
    """Answer GET /api/posts/<int:id>."""
    return {"item": item}
'''


def test_a_route_file_and_its_dependencies_in_full(new):
    assert new("posts/[id=int]", "--dependencies") == (
        0,
        "Created app/api/posts/[id=int]/dependencies.py\n"
        "Created app/api/posts/[id=int]/route.py\n"
        "URL      /api/posts/<int:id>\n"
        'url_for  url_for("api./posts/[id=int]", id=1)\n',
    )
    folder = new.folder / "app/api/posts/[id=int]"
    assert (folder / "dependencies.py").read_text() == DEPENDENCIES
    assert (folder / "route.py").read_text() == ROUTE_WITH_DEPENDENCY


URLS = {
    ".": "/api",
    "[item]": "/api/x",
    "[id=uuid]": "/api/00000000-0000-0000-0000-000000000001",
    "x/[[...path]]": "/api/x/a/b",
}


@pytest.mark.parametrize("option", ["--async", "--typed", "--middleware"])
@pytest.mark.parametrize(("path", "url"), URLS.items(), ids=URLS)
def test_handlers_use_the_new_dependency(new, tree, path, url, option):
    app = bare_app(tree({"other/route.py": 'def GET() -> str:\n    """Say hi."""\n'}))
    RouteHandlers(app)
    status, output = new(path, "GET", "DELETE", "--dependencies", option, app=app)
    assert status == 0, output
    served = bare_app(new.folder)
    RouteHandlers(served)
    status, output, _ = invoke(served, "check", "--strict")
    assert (status, output) == (0, "2 route files: no problems found\n")
    client = served.test_client()
    assert (client.get(url).status_code, client.delete(url).status_code) == (200, 204)


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
def test_the_output_is_true_of_the_app(new, tree, path, expected, options):
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


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ([], ["GET"]),
        (["PUT", "GET", "PUT"], ["PUT", "GET"]),
        (["post,get"], ["POST", "GET"]),
        (["post,", "get"], ["POST", "GET"]),
    ],
    ids=str,
)
def test_methods_are_written_once_in_order(new, methods, expected):
    assert new("users", *methods)[0] == 0
    text = (new.folder / "app/api/users/route.py").read_text()
    lines = [line for line in text.splitlines() if line.startswith("def ")]
    assert lines == [f"def {method}() -> ResponseReturnValue:" for method in expected]


def test_parameters_of_the_prefix_are_arguments(new):
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


def test_values_of_a_converter_of_the_app_are_any(new, tree):
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
    "a parameter of Express": (("a/:id",), "a/:id", "Rename it to [id] if it should be a par"),
    "a parameter of FastAPI": (("{id:int}",), "{id:int}", "Rename it to [id=int] if it should"),
    "the rest of FastAPI": (("{id:path}",), "{id:path}", "Rename it to [...id] if it should"),
    "a parameter of Flask": (("<int:id>",), "<int:id>", "Did you mean [id=int]?"),
    "each folder": (("[a][b]/x/[]",), "[a][b]/x/[]", "Write [name]."),
    "an unknown converter": (("[n=nix]",), "[n=nix]", "The app has no converter 'nix'."),
    "another name at one place": (
        ("users/[name]/x",), "users/[id]/route.py\nusers/[name]/x/route.py",
        "The folders [id] and [name] match the same URLs.",
    ),
    "one URL through a group": (
        ("(own)/users/[id]",), "(own)/users/[id]/route.py\nusers/[id]/route.py", "",
    ),
    "letter case": (
        ("Users/x",), "Users/x/route.py\nusers/[id]/route.py",
        "The folders Users and users differ only in letter case",
    ),
    "below a catch-all": (
        ("files/[...path]/x",), "files/[...path]/x/route.py",
        "[...path] matches the rest of the URL",
    ),
    "a name twice": (("[id]/[id]",), "[id]/[id]/route.py", "two parameters named 'id'."),
    "a module of the same name": (("lib",), "lib.py\nlib", "'lib'"),
    "a private folder": (
        ("_lib/x",), "_lib/x/route.py", "It gets no URL: the folder _lib is private or hidden.",
    ),
    "a hidden folder": (("a/.git2",), "a/.git2/route.py", "the folder .git2 is private or hid"),
    "a backslash": (("a\\b",), "a\\b", "A folder name cannot contain the character '\\\\'."),
}  # fmt: skip


@pytest.fixture
def grown(tree):
    """An app with :data:`FILES`."""
    app = bare_app(tree(FILES))
    with pytest.warns(RouteHandlersWarning):
        RouteHandlers(app)
    return app


@pytest.mark.parametrize(("arguments", "files", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_route_with_problems_is_taken_back(new, grown, arguments, files, said):
    before = snapshot(Path(grown.root_path))
    status, output = new(*arguments, app=grown)
    assert status == 2
    assert output.startswith("Error: Nothing is written: ")
    assert f"in {grown.root_path}/app/api:\n\n" in output
    shown = files.replace("\n", "\napp/api/")
    assert f"\n\napp/api/{shown}\n" in output
    assert said in output
    assert snapshot(new.folder) == before


BLOCKED = {
    "the file itself": (("users/[id]",), "File exists: app/api/users/[id]/route.py."),
    "its middleware": (("covered", "--middleware"), "File exists: app/api/covered/middleware.py."),
    "a file in place of a folder": (("note.txt/x",), "File exists: app/api/note.txt."),
    "a long name": (("a/b/" + "x" * 300,), f"File name too long: app/api/a/b/{'x' * 300}."),
}


@pytest.mark.parametrize(("arguments", "said"), BLOCKED.values(), ids=BLOCKED.keys())
def test_what_is_in_the_way_is_left_alone(new, grown, arguments, said):
    before = snapshot(Path(grown.root_path))
    assert new(*arguments, app=grown) == (2, f"Error: Nothing is written: {said}\n")
    assert snapshot(new.folder) == before


def test_all_problems_of_a_path_are_printed(new):
    status, output = new("[]/[a][b]/(x)y", "GET")
    assert (status, output.split(":")[:2]) == (2, ["Error", " Nothing is written"])
    assert "3 problems in " in output


def test_a_rule_of_the_app_for_the_same_url(new, tree):
    app = bare_app(tree({}, ""))
    RouteHandlers(app)
    app.add_url_rule("/api/<name>", "own", lambda name: name)
    before = snapshot(Path(app.root_path))
    status, output = new("[slug]", app=app)
    assert status == 2
    assert "The app already has a rule for /api/<slug>: /api/<name> of the endpoint" in output
    assert snapshot(new.folder) == before


def test_a_parameter_that_the_prefix_has_too(new):
    status, output = new("[lang]", url_prefix="/<lang>/api")
    assert status == 2
    assert "The url_prefix '/<lang>/api' has a parameter 'lang' too." in output


@pytest.mark.parametrize("path", ["out", "out/x/y", "users/out"])
def test_links_out_of_the_root_are_not_followed(new, tree, tmp_path, path):
    app = bare_app(tree({}, "users"))
    RouteHandlers(app)
    outside = tmp_path / "outside"
    outside.mkdir()
    os.symlink(outside, f"{app.root_path}/app/api/{path.removesuffix('/x/y')}")
    status, output = new(path, app=app)
    assert status == 2
    real = outside / path.partition("out/")[2]
    assert f"A symbolic link points outside the root, to {real}.\n" in output
    assert list(outside.iterdir()) == []


def test_a_tree_that_is_refused_can_grow(tmp_path, flask):
    files = {"app/api/[a]/route.py": "def GET(): ...", "app/api/[b]/route.py": "def GET(): ..."}
    done = flask(files | {"wsgi.py": WSGI}, "route-handlers", "new", "users/[n=own]")
    assert done == (
        0,
        "Created app/api/users/[n=own]/route.py\n"
        "URL      /api/users/<own:n>\n"
        'url_for  url_for("api./users/[n=own]", n="n")\n'
        "The app could not be loaded, so its url_prefix and rules are not known. "
        "Run `flask route-handlers check` for more.\n",
        "",
    )
    status, _, errors = flask({}, "route-handlers", "new", "[c]")
    assert status == 2
    assert "The folders [a] and [b] and [c] match the same URLs" in errors


# Which tree -----------------------------------------------------------------------------------


def test_the_first_file_creates_the_root(flask):
    status, output, errors = flask({"wsgi.py": WSGI}, "route-handlers", "new", "hello/[name]")
    assert (status, errors) == (0, "")
    assert output.startswith("Created app/api/hello/[name]/route.py\nURL      /api/hello/<name>\n")
    assert flask({}, "route-handlers", "match", "GET", "/api/hello/you")[0] == 0
    assert flask({}, "route-handlers", "check", "--strict")[:2] == (
        0,
        "1 route file: no problems found\n",
    )


def test_without_an_app_the_root_is_needed(flask, tmp_path):
    status, output, errors = flask({}, "route-handlers", "new", "hello")
    assert (status, output) == (2, "")
    assert errors.startswith("Error: Could not locate a Flask application.")
    assert errors.endswith(
        "\nTo write to a tree without its app, name its root: --root app/api.\n"
    )
    assert list(tmp_path.iterdir()) == []
    status, output, _ = flask({}, "route-handlers", "new", "hello", "--root", "web/app/v1")
    assert (status, output.splitlines()[:2]) == (
        0,
        ["Created web/app/v1/hello/route.py", "URL      /v1/hello"],
    )


def test_one_of_several_trees_has_to_be_named(new, tree):
    app = bare_app(tree({}, ""))
    folder = Path(app.root_path)
    RouteHandlers(app)
    RouteHandlers(app, write_files(folder / "pages", {"x/route.py": "def GET(): ..."}))
    assert new("hello", app=app) == (
        2,
        "Error: Choose a tree with --name or --root. The app has api (app/api), pages (pages).\n",
    )
    assert new("hello", "--name", "none", app=app)[0] == 2
    assert new("hello", "--name", "pages", app=app)[1].splitlines() == [
        "Created pages/hello/route.py",
        "URL      /hello",
        'url_for  url_for("pages./hello")',
    ]
    assert new("hello", "--root", "app/api", app=app)[1].startswith("Created app/api/hello/")


DOWN = "Write the folders from the root down, for example users/[id], not "

USAGE = {
    ("users", "delet"): "METHODS: DELET is not a method that a route file handles. Did you mean D",
    ("users", "TRACE"): "METHODS: TRACE is not a method that a route file handles. Write DELETE, ",
    ("users", "posts/i"): "METHODS: POSTS/I is not a method that a route file handles. Did you ",
    ("GET", "users"): "PATH: The path comes first: users GET",
    ("api/users",): "PATH: Leave out api: users",
    ("app/api/users/[id]", "GET"): "PATH: Leave out app/api: 'users/[id]'",
    ("users.py",): "PATH: Write the folder of the route.py: users",
    ("/api/users/[id]",): f"PATH: {DOWN}'/api/users/[id]'.",
    ("../x",): f"PATH: {DOWN}'../x'.",
    ("x/../../y",): f"PATH: {DOWN}'x/../../y'.",
    ("a//b",): f"PATH: {DOWN}'a//b'.",
    ("a/./b",): f"PATH: {DOWN}'a/./b'.",
    ("",): f"PATH: {DOWN}''.",
}


@pytest.mark.parametrize(("arguments", "said"), USAGE.items(), ids=" ".join)
def test_arguments_that_cannot_be_meant(new, tree, arguments, said):
    app = bare_app(tree({}, ""))
    RouteHandlers(app)
    before = snapshot(Path(app.root_path))
    status, output = new(*arguments, app=app)
    assert status == 2
    assert f"Error: Invalid value for {said}" in output
    assert snapshot(new.folder) == before


# What is written ------------------------------------------------------------------------------

TYPES = [str, int, float, UUID, LIST_OF_STR, None]
NAMES = ["id", "é", "slug", "long_name_of_a_parameter", f"{'long_' * 6}name"]


def sources() -> list[str]:
    """Files of every kind: with each type, with no parameter to many, short and long."""
    parameters = [
        {name: TYPES[(start + n) % len(TYPES)] for n, name in enumerate(NAMES[:count])}
        for start, count in product(range(len(TYPES)), range(len(NAMES) + 1))
    ]
    rules = ["/", "/api/a b", '/a"b', "/é/日本/'", "/<int:id>.json"]
    routes = [
        route_source(rules[n % len(rules)], methods, types, is_async=bool(n % 2), is_typed=typed)
        for n, types in enumerate(parameters)
        for typed in (False, True)
        for methods in (METHODS, [METHODS[n % len(METHODS)]])
    ]
    for n, types in enumerate(parameters):
        routes.append(dependencies_source("item", types, is_async=bool(n % 2)))
    for is_async, typed in product((False, True), repeat=2):
        types = {"item": dict}
        routes.append(route_source("/", METHODS, types, is_async=is_async, is_typed=typed))
    return [*routes, middleware_source(), middleware_source(is_async=True)]


LINT = ["ruff", "check", "--isolated", "--select", "E,F,I,UP,B,SIM,RET,W", "--ignore", "E501"]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "format", "--diff", "--isolated", "."],
        [*LINT, "."],
        pytest.param(["mypy", "--strict", "."], marks=pytest.mark.ci),
    ],
    ids=["format", "lint", "types"],
)
def test_each_file_is_as_tools_want_it(command, tmp_path):
    for number, source in enumerate(sources()):
        (tmp_path / f"module{number}.py").write_text(source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tmp_path,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_failed_write_leaves_the_tree_as_it_was(tree):
    app = bare_app(tree({}, "a/b"))
    place = Place(app, "api", f"{app.root_path}/app/api", "/api")
    before = snapshot(Path(app.root_path))
    plan = make_plan(place, "a/b", ["GET"])
    contents = {f"{place.root}/a/b/middleware.py": "", f"{place.root}/a/b/route.py": ""}
    with pytest.raises(FileExistsError):  # after middleware.py was written
        write(place, plan, contents)
    assert snapshot(Path(app.root_path)) == before


@pytest.mark.ci
def test_of_many_writers_of_one_file_one_wins(tmp_path):
    write_files(tmp_path, {"wsgi.py": WSGI, "app/api/route.py": "def GET(): ..."})
    command = [sys.executable, "-m", "flask", "route-handlers", "new", "a/b"]
    processes = [
        subprocess.Popen(
            [*command, method], cwd=tmp_path, env=child_environment(), stderr=subprocess.DEVNULL
        )
        for method in METHODS
    ]
    codes = [process.wait(120) for process in processes]
    assert sorted(codes) == [0, *[2] * (len(METHODS) - 1)]
    winner = METHODS[codes.index(0)]
    assert f"def {winner}(" in (tmp_path / "app/api/a/b/route.py").read_text()
