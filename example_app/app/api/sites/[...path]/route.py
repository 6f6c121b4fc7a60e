"""/api/sites/<host>/<path>: the bookmarks of a site, or of a part of it."""

from __future__ import annotations

from typing import Any

from ..._lib.pages import read_page


def GET(path: list[str]) -> dict[str, Any]:
    """Find the bookmarks on a host, below a path."""
    host, *folders = path
    return read_page(site="/".join([host.lower(), *folders, ""]))
