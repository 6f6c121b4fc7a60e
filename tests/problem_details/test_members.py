"""The members and headers of an error, and descriptions that are dicts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from flask import abort, request
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    RequestedRangeNotSatisfiable,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
)

from tests.problem_details.support import (
    BASIC,
    BEARER,
    HTML,
    MEMBERS,
    PROBLEM,
    SoldOutError,
    Teapot,
    Unknown,
    problem,
    raiser,
)


class Named(HTTPException):
    code = 409
    name = "Version Conflict"


class Signed(HTTPException):
    code = 451

    def get_headers(self, *arguments):
        return [
            *super().get_headers(*arguments),
            ("Link", "<a>"),
            ("Link", "<b>"),
            ("Vary", "DNT"),
        ]


class Translated:
    """A string that is looked up when it is shown, as translations are."""

    def __str__(self):
        return f"not at {request.path}"


ERRORS = {
    "a status": (lambda: abort(403), 403, "Forbidden", Forbidden.description, ()),
    "a description": (lambda: abort(404, "No such."), 404, "Not Found", "No such.", ()),
    "markup": (lambda: abort(400, "<b>&"), 400, "Bad Request", "<b>&", ()),
    "no description": (raiser(Unknown()), 499, "Unknown Error", None, ()),
    "an empty description": (lambda: abort(409, ""), 409, "Conflict", "", ()),
    "a number": (lambda: abort(409, 17), 409, "Conflict", "17", ()),
    "a translation": (
        lambda: abort(404, Translated()), 404, "Not Found", "not at /api/things", (),
    ),
    "a subclass": (raiser(Teapot()), 418, "I'm a teapot", "Short and stout.", ()),
    "a name": (raiser(Named("v3 is newer")), 409, "Version Conflict", "v3 is newer", ()),
    "two base classes": (raiser(SoldOutError()), 410, "Gone", SoldOutError.description, ()),
    "own headers": (
        raiser(Signed("court")), 451, "Unavailable For Legal Reasons", "court",
        (("Link", "<a>"), ("Link", "<b>"), ("Vary", "DNT, Accept")),
    ),
    "a challenge": (
        raiser(Unauthorized("Who?", www_authenticate=BASIC)), 401, "Unauthorized", "Who?",
        (("WWW-Authenticate", 'Basic realm="my shop"'),),
    ),
    "two challenges": (
        raiser(Unauthorized("Who?", www_authenticate=[BASIC, BEARER])), 401, "Unauthorized",
        "Who?", (("WWW-Authenticate", 'Basic realm="my shop"'), ("WWW-Authenticate", "Bearer")),
    ),
    "other methods": (
        raiser(MethodNotAllowed(["PUT", "GET"], "Later.")), 405, "Method Not Allowed", "Later.",
        (("Allow", "PUT, GET"),),
    ),
    "a range": (
        raiser(RequestedRangeNotSatisfiable(10, description="Ends at 10.")), 416,
        "Requested Range Not Satisfiable", "Ends at 10.", (("Content-Range", "bytes */10"),),
    ),
    "seconds": (
        raiser(TooManyRequests("Slower.", retry_after=5)), 429, "Too Many Requests", "Slower.",
        (("Retry-After", "5"),),
    ),
    "a date": (
        raiser(ServiceUnavailable("Closed.", retry_after=datetime(2030, 1, 2, tzinfo=UTC))), 503,
        "Service Unavailable", "Closed.", (("Retry-After", "Wed, 02 Jan 2030 00:00:00 GMT"),),
    ),
    "abort(500)": (
        lambda: abort(500), 500, "Internal Server Error", InternalServerError.description, (),
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("fail", "status", "title", "detail", "headers"), ERRORS.values(), ids=ERRORS
)
def test_an_error_has_members_and_headers(failing_app, fail, status, title, detail, headers):
    response = failing_app(fail).test_client().get("/api/things")
    expected = {"type": "about:blank", "title": title, "status": status, "instance": "/api/things"}
    if detail is not None:
        expected["detail"] = detail
    assert response.json == expected
    vary = () if any(name == "Vary" for name, _ in headers) else (("Vary", "Accept"),)
    length = ("Content-Length", str(len(response.data)))
    assert sorted(response.headers) == sorted([("Content-Type", PROBLEM), length, *vary, *headers])


def test_errors_of_async_handlers_are_problems(failing_app):
    client = failing_app(lambda: abort(404, "No such.")).test_client()
    assert problem(client.post("/api/things"))["detail"] == "No such."


def test_a_method_that_is_missing_is_a_problem(make_app):
    client = make_app({}, "things").test_client()
    response = client.post("/api/things")
    assert problem(response) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": MethodNotAllowed.description,
        "instance": "/api/things",
    }
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_errors_of_chains_and_hooks_are_problems(make_app):
    guard = (
        "from flask import abort\ndef middleware(request, call_next):\n    abort(401, 'in it')\n"
    )
    app = make_app({"deep/middleware.py": guard}, "deep/things", "things")

    @app.before_request
    def refuse():
        if "hooked" in request.args:
            abort(403, "before it")

    client = app.test_client()
    assert problem(client.get("/api/deep/things"))["detail"] == "in it"
    assert problem(client.get("/api/things?hooked"))["detail"] == "before it"
    assert problem(client.get("/api/nothing?hooked"))["detail"] == "before it"
    assert client.get("/api/things").status_code == 200


def test_head_has_the_headers_and_no_body(failing_app):
    client = failing_app(raiser(TooManyRequests(retry_after=5))).test_client()
    for url in ("/api/things", "/api/nothing"):
        head, get = client.head(url), client.get(url)
        assert head.data == b""
        assert (head.status_code, head.headers) == (get.status_code, get.headers)
        assert head.content_type == PROBLEM


# Descriptions that are dicts.

DICTS = {
    "extra members": (
        {"detail": "Two are wrong.", "errors": [{"pointer": "#/age"}]},
        MEMBERS | {"detail": "Two are wrong.", "errors": [{"pointer": "#/age"}]},
    ),
    "every member of the RFC": (
        {"type": "/problems/1", "title": "Bad", "detail": "So bad.", "instance": "/log/7"},
        {"type": "/problems/1", "title": "Bad", "detail": "So bad.", "instance": "/log/7",
         "status": 422},
    ),
    "the status stays": ({"status": 200}, MEMBERS),
    "a member that is None is left out": (
        {"detail": None, "instance": None, "title": None, "type": None, "status": None},
        {"status": 422},
    ),
    "another member may be null": ({"balance": None}, MEMBERS | {"balance": None}),
    "no member": ({}, MEMBERS),
    "types of Flask's JSON": (
        {"at": datetime(2030, 1, 2, tzinfo=UTC)},
        MEMBERS | {"at": "Wed, 02 Jan 2030 00:00:00 GMT"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("description", "expected"), DICTS.values(), ids=DICTS)
def test_a_dict_as_description_gives_members(failing_app, description, expected):
    before = dict(description)
    client = failing_app(lambda: abort(422, description)).test_client()
    for _ in range(2):
        assert problem(client.get("/api/things")) == expected
    assert description == before


class OutOfCredit(HTTPException):
    code = 403

    def __init__(self, balance):
        super().__init__({"detail": f"<{balance} left>", "balance": balance})
        self.balance = balance

    def get_headers(self, *arguments):
        return [*super().get_headers(*arguments), ("X-Balance", str(self.balance))]


def test_html_shows_the_detail_of_a_dict(failing_app):
    error = OutOfCredit(30)
    client = failing_app(raiser(error)).test_client()
    response = client.get("/api/things", headers=HTML)
    assert "<p>&lt;30 left&gt;</p>" in response.text
    assert "balance" not in response.text
    assert response.headers["X-Balance"] == "30"
    assert problem(client.get("/api/things"))["balance"] == 30
    error.description = {"balance": 30}
    assert "<p></p>" in client.get("/api/things", headers=HTML).text
    assert error.description == {"balance": 30}


def test_a_dict_that_is_not_json_is_an_error(failing_app):
    app = failing_app(lambda: abort(422, {"what": object()}))
    response = app.test_client().get("/api/things")
    assert problem(response)["title"] == "Internal Server Error"
    assert "object" not in response.text
    app.testing = True
    with pytest.raises(TypeError, match="not JSON serializable"):
        app.test_client().get("/api/things")


def test_json_and_responses_are_those_of_the_app(failing_app):
    app = failing_app(lambda: abort(422, {"what": {1, 2}}))
    app.json.default = sorted
    app.response_class = type("Response", (app.response_class,), {"own": True})
    app.after_request(lambda response: response.headers.add("X-Own", response.own) or response)
    response = app.test_client().get("/api/things")
    assert problem(response)["what"] == [1, 2]
    assert response.headers["X-Own"] == "True"


def test_an_error_adds_no_header_of_a_client(failing_app):
    split = "a\r\nSet-Cookie: a=b\r\n\r\n<html>"
    for description in (split, {"detail": split, "title": split, split: split}):
        client = failing_app(lambda d=description: abort(400, d)).test_client()
        response = client.get("/api/things")
        assert problem(response)["detail"] == split
        assert set(response.headers.keys()) == {"Content-Type", "Content-Length", "Vary"}
