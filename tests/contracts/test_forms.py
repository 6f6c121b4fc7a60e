"""Arguments from forms: fields, files, empty values, media types."""

from __future__ import annotations

from io import BytesIO

import pytest

from tests.contracts.support import OF_MSGSPEC, declare


def route_file(kind):
    return (
        declare(
            kind,
            "Profile",
            name="str",
            born="date | None = None",
            size="int | None = None",
            price="Decimal | None = None",
            colour="Literal['red', 'blue'] | None = None",
        )
        + """
def POST(profile: Form[Profile], picture: Form[FileStorage | None] = None):
    values = profile if isinstance(profile, dict) else {
        name: getattr(profile, name) for name in ("name", "born", "size", "price", "colour")
    }
    shown = {name: str(value) for name, value in values.items() if value is not None}
    return {"profile": shown, "picture": picture and picture.filename}
"""
    )


def test_a_type_is_the_whole_form_without_files(client):
    data = {"name": "ann", "born": "2000-01-02", "size": "3", "picture": (BytesIO(b"x"), "a.png")}
    assert client.post("/api/x", data=data).json == {
        "profile": {"name": "ann", "born": "2000-01-02", "size": "3"},
        "picture": "a.png",
    }


def test_an_empty_string_is_absent_unless_a_string_is_wanted(client):
    data = {"name": "", "born": "", "size": "", "price": "", "colour": ""}
    assert client.post("/api/x", data=data).json == {"profile": {"name": ""}, "picture": None}


def test_every_invalid_field_is_reported(client, kind):
    response = client.post("/api/x", data={"born": "x", "size": "y"})
    errors = response.json["errors"]
    assert response.status_code == 422
    assert {error["in"] for error in errors} == {"form"}
    if kind in OF_MSGSPEC:
        assert len(errors) == 1
    else:
        assert {error["pointer"] for error in errors} == {"#/name", "#/born", "#/size"}


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", None), ("date", None), ("bool", None), ("list[int]", None), ("int | None", None),
        ("Decimal", None), ("Literal['a']", None), ("UUID", None), ("Json[list[int]]", None),
        ("str", ""), ("str | int", ""), ("Any", ""), ("list[str]", [""]), ("Literal['', 'a']", ""),
        ("Annotated[str, Field(max_length=3)]", ""),
    ],
)  # fmt: skip
def test_an_empty_field_is_absent_or_a_string(serve, annotation, value):
    client = serve(f"def POST(a: Form[{annotation}] = None): return {{'a': a}}")
    assert client.post("/api/x", data={"a": ""}).json == {"a": value}


def test_files_arrive_alone_and_in_lists(serve):
    client = serve("""
def POST(one: Form[FileStorage], many: Form[list[FileStorage]],
         some: Form[tuple[FileStorage, ...]] = (),
         other_name: Form[Annotated[FileStorage | None, Field(alias="other-name")]] = None):
    return [one.read().decode(), [f.filename for f in many], type(some).__name__,
            other_name and other_name.filename]
""")
    data = {
        "one": (BytesIO(b"content"), "1"),
        "many": [(BytesIO(b""), "2"), (BytesIO(b""), "3")],
        "some": (BytesIO(b""), "4"),
        "other-name": (BytesIO(b""), "5"),
    }
    assert client.post("/api/x", data=data).json == ["content", ["2", "3"], "tuple", "5"]


def test_a_missing_file_is_an_error_like_others(serve):
    client = serve("def POST(file: Form[FileStorage], size: Form[int]): return ''")
    for data in ({"size": "x"}, {"size": "x", "file": (BytesIO(b"content"), "")}):
        response = client.post("/api/x", data=data)
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json["errors"]] == ["#/file", "#/size"]
        assert response.json["errors"][0] == {
            "in": "form",
            "pointer": "#/file",
            "detail": "Field required",
            "code": "missing",
        }


def test_a_file_input_left_empty_is_absent(serve):
    client = serve("def POST(file: Form[FileStorage | None] = None): return str(file)")
    assert client.post("/api/x", data={"file": (BytesIO(b""), "")}).text == "None"


def test_json_in_a_form_is_a_value_of_its_type(serve):
    client = serve("""
class Meta(TypedDict):
    title: str
def POST(meta: Form[Json[Meta]], file: Form[FileStorage]): return [meta["title"], file.filename]
""")
    data = {"meta": '{"title": "T"}', "file": (BytesIO(b""), "a")}
    assert client.post("/api/x", data=data).json == ["T", "a"]
    for meta in ("{", '{"title": 1}', "[]"):
        response = client.post("/api/x", data={"meta": meta, "file": (BytesIO(b""), "a")})
        assert [error["pointer"] for error in response.json["errors"]] == ["#/meta"]


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", None])
def test_a_required_form_needs_its_media_type(serve, media_type):
    client = serve(
        "def POST(name: Form[str]): return name\ndef PUT(name: Form[str] = 'none'): return name"
    )
    response = client.post("/api/x", data="name=x", content_type=media_type)
    assert response.status_code == 415
    assert response.json["detail"] == (
        "Send a form, as application/x-www-form-urlencoded or multipart/form-data."
    )
    assert client.put("/api/x", data="name=x", content_type=media_type).text == "none"


def test_both_kinds_of_forms_are_read(serve):
    client = serve("def POST(name: Form[str], tags: Form[list[str]] = []): return [name, *tags]")
    data = {"name": "x", "tags": ["a", "b"]}
    for media_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        assert client.post("/api/x", data=data, content_type=media_type).json == ["x", "a", "b"]
