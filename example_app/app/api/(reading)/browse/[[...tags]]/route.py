"""/api/browse, /api/browse/<tag>/<tag>: the page for people."""

from __future__ import annotations

from flask import abort, render_template

from ...._lib import bookmarks
from ...._lib.database import get_db
from ...._lib.pages import read_page
from ...._lib.validation import clean_tag


def GET(tags: list[str]) -> str:
    """Show the bookmarks that have all the tags; ``?q=`` searches among them."""
    chosen = [clean_tag(tag) for tag in tags]
    counts = bookmarks.count_tags(get_db())
    if not counts.keys() >= set(chosen):
        abort(404, "No bookmark has this tag.")
    return render_template("browse.html", chosen=chosen, counts=counts, **read_page(tags))
