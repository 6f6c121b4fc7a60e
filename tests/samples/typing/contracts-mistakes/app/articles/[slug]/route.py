from __future__ import annotations

from werkzeug.exceptions import Forbidden, NotFound

from ..types import OneArticle


def GET(slug: str) -> OneArticle | NotFound:
    return Forbidden(slug)  # by mypy: return-value; by pyright: reportReturnType
