"""/api/browse, /api/browse/<tag>/<tag>: the page for people."""

from __future__ import annotations

from sqlite3 import Connection

from flask import abort, render_template

from flask_routehandlers import Query

from ...._lib import bookmarks
from ...._lib.pages import find_page
from ...._lib.types import Page, clean_tag


def GET(tags: list[str], page: Query[Page], db: Connection) -> str:
    """Show the bookmarks that have all the tags; ``?q=`` searches among them."""
    chosen = [clean_tag(tag) for tag in tags]
    counts = bookmarks.count_tags(db)
    if not counts.keys() >= set(chosen):
        abort(404, "No bookmark has this tag.")
    found = find_page(db, page, tags)
    return render_template("browse.html", chosen=chosen, counts=counts, **found)
