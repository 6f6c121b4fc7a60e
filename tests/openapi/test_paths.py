"""Paths, their parameters, and what an operation is called."""

from __future__ import annotations

import pytest
from werkzeug.routing import BaseConverter, IntegerConverter

from flask_routehandlers import RouteHandlers
from tests.openapi.support import DOCUMENT, DOCUMENT_FILE, HANDLER, document_of
from tests.support import bare_app

STRING = {"type": "string", "minLength": 1}

REST = "One segment or more, with the slashes between them."


def ids(document):
    return {
        f"{method.upper()} {path}": operation["operationId"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_ids_are_of_methods_and_folders(describe):
    document = describe(
        {
            "route.py": HANDLER,
            "articles/route.py": "def GET(): ...\ndef POST(): ...",
            "articles/[slug]/route.py": "def DELETE(slug): ...",
            "articles/[slug]/comments/[id=int]/route.py": "def PATCH(slug, id): ...",
            "(admin)/users-online/route.py": HANDLER,
            "me/avatar/route.py": "def PUT(): ...",
            "report-[year=int].csv/route.py": "def GET(year): ...",
            "files/[...path]/route.py": "def GET(path): ...",
            "pages/[[...path]]/route.py": "def GET(path): ...",
            ".well-known/thing_2/route.py": HANDLER,
        }
    )
    assert ids(document) == {
        "GET /api": "get",
        "GET /api/articles": "getArticles",
        "POST /api/articles": "postArticles",
        "DELETE /api/articles/{slug}": "deleteArticlesBySlug",
        "PATCH /api/articles/{slug}/comments/{id}": "patchArticlesBySlugCommentsById",
        "GET /api/users-online": "getUsersOnline",
        "PUT /api/me/avatar": "putMeAvatar",
        "GET /api/report-{year}.csv": "getReportByYearCsv",
        "GET /api/files/{path}": "getFilesByPath",
        "GET /api/pages": "getPages",
        "GET /api/pages/{path}": "getPagesByPath",
        "GET /api/.well-known/thing_2": "getWellKnownThing2",
    }


def test_equal_ids_are_spelled_in_full(describe):
    document = describe(
        {
            "articles/by-slug/route.py": HANDLER,
            "articles/[slug]/route.py": "def GET(slug): ...",
            "users/[id]/route.py": "def GET(id): ...",
        }
    )
    assert ids(document) == {
        "GET /api/articles/by-slug": "getArticlesBySlug",
        "GET /api/articles/{slug}": "getArticlesBySlugParam",
        "GET /api/users/{id}": "getUsersById",
    }


def test_a_hidden_operation_has_no_id(describe):
    document = describe(
        {
            "articles/by-slug/route.py": f"openapi = False\n{HANDLER}",
            "articles/[slug]/route.py": "def GET(slug): ...",
        }
    )
    assert ids(document) == {"GET /api/articles/{slug}": "getArticlesBySlug"}


EQUAL = {"a.b/route.py": HANDLER, "a/b/route.py": HANDLER}

IS_EQUAL = (
    "GET /api/a/b and GET /api/a.b have the same operationId, getAB.",
    'Give one of them another: openapi = {"GET": {"operationId": "..."}}.',
    ("a/b/route.py", "a.b/route.py"),
)


def test_ids_that_are_still_equal_are_refused(refusal, describe):
    assert refusal(EQUAL) == [IS_EQUAL]
    patch = 'openapi = {"GET": {"operationId": "getDotted"}}\n'
    document = describe({**EQUAL, "a.b/route.py": patch + HANDLER})
    assert set(ids(document).values()) == {"getDotted", "getAB"}


def test_a_patch_can_make_ids_equal(refusal):
    patch = 'openapi = {"operationId": "getY"}\n'
    [(reason, _, files)] = refusal({"x/route.py": patch + HANDLER, "y/route.py": HANDLER})
    assert reason == "GET /api/x and GET /api/y have the same operationId, getY."
    assert files == ("x/route.py", "y/route.py")


def test_without_an_id_nothing_is_equal(describe):
    patch = 'openapi = {"operationId": None}\n'
    document = describe(dict.fromkeys(EQUAL, patch + HANDLER))
    assert "operationId" not in document["paths"]["/api/a.b"]["get"]


def test_equal_ids_matter_only_in_a_document(make_app):
    app = make_app(EQUAL)
    assert app.test_client().get("/api/a.b").status_code == 500  # it returns None


def test_tags_are_outermost_folders(describe):
    document = describe(
        {
            "route.py": f'__doc__ = "The whole API."\n{HANDLER}',
            "articles/route.py": f'__doc__ = """Articles.\n\nAnd more."""\n{HANDLER}',
            "articles/[slug]/comments/route.py": "def GET(slug): ...",
            "(admin)/users/route.py": HANDLER,
            "[tenant]/shops/route.py": "def GET(tenant): ...",
            "[tenant]/route.py": "def GET(tenant): ...",
        }
    )
    tags = {path: item["get"]["tags"] for path, item in document["paths"].items()}
    assert tags == {
        "/api": ["api"],
        "/api/articles": ["articles"],
        "/api/articles/{slug}/comments": ["articles"],
        "/api/users": ["admin"],
        "/api/{tenant}/shops": ["shops"],
        "/api/{tenant}": ["api"],
    }
    assert document["tags"] == [
        {"name": "admin"},
        {"name": "api", "description": "The whole API."},
        {"name": "articles", "description": "Articles.\n\nAnd more."},
        {"name": "shops"},
    ]


def test_tags_begin_below_the_document(make):
    app = make(
        {"v1/openapi.json/route.py": DOCUMENT, "v1/users/[id]/route.py": "def GET(id): ..."}
    )
    document = document_of(app, "/api/v1/openapi.json")
    assert document["tags"] == [{"name": "users"}]


def test_a_patched_tag_is_listed(describe):
    document = describe({"x/route.py": f'openapi = {{"tags": ["shop"]}}\n{HANDLER}'})
    assert document["tags"] == [{"name": "shop"}]


def test_docstrings_are_summaries(describe):
    code = '''
def GET():
    """List articles.

    The newest
    first.
    """
def POST():
    "Write an article"
def PUT(): ...
'''
    item = describe({"x/route.py": code})["paths"]["/api/x"]
    assert item["get"]["summary"] == "List articles"
    assert item["get"]["description"] == "The newest\nfirst."
    assert item["post"]["summary"] == "Write an article"
    assert item["put"]["summary"] == "PUT /api/x"
    assert "description" not in item["post"].keys() | item["put"].keys()


CALLABLES = '''
import functools
def base(request, size):
    """Do it."""
GET = functools.partial(base, size=3)
class Handler:
    """Say nothing here."""
    def __call__(self):
        """Call it."""
POST = Handler()
def decorated(f):
    @functools.wraps(f)
    def wrapper(**values):
        return f(**values)
    return wrapper
@decorated
def PUT(body: Body[int]) -> dict[str, int]:
    """Wrap it."""
'''


def test_any_callable_has_its_docstring(describe):
    item = describe({"x/route.py": CALLABLES})["paths"]["/api/x"]
    summaries = [item[method]["summary"] for method in ("get", "post", "put")]
    assert summaries == ["Do it", "Call it", "Wrap it"]
    assert "requestBody" in item["put"]


def parameters(document):
    [path] = document["paths"].values()
    return path["parameters"]


CONVERTERS = {
    "[slug]": STRING,
    "[id=int]": {"type": "integer", "minimum": 0},
    "[id=float]": {"type": "number", "minimum": 0},
    "[id=uuid]": {"type": "string", "format": "uuid"},
    "[id=string]": STRING,
}


@pytest.mark.parametrize("folder", CONVERTERS)
def test_converters_say_what_they_accept(describe, folder):
    document = describe({f"{folder}/route.py": "def GET(params): ..."})
    name = folder.strip("[]").partition("=")[0]
    expected = {"name": name, "in": "path", "required": True, "schema": CONVERTERS[folder]}
    assert parameters(document) == [expected]


class Hexadecimal(BaseConverter):
    regex = "[0-9a-f]+"
    openapi = {"type": "string", "pattern": "^[0-9a-f]+$"}  # noqa: RUF012


class Year(IntegerConverter):
    def __init__(self, url_map):
        super().__init__(url_map, min=1900, max=2100, signed=True)


class Signed(IntegerConverter):
    def __init__(self, url_map):
        super().__init__(url_map, signed=True)


class Other(BaseConverter):
    openapi = None


OWN = {
    Hexadecimal: {"type": "string", "pattern": "^[0-9a-f]+$"},
    Year: {"type": "integer", "minimum": 1900, "maximum": 2100},
    Signed: {"type": "integer"},
    Other: STRING,
}


@pytest.mark.parametrize("converter", OWN)
def test_own_converters_say_what_they_accept(tree, converter):
    app = bare_app(tree({DOCUMENT_FILE: DOCUMENT, "[x=own]/route.py": "def GET(x): ..."}))
    app.url_map.converters["own"] = converter
    RouteHandlers(app)
    [parameter] = parameters(document_of(app))
    assert parameter["schema"] == OWN[converter]


def test_a_catch_all_explains_itself(describe):
    document = describe({"files/[...path]/route.py": "def GET(path): ..."})
    expected = {"name": "path", "in": "path", "required": True, "schema": STRING}
    assert parameters(document) == [{**expected, "description": REST}]


def test_an_optional_catch_all_has_two_paths(describe):
    document = describe({"pages/[[...path]]/route.py": "def GET(path): ..."})
    assert list(document["paths"]) == ["/api/pages", "/api/pages/{path}"]
    assert "parameters" not in document["paths"]["/api/pages"]
    assert document["paths"]["/api/pages/{path}"]["parameters"][0]["name"] == "path"


def test_a_path_without_prefix_is_a_slash(tree):
    app = bare_app(tree({DOCUMENT_FILE: DOCUMENT, "route.py": HANDLER}))
    RouteHandlers(app, url_prefix="")
    assert list(document_of(app, "/openapi.json")["paths"]) == ["/"]


def test_a_prefix_has_parameters_too(tree):
    app = bare_app(tree({DOCUMENT_FILE: DOCUMENT, "x/[id=int]/route.py": "def GET(params): ..."}))
    RouteHandlers(app, url_prefix="/<any(en, de):lang>/é/<int(max=9):shop>")
    document = document_of(app, "/de/é/3/openapi.json")
    assert list(document["paths"]) == ["/{lang}/%C3%A9/{shop}/x/{id}"]
    schemas = {parameter["name"]: parameter["schema"] for parameter in parameters(document)}
    assert schemas == {
        "lang": {"type": "string", "enum": ["de", "en"]},
        "shop": {"type": "integer", "minimum": 0, "maximum": 9},
        "id": {"type": "integer", "minimum": 0},
    }


def test_literal_text_is_percent_encoded(describe):
    document = describe({"a b/é-[id].{x}/route.py": "def GET(id): ..."})
    assert list(document["paths"]) == ["/api/a%20b/%C3%A9-{id}.%7Bx%7D"]


def test_query_has_no_place_in_the_document(describe):
    document = describe({"x/route.py": "def QUERY(): ...\ndef HEAD(): ...\ndef OPTIONS(): ..."})
    assert sorted(document["paths"]["/api/x"]) == ["head", "options"]
