"""Responses: what a signature declares, and what a route answers by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict

import msgspec
import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from werkzeug.exceptions import Conflict, HTTPException, NotFound

from flask_routehandlers import InvalidRequest, RouteHandlers
from flask_routehandlers.contracts import libraries
from tests.openapi.support import DOCUMENT, DOCUMENT_FILE, document_of
from tests.support import bare_app

ARTICLE = "class Article(BaseModel):\n    title: str\n"
REFERENCE = {"$ref": "#/components/schemas/Article"}
PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
INVALID = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/InvalidRequest"}}}
STRING = {"schema": {"type": "string"}}


def json(schema):
    return {"application/json": {"schema": schema}}


ANSWERS = {
    "Article": {"200": json(REFERENCE)},
    "list[Article]": {"200": json({"type": "array", "items": REFERENCE})},
    "Article | list[int]": {
        "200": json({"anyOf": [REFERENCE, {"type": "array", "items": {"type": "integer"}}]})
    },
    "Created[Article]": {"201": json(REFERENCE)},
    "NoContent": {"204": None},
    "Article | tuple[Article, Literal[202]] | NoContent": {
        "200": json(REFERENCE),
        "202": json(REFERENCE),
        "204": None,
    },
    "tuple[Article, Literal[200, 201]]": {"200": json(REFERENCE), "201": json(REFERENCE)},
    "tuple[Article, int]": {"2XX": json(REFERENCE)},
    "tuple[Article, Literal[299]]": {"299": json(REFERENCE)},
    "Article | Response": {"200": json(REFERENCE), "2XX": None},
    "Article | NotFound": {"200": json(REFERENCE), "404": PROBLEM},
    "Any | Conflict": {"2XX": None, "409": PROBLEM},
    "str | Gone": {"200": {"text/html": STRING}, "410": PROBLEM},
    "bytes | Gone": {"200": {"application/octet-stream": STRING}, "410": PROBLEM},
    "Iterator[bytes] | Gone": {"200": {"text/html": STRING}, "410": PROBLEM},
    "str": {"200": {"text/html": STRING}},
    "bytes": {"200": {"text/html": STRING}},
    "Iterator[str]": {"200": {"text/html": STRING}},
    "tuple[Iterator[str], dict[str, str]]": {"200": {"*/*": STRING}},
    "tuple[str, Literal[201], list[tuple[str, str]]]": {"201": {"*/*": STRING}},
    "dict[str, int]": {
        "200": json({"type": "object", "additionalProperties": {"type": "integer"}})
    },
    "tuple[dict[str, int], int]": {
        "2XX": json({"type": "object", "additionalProperties": {"type": "integer"}})
    },
    "dict": {"2XX": None},
    "Response": {"2XX": None},
    "ResponseReturnValue": {"2XX": None},
    "'Unknown'": {"2XX": None},
    "None": {"2XX": None},
    "Literal['yes', 'no']": {"200": {"text/html": STRING}},
}


def contents(operation):
    return {status: response.get("content") for status, response in operation["responses"].items()}


@pytest.mark.parametrize("annotation", ANSWERS)
def test_a_return_annotation_declares_answers(operation, annotation):
    code = "from flask import Response\nfrom flask.typing import ResponseReturnValue\n"
    described = operation(f"{code}{ARTICLE}def POST() -> {annotation}: ...")
    assert contents(described) == ANSWERS[annotation]


def test_no_annotation_declares_nothing(operation):
    assert operation("def GET(): ...")["responses"] == {"2XX": {"description": "Success"}}


def test_statuses_have_their_phrases(operation):
    described = operation(f"{ARTICLE}def POST() -> Created[Article] | NoContent | Gone: ...")
    descriptions = {s: response["description"] for s, response in described["responses"].items()}
    assert descriptions == {"201": "Created", "204": "No Content", "410": "Gone"}


HEADERS = """
class Paged(TypedDict):
    Link: str
    total: NotRequired[Annotated[int, Field(ge=0)]]
class Csv(TypedDict("Csv", {"Content-Type": Literal["text/csv; charset=utf-8"]})):
    pass
class Plain(TypedDict("Csv", {"Content-Type": str})):
    pass
def GET() -> tuple[list[int], Literal[200], Paged]: ...
def POST() -> tuple[str, Literal[201], Csv]: ...
def PUT() -> tuple[str, Literal[201], Plain]: ...
def PATCH() -> tuple[list[int], dict[str, str]]: ...
"""


def test_headers_are_those_of_a_typed_dict(describe):
    item = describe({"x/route.py": HEADERS})["paths"]["/api/x"]
    assert item["get"]["responses"]["200"]["headers"] == {
        "Link": {"schema": {"type": "string"}, "required": True},
        "total": {"schema": {"type": "integer", "minimum": 0}},
    }
    assert "headers" not in item["patch"]["responses"]["200"]


def test_a_header_without_a_schema_is_listed_with_the_others(operation):
    code = """
class Headers(TypedDict):
    Location: Annotated[str, Field(alias="place", title="Where")]
    Vary: 'NotRequired[HeaderSet]'
def GET() -> tuple[str, Literal[201], Headers]: ...
"""
    described = operation(f"from werkzeug.datastructures import HeaderSet{code}")
    response = described["responses"]["201"]
    assert response["headers"] == {
        "Location": {"schema": {"type": "string", "title": "Where"}, "required": True},
        "Vary": {"schema": {}},
    }
    assert response["content"] == {"text/html": STRING}


def test_headers_are_known_without_a_library(describe, monkeypatch):
    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    item = describe({"x/route.py": HEADERS})["paths"]["/api/x"]
    assert item["get"]["responses"]["200"]["headers"] == {
        "Link": {"schema": {}, "required": True},
        "total": {"schema": {}},
    }
    assert item["post"]["responses"]["201"]["content"] == {"text/csv; charset=utf-8": STRING}


def test_a_type_of_headers_takes_no_name_from_a_schema(describe):
    headers = "class Page(TypedDict):\n    Link: str\n"
    document = describe(
        {
            "a/route.py": headers + "def GET() -> tuple[str, Literal[201], Page]: ...",
            "b/route.py": "class Page(BaseModel):\n    n: int\ndef GET() -> Page: ...",
        }
    )
    assert [*document["components"]["schemas"]] == ["Page"]


def test_headers_that_only_type_checkers_can_read_are_left_out(operation):
    headers = "class Headers(TypedDict):\n    Link: 'Unknown'\n"
    described = operation(f"{headers}def GET() -> tuple[str, Literal[201], Headers]: ...")
    assert described["responses"]["201"] == {"description": "Created", "content": {"*/*": STRING}}


def test_a_content_type_is_a_media_type(describe):
    item = describe({"x/route.py": HEADERS})["paths"]["/api/x"]
    response = item["post"]["responses"]["201"]
    assert response == {
        "description": "Created",
        "content": {"text/csv; charset=utf-8": STRING},
    }
    assert list(item["put"]["responses"]["201"]["content"]) == ["*/*"]


def test_text_has_the_media_type_of_the_app(tree):
    app = bare_app(tree({DOCUMENT_FILE: DOCUMENT, "x/route.py": "def GET() -> str: ..."}))

    class Response(app.response_class):
        default_mimetype = "text/plain"

    app.response_class = Response
    RouteHandlers(app)
    operation = document_of(app)["paths"]["/api/x"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/plain"]


ERRORS = """
class OutOfStock(Conflict):
    '''Nothing is
    left.

    Not even one.
    '''
class Sold(Conflict):
    pass
def POST() -> NoContent | OutOfStock | Sold | Conflict | NotFound: ...
def PUT() -> NoContent | Sold: ...
"""


def test_a_docstring_describes_an_error(describe):
    item = describe({"x/[id]/route.py": ERRORS.replace("()", "(id)")})["paths"]["/api/x/{id}"]
    responses = item["post"]["responses"]
    assert responses["409"] == {"description": "Nothing is left.", "content": PROBLEM}
    assert responses["404"]["description"] == "Not Found"
    assert item["put"]["responses"]["409"]["description"] == "Conflict"


BY_THEMSELVES = {
    "GET()": [],
    "GET(a: Query[int] = 1)": ["422"],
    "GET(a: Header[str])": ["422"],
    "GET(a: Bearer)": ["401"],
    "GET(a: Bearer | None = None)": ["401"],
    "GET(a: Bearer, b: Cookie[str])": ["401", "422"],
    "POST(a: Body[int])": ["400", "415", "422"],
    "POST(a: Body[int] = 3)": ["400", "415", "422"],
    "POST(a: Body[bytes])": [],
    "POST(a: Form[int])": ["413", "415", "422"],
    "POST(a: Form[int] = 3)": ["413", "422"],
    "POST(a: Form[FileStorage])": ["413", "415", "422"],
}


def errors_of(operation):
    return sorted(set(operation["responses"]) - {"2XX"})


@pytest.mark.parametrize("signature", BY_THEMSELVES)
def test_errors_that_happen_by_themselves(operation, signature):
    described = operation(f"def {signature}: ...")
    assert errors_of(described) == BY_THEMSELVES[signature]
    for code in errors_of(described):
        invalid = INVALID if code == "422" else PROBLEM
        assert described["responses"][code]["content"] == invalid


def test_a_parameter_of_the_path_may_be_unknown(describe):
    document = describe({"x/[id]/route.py": "def GET(id): ...", "y/route.py": "def GET(): ..."})
    assert errors_of(document["paths"]["/api/x/{id}"]["get"]) == ["404"]
    assert errors_of(document["paths"]["/api/y"]["get"]) == []


def test_a_limit_of_the_body_is_an_answer(operation):
    limits = {"MAX_FORM_MEMORY_SIZE": None, "MAX_FORM_PARTS": None}
    assert "413" not in operation("def POST(a: Form[int]): ...", **limits)["responses"]
    described = operation("def POST(a: Body[bytes]): ...", MAX_CONTENT_LENGTH=10)
    assert errors_of(described) == ["413"]
    assert (
        "413" not in operation("def GET(a: Query[int]): ...", MAX_CONTENT_LENGTH=10)["responses"]
    )


def test_the_status_of_invalid_requests_is_a_setting(operation):
    described = operation("def POST(a: Body[int]): ...", ROUTE_HANDLERS_INVALID_STATUS=400)
    assert errors_of(described) == ["400", "415"]
    schema = described["responses"]["400"]["content"]["application/problem+json"]["schema"]
    references = [INVALID, PROBLEM]
    assert schema == {"anyOf": [each["application/problem+json"]["schema"] for each in references]}
    assert described["responses"]["400"]["description"] == "Values in the request are not valid."


WAY = {
    "y/middleware.py": """
def middleware(call_next, token: Bearer) -> Any | Forbidden | ValueError:
    return call_next()
""",
    "y/dependencies.py": """
def db() -> Iterator[int | Conflict]:
    yield 1
def user(db) -> str | Unauthorized | Gone | ValueError: ...
def unused() -> str | HTTPException: ...
""",
    "y/route.py": "def GET(user) -> str | NotFound: ...\ndef POST() -> str: ...",
}


def test_errors_of_the_way_are_included(describe):
    item = describe(WAY)["paths"]["/api/y"]
    assert sorted(item["get"]["responses"]) == ["200", "401", "403", "404", "409", "410"]
    assert sorted(item["post"]["responses"]) == ["200", "401", "403"]


def test_without_problem_details_errors_are_html(tree):
    app = bare_app(tree({DOCUMENT_FILE: DOCUMENT, "x/[id]/route.py": "def GET(id): ..."}))
    RouteHandlers(app, problem_details=False)
    document = document_of(app)
    responses = document["paths"]["/api/x/{id}"]["get"]["responses"]
    assert responses["404"]["content"] == {"text/html": STRING}
    assert "components" not in document


OWN_FORM = """
class Teapot(HTTPException):
    "Short and stout."
    code = 418
    def get_body(self, environ=None, scope=None):
        return "{}"
def GET() -> str | Teapot: ...
"""


def test_an_error_with_its_own_form_has_no_schema(operation):
    assert operation(OWN_FORM)["responses"]["418"] == {"description": "Short and stout."}


class ErrorBody(TypedDict):
    error: str


class Csv(TypedDict("Csv", {"Content-Type": Literal["text/csv"]})):  # type: ignore[misc]
    pass


def with_annotation(annotation: Any) -> Callable[[Exception], Any]:
    def handle(error):
        return {"error": str(error)}, error.code

    if annotation is not None:
        handle.__annotations__["return"] = annotation
    return handle


ERROR_BODY = json({"$ref": "#/components/schemas/ErrorBody"})


class Model(BaseModel):
    a: int


class Struct(msgspec.Struct):
    b: int


HANDLED = {
    "of both libraries": (404, tuple[list[Model | Struct], int], json({})),
    "by class": (NotFound, ErrorBody, ERROR_BODY),
    "by code": (404, tuple[ErrorBody, Literal[404]], ERROR_BODY),
    "for all errors": (HTTPException, tuple[ErrorBody, int], ERROR_BODY),
    "for all exceptions": (Exception, tuple[ErrorBody, int], ERROR_BODY),
    "of its status": (404, tuple[str, Literal[400]] | tuple[ErrorBody, Literal[404]], ERROR_BODY),
    "several": (
        404,
        ErrorBody | tuple[str, Literal[404]] | tuple[list[int], int],
        {
            "text/html": STRING,
            "application/json": {"schema": {"type": "array", "items": {"type": "integer"}}},
        },
    ),
    "text": (404, tuple[str, Literal[404], Csv], {"text/csv": STRING}),
    "unknown": (404, None, None),
    "unreadable": (404, "Missing", None),
    "refused": (404, None | ValueError, None),
    "anything": (404, Any, None),
    "for another": (Conflict, ErrorBody, PROBLEM),
    "for another code": (410, ErrorBody, PROBLEM),
}


@pytest.mark.parametrize("case", HANDLED)
def test_handlers_of_the_app_declare_errors(make, case):
    app = make({"x/[id]/route.py": "def GET(id): ..."})
    error, annotation, expected = HANDLED[case]
    app.register_error_handler(error, with_annotation(annotation))
    operation = document_of(app)["paths"]["/api/x/{id}"]["get"]
    assert operation["responses"]["404"].get("content") == expected


def test_a_handler_of_a_code_comes_first(make):
    app = make({"x/[id]/route.py": "def GET(id): ..."})
    app.register_error_handler(HTTPException, with_annotation(ErrorBody))
    app.register_error_handler(404, with_annotation(tuple[str, Literal[404]]))
    operation = document_of(app)["paths"]["/api/x/{id}"]["get"]
    assert operation["responses"]["404"]["content"] == {"text/html": STRING}


def test_a_handler_of_invalid_requests_counts(make):
    app = make({"x/route.py": "def GET(a: Query[int]): ..."})
    app.register_error_handler(InvalidRequest, with_annotation(tuple[ErrorBody, Literal[422]]))
    operation = document_of(app)["paths"]["/api/x"]["get"]
    assert operation["responses"]["422"]["content"] == ERROR_BODY


def test_the_body_of_an_error_is_as_documented(make):
    """The schema of problem details is what is sent."""
    app = make({"x/[id=int]/route.py": "def POST(id, a: Query[int], b: Body[int]): ..."})
    schemas = document_of(app)["components"]["schemas"]
    validator = Draft202012Validator(
        {"$ref": "#/components/schemas/InvalidRequest"} | {"components": {"schemas": schemas}}
    )
    response = app.test_client().post("/api/x/1?a=x", json="y")
    assert response.status_code == 422
    validator.validate(response.get_json())
    assert len(response.get_json()["errors"]) == 2
