"""/api: the entry points."""

from __future__ import annotations

from flask import url_for


def GET() -> dict[str, str]:
    """List the URLs to begin with."""
    return {
        "bookmarks": url_for("api./bookmarks"),
        "tags": url_for("api./tags"),
        "search": url_for("api./search", q="sqlite"),
        "site": url_for("api./sites/[*path]", path=["docs.python.org", "3"]),
        "page": url_for("api./browse/[[*tags]]"),
        "feed": url_for("api./feed%2Exml"),
        "about": url_for("api./about"),
        "events": url_for("api./events"),
        "webhook": url_for("api./webhook"),
    }
