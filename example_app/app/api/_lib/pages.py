"""One page of bookmarks, with the URL of the next page."""

from __future__ import annotations

from sqlite3 import Connection
from typing import Any

from flask import request, url_for

from . import bookmarks
from .types import Bookmarks, Page, clean_tag


def find_page(
    db: Connection, page: Page, tags: list[str] | None = None, site: str = ""
) -> Bookmarks:
    """Find the bookmarks that a client asks for.

    :param tags: more tags that a bookmark must have.
    :param site: the beginning of its address, with a slash at the end.
    """
    found = bookmarks.find(
        db,
        limit=page.limit + 1,
        before=page.before,
        tags=[*map(clean_tag, tags or ()), *page.tag],
        words=page.q.casefold().split(),
        site=site,
    )
    shown = found[: page.limit]
    has_more = len(found) > page.limit
    return {"bookmarks": shown, "next": _below(shown[-1]["id"]) if has_more else None}


def _below(bookmark_id: int) -> str:
    # Only known names: url_for has other arguments, such as _external.
    values: dict[str, Any] = {n: request.args.getlist(n) for n in ("tag", "q", "limit")}
    values |= request.view_args or {}
    return url_for(request.endpoint or "", **values, before=bookmark_id)
