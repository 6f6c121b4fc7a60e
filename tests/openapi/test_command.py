"""``flask route-handlers openapi``: print, write and compare documents."""

from __future__ import annotations

import json

import pytest

from flask_routehandlers import RouteHandlers
from flask_routehandlers.openapi.differences import find_differences
from tests.commands import invoke
from tests.openapi.support import DOCUMENT, DOCUMENT_FILE, HANDLER, document_of
from tests.pages import DOCS, blocks
from tests.support import bare_app, write_files

ITEMS = """
class Item(BaseModel):
    name: str
def GET(limit: Query[int] = 3) -> list[Item]: ...
"""

INFO = 'openapi = {"info": {"title": "Shop", "version": "1.0"}}'

FILES = {"items/route.py": ITEMS, DOCUMENT_FILE: f"{DOCUMENT}\n{INFO}"}


@pytest.fixture
def file(tmp_path, make):
    """The path of a file with the document of ``FILES``."""
    path = tmp_path / "openapi.json"
    assert invoke(make(FILES), "openapi", "-o", path)[0] == 0
    return path


def test_the_document_is_printed(make):
    app = make(FILES)
    status, output, errors = invoke(app, "openapi")
    assert (status, errors) == (0, "")
    document = document_of(app)
    assert document["servers"] == [{"url": "/"}]
    assert json.loads(output) == document
    assert output == json.dumps(document, indent=2, sort_keys=True) + "\n"


def test_the_server_is_the_application_root(make):
    document = json.loads(invoke(make(FILES, APPLICATION_ROOT="/shop"), "openapi")[1])
    assert document["servers"] == [{"url": "/shop"}]


def test_named_servers_are_printed(make):
    servers = 'openapi = {"servers": [{"url": "https://shop.test"}]}'
    app = make({**FILES, DOCUMENT_FILE: f"{DOCUMENT}\n{servers}"})
    document = json.loads(invoke(app, "openapi")[1])
    assert document["servers"] == [{"url": "https://shop.test"}]


def test_the_document_is_written(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    app = make({"x/route.py": 'def GET():\n    "Ça va?"'})
    assert invoke(app, "openapi", "-o", "out.json") == (0, "Wrote out.json\n", "")
    written = (tmp_path / "out.json").read_bytes().decode()
    assert written == invoke(app, "openapi")[1]
    assert "Ça va?" in written


def test_a_file_that_cannot_be_written_is_named(make, tmp_path):
    file = tmp_path / "missing/out.json"
    status, output, errors = invoke(make(FILES), "openapi", "-o", file)
    assert (status, output) == (2, "")
    assert errors == f"Error: Nothing is written: No such file or directory: {file}.\n"


def test_one_of_several_documents_is_named(make):
    app = make({"v1/openapi.json/route.py": DOCUMENT, "v1/x/route.py": HANDLER, **FILES})
    assert invoke(app, "openapi") == (
        2,
        "",
        "Error: The app has 2 documents: /api/openapi.json, /api/v1/openapi.json.\n"
        "Name one of them.\n",
    )
    status, output, _ = invoke(app, "openapi", "/api/v1/openapi.json")
    assert status == 0
    assert list(json.loads(output)["paths"]) == ["/api/v1/x"]


def test_an_unknown_document_is_an_error(make, make_app):
    assert invoke(make(FILES), "openapi", "/openapi.json") == (
        2,
        "",
        "Error: The app has no document at /openapi.json.\nIt has /api/openapi.json.\n",
    )
    assert invoke(make_app({"x/route.py": HANDLER}), "openapi", "/openapi.json") == (
        2,
        "",
        "Error: The app has no document at /openapi.json.\n"
        "Run `flask route-handlers new openapi.json --openapi`, which writes one.\n",
    )


def test_an_app_without_a_document_has_one_here(make_app):
    app = make_app({"x/route.py": HANDLER, "y/[id]/route.py": "def GET(id): ..."})
    status, output, _ = invoke(app, "openapi")
    assert status == 0
    assert list(json.loads(output)["paths"]) == ["/api/x", "/api/y/{id}"]
    assert app.test_client().get("/api/openapi.json").status_code == 404


def test_operations_of_one_name_have_no_document(make_app):
    app = make_app({"a.b/route.py": HANDLER, "a/b/route.py": HANDLER})
    assert invoke(app, "openapi") == (
        2,
        "",
        "Error: GET /api/a/b and GET /api/a.b have the same operationId, getAB.\n"
        'Give one of them another: openapi = {"GET": {"operationId": "..."}}.\n',
    )


def test_several_trees_need_a_document(tmp_path):
    app = bare_app(write_files(tmp_path, {"a/x/route.py": HANDLER, "b/x/route.py": HANDLER}))
    RouteHandlers(app, "a", url_prefix="/a")
    RouteHandlers(app, "b", url_prefix="/b")
    assert invoke(app, "openapi") == (
        2,
        "",
        "Error: The app has 2 trees, and no document.\n"
        "Run `flask route-handlers new openapi.json --openapi`, which writes one.\n",
    )


def test_an_unchanged_document_passes(make, file):
    assert invoke(make(FILES), "openapi", "--check", file) == (0, "", "")


def test_the_name_of_the_server_does_not_matter(make, file):
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "servers": [{"url": "/elsewhere"}]}))
    assert invoke(make(FILES), "openapi", "--check", file)[0] == 0


CHANGED = """
class Thing(BaseModel):
    name: int
def GET(page: Query[int] = 3) -> Created[list[Thing]]: ...
"""


def test_each_change_is_a_line(make, file):
    status, output, errors = invoke(
        make({**FILES, "items/route.py": CHANGED}), "openapi", "--check", file
    )
    assert (status, errors) == (1, "")
    assert output.splitlines() == [
        "breaking: GET /api/items: query parameter limit removed",
        "compatible: GET /api/items: query parameter page added",
        "breaking: GET /api/items: response 200 removed",
        "compatible: GET /api/items: response 201 added",
        "breaking: schema Item: removed",
        "compatible: schema Thing: added",
    ]


def test_a_change_that_breaks_nothing_fails_too(make, file):
    code = ITEMS.replace("...", '"List items."')
    status, output, _ = invoke(make({**FILES, "items/route.py": code}), "openapi", "--check", file)
    assert status == 1
    assert output == "compatible: GET /api/items: summary changed\n"


def test_control_characters_are_not_printed(make, file):
    document = json.loads(file.read_text())
    document["paths"]["/\x1b[31m"] = {"get": {}}
    file.write_text(json.dumps(document))
    output = invoke(make(FILES), "openapi", "--check", file)[1]
    assert "breaking: GET /\\x1b[31m: removed\n" in output


UNREADABLE = {
    "[": "{file} is not a JSON document: Expecting value: line 1 column 2 (char 1).",
    "[]": "{file} is not an OpenAPI document.",
    '{"openapi": "3.1.1"}': "{file} is not an OpenAPI document.",
}


@pytest.mark.parametrize("content", UNREADABLE)
def test_another_file_is_no_document(make, tmp_path, content):
    file = tmp_path / "x.json"
    file.write_text(content)
    status, output, errors = invoke(make(FILES), "openapi", "--check", file)
    assert (status, output) == (2, "")
    assert errors == f"Error: {UNREADABLE[content].format(file=file)}\n"


def test_a_missing_file_has_to_be_written_first(make, tmp_path):
    file = tmp_path / "openapi.json"
    app = make(FILES)
    assert invoke(app, "openapi", "--check", file) == (
        2,
        "",
        f"Error: There is nothing to compare with: No such file or directory: {file}.\n"
        f"Run `flask route-handlers openapi -o {file}` first.\n",
    )
    assert invoke(app, "openapi", "-o", file)[0] == 0
    assert invoke(app, "openapi", "--check", file)[0] == 0


def test_writing_and_comparing_exclude_each_other(make, file):
    status, _, errors = invoke(make(FILES), "openapi", "-o", file, "--check", file)
    assert status == 2
    assert errors.endswith("Error: Use --check or --output, not both.\n")


def test_the_page_shows_the_differences(make):
    shown = [block for block in blocks(DOCS / "openapi.md") if "/notes/" in (block.file or "")]
    document = f"{DOCUMENT}\n{INFO}"
    earlier, later = (
        document_of(make({"notes/[id=int]/route.py": block.text, DOCUMENT_FILE: document}))
        for block in shown
    )
    lines = [str(difference) for difference in find_differences(earlier, later)]
    texts = [block.text for block in blocks(DOCS / "openapi.md") if block.kind == "text"]
    assert "\n".join(lines) in texts
