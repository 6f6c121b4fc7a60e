"""One page of bookmarks, selected by the query string, with the URL of the next page."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from . import bookmarks
from .database import get_db
from .validation import clean_tag, read_number, read_words


def read_page(tags: list[str] | None = None, site: str = "") -> dict[str, Any]:
    """Find the bookmarks that ``?tag=``, ``?q=``, ``?limit=`` and ``?before=`` select.

    A page begins below an id and not at an offset, so no bookmark is missed or repeated when
    others are added.

    :param tags: more tags that a bookmark must have.
    :param site: the beginning of its address, with a slash at the end.
    """
    limit = read_number("limit", default=20, most=100)
    found = bookmarks.find(
        get_db(),
        limit=limit + 1,
        before=read_number("before", default=bookmarks.LARGEST_ID, most=bookmarks.LARGEST_ID),
        tags=map(clean_tag, [*(tags or ()), *request.args.getlist("tag")]),
        words=read_words(),
        site=site,
    )
    shown = found[:limit]
    return {"bookmarks": shown, "next": _below(shown[-1]["id"]) if len(found) > limit else None}


def _below(bookmark_id: int) -> str:
    # Only known names: url_for has other arguments, such as _external.
    values: dict[str, Any] = {n: request.args.getlist(n) for n in ("tag", "q", "limit")}
    values |= request.view_args or {}
    return url_for(request.endpoint or "", **values, before=bookmark_id)
