"""/api/sites/<host>/<path>: what is bookmarked of a site, or of a part of it."""

from __future__ import annotations

from typing import Any

from ..._lib.pages import read_page


def GET(path: list[str]) -> dict[str, Any]:
    """Bookmarks on a host, below a path."""
    host, *folders = path
    return read_page(site="/".join([host.lower(), *folders, ""]))
