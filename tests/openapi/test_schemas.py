"""Schemas of types, and the names of their components."""

from __future__ import annotations

import pytest

from flask_routehandlers.openapi.schemas import Schemas, shorten


def names(document):
    return [*document["components"]["schemas"]]


def reference(name):
    return {"$ref": f"#/components/schemas/{name}"}


def result(document, path, method="get"):
    [content] = document["paths"][path][method]["responses"]["200"]["content"].values()
    return content["schema"]


MODEL = "class Author(BaseModel):\n    {field}: int\n"
STRUCT = "class Author(msgspec.Struct):\n    {field}: int\n"
TYPED_DICT = "class Author(TypedDict):\n    {field}: int\n"
GET = "def GET() -> Author: ...\n"


@pytest.mark.parametrize("declaration", [MODEL, STRUCT, TYPED_DICT])
def test_a_name_is_as_short_as_can_be(describe, declaration):
    document = describe(
        {
            "users/route.py": declaration.format(field="a") + GET,
            "articles/route.py": declaration.format(field="b") + GET,
            "articles/comments/route.py": GET.replace("Author", "'list[Author]'")
            + declaration.format(field="b"),
        }
    )
    assert result(document, "/api/users") == reference("users.Author")
    assert result(document, "/api/articles") == reference("articles.Author")
    assert result(document, "/api/articles/comments")["items"] == reference("comments.Author")
    properties = document["components"]["schemas"]["users.Author"]["properties"]
    assert list(properties) == ["a"]


def test_a_single_type_has_its_plain_name(describe):
    document = describe(
        {"users/[id]/route.py": MODEL.format(field="a") + GET.replace("()", "(id)")}
    )
    assert "Author" in names(document)


def test_brackets_are_not_in_names(describe):
    files = {
        f"{folder}/route.py": MODEL.format(field=f"f{n}") + "def GET(params) -> Author: ..."
        for n, folder in enumerate(
            ["[id=int]", "x/[...rest]", "y/[[...more]]", "(a b)", "r-[y].c"]
        )
    }
    document = describe(files)
    found = [name for name in names(document) if name.endswith("Author")]
    assert found == ["a_b.Author", "id_int.Author", "more.Author", "r_y_c.Author", "rest.Author"]


@pytest.mark.parametrize("declarations", [(MODEL, STRUCT), (TYPED_DICT, STRUCT)])
def test_libraries_share_the_names(describe, declarations):
    document = describe(
        {
            "a/route.py": declarations[0].format(field="a") + GET,
            "b/route.py": declarations[1].format(field="b") + GET,
        }
    )
    first, second = result(document, "/api/a")["$ref"], result(document, "/api/b")["$ref"]
    assert first == reference("a.Author")["$ref"]
    assert second != first
    schemas = document["components"]["schemas"]
    assert list(schemas[second.rpartition("/")[2]]["properties"]) == ["b"]


GENERIC = """
T = TypeVar("T")
class Page({base}, Generic[T]):
    items: list[T]
class Item({base}):
    {field}: int
def GET() -> Page[Item]: ...
def POST() -> Page[Page[int]]: ...
"""


@pytest.mark.parametrize("base", ["BaseModel", "msgspec.Struct", "TypedDict"])
def test_generic_types_name_their_arguments(describe, base):
    if base == "TypedDict":
        base = "__import__('typing_extensions').TypedDict"
    document = describe({"a/route.py": GENERIC.format(base=base, field="a")})
    assert {"Item", "Page_Item", "Page_int"} <= set(names(document))


@pytest.mark.parametrize("base", ["BaseModel", "msgspec.Struct"])
def test_generic_types_of_one_name_differ(describe, base):
    document = describe(
        {
            "a/route.py": GENERIC.format(base=base, field="a"),
            "b/route.py": GENERIC.format(base=base, field="b"),
        }
    )
    for path, field in {"/api/a": "a", "/api/b": "b"}.items():
        page = follow(document, result(document, path))
        item = follow(document, page["properties"]["items"]["items"])
        assert list(item["properties"]) == [field]


SHARED = """
T = TypeVar("T")
class Page({base}, Generic[T]):
    items: list[T]
"""


@pytest.mark.parametrize("base", ["BaseModel", "msgspec.Struct"])
def test_one_generic_class_of_equal_arguments(describe, base):
    """msgspec alone cannot name these."""
    item = f"from ._lib.page import Page\nclass Item({base}):\n    FIELD: int\n"
    code = item.replace("._lib", ".._lib") + "def GET() -> Page[Item]: ..."
    document = describe(
        {
            "_lib/page.py": SHARED.format(base=base),
            "a/route.py": code.replace("FIELD", "a"),
            "b/route.py": code.replace("FIELD", "b"),
            "c/route.py": "def GET() -> float: ...",
        }
    )
    for path, field in {"/api/a": "a", "/api/b": "b"}.items():
        page = follow(document, result(document, path))
        item = follow(document, page["properties"]["items"]["items"])
        assert list(item["properties"]) == [field]
    assert result(document, "/api/c") == {"type": "number"}


def follow(document, schema):
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]


DIFFERENT_MODES = """
class Article(BaseModel):
    tags: str
    size: int = 3
    @pydantic.computed_field
    def url(self) -> str: ...
class Plain(BaseModel):
    size: int = 3
def GET() -> list[Article | Plain]: ...
def POST(body: Body[Article | Plain]) -> NoContent: ...
"""


def test_input_and_output_differ_only_if_needed(describe):
    document = describe({"x/route.py": DIFFERENT_MODES})
    models = [name for name in names(document) if name[0] in "AP" and name != "Problem"]
    assert models == ["Article-Input", "Article-Output", "Plain"]


def test_a_type_keeps_the_name_of_an_error(describe):
    code = "class Problem(BaseModel):\n    x: int\ndef GET(a: Query[int]) -> Problem: ..."
    document = describe({"x/route.py": code})
    assert list(document["components"]["schemas"]["Problem"]["properties"]) == ["x"]
    responses = document["paths"]["/api/x"]["get"]["responses"]
    invalid = responses["422"]["content"]["application/problem+json"]["schema"]
    assert follow(document, invalid)["allOf"] == [reference("ProblemDetails")]


def test_names_of_hidden_types_are_free(describe):
    document = describe(
        {
            "a/route.py": MODEL.format(field="a") + GET,
            "b/route.py": "openapi = False\n" + MODEL.format(field="b") + GET,
        }
    )
    assert names(document) == ["Author"]


def test_types_may_refer_to_themselves(describe):
    code = """
class Comment(BaseModel):
    replies: "list[Comment]" = []
class Node(msgspec.Struct):
    next: "Node | None" = None
def GET() -> Comment: ...
def POST() -> Node: ...
"""
    document = describe({"x/route.py": code})
    schemas = document["components"]["schemas"]
    assert schemas["Comment"]["properties"]["replies"]["items"] == reference("Comment")
    assert reference("Node") in schemas["Node"]["properties"]["next"]["anyOf"]


def test_a_discriminator_refers_to_components(describe):
    code = """
class Cat(BaseModel):
    kind: Literal["cat"]
class Dog(BaseModel):
    kind: Literal["dog"]
def GET() -> Annotated[Cat | Dog, Field(discriminator="kind")]: ...
"""
    schema = result(describe({"x/route.py": code}), "/api/x")
    assert schema["discriminator"]["mapping"] == {
        kind: f"#/components/schemas/{kind.capitalize()}" for kind in ("cat", "dog")
    }


WITHOUT_SCHEMA = """
class Odd:
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        from pydantic_core import core_schema
        return core_schema.no_info_plain_validator_function(lambda value: value)
class Article(BaseModel):
    title: str
def GET() -> dict[str, Odd]: ...
def POST() -> Article: ...
"""


def test_a_type_without_schema_spoils_no_other(describe):
    document = describe({"x/route.py": WITHOUT_SCHEMA})
    assert result(document, "/api/x") == {}
    assert result(document, "/api/x", "post") == reference("Article")


def test_defaults_without_json_are_left_out(describe):
    code = "class A(BaseModel):\n    x: Any = object()\ndef GET() -> A: ..."
    schema = describe({"x/route.py": code})["components"]["schemas"]["A"]
    assert "default" not in schema["properties"]["x"]


def test_sets_do_not_promise_unique_items(describe):
    code = """
class A(BaseModel):
    x: set[int]
    uniqueItems: bool
class B(msgspec.Struct):
    x: frozenset[int]
    uniqueItems: bool
def POST(a: Body[A]) -> B: ...
"""
    for schema in describe({"x/route.py": code})["components"]["schemas"].values():
        if schema["title"] in "AB":
            assert schema["properties"]["x"]["type"] == "array"
            assert "uniqueItems" not in schema["properties"]["x"]
            assert "uniqueItems" in schema["properties"]


KEYS = {
    "app--users--route--Author": "users.Author",
    "app--articles--route--Author": "articles.Author",
    "app--articles--route--Tag": "Tag",
    "app--_slug_--route--Page_Author_-Input": "Page_Author-Input",
    "app--_slug_--route--Page_Author_-Output": "Page_Author-Output",
    "a--_Private": "a.Private",
    "a--Private": "a.Private_",
    "Single": "Single",
    "x.y.route.Double": "y.Double",
    "x.z.route.Double": "z.Double",
}


def test_names_are_the_shortest_that_differ():
    assert shorten(KEYS) == KEYS
    assert shorten([]) == {}


def test_an_unknown_type_has_an_empty_schema():
    assert Schemas([]).of(int, "validation") == {}
