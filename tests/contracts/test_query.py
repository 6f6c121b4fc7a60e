"""Arguments from the query string: plain and structured types, defaults, aliases, mixtures."""

from __future__ import annotations

import pytest

from tests.contracts.support import IMPORTS, declare, limited


def route_file(kind):
    return (
        limited(kind)
        + declare(kind, "Page", limit="Small = 20", offset="int = 0", tag="list[str] = []")
        .replace("= []", "= attrs.field(factory=list)" if kind == "attrs" else "= []")
        .replace("list[str] = []", _empty_list(kind))
        + declare(kind, "Range", start="date", end="date")
        + """
def shown(value, *names):
    get = value.get if isinstance(value, dict) else lambda name: getattr(value, name)
    return {name: str(get(name)) for name in names}

def GET(page: Query[Page], author: Query[str | None] = None):
    return {"page": shown(page, "limit", "offset", "tag"), "author": author}

def DELETE(range: Query[Range | None] = None, limit: Query[int] = 5):
    return {"range": range and shown(range, "start", "end"), "limit": limit}

def PUT(page: Query[Page], range: Query[Range]):
    return {**shown(page, "limit"), **shown(range, "start")}
"""
    )


def _empty_list(kind):
    default = {
        "dataclass": "__import__('dataclasses').field(default_factory=list)",
        "pydantic dataclass": "Field(default_factory=list)",
    }.get(kind, "[]")
    return f"list[str] = {default}"


def test_the_fields_of_a_type_are_keys(client, kind):
    response = client.get("/api/x?limit=5&offset=2&tag=a&tag=b&author=ann")
    page = {"limit": "5", "offset": "2", "tag": "['a', 'b']"}
    assert response.json == {"page": page, "author": "ann"}


def test_the_first_of_repeated_keys_counts(client):
    assert client.get("/api/x?limit=5&limit=6&author=a&author=b").json["author"] == "a"
    assert client.get("/api/x?limit=5&limit=x").json["page"]["limit"] == "5"


def test_a_default_of_a_type_counts_without_its_keys(client):
    assert client.delete("/api/x").json == {"range": None, "limit": 5}
    assert client.delete("/api/x?limit=7&other=1").json == {"range": None, "limit": 7}
    response = client.delete("/api/x?start=2026-01-01")
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json["errors"]] == ["#/end"]
    assert client.delete("/api/x?start=2026-01-01&end=2026-01-02").json["range"] == {
        "start": "2026-01-01",
        "end": "2026-01-02",
    }


def test_two_types_share_a_place(client):
    response = client.put("/api/x?limit=3&start=2026-01-01&end=2026-01-02")
    assert response.json == {"limit": "3", "start": "2026-01-01"}


def test_errors_of_all_arguments_are_reported(client, kind):
    errors = client.put("/api/x?limit=101&start=x&end=2026-01-01").json["errors"]
    assert [(error["in"], error["pointer"]) for error in errors] == [
        ("query", "#/limit"),
        ("query", "#/start"),
    ]


VALUES = [
    ("int", "7", 7),
    ("int", "-7", -7),
    ("float", "1.5", 1.5),
    ("bool", "true", True),
    ("bool", "0", False),
    ("str", "", ""),
    ("str", "a b&c", "a b&c"),
    ("date", "2026-01-02", "2026-01-02"),
    ("UUID", "12345678-1234-1234-1234-1234567890ab", "12345678-1234-1234-1234-1234567890ab"),
    ("Decimal", "1.50", "1.50"),
    ("Literal['a', 'b']", "a", "a"),
    ("Literal[1, 2]", "2", 2),
    ("int | None", "3", 3),
    ("list[int]", "3", [3]),
    ("tuple[str, ...]", "x", ["x"]),
    ("set[int]", "3", [3]),
    ("Size", "2", 2),
    ("Colour", "red", "red"),
    ("list[Literal[1, 2]]", "2", [2]),
    ("Annotated[int, {positive}]", "3", 3),
]

TYPES = """
class Size(Enum):
    SMALL = 1
    LARGE = 2

class Colour(Enum):
    RED = "red"

def shown(value):
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, set)):
        return sorted(value)
    return value if isinstance(value, (int, float, list)) else str(value)
"""


@pytest.mark.parametrize("library", ["pydantic", "msgspec"])
def test_plain_types_are_read_from_strings(serve, library):
    positive, anything = "Field(gt=0)", "Field()"
    if library == "msgspec":
        positive, anything = "msgspec.Meta(gt=0)", "msgspec.Meta(title='x')"
    arguments = [
        f"a{number}: Query[Annotated[{annotation.format(positive=positive)}, {anything}]]"
        for number, (annotation, _, _) in enumerate(VALUES)
    ]
    client = serve(
        f"{TYPES}def GET({', '.join(arguments)}):\n"
        "    return {name: shown(value) for name, value in locals().items()}"
    )
    sent = {f"a{number}": value for number, (_, value, _) in enumerate(VALUES)}
    expected = {f"a{number}": value for number, (_, _, value) in enumerate(VALUES)}
    assert client.get("/api/x", query_string=sent).json == expected


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        ("int", "x"),
        ("int", ""),
        ("int", "1.5"),
        ("int | None", "none"),
        ("Literal['a']", "b"),
        ("Literal[1, 2]", "3"),
        ("date", "2026-13-01"),
        ("list[int]", "x"),
        ("UUID", "1234"),
        ("Annotated[int, Field(gt=0)]", "0"),
        ("Annotated[int, msgspec.Meta(gt=0)]", "0"),
        ("Annotated[UUID, msgspec.Meta(title='x')]", "secret"),
    ],
)
def test_strings_that_do_not_fit_are_a_422(serve, annotation, value):
    client = serve(f"def GET(size: Query[{annotation}]): return ''")
    response = client.get("/api/x", query_string={"size": value})
    assert response.status_code == 422
    [error] = response.json["errors"]
    assert error["in"] == "query"
    assert error["pointer"] in ("#/size", "#/size/0")


def test_a_missing_key_is_named(serve):
    client = serve("def GET(from_: Query[int], page_size: Query[int]): return ''")
    assert client.get("/api/x").json["errors"] == [
        {"in": "query", "pointer": f"#/{key}", "detail": "Field required", "code": "missing"}
        for key in ("from", "page_size")
    ]


def test_an_alias_is_the_key(serve):
    client = serve("""
class Page(BaseModel):
    page_size: int = Field(alias="page-size")

class Sort(msgspec.Struct, rename="kebab"):
    sort_by: str

def GET(page: Query[Page], sort: Query[Sort],
        sort_order: Query[Annotated[str, Field(alias="order")]]):
    return [page.page_size, sort.sort_by, sort_order]
""")
    assert client.get("/api/x?page-size=3&sort-by=name&order=up").json == [3, "name", "up"]
    errors = client.get("/api/x?page_size=3&sort_by=name&sort_order=up").json["errors"]
    assert [error["pointer"] for error in errors] == ["#/order", "#/page-size", "#/sort-by"]


def test_an_alias_can_follow_another_field(serve):
    client = serve("""
Size = Annotated[int, Field(ge=1)]
def GET(size: Query[Annotated[Size, Field(alias="page-size")]]): return [size]
""")
    assert client.get("/api/x?page-size=3").json == [3]
    [error] = client.get("/api/x?page-size=0").json["errors"]
    assert (error["pointer"], error["code"]) == ("#/page-size", "greater_than_equal")


STRICT = {
    "model": "class Page(BaseModel):\n    model_config = {'extra': 'forbid'}\n"
    "    limit: int = 3\n",
    "pydantic dataclass": "@pydantic.dataclasses.dataclass(config={'extra': 'forbid'})\n"
    "class Page:\n    limit: int = 3\n",
    "TypedDict": "class Page(TypedDict):\n    __pydantic_config__ = {'extra': 'forbid'}\n"
    "    limit: NotRequired[int]\n",
    "Struct": "class Page(msgspec.Struct, forbid_unknown_fields=True):\n    limit: int = 3\n",
}


@pytest.mark.parametrize("kind", STRICT)
def test_a_strict_type_refuses_unknown_keys_only(serve, kind):
    code = f"""{STRICT[kind]}
class Sort(TypedDict, total=False):
    sort: str
def GET(page: Query[Page], sort: Query[Sort], from_: Query[str] = ""): return "fine"
def DELETE(page: Query[Page | None] = None): return "fine"
"""
    client = serve(code)
    assert client.get("/api/x?limit=3&sort=a&from=b").text == "fine"
    for response in (client.get("/api/x?limmit=3"), client.delete("/api/x?limmit=3")):
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json["errors"]] == ["#/limmit"]


def test_a_type_that_allows_others_gets_them(serve):
    client = serve("""
class Filter(BaseModel):
    model_config = {"extra": "allow"}
    limit: int = 3

def GET(filter: Query[Filter], sort: Query[str] = ""): return filter.model_dump()
""")
    assert client.get("/api/x?sort=a&colour=red").json == {"limit": 3, "colour": "red"}


def test_a_union_of_types_reads_the_keys_of_both(serve):
    client = serve("""
class ByName(BaseModel):
    name: str
class ById(BaseModel):
    id: int
def GET(by: Query[ByName | ById]): return by.model_dump()
""")
    assert client.get("/api/x?name=a").json == {"name": "a"}
    assert client.get("/api/x?id=3").json == {"id": 3}
    assert client.get("/api/x").status_code == 422


def test_a_second_argument_does_not_change_the_first(serve):
    first = serve("def GET(size: Query[int]): return ''")
    second = serve(
        "def GET(size: Query[int], other: Query[Annotated[int, msgspec.Meta(gt=0)]] = 1):\n"
        "    return ''\n"
    )
    assert first.get("/api/x?size=x").json == second.get("/api/x?size=x").json


def test_a_default_is_not_validated(serve):
    client = serve(
        "def GET(size: Query[int] = 'many', page: Query[Annotated[int, Field(gt=0)]] = 0):\n"
        "    return [size, page]\n"
    )
    assert client.get("/api/x").json == ["many", 0]


def test_string_annotations_are_read(serve):
    client = serve("""
Wanted = Annotated[int, Field(gt=0)]
def GET(size: "Query[Wanted]", tag: "Query[list[str]]" = ()): return [size, *tag]
def POST(size: Query["Wanted"]): return [size]
""")
    assert client.get("/api/x?size=3&tag=a").json == [3, "a"]
    assert client.post("/api/x?size=0").status_code == 422


def test_aliases_of_types_are_looked_through(serve):
    client = serve("""
Id = NewType("Id", int)
class Page(TypedDict):
    limit: int
Paged = Query[Page]
def GET(id: Query[Id], page: Paged, ids: Query[list[Id]] = []): return [id, page["limit"], *ids]
""")
    assert client.get("/api/x?id=3&limit=4&ids=5&ids=6").json == [3, 4, 5, 6]


@pytest.mark.parametrize(
    "handler",
    [
        "async def GET(size: Query[int], **rest): return [size]",
        "class Handler:\n    def __call__(self, size: Query[int]): return [size]\nGET = Handler()",
        "import functools\ndef get(start, size: Query[int]): return [size]\n"
        "GET = functools.partial(get, 0)",
        "import functools\ndef plain(f):\n    @functools.wraps(f)\n"
        "    def wrapper(*args, **kwargs): return f(*args, **kwargs)\n    return wrapper\n"
        "@plain\ndef GET(size: Query[int]): return [size]",
        "GET = Method().get",
    ],
    ids=["async", "object", "partial", "decorated", "method"],
)
def test_every_form_of_handler_has_markers(serve, handler):
    method = "class Method:\n    def get(self, size: Query[int]): return [size]\n"
    client = serve(f"{method}{handler}")
    assert client.get("/api/x?size=3").json == [3]
    assert client.get("/api/x?size=x").status_code == 422


def test_a_middleware_reads_the_query(make_app):
    app = make_app(
        {
            "middleware.py": f"{IMPORTS}\n"
            "def middleware(call_next, trace: Query[int] = 0):\n"
            "    response = call_next()\n    response.headers['Trace'] = str(trace)\n"
            "    return response\n",
            "x/route.py": "def GET(): return 'fine'\n",
        }
    )
    client = app.test_client()
    assert client.get("/api/x?trace=3").headers["Trace"] == "3"
    assert client.get("/api/x").headers["Trace"] == "0"
    assert client.get("/api/x?trace=x").status_code == 422


def test_msgspec_codes_say_what_is_wrong(serve):
    client = serve("""
class Page(msgspec.Struct, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(le=9)]
def GET(page: Query[Page]): return ""
""")
    expected = {
        "": ("#/limit", "Field required", "missing"),
        "limit=10": ("#/limit", "Expected `int` <= 9", "invalid"),
        "limit=x": ("#/limit", "Expected `int`, got `str`", "invalid"),
        "limit=1&x=2": ("#/x", "Unknown field", "unknown_field"),
    }
    for query, (pointer, detail, code) in expected.items():
        assert client.get(f"/api/x?{query}").json["errors"] == [
            {"in": "query", "pointer": pointer, "detail": detail, "code": code}
        ]


def test_numbers_of_an_enumeration_are_read_in_types(serve):
    client = serve("""
class Size(Enum):
    SMALL = 1
class Page(BaseModel):
    size: Size
    step: Literal[1, 2] | None = None
    is_new: Literal[True] = True
    steps: list[Literal[1, 2]] = []
class Other(msgspec.Struct):
    step: Literal[1, 2]
def GET(page: Query[Page], other: Query[Other]):
    return [page.size.value, page.step, page.is_new, page.steps, other.step]
""")
    response = client.get("/api/x?size=1&step=2&is_new=true&steps=1&steps=2")
    assert response.json == [1, 2, True, [1, 2], 2]
    response = client.get("/api/x?size=3&step=3&is_new=false&steps=3")
    pointers = [error["pointer"] for error in response.json["errors"]]
    assert pointers == ["#/size", "#/step", "#/is_new", "#/steps/0", "#/step"]
