"""/api/search: find bookmarks by words."""

from __future__ import annotations

from typing import Any

from flask import abort

from .._lib.pages import read_page
from .._lib.validation import read_words


def GET() -> dict[str, Any]:
    """Find the words of ``?q=`` in title, URL or notes, in any letter case."""
    if not read_words():
        abort(400, "q is missing: the words to search for.")
    return read_page()
