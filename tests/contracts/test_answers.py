"""Answers that a return annotation declares: statuses, headers, kinds of bodies, errors."""

from __future__ import annotations

import pytest

from tests.contracts.support import declare


def route_file(kind):
    return (
        declare(kind, "Author", name="str")
        + declare(kind, "Article", title="str", author="Author")
        + """
class Location(TypedDict):
    Location: str

class OutOfStock(Conflict):
    "Nothing is left."

def article():
    return Article(title="T", author=Author(name="A"))

def GET(what: Query[str]) -> Article | NotFound | OutOfStock:
    if what == "none":
        return NotFound("No such article.")
    if what == "raised":
        raise OutOfStock("None left.")
    return article()

def POST() -> tuple[Article, Literal[201], Location]:
    return article(), 201, {"Location": "/api/x/1"}

def PUT(accepted: Query[bool] = False) -> Article | tuple[Author, Literal[202]]:
    return (Author(name="A"), 202) if accepted else article()

def DELETE() -> NoContent | NotFound:
    return "", 204

def PATCH() -> list[Article]:
    return [article(), article()]

async def OPTIONS() -> Created[Article]:
    return article(), 201
"""
    )


ARTICLE = {"title": "T", "author": {"name": "A"}}


def test_an_instance_is_json(client):
    response = client.get("/api/x?what=x")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    assert response.json == ARTICLE


def test_a_returned_error_counts_as_raised(client):
    response = client.get("/api/x?what=none")
    assert response.status_code == 404
    assert response.mimetype == "application/problem+json"
    assert response.json["detail"] == "No such article."
    assert client.get("/api/x?what=raised").status_code == 409


def test_a_status_and_headers_are_sent(client):
    response = client.post("/api/x")
    assert response.status_code == 201
    assert response.headers["Location"] == "/api/x/1"
    assert response.json == ARTICLE
    assert response.headers.getlist("Content-Type") == ["application/json"]


def test_each_status_has_its_own_type(client):
    assert client.put("/api/x").json == ARTICLE
    response = client.put("/api/x?accepted=1")
    assert (response.status_code, response.json) == (202, {"name": "A"})


def test_no_content_has_neither_body_nor_type(client):
    response = client.delete("/api/x")
    assert (response.status_code, response.data) == (204, b"")
    assert "Content-Type" not in response.headers


def test_a_list_of_instances_is_an_array(client):
    assert client.patch("/api/x").json == [ARTICLE, ARTICLE]


def test_an_async_handler_answers_the_same(client):
    response = client.options("/api/x")
    assert (response.status_code, response.json) == (201, ARTICLE)


def test_head_has_the_headers_of_get(client):
    response = client.head("/api/x?what=x")
    assert (response.status_code, response.data) == (200, b"")
    assert response.content_length == len(client.get("/api/x?what=x").data)


BODIES = {
    "str | NotFound": ('"<p>"', b"<p>", "text/html; charset=utf-8"),
    "bytes | NotFound": ('b"x"', b"x", "application/octet-stream"),
    "Iterator[str] | NotFound": ("iter(['a', 'b'])", b"ab", "text/html; charset=utf-8"),
    "Generator[bytes, None, None] | Gone": (
        "(b for b in [b'a'])",
        b"a",
        "text/html; charset=utf-8",
    ),
    "list[int] | NotFound": ("[1]", b"[1]\n", "application/json"),
    "dict[str, int] | Gone": ("{'a': 1}", b'{"a":1}\n', "application/json"),
    "Response | NotFound": ("current_app.response_class('x')", b"x", "text/html; charset=utf-8"),
    "Any | NotFound": ("'x'", b"x", "text/html; charset=utf-8"),
    "dict | NotFound": ("{'a': [1]}", b'{"a":[1]}\n', "application/json"),
    "ResponseReturnValue | NotFound": ("{'a': 1}, 418", b'{"a":1}\n', "application/json"),
    "'ResponseReturnValue | NotFound'": ("'x', 418", b"x", "text/html; charset=utf-8"),
    "tuple[str, Literal[200], Csv]": ("'a,b', 200, csv", b"a,b", "text/csv"),
    "tuple[bytes, Literal[200], Csv]": ("b'a,b', 200, csv", b"a,b", "text/csv"),
    "tuple[T, Json5]": (
        "T(a=1), {'Content-Type': 'application/x'}",
        b'{"a":1}\n',
        "application/x",
    ),
    "tuple[T, dict[str, str]]": ("T(a=1), {'X': 'y'}", b'{"a":1}\n', "application/json"),
    "tuple[T, int]": ("T(a=1), 299", b'{"a":1}\n', "application/json"),
    "T | str": ("'text'", b"text", "text/html; charset=utf-8"),
    "T | Iterator[str]": ("iter('ab')", b"ab", "text/html; charset=utf-8"),
    "int | NotFound": ("3", b"3\n", "application/json"),
    "tuple[int, Literal[201]]": ("3, 201", b"3\n", "application/json"),
    "tuple[T, Literal[200, 201]]": ("T(a=1), 201", b'{"a":1}\n', "application/json"),
    "tuple[Literal[''], Literal[205]]": ("'', 205", b"", "text/html; charset=utf-8"),
}


@pytest.mark.parametrize("annotation", BODIES)
def test_bodies_are_written_as_declared(serve, annotation):
    returned, body, content_type = BODIES[annotation]
    client = serve(f"""
from flask import Response
from flask.typing import ResponseReturnValue
class T(TypedDict):
    a: int
Csv = TypedDict("Csv", {{"Content-Type": Literal["text/csv"]}})
Json5 = TypedDict("Json5", {{"Content-Type": str}})
csv = {{"Content-Type": "text/csv"}}
def GET() -> {annotation}: return {returned}
""")
    response = client.get("/api/x")
    assert response.data == body
    assert response.headers["Content-Type"] == content_type


def test_an_unknown_annotation_needs_no_contract(serve):
    client = serve("""
if TYPE_CHECKING:
    from elsewhere import Article
def GET() -> "Article": return {"a": 1}
def POST() -> None: return "x"
""")
    assert client.get("/api/x").json == {"a": 1}
    assert client.post("/api/x").text == "x"


def test_json_of_a_library_follows_the_schema(serve):
    client = serve("""
class M(BaseModel):
    page_size: int = Field(alias="page-size", default=1)
    when: datetime = datetime(2026, 1, 2)
    price: Decimal = Decimal("1.50")
    kind: Literal["a"] = "a"
    secret: str = Field(default="x", exclude=True)

    @pydantic.computed_field
    def double(self) -> int:
        return self.page_size * 2

class S(msgspec.Struct, rename="camel"):
    page_size: int = 1
    when: datetime = datetime(2026, 1, 2)

def GET() -> M: return M()
def POST() -> S: return S()
""")
    assert client.get("/api/x").json == {
        "page-size": 1,
        "when": "2026-01-02T00:00:00",
        "price": "1.50",
        "kind": "a",
        "double": 2,
    }
    assert client.post("/api/x").json == {"pageSize": 1, "when": "2026-01-02T00:00:00"}


def test_typed_dicts_are_written_by_the_json_provider(serve):
    client = serve("""
class T(TypedDict):
    when: datetime
    price: Decimal
def GET() -> T: return {"when": datetime(2026, 1, 2), "price": Decimal("1.50")}
""")
    response = {"when": "Fri, 02 Jan 2026 00:00:00 GMT", "price": "1.50"}
    assert client.get("/api/x").json == response
    client.application.json.ensure_ascii = False
    client.application.json.mimetype = "application/vnd.api+json"
    assert client.get("/api/x").mimetype == "application/vnd.api+json"


@pytest.mark.parametrize(
    ("returned", "body"),
    [
        ("M(a=1)", {"a": 1, "b": None}),
        ("N(a=1, c=3)", {"a": 1, "b": None, "c": 3}),
        ("D(a=1, b=D(a=2))", {"a": 1, "b": {"a": 2, "b": None}}),
        ("P(a=1)", {"a": 1}),
        ("S(c=2)", {"c": 2}),
        ("A(a=1)", {"a": 1}),
        ("R([1])", [1]),
    ],
)
def test_without_an_annotation_an_instance_is_written_whole(serve, returned, body):
    client = serve(f"""
class M(BaseModel):
    a: int
    b: Any = None
class N(M):
    c: int
class R(pydantic.RootModel[list[int]]): ...
@dataclass
class D:
    a: int
    b: Any = None
@pydantic.dataclasses.dataclass
class P:
    a: int
class S(msgspec.Struct):
    c: int
@attrs.define
class A:
    a: int
def GET(): return {returned}
async def POST(): return {returned}, 201, {{"X": "y"}}
def PUT() -> ...: return {returned}
""")
    assert client.get("/api/x").json == body
    assert client.get("/api/x").mimetype == "application/json"
    assert client.put("/api/x").json == body
    response = client.post("/api/x")
    assert (response.status_code, response.json, response.headers["X"]) == (201, body, "y")


def test_an_error_returned_without_a_contract_is_raised(make_app):
    app = make_app(
        {
            "x/route.py": "from werkzeug.exceptions import *\n"
            "def GET(): return NotFound()\n"
            "async def POST(): return Forbidden()\n",
            "y/middleware.py": "from werkzeug.exceptions import *\n"
            "def middleware(): return Unauthorized()\n",
            "y/route.py": "def GET(): return 'secret'\n",
            "z/middleware.py": "from werkzeug.exceptions import *\n"
            "async def middleware(): return Unauthorized()\n",
            "z/route.py": "def GET(): return 'secret'\n",
        }
    )
    client = app.test_client()
    for method, path, status in (
        ("GET", "x", 404),
        ("POST", "x", 403),
        ("GET", "y", 401),
        ("GET", "z", 401),
    ):
        response = client.open(f"/api/{path}", method=method)
        assert response.status_code == status
        assert response.mimetype == "application/problem+json"


def test_nothing_returned_names_the_handler(serve):
    client = serve("class T(TypedDict):\n    a: int\ndef GET() -> T | NotFound: return None")
    with pytest.raises(TypeError, match=r"^GET in x/route\.py returned None\."):
        client.get("/api/x")


def test_without_a_library_flask_writes_the_answer(serve, monkeypatch):
    from flask_routehandlers.contracts import libraries

    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    client = serve("""
class T(TypedDict):
    a: int
@dataclass
class D:
    a: int
def GET() -> T | NotFound: return {"a": 1}
def POST() -> tuple[D, Literal[201]]: return D(a=1), 201
""")
    assert client.get("/api/x").json == {"a": 1}
    assert client.post("/api/x").json == {"a": 1}
    assert client.post("/api/x").status_code == 201


def test_a_static_handler_stores_the_written_bytes(serve):
    client = serve("""
from itertools import count
runs = count(1)
revalidate = 60
class M(BaseModel):
    run: int
class More(M):
    secret: str = "x"
def GET() -> M | NotFound: return More(run=next(runs))
""")
    first, second = client.get("/api/x"), client.get("/api/x")
    assert first.data == second.data == b'{"run":1}'
    assert second.mimetype == "application/json"
    assert (
        client.get("/api/x", headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    )
