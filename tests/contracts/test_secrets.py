"""No answer repeats a value that a client sent, nor names the library."""

from __future__ import annotations

from json import dumps

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.support import KINDS, declare, limited, one_route

FIELDS = {
    "number": "int",
    "small": "Small",
    "day": "date",
    "id": "UUID",
    "colour": "Literal['red', 'blue']",
    "flag": "bool",
    "items": "list[int]",
}


def route_file(kind):
    return (
        limited(kind)
        + declare(kind, "Item", **FIELDS)
        + """
def POST(body: Body[Item]): return ""
def GET(query: Query[Item], token: Query[int], x_key: Header[int], pin: Cookie[int]): return ""
def PUT(form: Form[Item], code: Form[int]): return ""
def DELETE(token: Bearer, x: Query[int]): return ""
"""
    )


#: Neither a word of a message nor a part of one, and no number.
secrets = st.text("bcdfghjkmqvwxyzBCDFGHJKMQVWXYZ0123456789-_.", min_size=8, max_size=20).map(
    "Q{}".format
)


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_are_in_no_answer(kind, tmp_path):
    client = one_route(tmp_path, route_file(kind)).test_client()

    @settings(max_examples=12)
    @given(st.lists(secrets, min_size=12, max_size=12))
    def check(values):
        fields = dict(zip(FIELDS, values, strict=False))
        sent = {"token": values[8], "code": values[9], **fields}
        client.set_cookie("pin", values[10])
        answers = [
            client.post("/api/x", json=fields),
            client.post("/api/x", json={**fields, "items": values}),
            client.post("/api/x", data=dumps(fields)[:-1] + values[11]),
            client.post("/api/x", json=values),
            client.post("/api/x", json=values[0]),
            client.get("/api/x", query_string=sent, headers={"X-Key": values[11]}),
            client.put("/api/x", data=sent),
            client.put("/api/x", data=sent, content_type="multipart/form-data"),
            client.delete(
                "/api/x",
                query_string={"x": values[0]},
                headers={"Authorization": f"Bearer {values[1]}"},
            ),
            client.delete("/api/x", headers={"Authorization": f"Bearer {values[1]} {values[2]}"}),
            client.delete("/api/x", headers={"Authorization": f"Basic {values[1]}"}),
        ]
        for accept in ("*/*", "text/html"):
            answers.append(client.post("/api/x", json=fields, headers={"Accept": accept}))
        for answer in answers:
            assert 400 <= answer.status_code < 500
            shown = answer.text + str(answer.headers)
            for word in (*values, "pydantic", "msgspec", "errors.pydantic.dev", "input_value"):
                assert word not in shown

    check()


VALIDATORS = """
from pydantic import AfterValidator, field_validator, model_validator
from pydantic_core import PydanticCustomError

def refuse(message):
    def check(value):
        raise ValueError(message.format(value))
    return AfterValidator(check)

def custom(value):
    raise PydanticCustomError("taken", "{name} is taken", {"name": value})

class Login(BaseModel):
    name: Annotated[str, refuse("{0} is taken")]
    pin: Annotated[int, refuse("the PIN {0} is weak")]
    mail: Annotated[str, AfterValidator(custom)]
    plain: Annotated[str, refuse("must be shorter")]

class Pair(BaseModel):
    one: str
    two: str

    @model_validator(mode="after")
    def check(self):
        assert self.one == self.two, f"{self.one} is not {self.two}"
        return self

class Home(BaseModel):
    login: Login
    pair: Pair

def POST(body: Body[Home]): return ""
"""


def test_messages_of_validators_are_hidden_if_they_repeat(serve):
    client = serve(VALIDATORS)
    login = {"name": "ann", "pin": 4711, "mail": "a@b.c d", "plain": "x"}
    body = {"login": login, "pair": {"one": "alpha", "two": "beta"}}
    errors = client.post("/api/x", json=body).json["errors"]
    assert [(error["pointer"], error["detail"], error["code"]) for error in errors] == [
        ("#/login/name", "The value is not valid", "value_error"),
        ("#/login/pin", "The value is not valid", "value_error"),
        ("#/login/mail", "The value is not valid", "taken"),
        ("#/login/plain", "must be shorter", "value_error"),
        ("#/pair", "The value is not valid", "assertion_error"),
    ]


@pytest.mark.parametrize(
    ("annotation", "value", "detail"),
    [
        ("UUID", "zq-1", "Input should be a valid UUID"),
        ("Encoded", "!", "Data should be valid base64"),
        ("Literal['a', 'b']", "zq", "Input should be 'a' or 'b'"),
    ],
)
def test_messages_that_repeat_a_character_are_cut(serve, annotation, value, detail):
    client = serve(f"""
class Encoded(pydantic.RootModel[bytes]):
    model_config = {{"val_json_bytes": "base64"}}
def POST(body: Body[{annotation}]): return ''
""")
    [error] = client.post("/api/x", json=value).json["errors"]
    assert error["detail"] == detail


def test_a_validator_with_many_errors_takes_its_time_once(serve):
    client = serve("""
from pydantic import AfterValidator
def check(value): raise ValueError("must be shorter")
def POST(body: Body[list[Annotated[str, AfterValidator(check)]]]): return ""
""")
    body = [f"value {number}" for number in range(5000)]
    assert len(client.post("/api/x", json=body).json["errors"]) == 5000
