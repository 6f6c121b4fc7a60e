"""Middleware files: what runs around which handlers, how it is called, and what is refused."""

from __future__ import annotations

import asyncio
import gc
import inspect
import itertools
import json
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from http.client import HTTPConnection
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, current_app, g, request
from flask.json.provider import DefaultJSONProvider
from flask.testing import FlaskClient
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

from flask_routehandlers import (
    RouteHandlers,
    RouteHandlersWarning,
    RouteImportError,
    RouteTreeError,
)
from tests.support import bare_app, refused, running, write_files

FLASK_VERSION = tuple(map(int, version("flask").split(".")[:3]))
OK = "def GET(): return 'answer'\n"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
UNKNOWN = ("TRACE", "CONNECT", "PROPFIND", "PURGE", "MADEUP", "X" * 300)

both_kinds = pytest.mark.parametrize("kind", ["sync", "async"])


def written(code: str, kind: str) -> str:
    """A file of sync middleware, or the same with ``async def`` and ``await``."""
    if kind == "sync":
        return code
    code = re.sub(r"\bdef (middleware|check)\(", r"async def \1(", code)
    return re.sub(r"\bcall_next\((.*?)\)", r"(await call_next(\1))", code)


def traced(name: str, kind: str = "sync") -> str:
    """A middleware file that notes when it begins and ends, and shows it in a header."""
    code = f"""
from flask import g

def middleware(call_next):
    g.setdefault("trace", []).append("{name}")
    response = call_next()
    g.trace.append("/{name}")
    response.headers["Trace"] = " ".join(g.trace)
    return response
"""
    return written(code, kind)


def trace(response: TestResponse) -> str | None:
    """What :func:`traced` middleware noted, as the outermost one saw it."""
    return response.headers.get("Trace")


def nested(middleware: list[str], route: str) -> tuple[dict[str, str], str]:
    """A tree with one middleware file in each folder and the route file in the last; its URL."""
    folders = [f"f{number}/" for number in range(len(middleware))]
    files = {"".join(folders[:n]) + "middleware.py": code for n, code in enumerate(middleware)}
    url = "".join(folders)
    return {**files, f"{url}route.py": route}, f"/api/{url}".rstrip("/")


def status_of(app: Flask, path: str, method: str = "GET") -> int:
    """The status for a path exactly as it is, which a client would change."""
    environ = create_environ("/", method=method) | {"PATH_INFO": path}
    return int(run_wsgi_app(app, environ, buffered=True)[1][:3])


@pytest.fixture
def client_of(make_app):
    """A client of an app with a route file at ``/api/x`` and a middleware file in the root, or
    with other middleware files and more. Exceptions reach the test."""

    def make(
        middleware: str | Mapping[str, str], route: str = OK, /, **options: Any
    ) -> FlaskClient:
        files = {"middleware.py": middleware} if isinstance(middleware, str) else middleware
        app = make_app({"x/route.py": route, **files}, **options)
        app.testing = True
        return app.test_client()

    return make


# Which middleware runs, and in which order.


def test_middleware_runs_from_the_outermost_folder_inwards_and_back(client_of):
    client = client_of(
        {
            "middleware.py": traced("root"),
            "a/middleware.py": traced("a"),
            "a/b/c/middleware.py": traced("c"),
            "a/b/c/route.py": "from flask import g\ndef GET(): return g.trace.append('GET') or ''",
        }
    )
    assert trace(client.get("/api/a/b/c")) == "root a c GET /c /a /root"


def test_each_route_file_has_the_middleware_of_its_own_folders(client_of):
    names = ("", "a", "a/b", "[id]", "[id]/b", "(g)", "(g)/c", "(g)/(h)", "d/[[...rest]]")
    routes = ("", "a", "a/b", "[id]", "[id]/b", "(g)/c", "(g)/(h)/e", "d/[[...rest]]", "f/[n=int]")
    files = {f"{name}/middleware.py".lstrip("/"): traced(name or "root") for name in names}
    client = client_of(files | {f"{route}/route.py".lstrip("/"): OK for route in routes})
    for path, chain in {
        "": "root",
        "/a": "root a",
        "/a/b": "root a a/b",
        "/z": "root [id]",
        "/z/b": "root [id] [id]/b",
        "/c": "root (g) (g)/c",
        "/e": "root (g) (g)/(h)",
        "/d": "root d/[[...rest]]",
        "/d/1/2": "root d/[[...rest]]",
        "/f/1": "root",
        "/x": "root",
    }.items():
        begins = chain.split()
        ends = [f"/{name}" for name in reversed(begins)]
        assert trace(client.get(f"/api{path}")) == " ".join(begins + ends), path


def test_the_file_that_owns_the_url_brings_its_own_middleware_only(client_of):
    keep_out = "def middleware(): return 'kept out', 403\n"
    client = client_of(
        {
            "users/[id]/middleware.py": keep_out,
            "users/[id]/route.py": "def DELETE(): return 'deleted'",
            "users/me/route.py": OK,
        }
    )
    assert client.get("/api/users/me").text == "answer"
    assert client.delete("/api/users/me").status_code == 405
    assert client.get("/api/users/you").status_code == 403


def test_a_route_without_middleware_is_called_without_any_chain(make_app):
    show = (
        "import inspect\n"
        "def GET(): return [f.function for f in inspect.stack()\n"
        "                   if '/flask_routehandlers/' in f.filename]\n"
    )
    plain = make_app({"x/route.py": show}).test_client()
    files = {"x/route.py": show, "a/route.py": show, "a/middleware.py": traced("a")}
    with_some = make_app(files).test_client()
    assert with_some.get("/api/x").json == plain.get("/api/x").json
    assert len(with_some.get("/api/a").json) > len(plain.get("/api/x").json)


@pytest.mark.parametrize("form", ["[{}]", "({},)"])
def test_a_list_of_functions_runs_in_its_order_between_those_of_other_folders(client_of, form):
    several = f"""
from flask import g

def tracer(name):
    def run(call_next):
        g.trace.append(name)
        response = call_next()
        g.trace.append(f"/{{name}}")
        return response
    return run

async def last(call_next):
    g.trace.append("last")
    response = await call_next()
    g.trace.append("/last")
    return response

middleware = {form.format('tracer("one"), tracer("two"), last')}
"""
    files, url = nested([traced("root"), several, traced("b")], OK)
    assert trace(client_of(files).get(f"{url}")) == "root one two last b /b /last /two /one /root"


def test_two_roots_have_their_own_middleware(tree):
    folder = tree({"middleware.py": traced("api"), "x/route.py": OK})
    write_files(folder / "app/hooks", {"middleware.py": traced("hooks"), "x/route.py": OK})
    write_files(folder / "app/open", {"x/route.py": OK})
    app = bare_app(folder)
    for root in ("app/api", "app/hooks", "app/open"):
        RouteHandlers(app, root)
    app.add_url_rule("/api/own", view_func=lambda: "own")
    client = app.test_client()
    assert trace(client.get("/api/x")) == "api /api"
    assert trace(client.get("/hooks/x")) == "hooks /hooks"
    assert trace(client.get("/open/x")) is None
    assert trace(client.get("/api/own")) is None


def test_two_apps_that_serve_one_tree_each_run_its_middleware(tree):
    folder = tree({"middleware.py": traced("root"), "x/route.py": OK})
    for _ in range(2):
        app = bare_app(folder)
        RouteHandlers(app)
        assert trace(app.test_client().get("/api/x")) == "root /root"


#: Notes in ``app.config["RAN"]`` that it ran.
WITNESS = """
from flask import current_app

def middleware(request, call_next):
    current_app.config["RAN"].append(f"middleware {request.method}")
    return call_next()
"""


@both_kinds
@pytest.mark.parametrize("handled", ["GET", "POST", "HEAD OPTIONS", " ".join(METHODS)])
@pytest.mark.parametrize("define", ["def", "async def"])
def test_middleware_runs_once_for_every_method_whatever_the_file_handles(
    make_app, define, handled, kind
):
    handlers = "from flask import current_app\n" + "".join(
        f"{define} {name}(): return current_app.config['RAN'].append('{name}') or ''\n"
        for name in handled.split()
    )
    app = make_app({"a/middleware.py": written(WITNESS, kind), "a/[id]/route.py": handlers})
    implied = ["OPTIONS"] + ["HEAD"] * ("GET" in handled)
    allow = ", ".join(sorted({*handled.split(), *implied}))
    for method in (*METHODS, *UNKNOWN):
        ran = app.config["RAN"] = []
        response = app.test_client().open("/api/a/1", method=method)
        runs = [name for name in handled.split() if name == method]
        if method == "HEAD" and handled == "GET":
            runs = ["GET"]
        assert ran == [f"middleware {method}", *runs]
        status = 200 if runs else 204 if method == "OPTIONS" else 405
        assert (response.status_code, response.headers.get("Allow")) == (
            status,
            None if runs else allow,
        ), method


@both_kinds
def test_middleware_runs_for_the_preflight_of_a_handler_that_answers_its_own(make_app, kind):
    route = """
from flask_cors import cross_origin

@cross_origin(origins="https://shop.example")
def PUT(): return ""

@cross_origin(origins="https://shop.example")
async def PATCH(): return ""
"""
    app = make_app({"middleware.py": written(WITNESS, kind), "x/route.py": route})
    for method in ("PUT", "PATCH"):
        ran = app.config["RAN"] = []
        headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": method}
        response = app.test_client().options("/api/x", headers=headers)
        assert ran == ["middleware OPTIONS"]
        assert response.headers["Access-Control-Allow-Origin"] == "https://shop.example"
        assert response.headers["Allow"] == "OPTIONS, PATCH, PUT"


@pytest.mark.parametrize(
    "path",
    ["/api/z", "/api/x/", "/api/x/y", "/api", "/api/X", "/", "/own", "/api/own",
     "//api/x", "api/x", "/api//x", "/api/./x", "/api/y/../x", "/api/x\0", "/api\\x", "/api/x\n"],
)  # fmt: skip
def test_middleware_runs_for_no_url_that_ends_elsewhere(make_app, path):
    app = make_app({"middleware.py": WITNESS, "x/route.py": OK})
    ran = app.config["RAN"] = []
    for own in ("/own", "/api/own"):
        app.add_url_rule(own, own.strip("/"), lambda: "", methods=METHODS)
    for method in (*METHODS, "MADEUP"):
        own = 405 if method == "MADEUP" else 200
        assert status_of(app, path, method) == (own if "own" in path else 404)
    assert ran == []


def test_hooks_of_the_app_run_around_the_middleware(make_app):
    app = make_app({"middleware.py": traced("root"), "x/route.py": OK})

    @app.before_request
    def before():
        g.trace = ["before"]
        return ("shut", 503) if request.args else None

    @app.after_request
    def after(response):
        response.headers["Seen"] = response.headers.get("Trace", "nothing")
        return response

    client = app.test_client()
    assert client.get("/api/x").headers["Seen"] == "before root /root"
    assert client.get("/api/x?shut").headers["Seen"] == "nothing"


def test_a_link_has_the_middleware_of_the_folders_that_it_is_in(tree):
    folder = tree(
        {
            "shared/middleware.py": traced("shared"),
            "shared/route.py": OK,
            "shared/inner/route.py": OK,
            "b/middleware.py": traced("b"),
            "b/one/note.txt": "",
            "c/route.py": OK,
        }
    )
    (folder / "app/api/c/middleware.py").symlink_to("../shared/middleware.py")
    (folder / "app/api/b/one/route.py").symlink_to("../../shared/route.py")
    (folder / "app/api/b/two").symlink_to("../shared/inner")
    app = bare_app(folder)
    RouteHandlers(app)
    client = app.test_client()
    assert trace(client.get("/api/shared/inner")) == "shared /shared"
    assert trace(client.get("/api/c")) == "shared /shared"
    assert trace(client.get("/api/b/one")) == "b /b"
    assert trace(client.get("/api/b/two")) == "b /b"


def test_a_middleware_that_links_share_is_executed_once_and_bound_in_each_folder(tree, capfd):
    code = "print('executed')\ndef middleware(id, call_next): return f'id {id}'\n"
    folder = tree({"[id]/middleware.py": code, "[id]/route.py": OK, "b/[id]/route.py": OK})
    (folder / "app/api/b/[id]/middleware.py").symlink_to("../../[id]/middleware.py")
    app = bare_app(folder)
    RouteHandlers(app)
    assert capfd.readouterr().out == "executed\n"
    assert app.test_client().get("/api/b/3").text == "id 3"

    (folder / "app/api/b/middleware.py").symlink_to("../[id]/middleware.py")
    [problem] = refused(bare_app(folder))
    assert problem.files == ("b/middleware.py",)
    assert problem.reason.startswith(
        "middleware asks for 'id', a parameter of the deeper folder b/[id]: "
    )


@pytest.mark.parametrize(
    ("target", "reason", "hint"),
    [
        (
            "../../elsewhere.py",
            "The symbolic link leads out of the root, to {folder}/elsewhere.py.",
            "Copy what it points to into the tree, or import it from a route file instead.",
        ),
        (
            "nothing.py",
            "It is not a regular file, or a symbolic link to nothing.",
            "Replace it with a file, or remove it.",
        ),
    ],
)
def test_a_link_to_no_file_of_the_tree_is_refused(tree, target, reason, hint):
    folder = tree({"x/route.py": OK})
    write_files(folder, {"elsewhere.py": traced("elsewhere")})
    (folder / "app/api/middleware.py").symlink_to(target)
    [problem] = refused(bare_app(folder))
    assert problem.files == ("middleware.py",)
    assert (problem.reason, problem.hint) == (reason.format(folder=folder.resolve()), hint)


# What a middleware is called with.


@both_kinds
@pytest.mark.parametrize(
    ("signature", "shown", "expected"),
    [
        ("", "'called'", "called"),
        ("request", "request.path", "/en/api/users/3/posts/7"),
        ("request", "type(request).__name__", "Request"),
        ("params", "params", {"lang": "en", "id": 3, "post": "7"}),
        ("id", "id", 3),
        ("lang", "lang", "en"),
        ("id, lang, params, request", "[id, lang, params['post'], request.method]",
         [3, "en", "7", "GET"]),
        ("*, id", "id", 3),
        ("id=0, other='default', post='of a deeper folder'", "[id, other, post]",
         [3, "default", "of a deeper folder"]),
        ("**rest", "sorted(rest)", ["call_next", "id", "lang", "params", "request"]),
        ("id, **rest", "[id, sorted(rest)]", [3, ["call_next", "lang", "params", "request"]]),
        ("*rest", "list(rest)", []),
        ("call_next", "call_next().text()", "the handler's"),
        ("call_next, id: int, lang: str", "[call_next().text(), id, lang]",
         ["the handler's", 3, "en"]),
    ],
)  # fmt: skip
def test_a_middleware_gets_what_it_names(client_of, kind, signature, shown, expected):
    shown = shown.replace(".text()", ".get_data(as_text=True)")
    code = f"from flask import jsonify\ndef middleware({signature}): return jsonify({shown})\n"
    files = {
        "users/[id=int]/middleware.py": written(code, kind),
        "users/[id=int]/posts/[post]/route.py": 'def GET(): return "the handler\'s"\n',
    }
    client = client_of(files, url_prefix="/<lang>/api")
    assert client.get("/en/api/users/3/posts/7").json == expected


def test_a_catch_all_of_its_own_folder_is_a_list(client_of):
    client = client_of(
        {
            "files/[[...path]]/middleware.py": "def middleware(path): return path\n",
            "files/[[...path]]/route.py": OK,
        }
    )
    assert client.get("/api/files").json == []
    assert client.get("/api/files/a/b").json == ["a", "b"]


def test_a_value_that_a_preprocessor_takes_out_is_not_given(make_app):
    code = "def middleware(params, lang='default'): return [lang, params]\n"
    app = make_app({"middleware.py": code, "[id]/route.py": OK}, url_prefix="/<lang>/api")
    app.url_value_preprocessor(lambda endpoint, values: values.pop("lang"))
    assert app.test_client().get("/de/api/3").json == ["default", {"id": "3"}]


CALLABLES = {
    "a lambda": "middleware = lambda call_next, id: mark(call_next(), id)\n",
    "an imported function": "from .marks import middleware\n",
    "wrappers with **": """
@sync_wrapper
@sync_wrapper
def middleware(call_next, id):
    return mark(call_next(), id)
""",
    "a wrapper that provides an argument": """
def checked(function):
    @functools.wraps(function)
    def wrapper(request, id, **values):
        return function(user=id, **values)
    return wrapper

@checked
def middleware(call_next, user):
    return mark(call_next(), user)
""",
    "a wrapper without a name": """
def tag(function):
    return lambda **values: function(values["call_next"], values["id"])

@tag
def middleware(call_next, id):
    return mark(call_next(), id)
""",
    "an async wrapper around an async function": """
@async_wrapper
async def middleware(call_next, id):
    return mark(await call_next(), id)
""",
    "a sync wrapper around an async function": """
@sync_wrapper
async def middleware(call_next, id):
    return mark(await call_next(), id)
""",
    "an async wrapper that awaits for a sync function": """
def after(function):
    @functools.wraps(function)
    async def wrapper(call_next, **values):
        return function(await call_next(), **values)
    return wrapper

@after
def middleware(response, id):
    return mark(response, id)
""",
    "a partial": """
def run(prefix, call_next, id, *, suffix):
    return mark(call_next(), prefix + id + suffix)

middleware = functools.partial(run, "", suffix="")
""",
    "a partial of an async function": """
async def run(prefix, call_next, id, *, suffix):
    return mark(await call_next(), prefix + id + suffix)

middleware = functools.partial(run, "", suffix="")
""",
    "an instance with __call__": "middleware = Sync()\n",
    "an instance with an async __call__": "middleware = Async()\n",
    "a bound method": "middleware = Sync().__call__\n",
    "an async bound method": "middleware = Async().__call__\n",
    "a class method": "middleware = Sync.run\n",
}

AT_HAND = """
import functools

def mark(response, value):
    response.headers["Mark"] = value
    return response

def sync_wrapper(function):
    @functools.wraps(function)
    def wrapper(**values):
        return function(**values)
    return wrapper

def async_wrapper(function):
    @functools.wraps(function)
    async def wrapper(**values):
        return await function(**values)
    return wrapper

class Sync:
    def __call__(self, call_next, id):
        return mark(call_next(), id)

    @classmethod
    def run(cls, call_next, id):
        return mark(call_next(), id)

class Async:
    async def __call__(self, call_next, id):
        return mark(await call_next(), id)
"""


@pytest.mark.parametrize("what", CALLABLES)
@pytest.mark.parametrize("form", ["", "middleware = [middleware]"])
def test_whatever_can_be_called_is_a_middleware(client_of, what, form):
    client = client_of(
        {
            "[id]/middleware.py": f"{AT_HAND}{CALLABLES[what]}{form}\n",
            "[id]/marks.py": f"{AT_HAND}{CALLABLES['a lambda']}",
            "[id]/route.py": "def GET(id): return f'answer {id}'\n",
        }
    )
    response = client.get("/api/3")
    assert (response.text, response.headers.getlist("Mark")) == ("answer 3", ["3"])


# What is refused when the app starts.

FORM = "def middleware(request, call_next), which returns call_next() or another response"
AVAILABLE = "It can ask for 'id', 'request', 'call_next' and 'params'. Any other parameter needs a default."
REFUSED = {
    "nothing": ("", "The file has no middleware.", f"Write {FORM}."),
    "only helpers": ("import os\ndef check(): pass\n", "The file has no middleware.",
                     f"Write {FORM}."),
    "another spelling": ("def Middleware(): return ''\n", "The file has no middleware.",
                         f"Rename Middleware to middleware, or write {FORM}."),
    "a misspelling": ("async def midleware(): return ''\n", "The file has no middleware.",
                      f"Rename midleware to middleware, or write {FORM}."),
    "a near miss that is imported": ("from itertools import chain as middlewares\n",
                                     "The file has no middleware.", f"Write {FORM}."),
    "None": ("middleware = None\n", "middleware is not callable: its type is NoneType.",
             f"Write {FORM}."),
    "a set": ("middleware = {len}\n", "middleware is not callable: its type is set.",
              f"Write {FORM}."),
    "a class": ("class middleware:\n    def __call__(self): return ''\n",
                "middleware is a class, not a function.", f"Write {FORM}."),
    "an async generator": ("async def middleware(): yield ''\n",
                           "middleware is an async generator, which WSGI cannot stream.",
                           f"Write {FORM}."),
    "an empty list": ("middleware = []\n",
                      "middleware is an empty list, so nothing would run.",
                      f"Add functions to it, write {FORM}, or remove the file."),
    "a text in a list": ("def check(): return ''\nmiddleware = [check, 'other']\n",
                         "middleware[1] is not callable: its type is str.",
                         f"List functions, each written as {FORM}."),
    "a list in a list": ("def check(): return ''\nmiddleware = ([check],)\n",
                         "middleware[0] is not callable: its type is list.",
                         f"List functions, each written as {FORM}."),
    "a class in a list": ("class Check: pass\nmiddleware = [Check]\n",
                          "middleware[0] is a class, not a function.",
                          f"List functions, each written as {FORM}."),
    "a parameter of no folder": ("def middleware(user): return ''\n",
                                 "middleware asks for 'user', which is not in the path.",
                                 f"{AVAILABLE} The query is in request.args."),
    "what others call call_next": ("def middleware(request, next): return next()\n",
                                   "middleware asks for 'next', which is not in the path.",
                                   f"Did you mean 'call_next'? {AVAILABLE}"),
    "a misspelt parameter in a list": ("async def check(requets): return ''\n"
                                       "middleware = [check]\n",
                                       "middleware[0] (check) asks for 'requets', which is not "
                                       "in the path.",
                                       f"Did you mean 'request'? {AVAILABLE}"),
    "a parameter of a deeper folder": ("def middleware(post): return ''\n",
                                       "middleware asks for 'post', a parameter of the "
                                       "deeper folder [id]/posts/[post=int]: "
                                       "not every request here has it.",
                                       "Move it to a middleware.py in that folder, "
                                       "or read params.get('post')."),
    "a positional-only parameter": ("def middleware(call_next, /): return call_next()\n",
                                    "middleware has the positional-only parameter 'call_next', "
                                    "but arguments are passed by name.",
                                    "Remove the / from its signature."),
    "an annotation that contradicts": ("def middleware(id: int): return ''\n",
                                       "middleware annotates id as int, but the folder "
                                       "[id] passes a str.",
                                       "Rename the folder to [id=int], or write id: str."),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_called_as_middleware_stops_the_start(tree, what):
    code, reason, hint = REFUSED[what]
    routes = {"[id]/route.py": OK, "[id]/posts/[post=int]/route.py": OK}
    app = bare_app(tree({"[id]/middleware.py": code, **routes}))
    [problem] = refused(app)
    assert problem.files == ("[id]/middleware.py",)
    assert (problem.reason, problem.hint) == (reason, hint)
    assert (app.blueprints, app.view_functions, list(app.url_map.iter_rules())) == ({}, {}, [])


def test_the_message_names_root_file_reason_and_cure(tree):
    folder = tree({"a/middleware.py": "middleware = 3\n", "a/route.py": OK})
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(folder))
    assert str(caught.value) == (
        f"1 problem in {folder}/app/api:\n"
        "\n"
        "a/middleware.py\n"
        "  middleware is not callable: its type is int.\n"
        f"  Write {FORM}."
    )


@pytest.mark.parametrize(
    ("code", "said", "cause"),
    [
        ("1 / 0\n", "ZeroDivisionError: division by zero", ZeroDivisionError),
        ("import missing_module\n",
         "ModuleNotFoundError: No module named 'missing_module'", ModuleNotFoundError),
        ("def middleware(:\n", "SyntaxError: invalid syntax (middleware.py, line 1)", SyntaxError),
        ("raise SystemExit(3)\n", "SystemExit: 3", SystemExit),
        ("import sys\nsys.exit()\n", "SystemExit", SystemExit),
    ],
)  # fmt: skip
def test_a_middleware_that_cannot_be_imported_stops_the_start(tree, code, said, cause):
    app = bare_app(tree({"a/middleware.py": code, "a/b/route.py": OK, "a/c/route.py": OK}))
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(app)
    [problem] = caught.value.problems
    assert problem.files == ("a/middleware.py",)
    assert problem.reason == f"a/middleware.py could not be imported: {said}."
    assert problem.hint == f"Look at a/middleware.py, line {len(code.splitlines())}."
    assert type(caught.value.__cause__) is cause


def test_ctrl_c_while_a_middleware_is_imported_is_no_problem_of_the_file(tree):
    app = bare_app(tree({"a/middleware.py": "raise KeyboardInterrupt\n", "a/route.py": OK}))
    with pytest.raises(KeyboardInterrupt):
        RouteHandlers(app)


def test_all_problems_of_middleware_and_routes_are_told_together(tree):
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


def warned(app: Flask) -> list[str]:
    with pytest.warns(RouteHandlersWarning) as caught:
        RouteHandlers(app)
    assert {warning.filename for warning in caught} == {__file__}
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    "name",
    ["middlewares.py", "_middleware.py", "Middleware.py", "MIDDLEWARE.py", "middleware.pyw"],
)
def test_a_file_with_nearly_the_name_is_warned_about_and_never_runs(tree, name):
    app = bare_app(tree({f"a/{name}": "1 / 0\n", "a/route.py": OK}))
    assert warned(app) == [
        f"a/{name} is not a middleware file and never runs. "
        "Rename it to middleware.py if it should run for the routes here and below."
    ]
    assert app.test_client().get("/api/a").text == "answer"


@pytest.mark.parametrize("below", ["a/b/note.txt", "a/_private/route.py", "a/.hidden/route.py"])
def test_middleware_that_covers_no_route_is_warned_about_and_not_imported(tree, below):
    app = bare_app(tree({"a/middleware.py": "1 / 0\n", below: OK, "x/route.py": OK}))
    assert warned(app) == [
        "a/middleware.py covers no route file: there is none in its folder or below. "
        "Move it to the folder of a route file or above, or remove it."
    ]
    assert app.test_client().get("/api/x").text == "answer"


@pytest.mark.parametrize(
    "name", ["middleware_helpers.py", "auth.py", "middleware.txt", "_lib/middleware.py"]
)
def test_other_files_are_the_users_own(make_app, name):
    app = make_app({f"a/{name}": "1 / 0\n", "a/route.py": OK})
    assert app.test_client().get("/api/a").text == "answer"


@pytest.mark.parametrize("folder", ["middleware", "middleware.py"])
def test_a_folder_may_be_called_like_the_file(client_of, folder):
    client = client_of({f"{folder}/route.py": OK, f"{folder}/middleware.py": traced("inner")})
    assert trace(client.get(f"/api/{folder}")) == "inner /inner"


def test_a_folder_called_middleware_beside_the_file_is_refused(tree):
    files = {"middleware.py": traced("root"), "middleware/route.py": OK}
    [problem] = refused(bare_app(tree(files)))
    assert problem.files == ("middleware.py", "middleware")
    assert problem.reason == (
        "The file and the folder have one module name, 'middleware', "
        "so Python cannot import what is in the folder."
    )
    assert problem.hint == (
        "Rename one of them, or put the folder in a group: (middleware)/middleware."
    )


# Debug mode.

BROKEN = {
    "1 / 0\n": "a/middleware.py could not be imported: ZeroDivisionError: division by zero",
    "raise SystemExit(4)\n": "a/middleware.py could not be imported: SystemExit: 4",
    "": f"a/middleware.py\n  The file has no middleware.\n  Write {FORM}.",
    "def middleware(user): pass\n": "a/middleware.py\n  middleware asks for 'user', "
    "which is not in the path.",
    "def check(call_next): return call_next()\nmiddleware = [check, 3]\n": "a/middleware.py\n"
    "  middleware[1] is not callable: its type is int.",
}


@pytest.fixture(params=BROKEN)
def broken(tree, request):
    """An app in debug mode where the middleware of ``a`` is broken, and what its error says.

    What ran is in ``app.config["RAN"]``.
    """
    handlers = "from flask import current_app\n" + "".join(
        f"def {method}(): return current_app.config['RAN'].append('{method}') or 'handler'\n"
        for method in METHODS
    )
    routes = ("a", "a/[id]", "a/(g)/deep", "a/docs/[[...rest]]", "b", "(g)/c")
    files = dict.fromkeys(("middleware.py", "a/[id]/middleware.py", "b/middleware.py"), WITNESS)
    files |= {"a/middleware.py": request.param} | {f"{r}/route.py": handlers for r in routes}
    app = bare_app(tree(files))
    app.debug = True
    app.config.update(PROPAGATE_EXCEPTIONS=False, RAN=[])
    RouteHandlers(app)
    return app, BROKEN[request.param]


def test_in_debug_mode_every_url_below_a_broken_middleware_answers_with_its_error(broken, caplog):
    app, said = broken
    for path in ("a", "a/1", "a/deep", "a/docs", "a/docs/1/2"):
        for method in (*METHODS, *UNKNOWN):
            caplog.clear()
            response = app.test_client().open(f"/api/{path}", method=method)
            assert response.status_code == 500, (path, method)
            assert said in str(caplog.records[0].exc_info[1])
    assert not set(app.config["RAN"]) & set(METHODS)


def test_in_debug_mode_routes_beside_a_broken_middleware_go_on(broken):
    app, _ = broken
    for path, files in (("b", 2), ("c", 1)):
        app.config["RAN"].clear()
        assert app.test_client().post(f"/api/{path}").text == "handler"
        assert app.config["RAN"] == ["middleware POST"] * files + ["POST"]
    assert app.test_client().get("/api/z").status_code == 404


def test_in_debug_mode_paths_that_are_not_clean_end_nowhere_below_a_broken_middleware_too(broken):
    app, _ = broken
    for path in ("//api/a", "api/a", "/api//a", "/api/a/", "/api/a/\0", "/api/a/./1"):
        assert status_of(app, path) == 404, path


def test_in_debug_mode_an_import_failure_shows_its_line_each_time(tree):
    app = bare_app(tree({"a/middleware.py": "1 / 0\n", "a/route.py": OK}))
    app.debug = True
    RouteHandlers(app)
    for _ in range(2):
        with pytest.raises(RouteImportError) as caught:
            app.test_client().get("/api/a")
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        frames = inspect.getinnerframes(caught.value.__cause__.__traceback__)
        assert frames[-1].filename.endswith("/app/api/a/middleware.py")


def test_in_debug_mode_the_error_of_the_outermost_broken_file_is_shown(tree):
    files = {"middleware.py": "", "a/middleware.py": "1 / 0\n", "a/route.py": "1 / 0\n"}
    app = bare_app(tree(files))
    app.debug = True
    RouteHandlers(app)
    with pytest.raises(RouteTreeError, match=r"The file has no middleware\."):
        app.test_client().get("/api/a")


# Without asgiref.

CHILD = """
import json, sys

if "without asgiref" in sys.argv:
    sys.modules["asgiref"] = None
import flask
from flask_routehandlers import RouteHandlers, RouteTreeError

app = flask.Flask("child", root_path=sys.argv[1], static_folder=None)
app.debug = "debug" in sys.argv
app.config["PROPAGATE_EXCEPTIONS"] = False
try:
    RouteHandlers(app)
except RouteTreeError as error:
    told = [[*problem.files, problem.reason, problem.hint] for problem in error.problems]
else:
    responses = [app.test_client().get(path) for path in (sys.argv[2], "/api/x")]
    told = [[r.status_code, r.text if r.status_code == 200 else ""] for r in responses]
print(json.dumps(told))
"""

ASYNC_LIST = """
async def check(call_next): return await call_next()
def plain(call_next): return call_next()
middleware = [plain, check]
"""


@pytest.fixture
def in_a_process(tree):
    """What an app in a Python process of its own tells: its problems, or what it answers."""

    def run(files: Mapping[str, str], *options: str, url: str = "/api/a") -> Any:
        folder = tree({"x/route.py": OK, "a/route.py": OK, **files})
        child = subprocess.run(
            [sys.executable, "-c", CHILD, str(folder), url, *options],
            capture_output=True,
            text=True,
            timeout=20,
            cwd=Path(__file__).parents[1],
        )
        assert child.returncode == 0, child.stderr
        return json.loads(child.stdout)

    return run


def test_without_asgiref_async_middleware_stops_the_start(in_a_process):
    said = "is async, and Flask needs asgiref to call it."
    hint = 'Install it: pip install "flask-routehandlers[async]".'
    files = {
        "a/middleware.py": ASYNC_LIST,
        "b/middleware.py": traced("b", "async"),
        "b/route.py": OK,
        "c/route.py": "async def GET(): return ''\n",
    }
    assert in_a_process(files, "without asgiref") == [
        ["a/middleware.py", f"middleware[1] (check) {said}", hint],
        ["b/middleware.py", f"middleware {said}", hint],
        ["c/route.py", f"GET {said}", hint],
    ]


def test_without_asgiref_in_debug_mode_async_middleware_is_never_a_pass(in_a_process):
    told = in_a_process({"a/middleware.py": ASYNC_LIST}, "without asgiref", "debug")
    assert told == [[500, ""], [200, "answer"]]


def test_without_asgiref_sync_middleware_works(in_a_process):
    code = "def middleware(call_next): return 'through ' + call_next().get_data(as_text=True)\n"
    told = in_a_process({"a/middleware.py": code}, "without asgiref")
    assert told == [[200, "through answer"], [200, "answer"]]


# What call_next() gives, and what comes of it.

RESPONSES = {
    "return 'text'": (200, "text/html", b"text"),
    "return {'a': 1}": (200, "application/json", b'{"a":1}\n'),
    "return [1]": (200, "application/json", b"[1]\n"),
    "return 'made', 201, {'X-Handler': 'yes'}": (201, "text/html", b"made"),
    "return {'a': 1}, 202": (202, "application/json", b'{"a":1}\n'),
    "return '', 204": (204, "text/html", b""),
    "return flask.Response('r', 203)": (203, "text/html", b"r"),
    "return werkzeug.Response('w', 206)": (206, "text/plain", b"w"),
    "return flask.redirect('/there', 303)": (303, "text/html", None),
    "return wsgi": (299, "text/wsgi", b"from WSGI"),
    "return werkzeug.exceptions.Gone()": (410, "text/html", None),
    "return iter(['a', 'b'])": (200, "text/html", b"ab"),
    "return (c for c in 'abc'), 203": (203, "text/html", b"abc"),
    "return generator()": (200, "text/html", b"abc"),
}


@pytest.mark.parametrize("chain", [["sync"], ["async"], ["async", "sync"], ["sync", "async"]])
@pytest.mark.parametrize("define", ["def", "async def"])
def test_call_next_gives_a_response_whatever_the_handler_returns(client_of, define, chain):
    look = """
from flask import Response

def middleware(call_next):
    response = call_next()
    assert isinstance(response, Response), type(response)
    response.headers.add("Seen", f"{response.status_code} {response.mimetype}")
    return response
"""
    begin = """
import flask, werkzeug, werkzeug.exceptions

def generator():
    yield from "abc"

def wsgi(environ, start_response):
    start_response("299 Odd", [("Content-Type", "text/wsgi")])
    return [b"from WSGI"]
"""
    files, url = nested([written(look, kind) for kind in chain], OK)
    inner = url.removeprefix("/api/")
    client = client_of(
        files
        | {
            f"{inner}/r{number}/route.py": f"{begin}{define} GET():\n    {code}\n"
            for number, code in enumerate(RESPONSES)
        }
    )
    for number, (code, (status, mimetype, body)) in enumerate(RESPONSES.items()):
        response = client.get(f"{url}/r{number}")
        assert (response.status_code, response.mimetype) == (status, mimetype), code
        assert response.headers.getlist("Seen") == [f"{status} {mimetype}"] * len(chain), code
        assert body is None or response.data == body, code


def test_call_next_gives_the_response_class_of_the_app(tree):
    class Own(Response):
        pass

    code = "def middleware(call_next): return type(call_next()).__name__\n"
    app = bare_app(tree({"middleware.py": code, "x/route.py": OK}))
    app.response_class = Own
    RouteHandlers(app)
    assert app.test_client().get("/api/x").text == "Own"


@both_kinds
@pytest.mark.parametrize("around", ["", "sync", "async"])
def test_what_a_middleware_returns_is_the_answer(client_of, around, kind):
    answers = {
        "return call_next()": (200, "answer"),
        "return call_next(), 202": (202, "answer"),
        "call_next()\n    return 'replaced', 203": (203, "replaced"),
        "r = call_next()\n    r.data = 'changed'\n    return r": (200, "changed"),
        "return {'status': call_next().status_code}": (200, '{"status":200}\n'),
        "return 'kept out', 401": (401, "kept out"),
        "return Response('kept out', 403)": (403, "kept out"),
        "return iter(['a', 'b'])": (200, "ab"),
    }
    files = {"middleware.py": traced("around", around)} if around else {}
    for number, code in enumerate(answers):
        code = f"from flask import Response\ndef middleware(call_next):\n    {code}\n"
        files[f"r{number}/middleware.py"] = written(code, kind)
        files[f"r{number}/route.py"] = OK
    client = client_of(files)
    for number, (code, expected) in enumerate(answers.items()):
        response = client.get(f"/api/r{number}")
        assert (response.status_code, response.text) == expected, code
        assert trace(response) == ("around /around" if around else None), code


@both_kinds
def test_below_a_middleware_that_answers_itself_nothing_runs(client_of, kind):
    client = client_of(
        {
            "middleware.py": traced("root"),
            "x/middleware.py": written("def middleware(): return 'kept out', 403\n", kind),
            "x/y/middleware.py": "def middleware(): 1 / 0\n",
            "x/y/route.py": "def GET(): 1 / 0\n",
        }
    )
    for method in (*METHODS, *UNKNOWN):
        response = client.open("/api/x/y", method=method)
        assert (response.status_code, trace(response)) == (403, "root /root"), method
        assert "Allow" not in response.headers


def test_a_generator_function_may_be_a_middleware_that_streams(client_of):
    code = """
from flask import request

def middleware(call_next):
    yield f"{request.path}: "
    for piece in call_next().iter_encoded():
        yield piece.upper()
"""
    client = client_of(code, "def GET():\n    yield 'a'\n    yield 'b'\n")
    assert client.get("/api/x").text == "/api/x: AB"


NO_ANSWER = (
    "{} returned None. A middleware returns a response: "
    'a str, a dict or list (JSON), a Response, or "", 204 for an empty one.'
)
MISUSES = {
    "call_next()\n    return call_next()": (
        RuntimeError,
        "{} called call_next() twice. "
        "A request is answered once: keep the response of the first call.",
    ),
    "return call_next(request)": (
        TypeError,
        "{} passed call_next() an argument. It takes none: the next function gets the same request.",
    ),
    "return call_next(request=request)": (
        TypeError,
        "{} passed call_next() an argument. It takes none: the next function gets the same request.",
    ),
    "call_next()": (TypeError, NO_ANSWER),
    "return None": (TypeError, NO_ANSWER),
}


@pytest.mark.parametrize("code", MISUSES)
@pytest.mark.parametrize("form", ["middleware", "middleware[0] (check)"])
@both_kinds
def test_a_misuse_is_a_500_that_names_function_and_file(client_of, caplog, kind, form, code):
    error, said = MISUSES[code]
    function = "check" if "check" in form else "middleware"
    code = written(f"def {function}(request, call_next):\n    {code}\n", kind)
    code += "middleware = [check]\n" if function == "check" else ""
    for others in (
        {},
        {"middleware.py": traced("outer")},
        {"middleware.py": traced("outer", "async")},
        {"x/y/middleware.py": traced("inner")},
        {"x/y/middleware.py": traced("inner", "async")},
    ):
        caplog.clear()
        client = client_of({**others, "x/middleware.py": code, "x/y/route.py": OK})
        client.application.testing = False
        assert client.get("/api/x/y").status_code == 500
        [record] = caplog.records
        assert type(record.exc_info[1]) is error
        assert str(record.exc_info[1]) == said.format(f"{form} in x/middleware.py")


@pytest.mark.parametrize("handler", ["def GET(): 1 / 0\n", OK])
def test_call_next_runs_the_handler_once_even_if_the_first_call_raised(client_of, handler):
    code = """
def middleware(call_next):
    try:
        response = call_next()
    except ZeroDivisionError:
        response = "caught"
    try:
        call_next()
    except RuntimeError:
        return response
"""
    expected = "answer" if handler == OK else "caught"
    assert client_of(code, handler).get("/api/x").text == expected


def test_two_calls_of_call_next_at_once_run_the_handler_once(client_of):
    code = """
import asyncio

async def middleware(call_next):
    found = await asyncio.gather(call_next(), call_next(), return_exceptions=True)
    return [type(one).__name__ for one in found]
"""
    assert client_of(code).get("/api/x").json == ["Response", "RuntimeError"]


def test_call_next_may_be_awaited_beside_other_work(client_of):
    code = """
import asyncio

async def middleware(call_next):
    response, other = await asyncio.gather(call_next(), asyncio.sleep(0, "other"))
    return response.get_data(as_text=True) + " and " + other
"""
    client = client_of({"middleware.py": code, "x/middleware.py": traced("inner")})
    assert client.get("/api/x").text == "answer and other"


def test_an_async_middleware_may_limit_the_time_of_an_async_handler(client_of):
    code = """
import asyncio

async def middleware(call_next):
    try:
        return await asyncio.wait_for(call_next(), 0.02)
    except TimeoutError:
        return "too slow", 504
"""
    client = client_of(code, "import asyncio\nasync def GET(): await asyncio.sleep(30)\n")
    assert client.get("/api/x").status_code == 504


def test_forgetting_await_is_an_error_that_says_so(client_of):
    client = client_of("async def middleware(call_next): return call_next()\n")
    with pytest.raises(TypeError) as caught:
        client.get("/api/x")
    assert str(caught.value) == (
        "middleware in middleware.py returned a coroutine. Write await call_next()."
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [("call_next()\n    return 'own answer'", 200), ("return call_next().headers", 500)],
)
def test_without_await_nothing_below_runs_and_python_says_so(client_of, code, status):
    route = "def GET(): raise AssertionError('the handler ran')\n"
    client = client_of(f"async def middleware(call_next):\n    {code}\n", route)
    app = client.application
    app.testing = False
    app.logger.disabled = True  # a record would keep the coroutine alive

    def ask() -> int:
        code = client.get("/api/x").status_code
        gc.collect()
        return code

    with pytest.warns(RuntimeWarning, match="call_next' was never awaited"):
        assert ask() == status


# Exceptions.


@both_kinds
@pytest.mark.parametrize("between", ["sync", "async"])
@pytest.mark.parametrize("define", ["def", "async def"])
def test_a_middleware_can_catch_what_is_raised_below(client_of, define, between, kind):
    catch = """
def middleware(call_next):
    try:
        return call_next()
    except Exception as error:
        return [type(error).__name__], 299
"""
    route = f"""
import flask
{define} GET(): return {{}}["missing"]
{define} POST(): flask.abort(409)
{define} PUT(): return None
"""
    files = {"middleware.py": written(catch, kind), "x/middleware.py": traced("x", between)}
    client = client_of(files, route)
    for method, error in {
        "GET": "KeyError",
        "HEAD": "KeyError",
        "POST": "Conflict",
        "PUT": "TypeError",
        "PATCH": "MethodNotAllowed",
        "MADEUP": "MethodNotAllowed",
    }.items():
        response = client.open("/api/x", method=method)
        assert response.status_code == 299
        assert method == "HEAD" or response.json == [error]


@both_kinds
def test_what_a_middleware_raises_is_handled_like_an_error_of_a_handler(client_of, kind):
    code = (
        "import flask\n"
        "def middleware(request):\n"
        "    flask.abort(401) if request.method == 'POST' else {}['lost']\n"
    )
    client = client_of(written(code, kind))
    app = client.application
    app.register_error_handler(KeyError, lambda error: (f"handled {error}", 418))
    response = client.post("/api/x")
    assert (response.status_code, response.mimetype) == (401, "application/problem+json")
    response = client.get("/api/x")
    assert (response.status_code, response.text) == (418, "handled 'lost'")


@pytest.mark.parametrize("kinds", ["sync sync", "async async", "sync async", "async sync"])
def test_an_exception_passes_through_with_its_traceback(client_of, kinds):
    outer, inner = kinds.split()
    files = {"middleware.py": traced("a", outer), "x/middleware.py": traced("b", inner)}
    client = client_of(files, "def GET(): raise LookupError('below')\n")
    with pytest.raises(LookupError, match="below") as caught:
        client.get("/api/x")
    frames = inspect.getinnerframes(caught.value.__traceback__)
    shown = [f.filename.partition("/app/api/")[2] for f in frames if "/app/api/" in f.filename]
    assert shown == ["middleware.py", "x/middleware.py", "x/route.py"]


@pytest.mark.parametrize("raising", ["middleware", "GET"])
def test_a_stop_iteration_in_sync_code_below_async_middleware_is_an_error(in_a_process, raising):
    # What next() raises at the end of an iterator. Before Python 3.12 a future refuses it, and
    # the request waits for ever: in a process of its own, which can be stopped.
    files = {
        "a/middleware.py": traced("a", "async"),
        "a/b/middleware.py": "def middleware(call_next): return call_next()\n",
        "a/b/route.py": OK,
    }
    files[f"a/b/{raising.lower().replace('get', 'route')}.py"] = (
        f"def {raising}(): return next(iter([]))\n"
    )
    assert in_a_process(files, url="/api/a/b") == [[500, ""], [200, "answer"]]


# Sync and async in one chain.

#: Notes its thread and its loop, and that what was put into the context before it is there.
RECORD = """
import asyncio, threading
from flask import current_app, g

def {function}:
    var = current_app.config["VAR"]
    is_async = {is_async}
    loop = id(asyncio.get_running_loop()) if is_async else None
    assert var.get() == len(g.log)
    g.log.append([threading.get_ident(), loop])
    var.set(len(g.log))
    {rest}
"""
#: The same on the way back: the handler, and what it called, has changed the context.
AND_BACK = """
    response = call_next()
    assert var.get() == "the handler's"
    assert g.outwards == {number} + 1
    g.outwards = {number}
    return response
"""
CHAINS = ["".join(kinds) for n in range(1, 5) for kinds in itertools.product("SA", repeat=n)]


def recording(function: str, kind: str, rest: str) -> str:
    is_async = kind == "A"
    code = RECORD.format(function=function, is_async=is_async, rest=rest.strip())
    code = code.replace("def GET", "async def GET") if is_async else code
    return written(code, "async" if is_async else "sync")


@pytest.mark.parametrize("handler", "SA")
@pytest.mark.parametrize("chain", CHAINS)
def test_a_mixed_chain_has_one_loop_and_one_context_and_sync_code_its_own_thread(
    make_app, chain, handler
):
    links = [
        recording("middleware(call_next)", kind, AND_BACK.format(number=number))
        for number, kind in enumerate(chain)
    ]
    rest = f'var.set("the handler\'s")\n    g.outwards = {len(chain)}\n    return g.log\n'
    files, url = nested(links, recording("GET()", handler, rest))
    app = make_app(files)
    var = app.config["VAR"] = ContextVar("var", default=0)
    after = []

    @app.before_request
    def before():
        g.log = []

    @app.after_request
    def look(response):
        after.extend((g.outwards, var.get()))
        return response

    response = app.test_client().get(url)
    assert response.status_code == 200
    for kind, (thread, loop) in zip(chain + handler, response.json, strict=True):
        assert kind == "A" or (thread, loop) == (threading.get_ident(), None)
    loops = {loop for _, loop in response.json if loop}
    assert len(loops) == ("A" in chain + handler)
    assert after == [0, "the handler's"]


def test_each_request_has_a_loop_of_its_own_that_is_closed_behind_it(make_app):
    code = """
import asyncio
from flask import current_app

async def middleware(call_next):
    current_app.config["LOOPS"].append(asyncio.get_running_loop())
    return await call_next()
"""
    app = make_app({"middleware.py": code, "x/middleware.py": code, "x/route.py": OK})
    loops: list[asyncio.AbstractEventLoop] = []
    app.config["LOOPS"] = loops
    for _ in range(3):
        app.test_client().get("/api/x")
    assert [loops.index(loop) for loop in loops] == [0, 0, 2, 2, 4, 4]
    assert all(loop.is_closed() for loop in loops)


def test_the_app_decides_how_a_chain_with_async_middleware_runs(tree):
    runs = []

    class Noting(Flask):
        def async_to_sync(self, function):
            runs.append(function)
            return super().async_to_sync(function)

    links = [traced("a", "async"), traced("b"), traced("c", "async")]
    files, url = nested(links, "async def GET(): return ''\n")
    app = Noting("noting", root_path=str(tree(files)), static_folder=None)
    RouteHandlers(app)
    assert trace(app.test_client().get(url)) == "a b c /c /b /a"
    assert len(runs) == 1


def test_a_connection_of_sqlite_can_be_used_in_all_sync_functions_of_a_request(make_app):
    # It refuses to be used in any thread but that in which it was opened.
    middleware = """
from flask import g
def middleware(call_next):
    g.db.execute("insert into t values (1)")
    return call_next()
"""
    route = "from flask import g\ndef GET(): return g.db.execute('select * from t').fetchall()\n"
    links = [traced("a", "async"), middleware, traced("b", "async"), middleware]
    files, url = nested(links, route)
    app = make_app(files)

    @app.before_request
    def connect():
        g.db = sqlite3.connect(":memory:")
        g.db.execute("create table t (n)")

    app.teardown_request(lambda error: g.db.close())
    assert app.test_client().get(url).json == [[1], [1]]


# Identity.


@both_kinds
@pytest.mark.parametrize(
    ("method", "name", "tag"),
    [
        ("GET", "GET", "read"),
        ("HEAD", "GET", "read"),
        ("POST", "POST", None),
        ("PUT", "api./x", None),
    ],
)
def test_in_a_middleware_the_view_has_the_identity_of_the_handler(
    make_app, kind, method, name, tag
):
    look = """
from flask import current_app

def middleware(request, call_next):
    view = current_app.view_functions[request.endpoint]
    def identity():
        return view.__name__, view.__module__, getattr(view, "tag", None)
    before = identity()
    try:
        call_next()
    except Exception:
        pass
    assert identity() == before
    current_app.config["SEEN"].append(before)
    return ""
"""
    look = written(look, kind)
    route = "def GET(): return ''\nGET.tag = 'read'\nasync def POST(): return ''\n"
    app = make_app({"middleware.py": look, "x/middleware.py": look, "x/route.py": route})
    seen = app.config["SEEN"] = []
    app.test_client().open("/api/x", method=method)
    module = app.view_functions["api./x"].__module__
    assert seen == [(name, module, tag)] * 2


# Streams.

STREAM = """
from flask import Response, current_app, g, request, stream_with_context

def pieces(name):
    events = current_app.config["EVENTS"]
    try:
        for n in range(3):
            yield f"{n} {name} {request.args['q']} {g.user}\\n"
            assert events["go on"].acquire(timeout=10)
    finally:
        events["closed"].set()

def GET(name):
    yield from pieces(name)

async def POST(name):
    return pieces(name)

def PUT(name):
    return Response(stream_with_context(pieces(name)), 203)

async def PATCH(name):
    return stream_with_context(pieces(name)), 203
"""


# Before 3.1.2, Flask's own stream_with_context failed when it was called in an event loop.
STREAMS = ("GET", "POST", "PUT", "PATCH") if FLASK_VERSION >= (3, 1, 2) else ("GET", "POST")


@pytest.mark.parametrize("chain", ["S", "A", "SS", "SA", "AS", "AA", "ASA"])
def test_a_generator_is_sent_piece_by_piece_through_middleware_with_its_request(make_app, chain):
    links = [traced(kind, "async" if kind == "A" else "sync") for kind in chain]
    files, url = nested(links, OK)
    app = make_app({**files, f"{url.removeprefix('/api/')}/[name]/route.py": STREAM})
    app.before_request(lambda: setattr(g, "user", "ann"))
    expected = " ".join([*chain, *(f"/{kind}" for kind in reversed(chain))])
    with running(app) as port:
        for method in STREAMS:
            go_on, closed = threading.Semaphore(0), threading.Event()
            app.config["EVENTS"] = {"go on": go_on, "closed": closed}
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request(method, f"{url}/log?q=x")
            response = connection.getresponse()
            assert response.getheader("Trace") == expected, method
            for n in range(3):
                # The server has not been told to go on: this piece came alone.
                assert response.readline() == f"{n} log x ann\n".encode(), method
                assert not closed.is_set()
                go_on.release()
            assert response.read() == b""
            assert closed.wait(10)
            connection.close()


@both_kinds
def test_head_of_a_generator_below_middleware_sends_nothing_and_starts_nothing(client_of, kind):
    route = "def GET():\n    raise AssertionError('started')\n    yield ''\n"
    response = client_of(traced("root", kind), route).head("/api/x")
    assert (response.status_code, response.data, trace(response)) == (200, b"", "root /root")


@both_kinds
def test_a_stream_that_is_left_in_the_middle_leaves_no_context_behind(client_of, kind):
    client = client_of(traced("root", kind), "def GET():\n    yield 'a'\n    yield 'b'\n")
    response = client.get("/api/x")
    assert next(response.iter_encoded()) == b"a"
    response.close()
    assert not current_app


class OwnResponses(Flask):
    def make_response(self, rv):
        return super().make_response((rv, 203) if isinstance(rv, dict) else rv)


class OwnJSON(DefaultJSONProvider):
    def response(self, *args, **kwargs):
        response = super().response(*args, **kwargs)
        response.headers["X-Own"] = "1"
        return response


def test_an_app_makes_responses_of_dicts_in_its_own_way(tmp_path):
    around = "def middleware(call_next): return call_next()\n"
    files = {"route.py": "def GET(): return {'a': 1}\n", "middleware.py": around}
    write_files(tmp_path / "app/api", files)
    app = OwnResponses("own", root_path=str(tmp_path))
    RouteHandlers(app)
    app.json = OwnJSON(app)  # also later than the routes
    response = app.test_client().get("/api")
    assert (response.status_code, response.json, response.headers["X-Own"]) == (203, {"a": 1}, "1")
    app = bare_app(tmp_path)
    RouteHandlers(app)
    app.json = OwnJSON(app)
    response = app.test_client().get("/api")
    assert (response.status_code, response.json, response.headers["X-Own"]) == (200, {"a": 1}, "1")
