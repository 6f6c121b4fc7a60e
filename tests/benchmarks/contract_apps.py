"""The same two endpoints in several ways: a list of 20 articles, and the creation of one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, request
from pydantic import BaseModel, Field, TypeAdapter

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, write_files


class Author(BaseModel):
    username: str
    bio: str | None
    image: str
    following: bool


class Article(BaseModel):
    """An article of the RealWorld specification, as its lists have it."""

    slug: str
    title: str
    description: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    favorited: bool
    favorites: int
    author: Author


class Create(BaseModel):
    title: str = Field(min_length=1)
    description: str
    tags: list[str] = []


class Page(BaseModel):
    limit: int = Field(20, ge=1, le=100)
    offset: int = Field(0, ge=0)
    tag: str | None = None


AUTHOR = Author(username="ann", bio=None, image="https://example.org/ann.png", following=False)
DESCRIPTION = "A few words about an article, as long as such words usually are."
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def make(slug: str, title: str, description: str, tags: list[str]) -> dict[str, Any]:
    """Return the fields of an article, without its author."""
    return {
        "slug": slug,
        "title": title,
        "description": description,
        "tags": tags,
        "created_at": WHEN,
        "updated_at": WHEN,
        "favorited": False,
        "favorites": 3,
    }


FIELDS = [
    make(f"article-{number}", f"Article {number}", DESCRIPTION, ["one", "two", "three"])
    for number in range(20)
]
ARTICLES = [Article(**fields, author=AUTHOR) for fields in FIELDS]


def create(body: Any) -> Article:
    """Return a new article from the values of a request."""
    return Article(**make("new", body.title, body.description, body.tags), author=AUTHOR)


def by_hand() -> Flask:
    app = Flask(__name__, static_folder=None)
    api = Blueprint("api", __name__, url_prefix="/api")
    articles = TypeAdapter(list[Article])

    @api.get("/articles")
    def index() -> Response:
        page = Page.model_validate(request.args.to_dict())
        body = articles.dump_json(ARTICLES[page.offset : page.limit])
        return Response(body, mimetype="application/json")

    @api.post("/articles")
    def add() -> Response:
        body = Create.model_validate_json(request.get_data())
        article = create(body)
        return Response(article.model_dump_json(), 201, mimetype="application/json")

    app.register_blueprint(api)
    return app


PYDANTIC = """
from flask_routehandlers import Body, Created, Query
from tests.benchmarks.contract_apps import ARTICLES, Article, Create, Page, create

def GET(page: Query[Page]) -> list[Article]:
    return ARTICLES[page.offset : page.limit]

def POST(body: Body[Create]) -> Created[Article]:
    return create(body), 201
"""

MSGSPEC = """
from datetime import datetime
from typing import Annotated
from msgspec import Meta, Struct
from flask_routehandlers import Body, Created, Query
from tests.benchmarks.contract_apps import AUTHOR as PERSON, FIELDS, make

class Author(Struct):
    username: str
    bio: str | None
    image: str
    following: bool

class Article(Struct):
    slug: str
    title: str
    description: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    favorited: bool
    favorites: int
    author: Author

class Create(Struct):
    title: Annotated[str, Meta(min_length=1)]
    description: str
    tags: list[str] = []

class Page(Struct):
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Annotated[int, Meta(ge=0)] = 0
    tag: str | None = None

AUTHOR = Author(PERSON.username, PERSON.bio, PERSON.image, PERSON.following)
ARTICLES = [Article(**fields, author=AUTHOR) for fields in FIELDS]

def GET(page: Query[Page]) -> list[Article]:
    return ARTICLES[page.offset : page.limit]

def POST(body: Body[Create]) -> Created[Article]:
    return Article(**make("new", body.title, body.description, body.tags), author=AUTHOR), 201
"""


def with_route_files(folder: Path, code: str) -> Flask:
    write_files(folder / "app/api", {"articles/route.py": code})
    app = bare_app(folder)
    RouteHandlers(app)
    return app


def with_apiflask() -> Flask:
    from apiflask import APIFlask

    app = APIFlask(__name__, static_folder=None)

    @app.get("/api/articles")
    @app.input(Page, location="query", arg_name="page")
    @app.output(list[Article])
    def index(page: Any) -> Any:
        return ARTICLES[page.offset : page.limit]

    @app.post("/api/articles")
    @app.input(Create, arg_name="body")
    @app.output(Article, status_code=201)
    def add(body: Any) -> Any:
        return create(body)

    return app


def with_spectree() -> Flask:
    from spectree import Response as Responses
    from spectree import SpecTree

    app = Flask(__name__, static_folder=None)
    spec = SpecTree("flask")

    @app.get("/api/articles")
    @spec.validate(query=Page, resp=Responses(HTTP_200=list[Article]))
    def index() -> Any:
        page = request.context.query  # type: ignore[attr-defined]
        return ARTICLES[page.offset : page.limit]

    @app.post("/api/articles")
    @spec.validate(json=Create, resp=Responses(HTTP_201=Article))
    def add() -> Any:
        return create(request.context.json), 201  # type: ignore[attr-defined]

    spec.register(app)
    return app


def with_flask_openapi3() -> Flask:
    from flask_openapi3 import OpenAPI

    app = OpenAPI(__name__, static_folder=None)
    articles = TypeAdapter(list[Article])

    @app.get("/api/articles", responses={200: Article})
    def index(query: Page) -> Any:
        body = articles.dump_json(ARTICLES[query.offset : query.limit])
        return Response(body, mimetype="application/json")

    @app.post("/api/articles", responses={201: Article})
    def add(body: Create) -> Any:
        return Response(create(body).model_dump_json(), 201, mimetype="application/json")

    return app


def with_fastapi() -> Any:
    from typing import Annotated

    from fastapi import FastAPI, Query

    app = FastAPI()

    async def index(page):  # type: ignore[no-untyped-def]
        return ARTICLES[page.offset : page.limit]

    async def add(body):  # type: ignore[no-untyped-def]
        return create(body)

    index.__annotations__ = {"page": Annotated[Page, Query()], "return": list[Article]}
    add.__annotations__ = {"body": Create, "return": Article}
    app.get("/api/articles")(index)
    app.post("/api/articles", status_code=201)(add)
    return app
