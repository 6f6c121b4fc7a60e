"""Middleware files that keep the app from starting, and files that are only warned about."""

from __future__ import annotations

import pytest
from flask import Flask

from flask_routehandlers import RouteHandlers, RouteHandlersWarning, RouteTreeError
from tests.middleware.support import FORM, OK, trace, tracer
from tests.support import bare_app, refused, write_files

AVAILABLE = (
    "It can ask for 'id', 'request', 'call_next' and 'params'. "
    "Any other parameter needs a default."
)

NONE = "The file has no middleware."


@pytest.mark.parametrize(
    ("code", "reason", "hint"),
    [
        pytest.param("", NONE, f"Write {FORM}.", id="an empty file"),
        pytest.param(
            "import os\ndef check(): pass\n", NONE, f"Write {FORM}.", id="other functions"
        ),
        pytest.param(
            "def Middleware(): return ''\n",
            NONE,
            f"Rename Middleware to middleware, or write {FORM}.",
            id="another case",
        ),
        pytest.param(
            "async def midleware(): return ''\n",
            NONE,
            f"Rename midleware to middleware, or write {FORM}.",
            id="a typo",
        ),
        pytest.param(
            "from itertools import chain as middlewares\n",
            NONE,
            f"Write {FORM}.",
            id="a similar name that is imported",
        ),
        pytest.param(
            "middleware = None\n",
            "middleware is not callable: its type is NoneType.",
            f"Write {FORM}.",
            id="None",
        ),
        pytest.param(
            "middleware = {len}\n",
            "middleware is not callable: its type is set.",
            f"Write {FORM}.",
            id="a set",
        ),
        pytest.param(
            "class middleware:\n    def __call__(self): return ''\n",
            "middleware is a class, not a function.",
            f"Write {FORM}.",
            id="a class",
        ),
        pytest.param(
            "async def middleware(): yield ''\n",
            "middleware is an async generator, not a function that returns a response.",
            f"Write {FORM}.",
            id="an async generator",
        ),
        pytest.param(
            "middleware = []\n",
            "middleware is an empty list, so nothing would run.",
            f"Add functions to it, write {FORM}, or remove the file.",
            id="an empty list",
        ),
        pytest.param(
            "def check(): return ''\nmiddleware = [check, 'other']\n",
            "middleware[1] is not callable: its type is str.",
            f"List functions, each written as {FORM}.",
            id="a string in a list",
        ),
        pytest.param(
            "def check(): return ''\nmiddleware = ([check],)\n",
            "middleware[0] is not callable: its type is list.",
            f"List functions, each written as {FORM}.",
            id="a list in a list",
        ),
        pytest.param(
            "class Check: pass\nmiddleware = [Check]\n",
            "middleware[0] is a class, not a function.",
            f"List functions, each written as {FORM}.",
            id="a class in a list",
        ),
        pytest.param(
            "def middleware(user): return ''\n",
            "middleware asks for 'user', which is not in the path.",
            f"{AVAILABLE} For a value from the client, write user: Query[str]. "
            "For any other, define user() in a dependencies.py of this folder or above.",
            id="a parameter of no folder",
        ),
        pytest.param(
            "def middleware(request, next): return next()\n",
            "middleware asks for 'next', which is not in the path.",
            f"Did you mean 'call_next'? {AVAILABLE}",
            id="another framework's name for call_next",
        ),
        pytest.param(
            "async def check(requets): return ''\nmiddleware = [check]\n",
            "middleware[0] (check) asks for 'requets', which is not in the path.",
            f"Did you mean 'request'? {AVAILABLE}",
            id="a typo of a parameter in a list",
        ),
        pytest.param(
            "def middleware(post): return ''\n",
            "middleware asks for 'post', a parameter of the deeper folder "
            "[id]/posts/[post=int]: not every request here has it.",
            "Move it to a middleware.py in that folder, or read params.get('post').",
            id="a parameter of a deeper folder",
        ),
        pytest.param(
            "def middleware(call_next, /): return call_next()\n",
            "middleware has the positional-only parameter 'call_next', "
            "but arguments are passed by name.",
            "Remove the / from its signature.",
            id="a positional-only parameter",
        ),
        pytest.param(
            "def middleware(id: int): return ''\n",
            "middleware annotates id as int, but the folder [id] passes a str.",
            "Rename the folder to [id=int], or write id: str.",
            id="an annotation that contradicts the folder",
        ),
    ],
)
def test_unusable_middleware_stops_the_start(tree, code, reason, hint):
    routes = {"[id]/route.py": OK, "[id]/posts/[post=int]/route.py": OK}
    app = bare_app(tree({"[id]/middleware.py": code, **routes}))
    [problem] = refused(app)
    assert problem.files == ("[id]/middleware.py",)
    assert (problem.reason, problem.hint) == (reason, hint)
    assert (app.blueprints, app.view_functions, list(app.url_map.iter_rules())) == ({}, {}, [])


def test_an_error_shows_file_reason_and_hint(tree):
    folder = tree({"a/middleware.py": "middleware = 3\n", "a/route.py": OK})
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(folder))
    assert str(caught.value) == (
        f"1 problem in {folder}/app/api:\n"
        "\n"
        f"{folder}/app/api/a/middleware.py\n"
        "  middleware is not callable: its type is int.\n"
        f"  Write {FORM}."
    )


@pytest.mark.parametrize(
    ("code", "raised", "cause"),
    [
        ("1 / 0\n", "ZeroDivisionError: division by zero", ZeroDivisionError),
        ("import missing_module\n",
         "ModuleNotFoundError: No module named 'missing_module'", ModuleNotFoundError),
        ("def middleware(:\n", "SyntaxError: invalid syntax (middleware.py, line 1)", SyntaxError),
        ("raise SystemExit(3)\n", "SystemExit: 3", SystemExit),
        ("import sys\nsys.exit()\n", "SystemExit", SystemExit),
    ],
    ids=["error", "import", "syntax", "exit status", "exit"],
)  # fmt: skip
def test_a_failing_import_stops_the_start(tree, code, raised, cause):
    app = bare_app(tree({"a/middleware.py": code, "a/b/route.py": OK, "a/c/route.py": OK}))
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(app)
    [problem] = caught.value.problems
    assert problem.files == ("a/middleware.py",)
    assert problem.reason == f"a/middleware.py could not be imported: {raised}."
    file = f"{app.root_path}/app/api/a/middleware.py"
    assert problem.hint == f"Look at {file}, line {len(code.splitlines())}."
    assert type(caught.value.__cause__) is cause


def test_ctrl_c_is_not_a_problem_of_the_file(tree):
    app = bare_app(tree({"a/middleware.py": "raise KeyboardInterrupt\n", "a/route.py": OK}))
    with pytest.raises(KeyboardInterrupt):
        RouteHandlers(app)


def test_all_problems_are_reported_together(tree):
    files = {
        "middleware.py": "middleware = 3\n",
        "a/middleware.py": "def check(user): pass\nmiddleware = [check, None]\n",
        "a/route.py": "def GET(name): pass\n",
        "b/middleware.py": "1 / 0\n",
        "b/route.py": "raise KeyError('b')\n",
        "c/middleware.py": "",
        "c/[id]/route.py": "def GET(id: int): pass\n",
    }
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(tree(files)))
    assert sorted((*problem.files, problem.reason) for problem in caught.value.problems) == [
        ("a/middleware.py", "middleware[0] (check) asks for 'user', which is not in the path."),
        ("a/middleware.py", "middleware[1] is not callable: its type is NoneType."),
        ("a/route.py", "GET asks for 'name', which is not in the path."),
        ("b/middleware.py",
         "b/middleware.py could not be imported: ZeroDivisionError: division by zero."),
        ("b/route.py", "b/route.py could not be imported: KeyError: 'b'."),
        ("c/[id]/route.py", "GET annotates id as int, but the folder [id] passes a str."),
        ("c/middleware.py", "The file has no middleware."),
        ("middleware.py", "middleware is not callable: its type is int."),
    ]  # fmt: skip
    assert isinstance(caught.value.__cause__, BaseExceptionGroup)
    causes = [type(error) for error in caught.value.__cause__.exceptions]
    assert causes == [ZeroDivisionError, KeyError]


@pytest.mark.parametrize(
    ("target", "reason", "hint"),
    [
        (
            "../../elsewhere.py",
            "The symbolic link points outside the root, to {folder}/elsewhere.py.",
            "Copy its target into the tree, or import it from a route file instead.",
        ),
        (
            "nothing.py",
            "It is not a regular file, or it is a broken symbolic link.",
            "Replace it with a file, or remove it.",
        ),
    ],
    ids=["elsewhere", "nothing"],
)
def test_a_link_out_of_the_tree_is_refused(tree, target, reason, hint):
    folder = tree({"x/route.py": OK})
    write_files(folder, {"elsewhere.py": tracer("elsewhere")})
    (folder / "app/api/middleware.py").symlink_to(target)
    [problem] = refused(bare_app(folder))
    assert problem.files == ("middleware.py",)
    assert (problem.reason, problem.hint) == (reason.format(folder=folder.resolve()), hint)


def test_a_folder_next_to_the_file_is_refused(tree):
    files = {"middleware.py": tracer("root"), "middleware/route.py": OK}
    [problem] = refused(bare_app(tree(files)))
    assert problem.files == ("middleware.py", "middleware")
    assert problem.reason == (
        "The file and the folder have the same module name, 'middleware', "
        "so Python cannot import anything in the folder."
    )
    assert problem.hint == (
        "Rename one of them, or put the folder in a group: (middleware)/middleware."
    )


@pytest.mark.parametrize("folder", ["middleware", "middleware.py"])
def test_a_folder_may_be_called_middleware(make_client, folder):
    client = make_client({f"{folder}/route.py": OK, f"{folder}/middleware.py": tracer("inner")})
    assert trace(client.get(f"/api/{folder}")) == "inner /inner"


def start_warnings(app: Flask) -> list[str]:
    """Return the warnings of a start, each of which points to this file."""
    with pytest.warns(RouteHandlersWarning) as caught:
        RouteHandlers(app)
    assert {warning.filename for warning in caught} == {__file__}
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    "name",
    ["middlewares.py", "_middleware.py", "Middleware.py", "MIDDLEWARE.py"],
)
def test_a_similar_file_name_is_warned_about(tree, name):
    app = bare_app(tree({f"a/{name}": "1 / 0\n", "a/route.py": OK}))
    assert start_warnings(app) == [
        f"{app.root_path}/app/api/a/{name} is not a middleware file and never runs. "
        "Rename it to middleware.py if it should run for the routes in its folder and below."
    ]
    assert app.test_client().get("/api/a").text == "answer"


@pytest.mark.parametrize("below", ["a/b/note.txt", "a/_private/route.py", "a/.hidden/route.py"])
def test_middleware_of_no_route_is_warned_about(tree, below):
    app = bare_app(tree({"a/middleware.py": "1 / 0\n", below: OK, "x/route.py": OK}))
    assert start_warnings(app) == [
        f"{app.root_path}/app/api/a/middleware.py applies to no route file: there is none in its "
        "folder or below. Move it to the folder of a route file or above, or remove it."
    ]
    assert app.test_client().get("/api/x").text == "answer"


@pytest.mark.parametrize(
    "name", ["middleware_helpers.py", "auth.py", "middleware.txt", "_lib/middleware.py"]
)
def test_other_files_are_left_to_the_user(make_app, name):
    app = make_app({f"a/{name}": "1 / 0\n", "a/route.py": OK})
    assert app.test_client().get("/api/a").text == "answer"
