"""Where responses are checked: undeclared statuses and errors, and bodies that do not fit."""

from __future__ import annotations

import pytest

from flask_routehandlers.contracts.writers import InvalidAnswerError, UndeclaredAnswerError
from tests.contracts.support import IMPORTS, declare, limited, one_route


def route_file(kind):
    return (
        limited(kind)
        + declare(kind, "Author", name="str", age="Small")
        + """
def make(age):
    author = Author(name="A", age=0)
    if isinstance(author, dict):
        author["age"] = age
    else:
        author.age = age  # which no library validates
    return author

def GET(age: Query[int]) -> list[Author]: return [make(0), make(age)]
def POST() -> Author: return {"name": 1, "age": 1}
"""
    )


def test_a_body_that_does_not_fit_names_its_place(client, kind):
    assert client.get("/api/x?age=100").json[1] == {"name": "A", "age": 100}
    with pytest.raises(InvalidAnswerError) as caught:
        client.get("/api/x?age=101")
    start = (
        "GET in x/route.py answered 200 with a body that does not fit its return annotation: "
        "#/1/age: "
    )
    assert str(caught.value).startswith(start)
    with pytest.raises(
        InvalidAnswerError, match=r"^POST in x/route\.py answered 200 .*: #/name: "
    ):
        client.post("/api/x")


ANSWERS = {
    "-> T: return {'a': 1}, 201": (
        "GET in x/route.py answered with the status 201, which its return annotation does not "
        "declare. Add it: | tuple[..., Literal[201]]."
    ),
    "-> Created[T] | NotFound: return {'a': 1}": (
        "GET in x/route.py answered with the status 200, which its return annotation does not "
        "declare. Return the status 201 with the value, as in return value, 201."
    ),
    "-> T: return redirect('/')": (
        "GET in x/route.py answered with the status 302, which its return annotation does not "
        "declare. Add it: | tuple[..., Literal[302]]."
    ),
    "-> NotFound: return 'x'": (
        "GET in x/route.py answered with the status 200, which its return annotation does not "
        "declare. Add it: | tuple[..., Literal[200]]."
    ),
    "-> T | NotFound: return Gone()": (
        "GET in x/route.py raised Gone (410), which its return annotation does not declare. "
        "Add it: | Gone."
    ),
    "-> T | NotFound: abort(409)": (
        "GET in x/route.py raised Conflict (409), which its return annotation does not declare. "
        "Add it: | Conflict."
    ),
    "-> str | NotFound: return {'a': 1}": (
        "GET in x/route.py answered 200 with a body that does not fit its return annotation: "
        "it is a dict, not a string."
    ),
    "-> Iterable[str] | bytes | NotFound: return 'x'": (
        "GET in x/route.py answered 200 with a body that does not fit its return annotation: "
        "it is a str, not bytes or an iterator."
    ),
    "-> tuple[Literal[''], Literal[201]]: return 'x', 201": (
        "GET in x/route.py answered 201 with a body that does not fit its return annotation: "
        "it is a str, not an empty string."
    ),
    "-> dict[str, int] | NotFound: return {'a': 'x'}": (
        "GET in x/route.py answered 200 with a body that does not fit its return annotation: "
        "#/a: Input should be a valid integer, unable to parse string as an integer"
    ),
}

ALLOWED = [
    "-> T: abort(409)",
    "-> T | NotFound: abort(404)",
    "-> T | NotFound: abort(401)",
    "-> T | NotFound: abort(413)",
    "-> T | NotFound: abort(503)",
    "-> T | NotFound | Any: return 'x', 299",
    "-> T | NotFound: return {'a': 1}, 418",
    "-> T | Conflict: abort(current_app.response_class('x', 410))",
    "-> T: return current_app.response_class('x')",
    "-> tuple[T, int]: return {'a': 1}, 299",
]

TYPE = "class T(TypedDict):\n    a: int\n"


@pytest.mark.parametrize("answer", ANSWERS)
def test_undeclared_answers_are_errors_in_tests(serve, answer):
    client = serve(f"{TYPE}def GET() {answer}")
    with pytest.raises((UndeclaredAnswerError, InvalidAnswerError)) as caught:
        client.get("/api/x")
    assert str(caught.value) == ANSWERS[answer]


@pytest.mark.parametrize("answer", [a for a in ANSWERS if "'x', 201" not in a])
def test_nothing_is_checked_in_production(tmp_path, answer):
    app = one_route(tmp_path, f"{TYPE}def GET() {answer}")
    assert app.test_client().get("/api/x").status_code < 500


@pytest.mark.parametrize("answer", ALLOWED)
def test_what_is_always_declared_is_no_error(serve, answer):
    serve(f"{TYPE}def GET() {answer}").get("/api/x")


@pytest.mark.parametrize(
    ("config", "is_checked"),
    [
        ({}, False),
        ({"TESTING": True}, True),
        ({"DEBUG": True}, True),
        ({"ROUTE_HANDLERS_CHECK_RESPONSES": True}, True),
        ({"TESTING": True, "ROUTE_HANDLERS_CHECK_RESPONSES": False}, False),
        ({"TESTING": True, "ROUTE_HANDLERS_CHECK_RESPONSES": None}, True),
    ],
    ids=str,
)
def test_a_setting_says_whether_to_check(tmp_path, config, is_checked):
    app = one_route(tmp_path, f"{TYPE}def GET() -> T: return {{'a': 1}}, 201", **config)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    status = app.test_client().get("/api/x").status_code
    assert status == (500 if is_checked else 201)


def test_errors_of_a_middleware_are_not_checked(make_app):
    app = make_app(
        {
            "middleware.py": "from werkzeug.exceptions import Gone\n"
            "def middleware(call_next):\n    call_next()\n    return Gone()\n",
            "x/route.py": f"{IMPORTS}{TYPE}def GET() -> T | NotFound: return {{'a': 1}}\n",
        }
    )
    app.testing = True
    assert app.test_client().get("/api/x").status_code == 410


CHANGING = """
from pydantic import AfterValidator, BeforeValidator, field_validator, model_validator
from dataclasses import InitVar, field

class M(BaseModel):
    tags: Annotated[list[str], BeforeValidator(lambda value: value.split(","))]
    name: Annotated[str, AfterValidator(str.title)]

    @model_validator(mode="after")
    def once(self):
        assert self.name != "Ann" or self.tags == ["a", "b"]
        return self

    @field_validator("name")
    @classmethod
    def lower_only(cls, value):
        if value.istitle() and "x" in value:
            raise ValueError("must be lower")
        return value

@dataclass
class D:
    a: int
    b: int = field(init=False, default=3)

def GET() -> M: return M(tags="a,b", name="ann")
def POST() -> D: return D(a=1)
"""


def test_validators_that_change_a_value_do_no_harm(serve):
    client = serve(CHANGING)
    assert client.get("/api/x").json == {"tags": ["a", "b"], "name": "Ann"}
    assert client.post("/api/x").json == {"a": 1, "b": 3}
