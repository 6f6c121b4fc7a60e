from __future__ import annotations

from typing import Literal

from flask_routehandlers import Bearer, Body, Created, NoContent, Query
from werkzeug.exceptions import NotFound

from .types import CreateArticle, Location, OneArticle, Page


def GET(page: Query[Page]) -> list[OneArticle]:
    return [OneArticle(title=page.limit)]  # by mypy: arg-type; by pyright: reportArgumentType


def POST(body: Body[CreateArticle]) -> tuple[OneArticle, Literal[201], Location]:
    count: int = body["title"]  # by mypy: assignment; by pyright: reportAssignmentType
    article = OneArticle(title=str(count))
    return article, 200, {"Location": "/"}  # by mypy: return-value; by pyright: reportReturnType


def PUT(limit: Query[int]) -> Created[OneArticle]:
    if limit:
        return OneArticle(title="x")  # by mypy: return-value; by pyright: reportReturnType
    return OneArticle(title=limit), 201  # by mypy: arg-type; by pyright: reportArgumentType


def DELETE(token: Bearer) -> NoContent | NotFound:
    return token  # by mypy: return-value; by pyright: reportReturnType
