from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from flask_routehandlers import (
    Bearer,
    Body,
    Cookie,
    Created,
    Form,
    Header,
    NoContent,
    Query,
)
from werkzeug.datastructures import FileStorage

from .types import (
    CreateArticle,
    Credentials,
    Csv,
    Location,
    OneArticle,
    OutOfStock,
    Page,
    Session,
    WrongPassword,
)


def GET(
    page: Query[Page],
    tag: Query[tuple[str, ...]] = (),
    author: Query[str | None] = None,
) -> list[OneArticle]:
    return [OneArticle(title=author or name) for name in tag[: page.limit]]


def POST(
    body: Body[CreateArticle],
) -> tuple[OneArticle, Literal[201], Location] | OutOfStock:
    if not body.get("tags"):
        return OutOfStock()
    return OneArticle(title=body["title"]), 201, {"Location": "/articles/1"}


def QUERY(
    login: Body[Credentials], x_trace: Header[int] = 0
) -> Session | WrongPassword:
    return (
        {"token": login.name.upper()} if login.password else WrongPassword(str(x_trace))
    )


def PUT(
    picture: Form[FileStorage], token: Bearer | None = None, caption: Form[str] = ""
) -> Created[OneArticle]:
    return OneArticle(title=f"{picture.filename}{caption}{token}"), 201


def PATCH(
    theme: Cookie[Literal["dark", "light"]] = "light",
) -> tuple[Iterator[str], int, Csv]:
    return iter([theme]), 200, {"Content-Type": "text/csv"}


def DELETE() -> NoContent:
    return "", 204
