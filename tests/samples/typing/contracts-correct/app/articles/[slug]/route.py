from __future__ import annotations

from typing import Literal

from flask_routehandlers import Body, NoContent
from werkzeug.exceptions import NotFound

from ..types import ChangeArticle, OneArticle

ARTICLES = {"a": OneArticle(title="A")}


def GET(slug: str) -> OneArticle | NotFound:
    return ARTICLES.get(slug) or NotFound("No such article.")


def PATCH(slug: str, body: Body[ChangeArticle]) -> OneArticle | NotFound:
    article = GET(slug)
    if isinstance(article, OneArticle) and "title" in body:
        article.title = body["title"]
    return article


def DELETE(slug: str) -> NoContent | NotFound:
    return ("", 204) if ARTICLES.pop(slug, None) else NotFound()


async def PUT(slug: str) -> OneArticle | tuple[OneArticle, Literal[202]]:
    return ARTICLES[slug], 202
