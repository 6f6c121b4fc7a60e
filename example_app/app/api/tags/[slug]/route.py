"""/api/tags/<slug>: one tag."""

from __future__ import annotations

from typing import Any

from flask import abort, url_for

from ..._lib import bookmarks
from ..._lib.database import get_db, writing
from ..._lib.validation import clean_tag, read_tag_name


def GET(slug: str) -> dict[str, Any]:
    """Read a tag."""
    name = clean_tag(slug)
    count = bookmarks.count_tags(get_db()).get(name)
    if count is None:
        abort(404, "No bookmark has this tag.")
    return {"name": name, "count": count, "bookmarks": url_for("api./bookmarks", tag=name)}


def PATCH(slug: str) -> dict[str, Any]:
    """Rename a tag. If the new name exists, the two become one."""
    name = read_tag_name()
    with writing() as db:
        if not bookmarks.rename_tag(db, clean_tag(slug), name):
            abort(404, "No bookmark has this tag.")
    return GET(name)
