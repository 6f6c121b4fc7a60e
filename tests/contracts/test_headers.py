"""Arguments from headers and cookies."""

from __future__ import annotations

from tests.contracts.support import declare


def route_file(kind):
    return (
        declare(kind, "Meta", user_agent="str", if_match="list[str]")
        + declare(kind, "Prefs", theme="str", page_size="int = 20")
        + """
def get(value, name):
    return value[name] if isinstance(value, dict) else getattr(value, name)

def GET(meta: Header[Meta], prefs: Cookie[Prefs],
        x_trace: Header[int] = 0, lang: Cookie[str] = "en"):
    return {
        "meta": [get(meta, "user_agent"), get(meta, "if_match")],
        "prefs": get(prefs, "theme"),
        "others": [x_trace, lang],
    }
"""
    )


def test_headers_and_cookies_fill_types(client):
    client.set_cookie("theme", "dark")
    client.set_cookie("lang", "de")
    headers = {"User-Agent": "test", "IF-MATCH": '"a", "b"', "X-Trace": "7"}
    assert client.get("/api/x", headers=headers).json == {
        "meta": ["test", ["a", "b"]],
        "prefs": "dark",
        "others": [7, "de"],
    }


def test_errors_name_headers_and_cookies(serve):
    client = serve(
        "def GET(x_trace: Header[int], from_: Header[str], page_size: Cookie[int]): return ''"
    )
    client.set_cookie("page_size", "x")
    errors = client.get("/api/x", headers={"X-Trace": "x"}).json["errors"]
    assert [(error["in"], error["pointer"]) for error in errors] == [
        ("header", "#/x-trace"),
        ("header", "#/from"),
        ("cookie", "#/page_size"),
    ]


def test_a_header_without_regard_to_case(serve):
    client = serve("""
class Meta(TypedDict):
    trace: Annotated[str, Field(alias="X-TRACE-ID")]
def GET(meta: Header[Meta], x_id: Header[str]): return [meta["trace"], x_id]
""")
    assert client.get("/api/x", headers={"x-trace-id": "a", "X-ID": "b"}).json == ["a", "b"]


def test_a_strict_type_ignores_other_headers(serve):
    client = serve("""
class Strict(BaseModel):
    model_config = {"extra": "forbid"}
class Meta(Strict):
    x_trace: str
class Prefs(Strict):
    theme: str
def GET(meta: Header[Meta], prefs: Cookie[Prefs]): return [meta.x_trace, prefs.theme]
""")
    client.set_cookie("theme", "dark")
    client.set_cookie("session", "of another part of the site")
    assert client.get("/api/x", headers={"X-Trace": "a", "X-Other": "b"}).json == ["a", "dark"]


def test_the_first_of_repeated_cookies_counts(serve):
    client = serve("def GET(a: Cookie[str], b: Cookie[list[str]]): return [a, *b]")
    client = client.application.test_client(use_cookies=False)
    headers = {"Cookie": "a=1; a=2; b=3; b=4"}
    assert client.get("/api/x", headers=headers).json == ["1", "3", "4"]


def test_a_list_splits_quoted_header_values(serve):
    client = serve(
        "def GET(accept_language: Header[list[str]] = ()): return list(accept_language)"
    )
    response = client.get("/api/x", headers={"Accept-Language": 'de, "a, b", en'})
    assert response.json == ["de", "a, b", "en"]
    assert client.get("/api/x").json == []
