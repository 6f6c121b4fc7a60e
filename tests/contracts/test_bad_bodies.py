"""Bodies that no type accepts, or that are no JSON: a client error each, never a 5xx."""

from __future__ import annotations

from json import dumps

import pytest

from tests.contracts.support import OF_MSGSPEC, declare


def route_file(kind):
    return (
        declare(kind, "Item", name="str", size="int", rest="Any = None")
        + """
def POST(body: Body[Item]):
    return {"name": str(body["name"] if isinstance(body, dict) else body.name)}
def PUT(body: Body[list[Item]]): return {}
"""
    )


GOOD = '{"name": "x", "size": 1, "rest": %s}'

NOT_JSON = {
    "empty": b"",
    "blank": b"  ",
    "invalid UTF-8": b'{"name": "\xff", "size": 1}',
    "UTF-16": '{"name": "x", "size": 1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + b'{"name": "x", "size": 1}',
    "cut off": b'{"name": "x", "size": 1',
    "cut off string": b'{"name": "x',
    "rest after the end": b'{"name": "x", "size": 1} x',
    "single quotes": b"{'name': 'x', 'size': 1}",
    "comma at the end": b'{"name": "x", "size": 1,}',
    "comment": b'{"name": "x", "size": 1} // x',
    "NUL in a string": b'{"name": "\x00", "size": 1}',
    "raw control character": b'{"name": "\n", "size": 1}',
    "lone surrogate": b'{"name": "\\ud800", "size": 1}',
    "encoded surrogate": b'{"name": "\xed\xa0\x80", "size": 1}',
    "invalid escape": b'{"name": "\\x41", "size": 1}',
    "leading zero": b'{"name": "x", "size": 01}',
    "hexadecimal": b'{"name": "x", "size": 0x1}',
    "10,000 arrays": (GOOD % ("[" * 10_000)).encode(),
    "10,000 objects": (GOOD % ('{"a":' * 10_000)).encode(),
    "20,000 closed arrays": (GOOD % ("[" * 20_000 + "]" * 20_000)).encode(),
    "NULs": b"\x00" * 10,
    "form": b"name=x&size=1",
    "XML": b"<name>x</name>",
    "invalid, then cut off": b'{"name": 1, "size": ',
    "invalid, then deep": b'{"name": 1, "rest": ' + b"[" * 20_000,
}

NOT_VALID = {
    "5,000 digits": b'{"name": "x", "size": ' + b"9" * 5_000 + b"}",
    "too large a float": b'{"name": "x", "size": 1e999}',
    "NaN": b'{"name": "x", "size": NaN}',
    "Infinity": b'{"name": "x", "size": -Infinity}',
    "fraction": b'{"name": "x", "size": 1.5}',
    "null": b"null",
    "string": b'"x"',
    "empty object": b"{}",
    "array": b"[]",
}


def post(client, data, method="POST"):
    return client.open("/api/x", method=method, data=data, content_type="application/json")


@pytest.mark.parametrize("data", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_json_is_a_400(client, data):
    response = post(client, data)
    assert response.status_code == 400
    assert response.json["detail"].startswith("The body is not valid JSON")
    assert "msgspec" not in response.text
    assert "pydantic" not in response.text


@pytest.mark.parametrize("data", NOT_VALID.values(), ids=NOT_VALID)
def test_what_no_type_accepts_is_a_client_error(client, data):
    for method in ("POST", "PUT"):
        if data != b"[]" or method == "POST":
            assert post(client, data, method).status_code in (400, 422)


def test_duplicate_keys_are_no_server_error(client):
    data = b'{"name": "a", "size": 1, "name": "b"}'
    assert post(client, data).json == {"name": "b"}
    assert post(client, b'{"name": "a", "size": 1, "name": 2}').status_code == 422


def test_nan_in_any_value_is_no_server_error(client, kind):
    response = post(client, (GOOD % "NaN").encode())
    assert response.status_code == (400 if kind in OF_MSGSPEC else 200)


def test_the_place_in_a_document_is_reported(client, kind):
    details = {
        "pydantic": "The body is not valid JSON: trailing comma at line 1 column 12.",
        "msgspec": "The body is not valid JSON: trailing comma in object (byte 11).",
    }
    library = "msgspec" if kind in OF_MSGSPEC else "pydantic"
    assert post(client, b'{"size": 1,}').json["detail"] == details[library]


def test_a_long_list_of_invalid_items_is_a_422(client, kind):
    response = post(client, dumps([1] * 1000).encode(), "PUT")
    errors = response.json["errors"]
    assert response.status_code == 422
    assert errors[-1]["pointer"] == ("#/0" if kind in OF_MSGSPEC else "#/999")
