"""/api/feeds/<tag>.xml: the newest bookmarks with a tag, for feed readers."""

from __future__ import annotations

from contextlib import closing
from sqlite3 import Connection

from flask import Response, abort, url_for

from ...._lib import bookmarks
from ...._lib.database import connect
from ...._lib.feeds import make_feed
from ...._lib.types import clean_tag

revalidate = 60
cache_tags = [bookmarks.TAG]


def generate_static_params() -> list[dict[str, str]]:
    """List the present tags for an export; later ones are served on demand."""
    with closing(connect()) as db:
        return [{"tag": tag} for tag in bookmarks.count_tags(db)]


def GET(tag: str, db: Connection) -> Response:
    """Return an Atom feed of the bookmarks with a tag."""
    tag = clean_tag(tag)
    if tag not in bookmarks.count_tags(db):
        abort(404, "No bookmark has this tag.")
    return make_feed(db, url_for("api./feeds/[tag]%2Exml", tag=tag), [tag])
