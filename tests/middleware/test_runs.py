"""Which middleware runs for which request, and in which order."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from flask_routehandlers import RouteHandlers
from tests.middleware.support import (
    METHODS,
    OK,
    UNKNOWN,
    WITNESS,
    both_kinds,
    nest,
    raw_status,
    round_trip,
    trace,
    tracer,
    variant,
)
from tests.support import bare_app, refused, write_files

ALL = " ".join(METHODS)


def test_outermost_middleware_runs_first(make_client):
    client = make_client(
        {
            "middleware.py": tracer("root"),
            "a/middleware.py": tracer("a"),
            "a/b/c/middleware.py": tracer("c"),
            "a/b/c/route.py": "from flask import g\ndef GET(): return g.trace.append('GET') or ''",
        }
    )
    assert trace(client.get("/api/a/b/c")) == "root a c GET /c /a /root"


def test_a_route_has_the_chain_of_its_folders(make_client):
    names = ("", "a", "a/b", "[id]", "[id]/b", "(g)", "(g)/c", "(g)/(h)", "d/[[...rest]]")
    routes = ("", "a", "a/b", "[id]", "[id]/b", "(g)/c", "(g)/(h)/e", "d/[[...rest]]", "f/[n=int]")
    files = {f"{name}/middleware.py".lstrip("/"): tracer(name or "root") for name in names}
    files |= {f"{route}/route.py".lstrip("/"): OK for route in routes}
    client = make_client(files)
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
        assert trace(client.get(f"/api{path}")) == round_trip(*chain.split()), path


def test_the_chain_belongs_to_the_matched_file(make_client):
    client = make_client(
        {
            "users/[id]/middleware.py": "def middleware(): return 'kept out', 403\n",
            "users/[id]/route.py": "def DELETE(): return 'deleted'",
            "users/me/route.py": OK,
        }
    )
    assert client.get("/api/users/me").text == "answer"
    assert client.delete("/api/users/me").status_code == 405
    assert client.get("/api/users/you").status_code == 403


def test_a_route_without_middleware_has_no_chain(make_app):
    show = (
        "import inspect\n"
        "def GET(): return [f.function for f in inspect.stack()\n"
        "                   if '/flask_routehandlers/' in f.filename]\n"
    )
    plain = make_app({"x/route.py": show}).test_client()
    files = {"x/route.py": show, "a/route.py": show, "a/middleware.py": tracer("a")}
    mixed = make_app(files).test_client()
    assert mixed.get("/api/x").json == plain.get("/api/x").json
    assert len(mixed.get("/api/a").json) > len(plain.get("/api/x").json)


@pytest.mark.parametrize("form", ["[{}]", "({},)"], ids=["list", "tuple"])
def test_a_list_runs_in_its_order(make_client, form):
    several = f"""
from flask import g

def tracer(name):
    def run(call_next):
        g.trace.append(name)
        response = call_next()
        g.trace.append(f"/{{name}}")
        return response
    return run

async def third(call_next):
    g.trace.append("third")
    response = await call_next()
    g.trace.append("/third")
    return response

middleware = {form.format('tracer("first"), tracer("second"), third')}
"""
    files, url = nest([tracer("root"), several, tracer("b")], OK)
    expected = round_trip("root", "first", "second", "third", "b")
    assert trace(make_client(files).get(url)) == expected


def test_two_roots_have_separate_middleware(tree):
    folder = tree({"middleware.py": tracer("api"), "x/route.py": OK})
    write_files(folder / "app/hooks", {"middleware.py": tracer("hooks"), "x/route.py": OK})
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


def test_two_apps_run_the_middleware_of_one_tree(tree):
    folder = tree({"middleware.py": tracer("root"), "x/route.py": OK})
    for _ in range(2):
        app = bare_app(folder)
        RouteHandlers(app)
        assert trace(app.test_client().get("/api/x")) == "root /root"


def expected_answer(handled: list[str], method: str) -> tuple[list[str], int]:
    """Return the handlers that run for a method, and the status of the answer."""
    if method in handled:
        return [method], 200
    if method == "HEAD" and "GET" in handled:
        return ["GET"], 200
    return [], 204 if method == "OPTIONS" else 405


def allow_header(response: TestResponse) -> list[str]:
    """Return the methods of the ``Allow`` header of a response."""
    return response.headers.get("Allow", "").split(", ")


@pytest.mark.parametrize(
    ("kind", "define", "handled"),
    [
        ("sync", "def", "GET"),
        ("sync", "def", "POST"),
        ("sync", "def", "HEAD OPTIONS"),
        ("sync", "def", ALL),
        ("async", "def", "GET"),
        ("async", "def", "HEAD OPTIONS"),
        ("async", "async def", ALL),
        ("sync", "async def", "GET"),
    ],
)
def test_middleware_runs_once_for_every_method(make_app, kind, define, handled):
    methods = handled.split()
    route = "from flask import current_app\n" + "".join(
        f"{define} {name}(): return current_app.config['RAN'].append('{name}') or ''\n"
        for name in methods
    )
    app = make_app({"a/middleware.py": variant(WITNESS, kind), "a/[id]/route.py": route})
    allowed = {*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
    for method in (*METHODS, *UNKNOWN):
        ran = app.config["RAN"] = []
        response = app.test_client().open("/api/a/1", method=method)
        handlers, status = expected_answer(methods, method)
        assert ran == [f"middleware {method}", *handlers]
        assert response.status_code == status
        if not handlers:
            assert allow_header(response) == sorted(allowed), method


@both_kinds
def test_middleware_runs_for_custom_preflights(make_app, kind):
    pytest.importorskip("flask_cors")
    route = """
from flask_cors import cross_origin

@cross_origin(origins="https://shop.example")
def PUT(): return ""

@cross_origin(origins="https://shop.example")
async def PATCH(): return ""
"""
    app = make_app({"middleware.py": variant(WITNESS, kind), "x/route.py": route})
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
def test_middleware_runs_for_no_other_url(make_app, path):
    app = make_app({"middleware.py": WITNESS, "x/route.py": OK})
    ran = app.config["RAN"] = []
    for url in ("/own", "/api/own"):
        app.add_url_rule(url, url.strip("/"), lambda: "", methods=METHODS)
    for method in METHODS:
        assert raw_status(app, path, method) == (200 if "own" in path else 404)
    assert raw_status(app, path, "MADEUP") == (405 if "own" in path else 404)
    assert ran == []


def test_a_link_has_the_chain_of_its_place(tree):
    folder = tree(
        {
            "shared/middleware.py": tracer("shared"),
            "shared/route.py": OK,
            "shared/inner/route.py": OK,
            "b/middleware.py": tracer("b"),
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


def test_a_linked_file_is_executed_once(tree, capfd):
    code = "print('executed')\ndef middleware(id, call_next): return f'id {id}'\n"
    folder = tree({"[id]/middleware.py": code, "[id]/route.py": OK, "b/[id]/route.py": OK})
    (folder / "app/api/b/[id]/middleware.py").symlink_to("../../[id]/middleware.py")
    app = bare_app(folder)
    RouteHandlers(app)
    assert capfd.readouterr().out == "executed\n"
    assert app.test_client().get("/api/b/3").text == "id 3"


def test_a_linked_file_is_bound_in_each_folder(tree):
    code = "def middleware(id, call_next): return f'id {id}'\n"
    folder = tree({"[id]/middleware.py": code, "[id]/route.py": OK, "b/[id]/route.py": OK})
    (folder / "app/api/b/middleware.py").symlink_to("../[id]/middleware.py")
    [problem] = refused(bare_app(folder))
    assert problem.files == ("b/middleware.py",)
    assert problem.reason == (
        "middleware asks for 'id', a parameter of the deeper folder b/[id]: "
        "not every request here has it."
    )
