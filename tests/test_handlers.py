"""The names that a route file may define, and those that keep the app from starting."""

from __future__ import annotations

import sys

import pytest

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, refused

FILE = "users/route.py"
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")

NONE = (
    "The file has no handler. "
    "Define one of DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY, for example def GET()."
)
DEFAULT = (
    "The file has a default handler, which is not supported. "
    "Define one function for each method, for example def GET()."
)


def typo(name: str, method: str) -> str:
    """Return the message about a function whose name looks like a method."""
    return (
        f"The file defines {name}(), which is not a handler: "
        "a handler is named after an HTTP method, in upper case. "
        f"Did you mean {method}? Rename the function if it is a helper."
    )


def class_message(method: str) -> str:
    """Return the message about a class in the place of a handler."""
    return (
        f"{method} is a class, but a handler is a function. "
        f"Write def {method}(), or assign an instance that can be called."
    )


def not_callable(method: str, kind: str) -> str:
    """Return the message about a value of a type in the place of a handler."""
    return (
        f"{method} is not callable. Its type is {kind}. "
        f"Write def {method}(), or rename the variable."
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_handler_is_named_after_its_method(make_app, method):
    app = make_app({FILE: f"def {method}(request): return '', {{'X-Method': request.method}}"})
    response = app.test_client().open("/api/users", method=method)
    assert response.status_code == 200
    assert response.headers["X-Method"] == method


def test_rules_list_the_methods_of_the_file(make_app):
    app = make_app(
        {
            "read/route.py": "def GET(): return ''",
            "write/route.py": "def PUT(): return ''\ndef POST(): return ''",
            "every/route.py": "".join(f"def {m}(): return ''\n" for m in METHODS),
        }
    )
    listed = {rule.rule: sorted(rule.methods) for rule in app.url_map.iter_rules()}
    assert listed == {
        "/api/read": ["GET", "HEAD", "OPTIONS"],
        "/api/write": ["OPTIONS", "POST", "PUT"],
        "/api/every": sorted(METHODS),
    }


@pytest.mark.parametrize(
    ("code", "reasons"),
    [
        ("", [NONE]),
        ("import os\nLIMIT = 10\ndef helper(): pass\nclass User: pass", [NONE]),
        ("def default(): return ''", [DEFAULT]),
        ("from json import loads as default", [DEFAULT]),
        ("default = 3", [NONE]),
        ("def get(): return ''", [typo("get", "GET")]),
        ("def Get(): return ''", [typo("Get", "GET")]),
        ("async def post(): return ''", [typo("post", "POST")]),
        ("delete = lambda: ''", [typo("delete", "DELETE")]),
        (
            "def get(): return ''\ndef Post(): return ''\ndef default(): return ''",
            [typo("get", "GET"), typo("Post", "POST")],
        ),
        ("def GET(): return ''\ndef post(): return ''", [typo("post", "POST")]),
        ("def PACTH(): return ''", [typo("PACTH", "PATCH")]),
        ("def GET(): return ''\ndef DELET(): return ''", [typo("DELET", "DELETE")]),
        ("def GET(): return ''\ndef PUTT(): return ''", [typo("PUTT", "PUT")]),
        ("def POST(): return ''\ndef OPTION(): return ''", [typo("OPTION", "OPTIONS")]),
        ("def POST(): return ''\ndef GETS(): return ''", [typo("GETS", "GET")]),
        ("class GET: pass", [class_message("GET")]),
        ("from flask.views import MethodView as POST", [class_message("POST")]),
        ("GET = 'text'", [not_callable("GET", "str")]),
        ("GET = 3", [not_callable("GET", "int")]),
        ("GET = None", [not_callable("GET", "NoneType")]),
        ("GET = ['a']\ndef POST(): return ''", [not_callable("GET", "list")]),
        ("import json as GET", [not_callable("GET", "module")]),
        ("GET = {}\nPUT = ()", [not_callable("GET", "dict"), not_callable("PUT", "tuple")]),
        (
            "class HEAD: pass\nGET = 1\ndef PACTH(): pass",
            [
                not_callable("GET", "int"),
                class_message("HEAD"),
                typo("PACTH", "PATCH"),
            ],
        ),
    ],
)
def test_an_unreachable_export_is_refused(tree, code, reasons):
    problems = refused(bare_app(tree({FILE: code})))
    assert all(problem.files == (FILE,) for problem in problems)
    assert [f"{problem.reason} {problem.hint}" for problem in problems] == reasons


@pytest.mark.parametrize(
    "code",
    [
        "from operator import getitem as get, delitem as delete, setitem as put",
        "from shutil import get_terminal_size as Get",
        "from json import loads as PACTH, dumps as DELET",
        "import json as get",
        "def get(): return ''",
        "def Get(): return ''",
        "def default(): return ''",
        "def helper(): return ''\ndef get_user(): return ''\ndef Options_of(): return ''",
        "def HELPER(): return ''\ndef GETTER(): return ''\ndef SQL(): return ''",
        "class get: pass\nclass Post: pass\nclass PACTH(Exception): pass",
        "post = 3\nPACTH = 'text'\nPUTS = [1]\nLIMIT = 10",
        "from flask import current_app as delete, session, g, request as put",
        "dynamic = 'auto'\nrevalidate = False",
    ],
)
def test_other_names_are_left_to_the_user(make_app, code):
    app = make_app({FILE: f"{code}\ndef GET(): return 'served'"})
    client = app.test_client()
    assert client.get("/api/users").text == "served"
    assert client.delete("/api/users").status_code == 405
    assert client.get("/api/users").text == "served"


def test_a_handler_may_be_imported(make_app):
    app = make_app(
        {
            "_lib/views.py": "def read(id): return f'read {id}'\ndef POST(id): return 'sent'",
            "users/[id]/route.py": "from ..._lib.views import POST, read as GET",
            "posts/[id]/route.py": "from ...users.id.route import GET",
        }
    )
    client = app.test_client()
    assert client.get("/api/users/3").text == "read 3"
    assert client.post("/api/users/3").text == "sent"
    assert client.get("/api/posts/3").text == "read 3"
    assert client.post("/api/posts/3").status_code == 405


def test_all_problems_are_in_one_error(tree):
    folder = tree(
        {
            "a/route.py": "def get(): return ''",
            "b/[id]/route.py": "def GET(di): return ''",
            "c/route.py": "GET = 1",
        }
    )
    problems = refused(bare_app(folder))
    assert [problem.files for problem in problems] == [
        ("a/route.py",),
        ("b/[id]/route.py",),
        ("c/route.py",),
    ]


def test_async_handlers_need_asgiref(tree, monkeypatch):
    monkeypatch.setitem(sys.modules, "asgiref", None)
    app = bare_app(tree({FILE: "async def GET(): return ''"}))
    app.config["ROUTE_HANDLERS_ASYNC"] = "flask"
    problems = refused(app)
    assert [str(problem) for problem in problems] == [
        "users/route.py\n"
        "  GET is async, and Flask needs asgiref to call it.\n"
        '  Install it: pip install "flask[async]".'
    ]


@pytest.mark.parametrize("name", ["cache_tags", "generate_static_params"])
def test_async_route_config_needs_asgiref(tree, monkeypatch, name):
    monkeypatch.setitem(sys.modules, "asgiref", None)
    code = f"revalidate = 60\nasync def {name}(): return []\ndef GET(): return ''"
    app = bare_app(tree({"users/[id]/route.py": code}))
    app.config["ROUTE_HANDLERS_ASYNC"] = "flask"
    problems = refused(app)
    assert [str(problem) for problem in problems] == [
        "users/[id]/route.py\n"
        f"  {name} is async, and Flask needs asgiref to call it.\n"
        '  Install it: pip install "flask[async]".'
    ]


@pytest.mark.parametrize("method", ["CONNECT", "TRACE"])
def test_a_method_of_servers_is_refused(tree, method):
    code = f"def GET(): return ''\ndef {method}(): return ''"
    (problem,) = refused(bare_app(tree({"x/route.py": code})))
    assert (problem.reason, problem.hint) == (
        f"The file defines {method}(), but a route file cannot handle {method}.",
        f"Remove or rename it. Every {method} request is answered with 405.",
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("middleware", "def middleware(request, call_next): abort(403)"),
        ("middleware", "async def middleware(call_next): return await call_next()"),
        ("middleware", "middleware = lambda: abort(403)"),
        ("middleware", "def check(call_next): return call_next()\nmiddleware = [check]"),
        ("middleware", "from ..guards import middleware"),
        ("middleware", "from ..guards import Guard\nmiddleware = Guard()"),
        ("middleware", "from ..guards import middleware\nmiddleware = (middleware,)"),
        ("middleware", "class middleware:\n    def __call__(self): abort(403)"),
        ("dependencies", "def dependencies(): abort(403)"),
        ("dependencies", "def user(): abort(403)\ndependencies = [user]"),
    ],
)
def test_a_guard_in_a_route_file_is_refused(tree, name, code):
    guards = (
        "def middleware(call_next): return call_next()\n"
        "class Guard:\n    def __call__(self, request, call_next): return call_next()\n"
    )
    route = f"from flask import abort\n{code}\ndef GET(): return 'secret'\n"
    app = bare_app(tree({"guards.py": guards, FILE: route}))
    [problem] = refused(app)
    assert problem.files == (FILE,)
    assert problem.reason == f"The file defines {name}, which has no effect in a route file."
    assert problem.hint == f"Move it to users/{name}.py, or rename it if it is something else."


@pytest.mark.parametrize("folder", ["", "users/"])
def test_a_guard_in_an_init_file_is_refused(tree, folder):
    guard = "from flask import abort\ndef middleware(request, call_next): abort(403)\n"
    files = {f"{folder}__init__.py": guard, FILE: "def GET(): return 'secret'\n"}
    [problem] = refused(bare_app(tree(files)))
    assert str(problem) == (
        f"{folder}__init__.py\n"
        "  The file defines middleware, which has no effect in an __init__.py.\n"
        f"  Move it to {folder}middleware.py, or rename it if it is something else."
    )
    # What the hint says, and a package that shows what is in it.
    files[f"{folder}middleware.py"] = guard
    files[f"{folder}__init__.py"] = "from .middleware import middleware\n"
    app = bare_app(tree(files))
    RouteHandlers(app)
    assert app.test_client().get("/api/users").status_code == 403


@pytest.mark.parametrize(
    "code",
    [
        "from collections import Counter as middleware",
        "from functools import lru_cache as middleware, reduce as dependencies",
        "import os.path as middleware",
        "middleware = 'enabled'; dependencies = []",
        "dependencies = {'user': 3}; middleware = [3]",
        "from operator import itemgetter; middleware = itemgetter(1)",
    ],
)
def test_other_values_of_these_names_are_accepted(make_app, code):
    app = make_app({FILE: f"{code}\ndef GET(): return 'served'"})
    assert app.test_client().get("/api/users").text == "served"
