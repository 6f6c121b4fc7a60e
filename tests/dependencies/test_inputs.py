"""What the client sends: which of several faults answers, and what has run by then."""

from __future__ import annotations

import pytest

from tests.dependencies.support import SESSION, rolled_back, take_log

DEPENDENCIES = (
    SESSION
    + """
def user(token: Bearer, db) -> str | Unauthorized:
    log("user")
    return "ada" if token == "right" else Unauthorized("Unknown.")

def viewer(token: Bearer | None = None):
    log("viewer")
    return token

def page(number: Query[int]):
    log("page")
    return number

def shown(page):
    log("shown")
    return page

def article(slug: Query[str], db):
    log("article")
    return NotFound("No such article.") if slug == "none" else slug

def owned(user, article):
    log("owned")
    return Forbidden("Not yours.") if article == "theirs" else article
"""
)

AUTH = {"Authorization": "Bearer right"}


def errors(response):
    """Return the places and pointers of a refused request."""
    assert response.status_code == 422
    return sorted((error["in"], error["pointer"]) for error in response.json["errors"])


@pytest.fixture
def client(serve):
    return serve(
        DEPENDENCIES,
        """
def GET(owned, shown, size: Query[int]): log("handler"); return [owned, shown, size]
def POST(user, page, body: Body[list[int]]): log("handler"); return [page, body]
def PUT(viewer): return str(viewer)
def DELETE(shown, article): return [shown, article]
""",
    )


def test_everything_is_passed_on(client):
    response = client.get("/api/x?number=2&slug=mine&size=3", headers=AUTH)
    assert response.json == ["mine", 2, 3]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}])
def test_nothing_runs_without_a_credential(client, headers):
    # Neither its own faults nor a broken body come first.
    response = client.post("/api/x", data=b"{", headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].lower() == "bearer"
    assert take_log() == []


def test_a_malformed_optional_credential_is_refused_first(client):
    assert client.put("/api/x").text == "None"
    take_log()
    assert client.put("/api/x", headers={"Authorization": "Bearer a b"}).status_code == 401
    assert take_log() == []


@pytest.mark.parametrize(
    ("query", "headers", "status", "ran"),
    [
        ("slug=mine", {"Authorization": "Bearer wrong"}, 401, ["open", "user"]),
        ("slug=theirs", AUTH, 403, ["open", "user", "article", "owned"]),
        ("slug=none", AUTH, 404, ["open", "user", "article"]),
    ],
)
def test_refusals_of_others_come_before_invalid_inputs(client, query, headers, status, ran):
    # number and size are missing: what asks for them is set aside, and the others run.
    assert client.get(f"/api/x?{query}", headers=headers).status_code == status
    error = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}[status]
    assert take_log() == [*ran, *rolled_back(error)[1:]]


def test_all_faults_are_in_one_answer(client):
    response = client.get("/api/x?number=a&size=b", headers=AUTH)
    assert errors(response) == [("query", "#/number"), ("query", "#/size"), ("query", "#/slug")]
    assert take_log() == ["open", "user", *rolled_back("InvalidRequest")[1:]]


def test_one_fault_is_reported_once(client):
    # Two dependencies lack what page cannot give.
    assert errors(client.delete("/api/x?slug=mine")) == [("query", "#/number")]
    assert take_log() == ["open", "article", *rolled_back("InvalidRequest")[1:]]


def test_the_body_and_dependencies_are_refused_together(client):
    response = client.post("/api/x?number=a", json=["b"], headers=AUTH)
    assert errors(response) == [("body", "#/0"), ("query", "#/number")]


def test_a_body_is_not_read_before_dependencies(client):
    for body in (b"{", b"[" * 100):
        response = client.post(
            "/api/x?number=1",
            data=body,
            content_type="application/json",
            headers={"Authorization": "Bearer wrong"},
        )
        assert response.status_code == 401
    assert "handler" not in take_log()


def test_a_link_is_checked_when_its_turn_comes(serve):
    # The outer middleware runs although the handler's credential is missing.
    client = serve(
        {
            "dependencies.py": DEPENDENCIES,
            "middleware.py": """
def middleware(page, call_next, lang: Header[str] = "en"):
    response = call_next()
    response.headers["Lang"] = f"{lang} {page}"
    return response
""",
            "x/route.py": "def GET(user): return user",
        }
    )
    assert errors(client.get("/api/x", headers=AUTH)) == [("query", "#/number")]
    response = client.get("/api/x?number=1", headers={"Lang": "fr"})
    assert (response.status_code, response.headers["Lang"]) == (401, "fr 1")


def test_a_name_means_its_own_in_each_function(serve):
    # A marker of one function is a path parameter, or a dependency, of another.
    client = serve(
        {
            "dependencies.py": """
def outer(slug: Query[str], word: Query[str]): return [slug, word]
""",
            "a/[slug]/dependencies.py": "def word(slug): return f'word of {slug}'",
            "a/[slug]/route.py": "def GET(outer, slug, word): return [outer, slug, word]",
        }
    )
    response = client.get("/api/a/path?slug=query&word=sent")
    assert response.json == [["query", "sent"], "path", "word of path"]


STRICT = """
class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    {field}: str = "none"
"""

PYDANTIC = "from pydantic import BaseModel, ConfigDict\n"


@pytest.fixture
def strict(serve):
    def model(field: str) -> str:
        return PYDANTIC + STRICT.format(field=field)

    return serve(
        {
            "dependencies.py": model("sort") + "def order(q: Query[Strict]): return q.sort\n"
            "def lang(tongue: Query[str] = 'en'): return tongue",
            "middleware.py": model("trace")
            + """
def middleware(order, q: Query[Strict], call_next):
    response = call_next()
    response.headers["Trace"] = f"{order} {q.trace}"
    return response
""",
            "x/route.py": model("tag")
            + """
def GET(order, lang, q: Query[Strict]): return [order, lang, q.tag]
def POST(q: Query[Strict], size: Query[int]): return [q.tag, size]
""",
            "y/route.py": "def GET(order): return order",
            "async/route.py": model("tag")
            + "async def GET(lang, q: Query[Strict]): return [lang, q.tag]",
        }
    )


def test_a_strict_type_does_not_see_keys_of_others(strict):
    response = strict.get("/api/x?sort=up&tongue=fr&trace=t&tag=red")
    assert response.json == ["up", "fr", "red"]
    assert response.headers["Trace"] == "up t"
    assert strict.post("/api/x?tag=red&size=3&sort=up").json == ["red", 3]
    assert strict.get("/api/async?tongue=fr&tag=red&trace=t&sort=up").json == ["fr", "red"]


@pytest.mark.parametrize(
    "path", ["x?tgag=red", "x?size=3", "y?tag=red", "y?size=3", "async?size=3"]
)
def test_a_strict_type_sees_keys_that_no_one_reads(strict, path):
    key = path.partition("?")[2].partition("=")[0]
    assert ("query", f"#/{key}") in errors(strict.get(f"/api/{path}"))


def test_a_strict_type_keeps_its_dependencies_while_overridden(strict):
    from flask_routehandlers.testing import override

    with override(strict.application, lang=lambda: "de"):
        response = strict.get("/api/x?sort=up&trace=t&tag=red&tongue=fr")
        assert response.json == ["up", "de", "red"]
    assert strict.get("/api/x?tongue=fr").json == ["none", "fr", "none"]
