"""``flask route-handlers new``: typed route files, and those of a document and its page."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from flask_routehandlers import RouteHandlers
from flask_routehandlers.handlers.exports import METHODS
from tests.commands import WSGI, flask_in_child, invoke
from tests.openapi.support import document_of
from tests.support import bare_app, write_files


@pytest.fixture
def new(tree, monkeypatch):
    """Run ``new`` for an app with one route; return the exit status and the output."""
    folder = tree({"x/route.py": "def GET() -> str: ..."})

    def run(*arguments):
        monkeypatch.chdir(folder)
        status, output, errors = invoke(app_in(folder), "new", *arguments)
        return status, output + errors

    run.folder = folder
    return run


def app_in(folder: Path):
    app = bare_app(folder)
    app.testing = True
    RouteHandlers(app)
    return app


TYPED = '''\
from typing import TypedDict

from flask_routehandlers import Body, Created, NoContent
from werkzeug.exceptions import NotFound


class Item(TypedDict):
    name: str


class Changes(TypedDict, total=False):
    name: str


def GET(id: int) -> Item | NotFound:
    """Answer GET /api/items/<int:id>."""
    return {"name": str(id)}


def POST(id: int, body: Body[Item]) -> Created[Item] | NotFound:
    """Answer POST /api/items/<int:id>."""
    return body, 201


def PATCH(id: int, body: Body[Changes]) -> Item | NotFound:
    """Answer PATCH /api/items/<int:id>."""
    return {"name": body.get("name", str(id))}


def DELETE(id: int) -> NoContent | NotFound:
    """Answer DELETE /api/items/<int:id>."""
    return "", 204
'''


def test_a_typed_route_file_in_full(new):
    methods = ("GET", "POST", "PATCH", "DELETE")
    status, output = new("items/[id=int]", *methods, "--typed")
    assert (status, output) == (
        0,
        "Created app/api/items/[id=int]/route.py\n"
        "URL      /api/items/<int:id>\n"
        'url_for  url_for("api./items/[id=int]", id=1)\n',
    )
    assert (new.folder / "app/api/items/[id=int]/route.py").read_text() == TYPED


@pytest.mark.parametrize("option", ["--typed", "--async"])
def test_a_typed_route_file_answers(new, option):
    new("items/[id=int]", *METHODS, "--typed", option)
    client = app_in(new.folder).test_client()
    url = "/api/items/3"
    assert client.get(url).json == {"name": "3"}
    response = client.post(url, json={"name": "a"})
    assert (response.status_code, response.json) == (201, {"name": "a"})
    assert client.put(url, json={"name": "b"}).json == {"name": "b"}
    assert client.open(url, method="QUERY", json={"name": "b"}).json == {"name": "b"}
    assert client.patch(url, json={}).json == {"name": "3"}
    assert client.patch(url, json={"name": "c"}).json == {"name": "c"}
    assert {client.open(url, method=m).status_code for m in ("DELETE", "OPTIONS")} == {204}
    assert client.post(url, json={"name": 3}).status_code == 422
    assert client.post(url, data="x").status_code == 415


def test_one_typed_method_has_what_it_needs(new):
    assert new("items", "--typed")[0] == 0
    assert (new.folder / "app/api/items/route.py").read_text() == (
        "from typing import TypedDict\n\n\n"
        "class Item(TypedDict):\n    name: str\n\n\n"
        'def GET() -> Item:\n    """Answer GET /api/items."""\n'
        '    return {"name": "example"}\n'
    )


def test_types_need_a_library(new, monkeypatch):
    module = import_module("flask_routehandlers.cli.new")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert new("items", "POST", "--typed") == (
        2,
        "Error: Typed bodies need pydantic, which is not installed.\n"
        'Install it: pip install "pydantic>=2.11".\n',
    )


@pytest.mark.ci
def test_a_typed_route_file_has_correct_types(tmp_path):
    pytest.importorskip("mypy")
    write_files(
        tmp_path, {"wsgi.py": WSGI, "app/api/route.py": "def GET() -> str:\n    return ''\n"}
    )
    command = ["route-handlers", "new"]
    for path in ("items", "items/[id=uuid]", "[...path]"):
        assert flask_in_child(tmp_path, *command, path, *METHODS, "--typed")[0] == 0
    status, output, errors = flask_in_child(tmp_path, "route-handlers", "typecheck", "--strict")
    assert status == 0, output + errors


DOCUMENT = """\
from flask_routehandlers.openapi import document

GET = document

openapi = {"info": {"title": "TITLE", "version": "0.1.0"}}
"""

PAGE = """\
from flask_routehandlers.openapi import docs

GET = docs
"""


def test_a_document_and_its_page_are_written(new):
    assert new("openapi.json", "--openapi") == (
        0,
        "Created app/api/openapi.json/route.py\n"
        "Created app/api/docs/[[...asset]]/route.py\n"
        "URL      /api/openapi.json\n"
        'url_for  url_for("api./openapi%2Ejson")\n',
    )
    root = new.folder / "app/api"
    app = app_in(new.folder)
    title = app.name
    assert (root / "openapi.json/route.py").read_text() == DOCUMENT.replace("TITLE", title)
    assert (root / "docs/[[...asset]]/route.py").read_text() == PAGE
    document = document_of(app)
    assert document["info"] == {"title": title, "version": "0.1.0"}
    assert list(document["paths"]) == ["/api/x"]
    assert app.test_client().get("/api/docs").status_code == 200
    assert invoke(app, "check")[0] == 0


def test_a_document_below_has_its_own_page(new):
    assert new("openapi.json", "--openapi")[0] == 0
    status, output = new("v1/spec", "--openapi", "--middleware")
    assert status == 0
    assert output.startswith(
        "Created app/api/v1/spec/middleware.py\n"
        "Created app/api/v1/spec/route.py\n"
        "Created app/api/v1/docs/[[...asset]]/route.py\n"
    )
    script = app_in(new.folder).test_client().get("/api/v1/docs/init.js").text
    assert '"/api/v1/spec"' in script


@pytest.mark.parametrize("path", [".", "route.py"])
def test_a_document_can_be_at_the_root(new, path):
    assert new(path, "--openapi")[0] == 0
    assert list(document_of(app_in(new.folder), "/api")["paths"]) == ["/api/x"]
    assert app_in(new.folder).test_client().get("/api/docs").status_code == 200


def test_a_page_is_written_alone(new):
    new("spec", "--openapi")
    status, output = new("pages/[[...file]]", "--openapi")
    assert (status, output.splitlines()[0]) == (0, "Created app/api/pages/[[...file]]/route.py")
    assert (new.folder / "app/api/pages/[[...file]]/route.py").read_text() == PAGE
    assert app_in(new.folder).test_client().get("/api/pages").status_code == 200


def test_another_page_of_that_name_is_kept(new):
    write_files(new.folder, {"app/api/docs/route.py": "def GET() -> str: ..."})
    status, output = new("openapi.json", "--openapi")
    assert status == 0
    assert output.endswith("\ndocs/ exists, so no page is written.\n")
    assert not (new.folder / "app/api/docs/[[...asset]]").exists()


def test_a_page_needs_its_package(new, monkeypatch):
    module = import_module("flask_routehandlers.cli.new")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    status, output = new("v1/openapi.json", "--openapi")
    assert status == 0
    assert output.endswith(
        '\nA page needs Swagger UI. Install it: pip install "flask-swagger-ui". Then run '
        "`flask route-handlers new 'v1/docs/[[...asset]]' --openapi`.\n"
    )
    assert not (new.folder / "app/api/v1/docs").exists()
    assert new("v1/docs/[[...asset]]", "--openapi")[0] == 0
    assert app_in(new.folder).test_client().get("/api/v1/docs").status_code == 200


@pytest.mark.parametrize("others", [["GET"], ["--typed"], ["--async"], ["POST", "--typed"]])
def test_other_options_exclude_a_document(new, others):
    status, output = new("openapi.json", *others, "--openapi")
    assert status == 2
    assert output.endswith(
        "Error: Use --openapi without METHODS, --async, --dependencies and --typed.\n"
    )
    assert not (new.folder / "app/api/openapi.json").exists()


def test_nothing_is_overwritten(new):
    assert new("openapi.json", "--openapi")[0] == 0
    status, output = new("openapi.json", "--openapi")
    assert status == 2
    file = "app/api/openapi.json/route.py"
    assert output == f"Error: Nothing is written: File exists: {file}.\n"


def test_a_refused_page_can_be_given_a_document(tree, monkeypatch):
    """The hint of a page without a document works before the app starts."""
    folder = tree({"v1/docs/[[...asset]]/route.py": PAGE})
    monkeypatch.chdir(folder)
    write_files(folder, {"wsgi.py": WSGI})
    command = ["route-handlers", "new", "v1/openapi.json", "--openapi"]
    status, output, errors = flask_in_child(folder, *command)
    assert status == 0, output + errors
    assert app_in(folder).test_client().get("/api/v1/docs").status_code == 200
