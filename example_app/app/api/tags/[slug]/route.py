"""/api/tags/<slug>: one tag."""

from __future__ import annotations

from sqlite3 import Connection
from typing import TypedDict

from flask import url_for
from werkzeug.exceptions import NotFound

from flask_routehandlers import Body

from ..._lib import bookmarks
from ..._lib.types import TagName, clean_tag


class Tag(TypedDict):
    """A tag as clients get it."""

    name: str
    count: int
    bookmarks: str


def GET(slug: str, db: Connection) -> Tag | NotFound:
    """Read a tag."""
    name = clean_tag(slug)
    count = bookmarks.count_tags(db).get(name)
    if count is None:
        return NotFound("No bookmark has this tag.")
    return {"name": name, "count": count, "bookmarks": url_for("api./bookmarks", tag=name)}


def PATCH(slug: str, body: Body[TagName], transaction: Connection) -> Tag | NotFound:
    """Rename a tag. If the new name exists, the two become one."""
    if not bookmarks.rename_tag(transaction, clean_tag(slug), body["name"]):
        return NotFound("No bookmark has this tag.")
    return GET(body["name"], transaction)
