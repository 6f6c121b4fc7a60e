"""Parameters and bodies, from the markers of a signature."""

from __future__ import annotations

import pytest

INTEGER = {"type": "integer"}
STRING = {"type": "string"}
STRINGS = {"type": "array", "items": STRING}
URLENCODED = "application/x-www-form-urlencoded"


def parameters(operation):
    return {f"{each['in']} {each['name']}": each for each in operation["parameters"]}


def schema_of(operation):
    [parameter] = operation["parameters"]
    return parameter["schema"]


QUERY = {
    "a: Query[int]": INTEGER,
    "a: Query[str]": STRING,
    "a: Query[bool] = False": {"type": "boolean", "default": False},
    "a: Query[float] = 1.5": {"type": "number", "default": 1.5},
    "a: Query[int | None] = None": INTEGER,
    "a: Query[int | None] = 3": {"type": "integer", "default": 3},
    "a: Query[int | str | None] = None": {"anyOf": [INTEGER, STRING]},
    "a: Query[tuple[str, ...]] = ()": {**STRINGS, "default": []},
    "a: Query[list[str]]": STRINGS,
    "a: Query[set[str]] = frozenset()": {**STRINGS, "default": []},
    "a: Query[frozenset[str]]": STRINGS,
    "a: Query[set[Annotated[str, msgspec.Meta(max_length=3)]]]": {
        "type": "array",
        "items": {"type": "string", "maxLength": 3},
    },
    "a: Query[Literal['x', 'y']] = 'x'": {"type": "string", "enum": ["x", "y"], "default": "x"},
    "a: Query[Literal[1, 2]]": {"type": "integer", "enum": [1, 2]},
    "a: Query[Literal['x', None]] = None": {"enum": ["x"]},
    "a: Query[date]": {"type": "string", "format": "date"},
    "a: Query[date] = date(2026, 1, 2)": {
        "type": "string",
        "format": "date",
        "default": "2026-01-02",
    },
    "a: Query[UUID]": {"type": "string", "format": "uuid"},
    "a: Query[Annotated[int, Field(ge=1, le=9)]] = 3": {
        "type": "integer",
        "minimum": 1,
        "maximum": 9,
        "default": 3,
    },
    "a: Query[Annotated[int, msgspec.Meta(ge=1)]]": {"type": "integer", "minimum": 1},
    "a: Query[Json[list[int]]]": {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"type": "array", "items": INTEGER},
    },
    "a: Query[int] = object()": INTEGER,
    "a: Query[Any] = None": {},
}


@pytest.mark.parametrize("signature", QUERY)
def test_a_plain_type_is_one_parameter(operation, signature):
    described = operation(f"def GET({signature}): ...")
    assert schema_of(described) == QUERY[signature]
    [parameter] = described["parameters"]
    assert (parameter["in"], parameter["name"]) == ("query", "a")
    assert parameter.get("required", False) == ("=" not in signature.rpartition("]")[2])


ENUMS = """
class Colour(Enum):
    red = "r"
    blue = "b"
class Size(int, Enum):
    small = 1
def GET(a: Query[Colour] = Colour.red, b: Query[Size] = Size.small,
        c: Query[list[Colour]] = [Colour.blue]): ...
"""


def test_an_enumeration_is_a_component(describe):
    document = describe({"x/route.py": ENUMS})
    schemas = document["components"]["schemas"]
    assert schemas["Colour"]["enum"] == ["r", "b"]
    assert schemas["Size"]["enum"] == [1]
    found = [each["schema"] for each in document["paths"]["/api/x"]["get"]["parameters"]]
    reference = {"$ref": "#/components/schemas/Colour"}
    assert found == [
        {**reference, "default": "r"},
        {"$ref": "#/components/schemas/Size", "default": 1},
        {"type": "array", "items": reference, "default": ["b"]},
    ]


def test_descriptions_are_those_of_parameters(operation):
    described = operation(
        'def GET(a: Query[Annotated[int, Field(description="How many.", deprecated=True)]]): ...'
    )
    [parameter] = described["parameters"]
    assert parameter["description"] == "How many."
    assert parameter["deprecated"] is True
    assert parameter["schema"] == INTEGER


PAGE = """
class Page(BaseModel):
    limit: int = 10
    after: int | None = None
    sort: Literal["a", "b"] = Field("a", description="By what.")
    words: list[str]
    class_: str = Field("x", alias="class")
"""


def test_a_structured_type_is_flattened(describe):
    document = describe({"x/route.py": f"{PAGE}\ndef GET(page: Query[Page], q: Query[str]): ..."})
    found = parameters(document["paths"]["/api/x"]["get"])
    assert list(found) == [f"query {n}" for n in ("limit", "after", "sort", "words", "class", "q")]
    assert [name for name in found if found[name].get("required")] == ["query words", "query q"]
    assert found["query sort"]["description"] == "By what."
    assert found["query after"]["schema"] == {"type": "integer", "title": "After"}
    assert "Page" not in document["components"]["schemas"]


def test_a_default_makes_all_fields_optional(operation):
    described = operation(f"{PAGE}\ndef GET(page: Query[Page | None] = None): ...")
    assert all("required" not in each for each in described["parameters"])
    assert len(described["parameters"]) == 5


KINDS = {
    "TypedDict": "class Page(TypedDict):\n    a: int\n    b: NotRequired[str]",
    "dataclass": "@dataclass\nclass Page:\n    a: int\n    b: str = 'x'",
    "Struct": "class Page(msgspec.Struct):\n    a: int\n    b: str = 'x'",
    "attrs": "@attrs.define\nclass Page:\n    a: int\n    b: str = 'x'",
    "alias": "class _P(BaseModel):\n    a: int\n    b: str = 'x'\nPage = NewType('Page', _P)",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_type_is_flattened(operation, kind):
    described = operation(f"{KINDS[kind]}\ndef GET(page: Query[Page]): ...")
    found = parameters(described)
    assert found["query a"]["required"] is True
    assert "required" not in found["query b"]


UNION = """
class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int
class Dog(BaseModel):
    kind: Literal["dog"]
    name: str = "x"
Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
def GET(pet: Query[Pet]): ...
"""


def test_a_union_has_the_fields_of_all_members(operation):
    found = parameters(operation(UNION))
    assert sorted(found) == ["query kind", "query lives", "query name"]
    assert [name for name in found if found[name].get("required")] == ["query kind"]


def test_headers_have_dashes(operation):
    described = operation(
        """
class Caching(BaseModel):
    if_match: str
def GET(x_request_id: Header[str], from_: Header[str], caching: Header[Caching],
        tags: Header[list[str]] = []): ...
"""
    )
    assert sorted(parameters(described)) == [
        "header from",
        "header if-match",
        "header tags",
        "header x-request-id",
    ]


def test_headers_of_openapi_are_no_parameters(operation):
    described = operation("def GET(accept: Header[str], content_type: Header[str]): ...")
    assert "parameters" not in described
    assert "422" in described["responses"]


def test_cookies_are_parameters(operation):
    described = operation("def GET(theme: Cookie[Literal['dark', 'light']] = 'light'): ...")
    assert list(parameters(described)) == ["cookie theme"]


def test_a_scalar_can_have_an_alias(operation):
    described = operation(
        "def GET(size: Query[Annotated[int, Field(alias='page-size')]] = 3): ..."
    )
    assert list(parameters(described)) == ["query page-size"]


SHARED = {
    "y/middleware.py": """
def middleware(call_next, trace: Header[str], page: Query[str] = "1", Page: Query[str] = ""):
    return call_next()
""",
    "y/dependencies.py": """
def limits(limit: Query[int], page: Query[str]) -> int: ...
def unused(other: Query[int]) -> int: ...
""",
    "y/route.py": """
def GET(limits, TRACE: Header[UUID], limit: Query[str] = "3", page: Query[int] = 1): ...
def POST(): ...
""",
}


def test_parameters_of_the_way_are_included(describe):
    item = describe(SHARED)["paths"]["/api/y"]
    assert list(parameters(item["post"])) == ["header trace", "query page", "query Page"]
    found = parameters(item["get"])
    assert sorted(found) == ["header TRACE", "query Page", "query limit", "query page"]


def test_one_parameter_is_described_once(describe):
    """The handler describes it; it is required if any function requires it."""
    found = parameters(describe(SHARED)["paths"]["/api/y"]["get"])
    assert found["header TRACE"]["schema"] == {"type": "string", "format": "uuid"}
    assert found["query limit"]["schema"] == {"type": "string", "default": "3"}
    assert found["query limit"]["required"] is True
    assert found["query page"]["schema"] == {"type": "integer", "default": 1}
    assert found["query page"]["required"] is True
    assert "required" not in found["query Page"]


ARTICLE = "class Article(BaseModel):\n    title: str\n"
REFERENCE = {"$ref": "#/components/schemas/Article"}

BODIES = {
    "body: Body[Article]": ("application/json", REFERENCE),
    "body: Body[list[Article]]": ("application/json", {"type": "array", "items": REFERENCE}),
    "body: Body[Article | None] = None": (
        "application/json",
        {"anyOf": [REFERENCE, {"type": "null"}]},
    ),
    "body: Body[dict[str, int]]": (
        "application/json",
        {"type": "object", "additionalProperties": INTEGER},
    ),
    "body: Body[Any]": ("application/json", {}),
    "body: Body[bytes]": ("*/*", {}),
    "body: Body[bytes] = b''": ("*/*", {}),
    "body: Body[pydantic.Base64Bytes]": (
        "application/json",
        {"type": "string", "format": "base64"},
    ),
}


@pytest.mark.parametrize("signature", BODIES)
def test_a_body_has_its_media_type(operation, signature):
    described = operation(f"{ARTICLE}def POST({signature}): ...")
    media_type, schema = BODIES[signature]
    assert described["requestBody"]["content"] == {media_type: {"schema": schema}}
    is_required = " = " not in signature and "[bytes]" not in signature
    assert described["requestBody"].get("required", False) == is_required


def test_a_form_without_files_is_urlencoded(operation):
    described = operation(
        "def POST(a: Form[int], b: Form[str] = '', c: Form[list[int]] = []): ..."
    )
    schema = {
        "type": "object",
        "properties": {
            "a": INTEGER,
            "b": {"type": "string", "default": ""},
            "c": {"type": "array", "items": INTEGER, "default": []},
        },
        "required": ["a"],
    }
    assert described["requestBody"] == {
        "required": True,
        "content": {URLENCODED: {"schema": schema}},
    }


def test_an_optional_form_is_not_required(operation):
    described = operation("def POST(a: Form[int] = 3): ...")
    assert "required" not in described["requestBody"]


def test_files_need_a_multipart_form(operation):
    described = operation(
        """
def POST(picture: Form[FileStorage], caption: Form[str | None] = None,
         others: Form[list[FileStorage] | None] = None,
         from_: Form[Annotated[FileStorage, Field(alias="the-file")] | None] = None): ...
"""
    )
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    [content] = described["requestBody"]["content"].items()
    assert content[0] == "multipart/form-data"
    assert content[1]["schema"]["properties"]["picture"] == file
    assert content[1]["schema"]["properties"]["others"] == {"type": "array", "items": file}
    assert content[1]["schema"]["properties"]["caption"] == STRING
    assert content[1]["schema"]["required"] == ["picture"]


def test_a_structured_form_is_flattened(operation):
    described = operation(f"{ARTICLE}def POST(form: Form[Article], extra: Form[int] = 1): ...")
    content = described["requestBody"]["content"][URLENCODED]["schema"]
    assert content["required"] == ["title"]
    assert list(content["properties"]) == ["extra", "title"]


FORBIDDING = {
    "model": 'class A(BaseModel, extra="forbid"):\n    a: int\n',
    "dataclass": "@pydantic.dataclasses.dataclass(config={'extra': 'forbid'})\n"
    "class A:\n    a: int\n",
    "Struct": "class A(msgspec.Struct, forbid_unknown_fields=True):\n    a: int\n",
}


@pytest.mark.parametrize("kind", FORBIDDING)
def test_a_type_can_forbid_other_keys(describe, kind):
    code = f"""{FORBIDDING[kind]}
def POST(form: Form[A], b: Form[int] = 1): ...
def PUT(body: Body[A], query: Query[A]): ...
"""
    document = describe({"x/route.py": code})
    content = document["paths"]["/api/x"]["post"]["requestBody"]["content"]
    schema = content[URLENCODED]["schema"]
    assert schema["additionalProperties"] is False
    assert sorted(schema["properties"]) == ["a", "b"]
    assert document["components"]["schemas"]["A"]["additionalProperties"] is False
    assert list(parameters(document["paths"]["/api/x"]["put"])) == ["query a"]


def test_a_plain_argument_is_no_parameter(operation):
    described = operation("def GET(request, params, limit: int = 3): ...")
    assert "parameters" not in described
    assert list(described["responses"]) == ["2XX"]
