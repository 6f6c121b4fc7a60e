"""JSON bodies: what a type accepts, media types, defaults, and bodies as bytes."""

from __future__ import annotations

from json import dumps

import pytest

from tests.contracts.support import OF_MSGSPEC, declare, limited


def route_file(kind):
    return (
        limited(kind)
        + declare(kind, "Author", name="str")
        + declare(kind, "Article", title="Title", author="Author", tags="list[str]")
        + """
def POST(body: Body[Article]):
    return {"type": type(body).__name__, "again": show(body)}

def PUT(body: Body[Article | None] = None):
    return {"is_default": body is None}

def PATCH(items: Body[list[Author]]):
    return [show(item) for item in items]

def show(value):
    import msgspec
    if isinstance(value, (list, tuple)):
        return [show(item) for item in value]
    if hasattr(value, "model_dump"):
        return value.model_dump()
    return msgspec.to_builtins(value)
"""
    )


ARTICLE = {"title": "T", "author": {"name": "A"}, "tags": ["x", "y"]}


def test_a_body_is_a_value_of_its_type(client, kind):
    response = client.post("/api/x", json=ARTICLE)
    name = "dict" if kind == "TypedDict" else "Article"
    assert response.json == {"type": name, "again": ARTICLE}


def test_a_list_is_the_whole_document(client):
    response = client.patch("/api/x", json=[{"name": "A"}, {"name": "B"}])
    assert response.json == [{"name": "A"}, {"name": "B"}]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({**ARTICLE, "title": ""}, ["#/title"]),
        ({**ARTICLE, "title": 3}, ["#/title"]),
        ({**ARTICLE, "author": {}}, ["#/author/name"]),
        ({**ARTICLE, "author": None}, ["#/author"]),
        ({**ARTICLE, "tags": ["x", 1]}, ["#/tags/1"]),
        ({"title": "T", "author": {"name": 1}, "tags": "x"}, ["#/author/name", "#/tags"]),
        ([], ["#"]),
        ("x", ["#"]),
        (None, ["#"]),
    ],
    ids=str,
)
def test_an_invalid_body_is_a_422_with_pointers(client, kind, body, pointers):
    response = client.post("/api/x", data=dumps(body), content_type="application/json")
    assert response.status_code == 422
    errors = response.json["errors"]
    assert [error["pointer"] for error in errors] == pointers[: 1 if kind in OF_MSGSPEC else None]
    assert all(error["in"] == "body" for error in errors)


def test_a_pointer_into_a_list_has_the_index(client):
    response = client.patch("/api/x", json=[{"name": "A"}, {"name": 1}])
    assert [error["pointer"] for error in response.json["errors"]] == ["#/1/name"]


def test_numbers_and_strings_are_not_converted(client):
    response = client.post("/api/x", json={**ARTICLE, "tags": [1]})
    assert [error["pointer"] for error in response.json["errors"]] == ["#/tags/0"]


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/ld+json",
        "Application/JSON",
    ],
)
def test_json_media_types_are_accepted(client, media_type):
    assert client.patch("/api/x", data="[]", content_type=media_type).json == []


@pytest.mark.parametrize(
    "media_type",
    ["text/plain", "application/xml", "text/json", "image/svg+json", "application/jsonx", None,
     "multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "+json", ""],
)  # fmt: skip
def test_other_media_types_are_a_415(client, media_type):
    response = client.patch("/api/x", data="[]", content_type=media_type)
    assert response.status_code == 415
    assert response.json["detail"] == "Send JSON, as application/json."


def test_a_default_counts_without_body_and_type(client):
    assert client.put("/api/x").json == {"is_default": True}
    assert client.put("/api/x", data="null", content_type="application/json").json == {
        "is_default": True
    }
    assert client.put("/api/x", json=ARTICLE).json == {"is_default": False}
    assert client.put("/api/x", data="x").status_code == 415
    assert client.put("/api/x", data="", content_type="text/plain").status_code == 415
    assert client.put("/api/x", data="", content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    ("annotation", "body"),
    [
        ("str", "text"),
        ("int", 3),
        ("dict[str, Any]", {"a": [1, {"b": None}]}),
        ("list[int]", [1, 2]),
        ("Literal['a', 'b']", "b"),
        ("int | str", "x"),
        ("bool", True),
        ("Any", {"x": 1}),
    ],
)
def test_any_type_can_be_a_body(serve, annotation, body):
    client = serve(f"def POST(body: Body[{annotation}]): return {{'body': body}}")
    assert client.post("/api/x", json=body).json == {"body": body}


def test_bytes_are_the_body_of_any_media_type(serve):
    client = serve(
        "def POST(body: Body[bytes]): return body\n"
        "def PUT(body: Body[bytes] = b'none'): return body\n"
    )
    for media_type in ("image/png", "application/json", None, "application/x-www-form-urlencoded"):
        assert client.post("/api/x", data=b"a=\xff", content_type=media_type).data == b"a=\xff"
    assert client.post("/api/x").data == b""
    assert client.put("/api/x").data == b"none"
    assert client.put("/api/x", content_type="image/png").data == b""


def test_a_partial_body_keeps_absent_and_null_apart(serve):
    client = serve("""
class Change(TypedDict, total=False):
    title: str
    summary: str | None

def PATCH(body: Body[Change]): return dict(body)
""")
    assert client.patch("/api/x", json={}).json == {}
    assert client.patch("/api/x", json={"summary": None}).json == {"summary": None}
    assert client.patch("/api/x", json={"title": None}).status_code == 422


def test_a_body_too_large_is_a_413(serve):
    client = serve("def POST(body: Body[list[int]]): return body", MAX_CONTENT_LENGTH=5)
    assert client.post("/api/x", json=[1]).json == [1]
    assert client.post("/api/x", json=[1, 2, 3, 4]).status_code == 413


@pytest.mark.parametrize("kind", ["pydantic", "msgspec"])
def test_a_tagged_union_is_chosen_by_its_tag(serve, kind):
    code = {
        "pydantic": """
class Cat(BaseModel):
    type: Literal["cat"]
    lives: int
class Dog(BaseModel):
    type: Literal["dog"]
    name: str
Pet = Annotated[Cat | Dog, Field(discriminator="type")]
""",
        "msgspec": """
class Cat(msgspec.Struct, tag="cat"):
    lives: int
class Dog(msgspec.Struct, tag="dog"):
    name: str
Pet = Cat | Dog
""",
    }[kind]
    client = serve(code + "def POST(pet: Body[list[Pet]]): return [type(p).__name__ for p in pet]")
    body = [{"type": "cat", "lives": 9}, {"type": "dog", "name": "Rex"}]
    assert client.post("/api/x", json=body).json == ["Cat", "Dog"]
    [error] = client.post("/api/x", json=[body[0], {"type": "dog", "name": 1}]).json["errors"]
    assert error["pointer"] == "#/1/name"
    [error] = client.post("/api/x", json=[{"type": "secret"}]).json["errors"]
    assert "secret" not in error["detail"]


def test_generic_types_are_bodies(serve):
    client = serve("""
T = TypeVar("T")
class Page(BaseModel, Generic[T]):
    items: list[T]
class Box(msgspec.Struct, Generic[T]):
    item: T
def POST(page: Body[Page[int]]): return page.items
def PUT(box: Body[Box[int]]): return [box.item]
""")
    assert client.post("/api/x", json={"items": [1]}).json == [1]
    assert client.put("/api/x", json={"item": 1}).json == [1]
    assert client.post("/api/x", json={"items": ["x"]}).json["errors"][0]["pointer"] == "#/items/0"
    assert client.put("/api/x", json={"item": "x"}).json["errors"][0]["pointer"] == "#/item"
