"""How documents are served: where, to whom, and how often they are made."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from flask_routehandlers import RouteHandlers
from tests.commands import CHECKOUT, invoke
from tests.openapi.support import (
    DOCUMENT,
    DOCUMENT_FILE,
    HANDLER,
    PAGE,
    PAGE_FILE,
    document_of,
)
from tests.support import bare_app, in_child, write_files

MADE = "routehandlers_openapi"


def test_a_document_covers_its_folder(make):
    app = make(
        {
            "x/route.py": HANDLER,
            "v1/openapi.json/route.py": DOCUMENT,
            "v1/a/route.py": HANDLER,
            "v1/route.py": HANDLER,
            "v10/a/route.py": HANDLER,
            "(admin)/v2/openapi.json/route.py": DOCUMENT,
            "(admin)/v2/b/route.py": HANDLER,
            "v2/c/route.py": HANDLER,
            "[tenant]/spec/route.py": DOCUMENT,
            "[tenant]/d/route.py": "def GET(tenant): ...",
        }
    )
    paths = {path: list(document_of(app, path)["paths"]) for path in (
        "/api/openapi.json", "/api/v1/openapi.json", "/api/v2/openapi.json", "/api/shop/spec"
    )}  # fmt: skip
    assert sorted(paths["/api/openapi.json"]) == [
        "/api/v1",
        "/api/v1/a",
        "/api/v10/a",
        "/api/v2/b",
        "/api/v2/c",
        "/api/x",
        "/api/{tenant}/d",
    ]
    assert paths["/api/v1/openapi.json"] == ["/api/v1", "/api/v1/a"]
    assert paths["/api/v2/openapi.json"] == ["/api/v2/b"]
    assert paths["/api/shop/spec"] == ["/api/{tenant}/d"]


def test_each_tree_has_its_document(tmp_path):
    files = {f"{root}/openapi.json/route.py": DOCUMENT for root in ("one", "two")}
    files |= {"one/a/route.py": HANDLER, "two/b/route.py": HANDLER}
    app = bare_app(write_files(tmp_path, files))
    RouteHandlers(app, "one", url_prefix="/1")
    RouteHandlers(app, "two", url_prefix="/2")
    assert list(document_of(app, "/1/openapi.json")["paths"]) == ["/1/a"]
    assert list(document_of(app, "/2/openapi.json")["paths"]) == ["/2/b"]


def test_the_defaults_are_those_of_the_app(describe):
    document = describe({"x/route.py": HANDLER})
    assert document["openapi"] == "3.1.1"
    assert document["info"] == {"title": "app_of_p0", "version": "0"}


@pytest.mark.parametrize(
    ("script_name", "url"), [("", "/"), ("/shop", "/shop"), ("/a/é b/", "/a/%C3%A9%20b")]
)
def test_the_server_is_where_the_app_is(make, script_name, url):
    app = make({"x/route.py": HANDLER})
    raw = script_name.encode().decode("latin-1")
    for _ in range(2):
        document = document_of(app, environ_overrides={"SCRIPT_NAME": raw})
        assert document["servers"] == [{"url": url}]
        assert list(document["paths"]) == ["/api/x"]


def test_a_document_is_made_once(make):
    app = make({PAGE_FILE: PAGE, "x/route.py": HANDLER})
    client = app.test_client()
    assert MADE not in app.extensions
    client.get("/api/docs")
    [made] = app.extensions[MADE].values()
    for script_name in ("", "/shop"):
        client.get("/api/openapi.json", environ_overrides={"SCRIPT_NAME": script_name})
    assert invoke(app, "openapi")[0] == 0
    [same] = app.extensions[MADE].values()
    assert same is made


def test_a_forked_process_makes_its_own(make):
    app = make({"x/route.py": HANDLER})

    def makes_document():
        return app.test_client().get("/api/openapi.json").status_code == 200

    assert in_child(makes_document)
    assert MADE not in app.extensions
    assert makes_document()
    assert in_child(makes_document)


def test_a_document_is_sorted_and_readable(make):
    app = make({"é/route.py": 'def GET():\n    "Ça va?"', "a/route.py": HANDLER})
    text = app.test_client().get("/api/openapi.json").get_data(as_text=True)
    document = json.loads(text)
    assert text == json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    assert '"summary": "Ça va?"' in text


def test_other_methods_are_those_of_any_route(make):
    client = make({"x/route.py": HANDLER}).test_client()
    assert client.head("/api/openapi.json").data == b""
    assert client.post("/api/openapi.json").status_code == 405
    assert client.options("/api/openapi.json").headers["Allow"] == "GET, HEAD, OPTIONS"


GUARD = "def middleware(call_next, token: Bearer): return call_next()"


def test_middleware_guards_a_document(make):
    app = make({"openapi.json/middleware.py": GUARD, "x/route.py": HANDLER})
    assert app.test_client().get("/api/openapi.json").status_code == 401
    document = document_of(app, headers={"Authorization": "Bearer x"})
    assert "security" not in document["paths"]["/api/x"]["get"]


def test_middleware_guards_everything_below(make):
    app = make({"middleware.py": GUARD, "x/route.py": HANDLER})
    assert app.test_client().get("/api/openapi.json").status_code == 401
    document = document_of(app, headers={"Authorization": "Bearer x"})
    assert document["paths"]["/api/x"]["get"]["security"] == [{"bearer": []}]


DECORATED = """
import functools
from flask_routehandlers.openapi import document
def logged(function):
    @functools.wraps(function)
    def wrapper():
        return function()
    return wrapper
GET = logged(document)
"""


def test_a_decorated_document_is_one(make):
    document = document_of(make({DOCUMENT_FILE: DECORATED, "x/route.py": HANDLER}))
    assert list(document["paths"]) == ["/api/x"]


@pytest.mark.parametrize(
    "config", ['dynamic = "force-static"', "revalidate = 60", "revalidate = False"]
)
def test_a_document_can_be_static(make, config):
    app = make({DOCUMENT_FILE: f"{DOCUMENT}\n{config}", "x/route.py": HANDLER})
    assert document_of(app)["servers"] == [{"url": "/"}]
    response = app.test_client().get("/api/openapi.json")
    assert "hit" in response.headers["Cache-Status"]


def test_a_static_server_is_the_application_root(make):
    static = f'{DOCUMENT}\ndynamic = "force-static"'
    app = make({DOCUMENT_FILE: static, "x/route.py": HANDLER}, APPLICATION_ROOT="/shop")
    assert document_of(app)["servers"] == [{"url": "/shop"}]


def test_a_static_document_is_exported(make, tmp_path):
    app = make({DOCUMENT_FILE: f'{DOCUMENT}\ndynamic = "force-static"', "x/route.py": HANDLER})
    assert invoke(app, "export", tmp_path / "out")[0] == 0
    exported = json.loads((tmp_path / "out/api/openapi.json").read_text())
    assert exported == document_of(app)


STATIC = """
dynamic = "force-static"
class Article(BaseModel):
    title: str
def GET(article, slug) -> Article | Gone:
    "Show an article."
"""

ARTICLE = """
openapi = {"article": {"x-loaded": True}}
def article(slug) -> str | Forbidden: ...
"""


def test_a_static_handler_is_described(describe):
    files = {"[slug]/dependencies.py": ARTICLE, "[slug]/route.py": STATIC}
    operation = describe(files)["paths"]["/api/{slug}"]["get"]
    assert operation["summary"] == "Show an article"
    assert sorted(operation["responses"]) == ["200", "403", "404", "410"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Article"}
    assert operation["x-loaded"] is True


def test_a_broken_route_spoils_no_document(tree):
    files = {DOCUMENT_FILE: DOCUMENT, "x/route.py": HANDLER, "broken/route.py": "1 / 0"}
    app = bare_app(tree(files))
    app.debug = True
    RouteHandlers(app)
    assert list(document_of(app)["paths"]) == ["/api/x"]


BOTH_LIBRARIES = """
class Model(BaseModel):
    a: int
class Struct(msgspec.Struct):
    b: int
def POST(model: Body[Model], page: Query[Annotated[int, msgspec.Meta(ge=1)]]) -> Struct: ...
"""


def test_both_libraries_are_in_one_document(describe):
    document = describe({"x/route.py": BOTH_LIBRARIES})
    assert {"Model", "Struct"} <= document["components"]["schemas"].keys()
    [parameter] = document["paths"]["/api/x"]["post"]["parameters"]
    assert parameter["schema"] == {"type": "integer", "minimum": 1}


UNPAID = """
import sys
from flask import Flask
from flask_routehandlers import RouteHandlers
app = Flask("x", root_path=sys.argv[1])
RouteHandlers(app)
assert app.test_client().get("/api/x").status_code == 200
packages = tuple(sys.argv[2].split(","))
loaded = [name for name in sys.modules if name.startswith(packages)]
print(*loaded)
"""


@pytest.mark.parametrize(
    ("code", "packages"),
    [
        ("", "flask_routehandlers.openapi,pydantic,msgspec,flask_swagger_ui"),
        ("openapi = {'tags': ['x']}\n", "pydantic,msgspec,flask_swagger_ui"),
    ],
)
def test_an_app_without_a_document_pays_nothing(tree, code, packages):
    folder = tree({"x/route.py": f"{code}def GET(): return ''"})
    done = subprocess.run(
        [sys.executable, "-c", UNPAID, folder, packages],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": CHECKOUT},
    )
    assert done.stdout.split() == []
