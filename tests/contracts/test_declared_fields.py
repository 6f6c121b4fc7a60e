"""Answers have their declared fields only, whatever a handler returns."""

from __future__ import annotations

import pytest

from tests.contracts.support import OF_MSGSPEC, declare


def route_file(kind):
    return (
        declare(kind, "Author", name="str")
        + declare(kind, "Article", title="str", author="Author", others="list[Author]")
        + declare(kind, "FullAuthor", "Author", password="str")
        + declare(kind, "FullArticle", "Article", draft="str")
        + f"""
KIND = {kind!r}

class Row:
    "An object of an ORM."
    def __init__(self, **fields):
        self.__dict__ |= fields

def full_author():
    return FullAuthor(name="A", password="hunter2")

def instance():
    return FullArticle(title="T", author=full_author(), others=[full_author()], draft="hunter2")

def as_dict():
    author = {{"name": "A", "password": "hunter2"}}
    return {{"title": "T", "author": author, "others": [author], "draft": "hunter2"}}

def mixed():
    value = as_dict()
    return Article(title="T", author=full_author(), others=[]) | {{}} if KIND == "TypedDict" else (
        _build(author=value["author"], others=[full_author(), value["author"]]))

def _build(**fields):
    "Return an instance whose nested values are not of their types."
    if KIND == "model":
        return Article.model_construct(title="T", **fields)
    article = Article(title="T", author=Author(name="A"), others=[])
    for name, value in fields.items():
        setattr(article, name, value)
    return article

def row():
    author = Row(name="A", password="hunter2")
    return Row(title="T", author=author, others=[author], draft="hunter2")

VALUES = {{"instance": instance, "dict": as_dict, "mixed": mixed, "row": row}}

def GET(what: Query[str]) -> Article: return VALUES[what]()
def POST(what: Query[str]) -> list[Article]: return [VALUES[what]()]
def PUT(what: Query[str]) -> dict[str, Article] | NotFound: return {{"a": VALUES[what]()}}
def PATCH(what: Query[str]) -> tuple[Article | Author, Literal[201]]: return VALUES[what](), 201
def OPTIONS(what: Query[str]) -> list[Article]: return (VALUES[what]() for _ in range(2))
"""
    )


def cases(kind):
    rows = kind in ("model", *OF_MSGSPEC)
    return ["instance", "dict", "mixed", *(["row"] if rows else [])]


@pytest.mark.parametrize("checks", [True, False], ids=["checked", "production"])
def test_undeclared_fields_are_lost_at_every_depth(client, kind, checks):
    client.application.config["ROUTE_HANDLERS_CHECK_RESPONSES"] = checks
    for what in cases(kind):
        for method in ("GET", "POST", "PUT", "OPTIONS", "PATCH"):
            if method == "PATCH" and what == "row":
                continue  # which of two types it is cannot be known
            response = client.open(f"/api/x?what={what}", method=method)
            assert response.status_code in (200, 201)
            assert b"hunter2" not in response.data
            [article, *_] = (
                [response.json]
                if method in ("GET", "PATCH")
                else list(response.json.values() if method == "PUT" else response.json)
            )
            assert article["title"] == "T"
            assert article["author"] == {"name": "A"}
            assert all(other == {"name": "A"} for other in article["others"])


def test_iterators_are_read_once(client):
    assert len(client.options("/api/x?what=instance").json) == 2


@pytest.mark.parametrize("checks", [True, False], ids=["checked", "production"])
def test_what_cannot_be_converted_is_a_500(serve, checks):
    client = serve(
        """
class M(BaseModel):
    a: int
class S(msgspec.Struct):
    a: int
def GET() -> M: return {"a": "x"}
def POST() -> S: return {"a": "x"}
def PUT() -> M: return object()
""",
        ROUTE_HANDLERS_CHECK_RESPONSES=checks,
    )
    client.application.testing = False
    for method in ("GET", "POST", "PUT"):
        assert client.open("/api/x", method=method).status_code == 500


def test_a_union_keeps_the_fields_of_the_right_member(serve):
    client = serve("""
class Cat(BaseModel):
    lives: int
class Dog(BaseModel):
    name: str
class BigDog(Dog):
    weight: int
class Home(BaseModel):
    pets: list[Cat | Dog]
def GET() -> Home: return Home(pets=[Cat(lives=9), BigDog(name="Rex", weight=80)])
def POST() -> Cat | Dog: return BigDog(name="Rex", weight=80)
""")
    assert client.get("/api/x").json == {"pets": [{"lives": 9}, {"name": "Rex"}]}
    assert client.post("/api/x").json == {"name": "Rex"}


def test_allowed_extra_fields_are_declared(serve):
    client = serve("""
class M(BaseModel):
    model_config = {"extra": "allow"}
    a: int
def GET() -> M: return M(a=1, b=2)
def POST() -> dict[str, Any] | NotFound: return {"a": {"b": 1}}
""")
    assert client.get("/api/x").json == {"a": 1, "b": 2}
    assert client.post("/api/x").json == {"a": {"b": 1}}


STRUCTS = """
class Leaf(msgspec.Struct):
    name: str
class Secret(Leaf):
    password: str = "hunter2"
class Node(msgspec.Struct):
    leaf: Leaf
    nodes: "list[Node]" = []
class Many(msgspec.Struct):
    maybe: Leaf | None = None
    by_key: dict[str, list[Leaf]] = {}
    number: float = 1
    other: int | str = 3
    when: datetime | None = None
T = TypeVar("T")
class Box(msgspec.Struct, Generic[T]):
    item: T
class Simple(msgspec.Struct):
    name: str
    leaf: Leaf | None = None
    leaves: dict[str, Leaf] = {}
"""


@pytest.mark.parametrize(
    ("annotation", "returned", "body"),
    [
        ("Simple", "Simple('a')", {"name": "a", "leaf": None, "leaves": {}}),
        ("Simple", "Simple('a', Secret('b'), {'k': Secret('c')})",
         {"name": "a", "leaf": {"name": "b"}, "leaves": {"k": {"name": "c"}}}),
        ("Node", "Node(Secret('a'), [Node(Secret('b'))])",
         {"leaf": {"name": "a"}, "nodes": [{"leaf": {"name": "b"}, "nodes": []}]}),
        ("Many", "Many(Secret('a'), {'k': [Secret('b')]})",
         {"maybe": {"name": "a"}, "by_key": {"k": [{"name": "b"}]}, "number": 1.0, "other": 3,
          "when": None}),
        ("Box[Leaf]", "Box(Secret('a'))", {"item": {"name": "a"}}),
        ("Box[list[Leaf]]", "Box([Leaf('a'), Secret('b')])",
         {"item": [{"name": "a"}, {"name": "b"}]}),
        ("list[Leaf | None]", "[None, Secret('a')]", [None, {"name": "a"}]),
        ("dict[str, Leaf] | NotFound", "{'k': Secret('a')}", {"k": {"name": "a"}}),
    ],
)  # fmt: skip
def test_structs_are_written_as_declared(serve, annotation, returned, body):
    code = f"{STRUCTS}def GET() -> {annotation}: return {returned}"
    client = serve(code, ROUTE_HANDLERS_CHECK_RESPONSES=False)
    assert client.get("/api/x").json == body


def test_a_value_of_another_type_is_not_written(serve):
    code = f"{STRUCTS}def GET() -> Simple: return Simple(Secret('a'))"
    client = serve(code, ROUTE_HANDLERS_CHECK_RESPONSES=False)
    client.application.testing = False
    assert client.get("/api/x").status_code == 500
