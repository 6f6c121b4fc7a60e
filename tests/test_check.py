"""``flask route-handlers check``: what it finds, how it is shown, and its exit statuses."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from werkzeug.routing import IntegerConverter, UnicodeConverter

from flask_routehandlers import RouteHandlers, RouteTreeError
from flask_routehandlers.cli import group
from tests.commands import CHECKOUT, WSGI, flask_in_child
from tests.support import bare_app, write_files

GET = 'def GET() -> str:\n    """Say hello."""\n    return "hello"\n'

LOWER_CASE = (
    "The file defines get(), which is not a handler: a handler is named after an HTTP method, in "
    "upper case. Did you mean GET? Rename the function if it is a helper."
)
NEAR_MISS = (
    "is not a route file and has no URL. Rename it to route.py if it should answer requests."
)


def run(create_app: Callable[[], Flask], *arguments: str, **options: Any) -> tuple[int, str]:
    """Exit status and output of the command, in this process, for the app of a factory."""
    info = ScriptInfo(create_app=create_app)
    result = CliRunner().invoke(group, ["check", *arguments], obj=info, **options)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.fixture
def check(tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Exit status and output for an app with these files; files are shown as below the root."""

    def run_for(
        files: Mapping[str, str],
        *arguments: str,
        prepare: Callable[[Flask], object] = lambda app: None,
        **options: Any,
    ) -> tuple[int, str]:
        folder = tree(files)
        monkeypatch.chdir(folder)

        def create_app() -> Flask:
            app = bare_app(folder)
            prepare(app)
            RouteHandlers(app, **options)
            return app

        status, output = run(create_app, *arguments)
        return status, output.replace("app/api/", "")

    return run_for


# What is found -------------------------------------------------------------------------------

REFUSED: dict[str, dict[str, str]] = {
    "a folder": {"[post-id]/route.py": GET, "(.)photo/route.py": GET},
    "one URL": {"(a)/x/route.py": GET, "x/route.py": GET},
    "one place": {"[a]/route.py": GET, "[b]/x/route.py": GET},
    "one name": {"feed.xml/route.py": GET, "feed_xml/route.py": GET},
    "a converter": {"[id=slug]/route.py": GET, "[...p=int]/route.py": GET},
    "a handler": {"a/route.py": "def get(): ...", "b/route.py": "def PACTH(): ..."},
    "no handler": {"a/route.py": ""},
    "an argument": {"[id]/route.py": "def GET(name): ...", "x/route.py": "def GET(*, id): ..."},
    "an annotation": {"[id]/route.py": "def GET(id: int): ..."},
    "an import": {"a/route.py": "import nothing", "b/route.py": "1 / 0", "c/route.py": "def"},
    "middleware": {"middleware.py": "", "a/route.py": GET, "a/middleware.py": "1 / 0"},
    "route config": {"a/route.py": f"revalidate = -1\n{GET}", "b/route.py": f"dynamic = 1\n{GET}"},
    "two converters": {"[a=int]/route.py": "def GET(a): ...", "[b=even]/route.py": GET},
    "all kinds": {
        "[a-b]/route.py": GET,
        "(a)/x/route.py": GET,
        "x/route.py": GET,
        "[id=slug]/route.py": GET,
        "b/route.py": "import nothing",
        "c/route.py": "def get(): ...",
        "d/middleware.py": "middleware = 1",
        "d/route.py": f"revalidate = 'x'\n{GET}",
    },
}


def add_even(app: Flask) -> None:
    app.url_map.converters["even"] = type("Even", (IntegerConverter,), {})


def errors_in(output: str) -> set[tuple[tuple[str, ...], str, str]]:
    return {
        (tuple(finding["files"]), finding["reason"], finding["hint"])
        for tree in json.loads(output)["trees"]
        for finding in tree["findings"]
        if finding["severity"] == "error"
    }


@pytest.mark.parametrize("is_debug", [False, True], ids=["", "debug"])
@pytest.mark.parametrize("files", REFUSED.values(), ids=REFUSED)
def test_problems_are_those_of_the_start(tree, monkeypatch, files, is_debug):
    folder = tree(files)
    monkeypatch.chdir(folder)

    def create_app() -> Flask:
        app = bare_app(folder)
        add_even(app)
        RouteHandlers(app)
        return app

    with pytest.raises(RouteTreeError) as caught:
        create_app()
    monkeypatch.setenv("FLASK_DEBUG", str(int(is_debug)))
    status, output = run(create_app, "--json")
    expected = {(p.files, p.reason, p.hint) for p in caught.value.problems}
    assert (status, errors_in(output)) == (1, expected)


@pytest.mark.parametrize("name", sorted(set(REFUSED) - {"a converter", "two converters"}))
def test_a_tree_alone_has_the_same_problems(tree, monkeypatch, name):
    folder = tree(REFUSED[name])
    monkeypatch.chdir(folder)
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(folder))
    result = CliRunner().invoke(group, ["check", "--json", "--root", "app/api"])
    found = {
        problem
        for problem in caught.value.problems
        # What only the app knows.
        if "The app has no converter" not in problem.reason
    }
    assert errors_in(result.output) == {(p.files, p.reason, p.hint) for p in found}
    assert result.exit_code == 1


def test_a_tree_without_problems(check):
    assert check({"a/route.py": GET}) == (0, "1 route file: no problems found\n")
    assert check({"a/route.py": GET, "route.py": GET}, "--strict") == (
        0,
        "2 route files: no problems found\n",
    )


def test_findings_are_listed_by_file_in_order(check):
    files = {
        "(a)/x/route.py": GET,
        "x/route.py": GET,
        "b/route.py": "GET = 1\n\n\ndef get(): ...",
        "b/routes.py": "",
        "a-b/route.py": "def GET(id): ...",
        "a/route.py": "import nothing",
    }
    assert check(files) == (
        1,
        "(a)/x/route.py\n"
        "x/route.py\n"
        "  error: These files have the same URL. "
        "Keep one of them, or rename a folder; groups are not part of the URL.\n"
        "\n"
        "a/route.py\n"
        "  error: a/route.py could not be imported: "
        "ModuleNotFoundError: No module named 'nothing'. Look at a/route.py, line 1.\n"
        "\n"
        "a-b/route.py\n"
        "  error: GET asks for 'id', which is not in the path. "
        "It can ask for 'request' and 'params'. Any other parameter needs a default. "
        "For a value from the client, write id: Query[str]. "
        "For any other, define id() in a dependencies.py of this folder or above.\n"
        "\n"
        "b/route.py\n"
        "  error: GET is not callable. Its type is int. "
        "Write def GET(), or rename the variable.\n"
        "\n"
        "b/routes.py\n"
        f"  warning: b/routes.py {NEAR_MISS}\n"
        "\n"
        "5 route files: 4 errors, 1 warning\n",
    )


def test_near_misses_of_file_names_are_warnings(check):
    files = {
        "a/route.py": GET,
        **{f"a/{name}": "" for name in ("Route.py", "routes.py", "rout.py")},
        **{f"a/{name}": "" for name in ("middlewares.py", "_middleware.py")},
        "b/middleware.py": "def middleware(call_next): ...",
        "helpers.py": "",
        "_lib/routes.py": "",
    }
    never_runs = (
        "is not a middleware file and never runs. "
        "Rename it to middleware.py if it should run for the routes in its folder and below."
    )
    assert check(files) == (
        0,
        f"a/Route.py\n  warning: a/Route.py {NEAR_MISS}\n\n"
        f"a/_middleware.py\n  warning: a/_middleware.py {never_runs}\n\n"
        f"a/middlewares.py\n  warning: a/middlewares.py {never_runs}\n\n"
        f"a/rout.py\n  warning: a/rout.py {NEAR_MISS}\n\n"
        f"a/routes.py\n  warning: a/routes.py {NEAR_MISS}\n\n"
        "b/middleware.py\n"
        "  warning: b/middleware.py applies to no route file: there is none in its folder or "
        "below. Move it to the folder of a route file or above, or remove it.\n"
        "\n"
        "1 route file: 6 warnings\n",
    )


def test_handlers_in_other_files_are_warnings(check):
    files = {
        "(old).py": GET,
        "_users.py": GET,
        "users.py": "x = 1\n\n\nasync def GET (): ...",
        "posts/[id].py": "def POST(id): ...",
        "posts/index.py": GET,
        "posts/__init__.py": GET,
        "tags/__init__.py": GET,
        "tags/helpers.py": "class View:\n    def GET(self): ...\n\n\ndef GETS(): ...",
        "tags/route.py": "from .shared import GET",
        "tags/shared.py": GET,
        "tags/routes.py": GET,  # told for its name
        "_lib/x.py": GET,
        "notes.txt": GET,
    }

    def stray(file: str, method: str, place: str) -> str:
        return (
            f"{file}\n  warning: It defines {method}, and only a route.py gets a URL. "
            f"Move it to {place}/route.py if it should answer requests.\n\n"
        )

    assert check(files) == (
        0,
        stray("(old).py", "GET", "%28old%29")
        + stray("_users.py", "GET", "%5Fusers")
        + stray("posts/[id].py", "POST", "posts/[id]")
        + stray("posts/__init__.py", "GET", "posts")
        + stray("posts/index.py", "GET", "posts")
        + f"tags/routes.py\n  warning: tags/routes.py {NEAR_MISS}\n\n"
        + stray("users.py", "GET", "users")
        + "1 route file: 7 warnings\n",
    )


@pytest.mark.parametrize(
    ("folder", "name"),
    {"_x": "%5Fx", "_(x)": "%5F%28x%29", "_[id]": "%5F[id]", ".x": "%2Ex"}.items(),
)
def test_route_files_in_private_folders(check, folder, name):
    assert check({"a/route.py": GET, f"a/{folder}/b/route.py": GET}) == (
        0,
        f"a/{folder}/b/route.py\n"
        f"  warning: It gets no URL: the folder {folder} is private or hidden. "
        f"Rename it to {name} if its name should be in the URL.\n\n"
        "1 route file: 1 warning\n",
    )
    assert check({f"a/{name}/b/route.py": GET})[1] == "1 route file: no problems found\n"


def test_a_file_in_a_refused_folder_is_no_stray(check):
    assert check({"[post-id]/route.py": GET, "[post-id]/middleware.py": GET}) == (
        1,
        "[post-id]\n"
        "  error: 'post-id' is not a Python identifier, so it cannot be an argument of a handler. "
        "Did you mean [post_id]?\n"
        "\n"
        "0 route files: 1 error\n",
    )


def test_a_link_to_nothing_defines_nothing(check, tree):
    files = {"a/route.py": GET}
    folder = tree(files)
    (folder / "app/api/gone.py").symlink_to("nowhere.py")
    app = bare_app(folder)
    RouteHandlers(app)
    assert run(lambda: app) == (0, "1 route file: no problems found\n")


def test_parameters_in_other_syntaxes_are_warnings(check):
    texts = {
        ":id": "[id]",
        "{id}": "[id]",
        "{id:int}": "[id=int]",
        "{rest:path}": "[...rest]",
        ":class": "[class_]",
    }
    files = {f"{name}/route.py": GET for name in texts} | {"posts:publish/route.py": GET}
    expected = "".join(
        f"{name}\n  warning: The folder {name} is text, and matches that text alone. "
        f"Rename it to {texts[name]} if it should be a parameter.\n\n"
        for name in sorted(texts)
    )
    assert check(files) == (0, f"{expected}6 route files: 5 warnings\n")


def test_a_finding_is_one_line(check):
    assert check({"a/route.py": "raise ValueError('one\\n\\n  two.')"}) == (
        1,
        "a/route.py\n"
        "  error: a/route.py could not be imported: ValueError: one two. "
        "Look at a/route.py, line 1.\n"
        "\n"
        "1 route file: 1 error\n",
    )


def test_names_without_effect_are_warnings(check):
    assert check({"a/route.py": f"dynamicParams = True\nruntime = 'edge'\n{GET}"}) == (
        0,
        "a/route.py\n"
        "  warning: dynamicParams is a name of Next.js and has no effect. "
        "Write dynamic_params.\n"
        "  warning: runtime is a name of Next.js and has no effect. "
        "It is not supported here: remove it.\n"
        "\n"
        "1 route file: 2 warnings\n",
    )


def test_strict_requires_docstrings(check):
    files = {
        "a/route.py": f"{GET}\n\ndef PUT() -> str: ...\n\n\ndef DELETE() -> str:\n    ''\n",
        "b/route.py": "from functools import partial\n\n\n"
        "class Handler:\n    '''Say hello.'''\n\n    def __call__(self) -> str: ...\n\n\n"
        "GET = Handler()\nPOST = lambda: 1\n",
    }
    assert check(files) == (0, "2 route files: no problems found\n")
    assert check(files, "--strict") == (
        1,
        "a/route.py\n"
        "  warning: DELETE has no docstring. Write what it does in its first line.\n"
        "  warning: PUT has no docstring. Write what it does in its first line.\n"
        "\n"
        "b/route.py\n"
        "  warning: POST has no docstring. Write what it does in its first line.\n"
        "  warning: POST has no return annotation. Write what it answers, for example "
        "-> list[Article] | NotFound.\n"
        "\n"
        "2 route files: 4 warnings\n",
    )


FIXED = """
import enum
from datetime import date
from functools import wraps
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import Request
from flask_routehandlers import Query


class Sort(enum.Enum):
    NEW = "new"


def timed(handler):
    @wraps(handler)
    def wrapper(*args, **kwargs):
        return handler(*args, **kwargs)

    return wrapper


def GET({}): ...


@timed
def PUT(limit: int = 20): ...
"""

#: A parameter of a handler, and how it would come from the query; ``None`` if nothing is found.
PARAMETERS = {
    "limit: int = 20": "limit: Query[int] = 20",
    "*, q: str | None = None": "q: Query[str | None] = None",
    "day: date = date(2026, 1, 1)": "day: Query[datetime.date] = datetime.date(2026, 1, 1)",
    "tags: tuple[str, ...] = ()": "tags: Query[tuple[str, ...]] = ()",
    "order: Literal['a', 'b'] = 'a'": "order: Query[Literal['a', 'b']] = 'a'",
    "page=1": "page: Query[int] = 1",
    "id: str = 'x'": None,  # the path has it
    "request: Request = None": None,
    "limit: Query[int] = 20": None,
    "db: Any = None": None,
    "db=None": None,
    "db: 'Session' = None": None,
    "rows: list[dict] = []": None,
}


@pytest.mark.parametrize(("parameter", "marked"), PARAMETERS.items(), ids=PARAMETERS)
def test_parameters_that_no_client_can_set(check, parameter, marked):
    status, output = check({"[id]/route.py": FIXED.replace("{}", parameter)})
    found = "no problems found"
    if marked:
        assert " which no client can set. " in output
        assert (
            f"Write {marked} if it should come from the query: "
            "from flask_routehandlers import Query.\n"
        ) in output
        found = "1 warning"
    assert (status, output.splitlines()[-1]) == (0, f"1 route file: {found}")


def test_a_parameter_that_no_client_can_set_in_full(check):
    assert check({"a/route.py": "def GET(limit: int = 20): ..."}) == (
        0,
        "a/route.py\n"
        "  warning: GET has the parameter limit: int = 20, which no client can set. "
        "Write limit: Query[int] = 20 if it should come from the query: "
        "from flask_routehandlers import Query.\n"
        "\n"
        "1 route file: 1 warning\n",
    )


@pytest.mark.parametrize("name", ["WEBSOCKET", "UPGRADE", "SOCKET"])
def test_handlers_for_sockets_are_never_called(check, name):
    assert check({"a/route.py": f"{GET}\n\ndef {name}(request): ...", "b/route.py": GET}) == (
        0,
        "a/route.py\n"
        f"  warning: It defines {name}(), which is never called: WSGI has no WebSockets. "
        "Remove it. An extension such as Flask-Sock adds rules for WebSockets.\n"
        "\n"
        "2 route files: 1 warning\n",
    )


def test_in_debug_mode_broken_files_are_errors(check):
    def prepare(app: Flask) -> None:
        app.debug = True

    files = {
        "a/middleware.py": "import nothing",
        "a/b/route.py": "1 / 0",
        "a/c/route.py": GET,
        "d/middleware.py": "middleware = []",
        "d/route.py": GET,
    }
    assert check(files, "--strict", prepare=prepare) == (
        1,
        "a/b/route.py\n"
        "  error: a/b/route.py could not be imported: ZeroDivisionError: division by zero. "
        "Look at a/b/route.py, line 1.\n"
        "\n"
        "a/middleware.py\n"
        "  error: a/middleware.py could not be imported: "
        "ModuleNotFoundError: No module named 'nothing'. Look at a/middleware.py, line 1.\n"
        "\n"
        "d/middleware.py\n"
        "  error: middleware is an empty list, so nothing would run. Add functions to it, write "
        "def middleware(request, call_next), which returns call_next() or another response, "
        "or remove the file.\n"
        "\n"
        "3 route files: 3 errors\n",
    )


# Routes that no request can reach -------------------------------------------------------------


class First(UnicodeConverter):
    """Tried before all others."""

    weight = 1


def test_a_rule_of_the_app_that_hides_a_route(check):
    def prepare(app: Flask) -> None:
        app.url_map.converters["first"] = First
        app.add_url_rule("/api/<first:x>", "own", lambda x: x, methods=["GET", "PUT"])

    files = {"[id=int]/route.py": "def GET(id): ...\n\n\ndef PUT(id): ...", "a/route.py": GET}
    assert check(files, prepare=prepare) == (
        0,
        "[id=int]/route.py\n"
        "  warning: Requests such as GET /api/7310 do not reach it: "
        "the app's rule /api/<first:x>, endpoint 'own', answers them. "
        "Remove one of the two, or make the URL of one more specific.\n"
        "\n"
        "2 route files: 1 warning\n",
    )


def test_a_route_of_another_tree_that_hides_one(check, tmp_path):
    pages = write_files(tmp_path / "pages", {"[id=int]/route.py": "def GET(id): ..."})

    def prepare(app: Flask) -> None:
        app.url_map.converters["first"] = First
        RouteHandlers(app, pages, url_prefix="/api")

    assert check({"[name=first]/route.py": "def GET(name): ..."}, prepare=prepare) == (
        0,
        f"{pages}/[id=int]/route.py\n"
        "  warning: Requests such as GET /api/7310 do not reach it: "
        "[name=first]/route.py, endpoint 'api./[name=first]', answers them. "
        "Remove one of the two, or make the URL of one more specific.\n"
        "\n"
        "2 route files: 1 warning\n",
    )


# How it is shown ------------------------------------------------------------------------------

FILES = {"a/route.py": "def get(): ...", "b/routes.py": "", "c/route.py": GET}


def test_json_has_reason_hint_files_severity(check, tree, tmp_path):
    status, output = check(FILES, "--json")
    assert status == 1
    [project] = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert json.loads(output) == {
        "app": None,
        "trees": [
            {
                "name": None,
                "root": f"{project}/app/api",
                "routes": 2,
                "findings": [
                    {
                        "files": ["a/route.py"],
                        "severity": "error",
                        "reason": LOWER_CASE.partition(" Did")[0],
                        "hint": "Did you mean GET? Rename the function if it is a helper.",
                    },
                    {
                        "files": ["b/routes.py"],
                        "severity": "warning",
                        "reason": "b/routes.py is not a route file and has no URL.",
                        "hint": "Rename it to route.py if it should answer requests.",
                    },
                ],
            }
        ],
    }
    status, output = check({"c/route.py": GET}, "--json", name="shop")
    assert status == 0
    [report] = json.loads(output)["trees"]
    assert (report["name"], report["routes"], report["findings"]) == ("shop", 1, [])


STATUSES = {
    "nothing": ({"c/route.py": GET}, 0, 0),
    "warnings": ({"c/route.py": GET, "b/routes.py": ""}, 0, 1),
    "errors": (FILES, 1, 1),
}


@pytest.mark.parametrize(("files", "status", "when_strict"), STATUSES.values(), ids=STATUSES)
def test_the_exit_status_depends_on_severities(check, files, status, when_strict):
    assert check(files)[0] == check(files, "--json")[0] == status
    assert check(files, "--strict")[0] == check(files, "--strict", "--json")[0] == when_strict


def test_colours_are_for_terminals_without_no_color(tree, monkeypatch):
    folder = tree(FILES)
    monkeypatch.chdir(folder)
    plain = (
        f"app/api/a/route.py\n  error: {LOWER_CASE}\n\n"
        f"app/api/b/routes.py\n  warning: b/routes.py {NEAR_MISS}\n\n"
        "2 route files: 1 error, 1 warning\n"
    )
    coloured = (
        f"\x1b[1mapp/api/a/route.py\x1b[0m\n  \x1b[31merror\x1b[0m: {LOWER_CASE}\n\n"
        f"\x1b[1mapp/api/b/routes.py\x1b[0m\n  \x1b[33mwarning\x1b[0m: b/routes.py {NEAR_MISS}\n\n"
        "2 route files: \x1b[31m1 error\x1b[0m, \x1b[33m1 warning\x1b[0m\n"
    )

    def printed(*, at_a_terminal: bool, no_color: str | None = None) -> str:
        app = bare_app(folder)
        runner = CliRunner(env={"NO_COLOR": no_color})
        info = ScriptInfo(create_app=lambda: RouteHandlers(app) and app)
        return runner.invoke(group, ["check"], obj=info, color=at_a_terminal).output

    assert printed(at_a_terminal=True) == coloured
    assert printed(at_a_terminal=True, no_color="") == coloured
    assert printed(at_a_terminal=True, no_color="1") == plain
    assert printed(at_a_terminal=False) == plain
    shutil.rmtree(folder / "app/api/a")
    shutil.rmtree(folder / "app/api/b")
    assert printed(at_a_terminal=True) == "1 route file: \x1b[32mno problems found\x1b[0m\n"


def test_files_are_shown_from_the_current_folder(tree, monkeypatch):
    folder = tree(FILES)

    def create_app() -> Flask:
        app = bare_app(folder)
        RouteHandlers(app)
        return app

    for place, shown in (
        (folder / "app", "api/a/route.py\n"),
        (folder / "app/api/b", f"{folder}/app/api/a/route.py\n"),
    ):
        monkeypatch.chdir(place)
        assert run(create_app)[1].startswith(shown)


# An app that cannot be had ---------------------------------------------------------------------


CHECK = ("route-handlers", "check")
TREE = {"app/api/a/route.py": GET}
HINT = "To check a tree without its app, name its root: --root app/api.\n"
NOWHERE = (
    "Error: Could not locate a Flask application. Use the 'flask --app' option, 'FLASK_APP' "
    "environment variable, or a 'wsgi.py' or 'app.py' file in the current directory.\n"
)
NO_APP = (
    "app\n"
    "  warning: Flask finds no app here. "
    "Its rules and converters are not known: name the app with flask --app.\n"
)


def test_without_an_app_there_is_nothing_to_check(flask):
    for files in ({}, TREE, {"main.py": WSGI}):  # in this order, in one folder
        assert flask(files, *CHECK) == (2, "", NOWHERE + HINT)
    assert flask({}, "--app", "main", *CHECK) == (0, "1 route file: no problems found\n", "")


def test_a_tree_without_an_app_is_checked_by_root(flask):
    files = TREE | {"app/api/[id=own]/route.py": "def GET(id): ..."}
    clean = (0, f"{NO_APP}\n2 route files: 1 warning\n", "")
    assert flask(files, *CHECK, "--root", "app/api") == clean
    assert flask({}, *CHECK, "--root", "./app/../app/api/") == clean
    assert flask({}, *CHECK, "--root", "app/api", "--strict")[0] == 1


def test_the_command_is_one_of_flask(tree):
    folder = write_files(tree(FILES), {"wsgi.py": WSGI})
    status, output, errors = flask_in_child(folder, *CHECK)
    assert (status, errors) == (1, "")
    assert output.endswith("\n\n2 route files: 1 error, 1 warning\n")


@pytest.mark.parametrize("root", ["nowhere", "main.py"])
def test_a_root_that_is_no_folder_is_an_error(flask, tmp_path, root):
    is_what = "does not exist" if root == "nowhere" else "is a file"
    assert flask({"main.py": ""}, *CHECK, "--root", root) == (
        1,
        f"{NO_APP}\n"
        f"{root}\n"
        f"  error: The root {tmp_path}/{root} {is_what}. Create the folder, or give RouteHandlers "
        "another root; a relative root starts at app.root_path.\n"
        "\n"
        "0 route files: 1 error, 1 warning\n",
        "",
    )


FAILURES = {
    "an error": (
        "1 / 0",
        "The app cannot be loaded: ZeroDivisionError: division by zero. "
        "Run `flask routes` to see the traceback.",
    ),
    "an error of several lines": (
        "raise ValueError('one\\n  two')",
        "The app cannot be loaded: ValueError: one two. Run `flask routes` to see the traceback.",
    ),
    "an exit": (
        "\nraise SystemExit('no database')",
        "The app cannot be loaded: SystemExit: no database. It was raised in {}/wsgi.py, line 2.",
    ),
    "an import": (
        "import nothing",
        "While importing 'wsgi', an ImportError was raised: "
        "ModuleNotFoundError: No module named 'nothing'. "
        "Run `flask routes` to see the traceback.",
    ),
    "no app": (
        "x = 1",
        "Failed to find Flask application or factory in module 'wsgi'. "
        "Use 'wsgi:name' to specify one. Name the app with flask --app.",
    ),
    "no tree": (
        "from flask import Flask\napp = Flask('shop')",
        "The app 'shop' has no tree of route files. "
        'Write RouteHandlers(app, root="app/api") where the app is made.',
    ),
}


@pytest.mark.parametrize(("code", "said"), FAILURES.values(), ids=FAILURES)
def test_a_broken_app_is_an_error_next_to_its_tree(flask, tmp_path, code, said):
    files = {"wsgi.py": code, "app/api/a/route.py": "def get(): ..."}
    said = said.replace("{}", str(tmp_path))
    for options, place in (((), "wsgi.py"), (("--app", "wsgi"), "wsgi")):
        assert flask(files, *options, *CHECK, "--root", "app/api") == (
            1,
            f"{place}\n  error: {said}\n\n"
            f"app/api/a/route.py\n  error: {LOWER_CASE}\n\n"
            "1 route file: 2 errors\n",
            "",
        )
    status, output, errors = flask({}, *CHECK)
    assert (status, output) == (2, "")
    assert errors.startswith("Error: ")
    assert errors.endswith(f"\n{HINT}")


def test_json_has_the_problem_of_the_app(flask, tmp_path):
    status, output, _ = flask(TREE | {"wsgi.py": "1 / 0"}, *CHECK, "--root", "app/api", "--json")
    assert (status, json.loads(output)) == (
        1,
        {
            "app": {
                "files": ["wsgi.py"],
                "severity": "error",
                "reason": "The app cannot be loaded: ZeroDivisionError: division by zero.",
                "hint": "Run `flask routes` to see the traceback.",
            },
            "trees": [
                {"name": None, "root": f"{tmp_path}/app/api", "routes": 1, "findings": []},
            ],
        },
    )


def test_a_missing_app_that_is_named_is_an_error(flask):
    assert flask(TREE, "--app", "nix", *CHECK, "--root", "app/api") == (
        1,
        "nix\n"
        "  error: Could not import 'nix'. Name the app with flask --app.\n"
        "\n"
        "1 route file: 1 error\n",
        "",
    )


def test_a_factory_makes_the_app(flask):
    lines = WSGI.strip().splitlines()
    factory = "\n".join([*lines[:2], "", "def create_app(root='app/api'):"])
    factory += "\n    app = Flask(__name__)\n    RouteHandlers(app, root)\n    return app\n"
    files = TREE | {"shop.py": factory, "pages/x/route.py": "def get(): ..."}
    for name in ("shop", "shop:create_app", "shop:create_app()"):
        assert flask(files, "--app", name, *CHECK) == (0, "1 route file: no problems found\n", "")
    broken = "shop:create_app('pages')"
    assert flask({}, "--app", broken, *CHECK) == (
        1,
        f"pages/x/route.py\n  error: {LOWER_CASE}\n\n1 route file: 1 error\n",
        "",
    )


def test_warnings_of_the_start_are_not_printed(flask):
    # Start-up would warn of it too.
    status, _, errors = flask(TREE | {"wsgi.py": WSGI, "app/api/a/routes.py": ""}, *CHECK)
    assert (status, errors) == (0, "")


def test_an_interrupted_command_ends():
    def create_app() -> Flask:
        raise KeyboardInterrupt

    result = CliRunner().invoke(group, ["check"], obj=ScriptInfo(create_app=create_app))
    assert (result.exit_code, result.output.strip()) == (1, "Aborted!")


def test_the_example_has_no_problems():
    several = {"WEB_CONCURRENCY": "", "GUNICORN_CMD_ARGS": ""}
    done = flask_in_child(Path(CHECKOUT), "--app", "example_app", *CHECK, "--strict", **several)
    assert (done[0], done[2]) == (0, "")
    assert done[1].endswith(" route files: no problems found\n")


# Several trees, and one that is chosen ----------------------------------------------------------


@pytest.fixture
def shop(tree: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Flask]:
    """A factory of an app with three trees, of which start-up refuses two."""
    folder = tree({"a/route.py": "def get(): ...", "b/route.py": GET})
    write_files(folder / "pages", {"x/route.py": GET, "x/routes.py": GET})
    write_files(folder / "admin", {"[id=even]/route.py": "def GET(name): ..."})
    monkeypatch.chdir(folder)

    def create_app() -> Flask:
        app = bare_app(folder)
        add_even(app)
        for root in ("app/api", "pages", "admin"):
            RouteHandlers(app, root)
        return app

    return create_app


API = f"app/api/a/route.py\n  error: {LOWER_CASE}\n\n"
ADMIN = (
    "admin/[id=even]/route.py\n"
    "  error: GET asks for 'name', which is not in the path. "
    "It can ask for 'id', 'request' and 'params'. Any other parameter needs a default. "
    "For a value from the client, write name: Query[str]. "
    "For any other, define name() in a dependencies.py of this folder or above.\n\n"
)
PAGES = f"pages/x/routes.py\n  warning: x/routes.py {NEAR_MISS}\n\n"


def test_every_tree_is_checked_if_some_are_refused(shop):
    assert run(shop) == (1, f"{API}{ADMIN}{PAGES}4 route files: 2 errors, 1 warning\n")
    trees = json.loads(run(shop, "--json")[1])["trees"]
    assert [(tree["name"], Path(tree["root"]).name) for tree in trees] == [
        (None, "api"),
        (None, "admin"),
        ("pages", "pages"),
    ]


def test_errors_after_a_refused_tree_are_left_out(shop):
    def create_app() -> Flask:
        app = shop()
        app.view_functions["api./b"].is_exempt = True  # KeyError
        return app

    # The trees that are served are not known, since the app is not.
    assert run(create_app) == (1, f"{API}{ADMIN}3 route files: 2 errors\n")


@pytest.mark.parametrize(
    ("root", "status", "output"),
    [
        ("app/api", 1, f"{API}2 route files: 1 error\n"),
        ("admin", 1, f"{ADMIN}1 route file: 1 error\n"),
        ("pages", 0, f"{PAGES}1 route file: 1 warning\n"),
        ("link", 0, f"{PAGES}1 route file: 1 warning\n"),
        (
            "other",
            0,
            "other\n"
            "  warning: No tree of the app has this root: it has app/api, admin, pages. "
            "Check one of those, or give RouteHandlers this root where the app is made.\n"
            "\n"
            "1 route file: 1 warning\n",
        ),
    ],
)
def test_one_of_several_trees_can_be_chosen(shop, root, status, output):
    write_files(Path("other"), {"y/route.py": GET})
    os.symlink("pages", "link")
    assert run(shop, "--root", root) == (status, output)


def test_the_prefix_of_a_tree_without_an_app(tree, monkeypatch):
    folder = tree({"[id]/route.py": "def GET(id, lang): ..."})
    monkeypatch.chdir(folder)
    arguments = ["check", "--root", "app/api"]
    found = CliRunner().invoke(group, arguments)
    assert found.exit_code == 1
    assert "error: GET asks for 'lang', which is not in the path." in found.output
    for prefix, status, output in (
        ("/<lang>/api", 0, f"{NO_APP}\n1 route file: 1 warning\n"),
        ("/<id>/<lang>", 1, "The url_prefix '/<id>/<lang>' has a parameter 'id' too."),
        ("/<lang", 1, "The url_prefix '/<lang' cannot be used: "),
        ("lang", 2, "Error: Invalid value for --url-prefix: The url_prefix 'lang' must start "),
    ):
        found = CliRunner().invoke(group, [*arguments, "--url-prefix", prefix])
        assert (found.exit_code, output in found.output) == (status, True), found.output


def test_problems_of_the_app_and_of_files_together(check):
    def prepare(app: Flask) -> None:
        RouteHandlers(app, url_prefix="/first")

    status, output = check({"a/route.py": "def get(): ...", "b/route.py": GET}, prepare=prepare)
    # Twice the same name, and both trees are refused for the file.
    assert (status, output.count(LOWER_CASE)) == (1, 2)
    status, output = check({"b/route.py": GET}, "--json", prepare=prepare)
    [refused, served] = json.loads(output)["trees"]
    assert status == 1
    assert [f["reason"] for f in refused["findings"]] == [
        "The app already has a blueprint called 'api'."
    ]
    assert served["findings"] == []


def test_a_root_without_a_default_prefix(tree, monkeypatch):
    folder = tree({})
    write_files(folder / "app/[tenant]/api", {"x/route.py": GET})
    monkeypatch.chdir(folder)
    found = CliRunner().invoke(group, ["check", "--root", "app/[tenant]/api"])
    assert (found.exit_code, found.output) == (0, f"{NO_APP}\n1 route file: 1 warning\n")
