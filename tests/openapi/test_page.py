"""The page: its files, its policy, where it finds its document, and why it is refused."""

from __future__ import annotations

import re
from urllib.parse import urljoin

import pytest

from flask_routehandlers import RouteHandlers
from flask_routehandlers.openapi import checking
from tests.openapi.support import DOCUMENT, DOCUMENT_FILE, HANDLER, PAGE, PAGE_FILE
from tests.support import bare_app, refused

TITLE = '\nopenapi = {"info": {"title": "A <b>shop</b>", "version": "1"}}\n'


def assets(page):
    return re.findall(r'(?:src|href)="(?!data:)([^"]*)"', page)


@pytest.fixture
def client(make):
    return make(
        {PAGE_FILE: PAGE, "x/route.py": HANDLER, DOCUMENT_FILE: DOCUMENT + TITLE}
    ).test_client()


def test_the_page_names_its_files(client):
    response = client.get("/api/docs")
    assert response.mimetype == "text/html"
    assert "<title>A &lt;b&gt;shop&lt;/b&gt;</title>" in response.text
    files = ["./docs/swagger-ui.css", "./docs/swagger-ui-bundle.js", "./docs/init.js"]
    assert assets(response.text) == files
    types = [client.get(urljoin("/api/docs", file), buffered=True).mimetype for file in files]
    assert types == ["text/css", "text/javascript", "text/javascript"]


def test_nothing_in_the_page_is_inline(client):
    page = client.get("/api/docs").text
    assert re.findall(r"<script(?! src=)|<style|\son\w+=|javascript:", page) == []


def test_the_policy_allows_its_own_origin_only(client):
    policy = client.get("/api/docs").headers["Content-Security-Policy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def test_the_policy_allows_named_servers(make):
    servers = """
openapi = {"servers": [{"url": "https://shop.test/v1"}, {"url": "/here"}, {"x-none": 1}]}
"""
    app = make({PAGE_FILE: PAGE, DOCUMENT_FILE: DOCUMENT + servers})
    policy = app.test_client().get("/api/docs").headers["Content-Security-Policy"]
    assert "connect-src 'self' https://shop.test;" in policy


@pytest.mark.parametrize("file", ["", "/init.js", "/swagger-ui.css"])
def test_browsers_do_not_guess_types(client, file):
    response = client.get(f"/api/docs{file}", buffered=True)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "file", ["index.html", "../__init__.py", "swagger-ui.css/x", "swagger-ui.js", "a/init.js"]
)
def test_other_files_are_not_served(client, file):
    assert client.get(f"/api/docs/{file}").status_code == 404


def url_in(response):
    return re.search(r'url: "(.*)"', response.text)[1]


def test_the_page_shows_the_nearest_document(make):
    app = make(
        {
            PAGE_FILE: PAGE,
            "v1/openapi.json/route.py": DOCUMENT,
            "v1/docs/[[...asset]]/route.py": PAGE,
            "v2/(x)/docs/[[...asset]]/route.py": PAGE,
            "v3/docs/openapi.json/route.py": DOCUMENT,
            "v3/openapi.json/route.py": DOCUMENT,
            "v3/docs/page/[[...asset]]/route.py": PAGE,
        }
    )
    urls = {
        path: url_in(app.test_client().get(f"/api/{path}/init.js"))
        for path in ("docs", "v1/docs", "v2/docs", "v3/docs/page")
    }
    assert urls == {
        "docs": "/api/openapi.json",
        "v1/docs": "/api/v1/openapi.json",
        "v2/docs": "/api/openapi.json",
        "v3/docs/page": "/api/v3/docs/openapi.json",
    }


def test_the_page_follows_a_script_name(client):
    overrides = {"SCRIPT_NAME": "/shop"}
    page = client.get("/api/docs", environ_overrides=overrides).text
    assert assets(page)[-1] == "./docs/init.js"
    script = client.get("/api/docs/init.js", environ_overrides=overrides)
    assert url_in(script) == "/shop/api/openapi.json"


def test_parameters_above_are_those_of_the_page(tree):
    files = {
        "[tenant]/openapi.json/route.py": DOCUMENT,
        "[tenant]/[shop]/docs/[[...asset]]/route.py": PAGE,
    }
    app = bare_app(tree(files))
    RouteHandlers(app, url_prefix="/<lang>/api")
    client = app.test_client()
    assert client.get("/de/api/t/s/docs").status_code == 200
    assert url_in(client.get("/de/api/t/s/docs/init.js")) == "/de/api/t/openapi.json"


@pytest.mark.parametrize(
    ("folder", "path", "base"),
    [
        ("[[...asset]]", "/", "./"),
        ("docs/[[...asset]]", "/docs/", "./"),
        ("é docs/[[...asset]]", "/é docs", "./%C3%A9%20docs/"),
    ],
)
def test_the_page_may_have_another_place(tree, folder, path, base):
    app = bare_app(tree({DOCUMENT_FILE: DOCUMENT, f"{folder}/route.py": PAGE}))
    app.url_map.strict_slashes = False
    RouteHandlers(app, url_prefix="")
    page = app.test_client().get(path)
    assert assets(page.text)[-1] == f"{base}init.js"


GUARD = "def middleware(call_next, key: Annotated[str, Scheme(cookie='key')]): return call_next()"


def test_middleware_guards_the_page(make):
    client = make({"middleware.py": GUARD, PAGE_FILE: PAGE}).test_client()
    paths = ("/api/docs", "/api/docs/init.js", "/api/docs/swagger-ui.css")
    assert {client.get(path, buffered=True).status_code for path in paths} == {401}
    client.set_cookie("key", "x")
    assert {client.get(path, buffered=True).status_code for path in paths} == {200}


def test_a_page_needs_a_catch_all(refusal, make):
    assert refusal({"a/docs/route.py": PAGE}) == [
        (
            "docs serves the files of its page too, and needs an optional catch-all for them.",
            "Move the file to a/docs/[[...asset]]/route.py.",
            ("a/docs/route.py",),
        )
    ]
    assert make({"a/docs/[[...asset]]/route.py": PAGE})


def test_a_page_at_the_root_needs_one_too(refusal, make):
    [(_, hint, _)] = refusal({"route.py": PAGE})
    assert hint == "Move the file to [[...asset]]/route.py."
    assert make({"[[...asset]]/route.py": PAGE})


def test_a_page_needs_a_document(tree):
    [problem] = refused(bare_app(tree({"a/docs/[[...asset]]/route.py": PAGE})))
    assert problem.reason == "docs has no document to show."
    assert problem.hint == (
        "Run flask route-handlers new a/openapi.json --openapi, which writes one."
    )
    assert problem.files == ("a/docs/[[...asset]]/route.py",)


def test_a_document_below_is_not_shown(tree):
    files = {PAGE_FILE: PAGE, "v1/openapi.json/route.py": DOCUMENT}
    [problem] = refused(bare_app(tree(files)))
    assert problem.hint == "Run flask route-handlers new openapi.json --openapi, which writes one."


def test_a_page_needs_its_package(monkeypatch, refusal):
    monkeypatch.setattr(checking, "find_spec", lambda name: None)
    assert refusal({PAGE_FILE: PAGE}) == [
        (
            "docs needs Swagger UI, which is not installed.",
            'Install it: pip install "flask-swagger-ui".',
            (PAGE_FILE,),
        )
    ]
