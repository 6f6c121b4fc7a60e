"""The answer to a request that is not valid: format, status, handlers, HTML."""

from __future__ import annotations

import pytest

from flask_routehandlers import InvalidRequest
from tests.contracts.support import declare, one_route
from tests.support import bare_app, refused


def route_file(kind):
    return (
        declare(kind, "Author", name="str")
        + """
def POST(body: Body[Author], limit: Query[int] = 0): return "fine"
"""
    )


ROUTE = "def POST(body: Body[Author], limit: Query[int] = 0): return 'fine'\n"
MODEL = declare("model", "Author", name="str")

ERRORS = [
    {
        "in": "query",
        "pointer": "#/limit",
        "detail": "Input should be a valid integer, unable to parse string as an integer",
        "code": "int_parsing",
    },
    {
        "in": "body",
        "pointer": "#/name",
        "detail": "Input should be a valid string",
        "code": "string_type",
    },
]


def post(client, **options):
    return client.post("/api/x?limit=x", json={"name": 1}, **options)


def test_errors_are_members_of_problem_details(serve):
    response = post(serve(MODEL + ROUTE))
    assert response.status_code == 422
    assert response.mimetype == "application/problem+json"
    assert response.json == {
        "type": "about:blank",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "2 values in the request are not valid.",
        "instance": "/api/x",
        "errors": ERRORS,
    }


def test_one_error_is_counted_in_the_singular(serve):
    response = serve(MODEL + ROUTE).post("/api/x", json={"name": 1})
    assert response.json["detail"] == "1 value in the request is not valid."


def test_a_setting_changes_the_status(serve):
    response = post(serve(MODEL + ROUTE, ROUTE_HANDLERS_INVALID_STATUS=400))
    assert response.status_code == 400
    assert response.json["status"] == 400
    assert response.json["title"] == "Bad Request"
    assert response.json["errors"] == ERRORS


@pytest.mark.parametrize(
    ("setting", "value", "hint"),
    [
        ("INVALID_STATUS", value, "It has to be the number of a client error, 400 to 499.")
        for value in (200, 500, "400", None, True, 400.0)
    ]
    + [
        (
            "CHECK_RESPONSES",
            value,
            "It has to be True, False, or None to check in debug mode and in tests only.",
        )
        for value in (0, "yes")
    ],
)
def test_invalid_settings_are_refused(tree, setting, value, hint):
    app = bare_app(tree({}, "x"))
    name = f"ROUTE_HANDLERS_{setting}"
    app.config[name] = value
    [problem] = refused(app)
    assert (problem.reason, problem.hint) == (f"{name} in app.config is {value!r}.", hint)
    assert problem.files == (f"{app.root_path}/app/api",)


def test_an_error_handler_words_it_otherwise(serve):
    client = serve(MODEL + ROUTE)

    @client.application.errorhandler(InvalidRequest)
    def answer(error):
        return [[e.place, list(e.path), e.detail, e.code] for e in error.errors], 418

    response = post(client)
    assert response.status_code == 418
    assert response.json == [
        [error["in"], error["pointer"].split("/")[1:], error["detail"], error["code"]]
        for error in ERRORS
    ]


def test_a_handler_can_refuse_a_value_itself(serve):
    client = serve("""
def POST(email: Query[str]):
    raise InvalidRequest([InvalidValue("query", ("email",), "It is taken", "taken")])
""")
    response = client.post("/api/x?email=a")
    assert response.status_code == 422
    assert response.json["errors"] == [
        {"in": "query", "pointer": "#/email", "detail": "It is taken", "code": "taken"}
    ]


@pytest.mark.parametrize("options", [{}, {"problem_details": False}], ids=["problems", "off"])
def test_a_page_lists_the_errors(tmp_path, options):
    app = one_route(tmp_path, MODEL + ROUTE, options)
    response = post(app.test_client(), headers={"Accept": "text/html"})
    assert response.status_code == 422
    assert response.mimetype == "text/html"
    assert response.text == (
        "<!doctype html>\n<html lang=en>\n<title>422 Unprocessable Entity</title>\n"
        "<h1>Unprocessable Entity</h1>\n<p>2 values in the request are not valid.</p>"
        f"<ul><li>query #/limit: {ERRORS[0]['detail']}</li>"
        f"<li>body #/name: {ERRORS[1]['detail']}</li></ul>\n"
    )


def test_a_page_escapes_what_a_client_sent(serve):
    client = serve("def POST(body: Body[dict[str, int]]): return ''")
    response = client.post("/api/x", json={"<b>": "x"}, headers={"Accept": "text/html"})
    assert "<b>" not in response.text
    assert "%3Cb%3E" in response.text


@pytest.mark.parametrize(
    ("key", "pointer"),
    [("a/b", "#/a~1b"), ("a~b", "#/a~0b"), ("a b", "#/a%20b"), ("\u00e4", "#/%C3%A4"), ("", "#/")],
)
def test_pointers_are_escaped(serve, key, pointer):
    client = serve("def POST(body: Body[dict[str, int]]): return ''")
    [error] = client.post("/api/x", json={key: "x"}).json["errors"]
    assert error["pointer"] == pointer


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_pointer_to_all_of_a_place_is_empty(serve, method):
    client = serve("""
from pydantic import model_validator
class Page(BaseModel):
    limit: int = 1
    @model_validator(mode="after")
    def check(self): raise ValueError("no")
def GET(page: Query[Page]): return ''
def POST(page: Body[Page]): return ''
""")
    [error] = client.open("/api/x?limit=2", method=method, json={}).json["errors"]
    assert error["pointer"] == "#"


def test_a_pointer_has_no_steps_that_are_not_in_the_data(serve):
    client = serve("""
from pydantic import AfterValidator
class Cat(BaseModel):
    lives: int
class Dog(BaseModel):
    name: str
def even(value):
    if value % 2: raise ValueError("must be even")
    return value
class Home(BaseModel):
    pet: Cat | Dog
    count: Annotated[int, AfterValidator(even)]
    sizes: dict[int, int] = {}
def POST(body: Body[Home]): return ''
""")
    body = {"pet": {"lives": "x", "name": 1}, "count": 1, "sizes": {"x": 1}}
    errors = client.post("/api/x", json=body).json["errors"]
    pointers = [error["pointer"] for error in errors]
    assert pointers == ["#/pet/lives", "#/pet/name", "#/count", "#/sizes/x"]
    assert errors[2]["detail"] == "must be even"


def test_errors_reach_a_middleware_as_a_response(make_app):
    app = make_app(
        {
            "middleware.py": "def middleware(call_next):\n    response = call_next()\n"
            "    response.headers['Seen'] = response.status\n    return response\n",
            "x/route.py": "from flask_routehandlers import Query\n"
            "def GET(size: Query[int]): return ''\n",
        }
    )
    assert app.test_client().get("/api/x").headers["Seen"] == "422 UNPROCESSABLE ENTITY"


def test_the_problem_function_makes_the_same_format(serve):
    client = serve(
        "def GET():\n"
        "    return problem(409, 'Sold out.', type='https://example.org/sold', title='Sold',\n"
        "                   headers={'Retry-After': '5'}, stock=0)\n"
        "def POST(): return problem(403)\n"
    )
    response = client.get("/api/x")
    assert response.status_code == 409
    assert response.mimetype == "application/problem+json"
    assert response.headers["Retry-After"] == "5"
    assert response.json == {
        "type": "https://example.org/sold",
        "title": "Sold",
        "status": 409,
        "detail": "Sold out.",
        "instance": "/api/x",
        "stock": 0,
    }
    assert client.post("/api/x").json == {
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "instance": "/api/x",
    }
