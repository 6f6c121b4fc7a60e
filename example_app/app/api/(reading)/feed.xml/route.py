"""/api/feed.xml: the newest bookmarks for feed readers."""

from __future__ import annotations

from flask import Request, Response, render_template

from ..._lib.pages import read_page


def GET(request: Request) -> Response:
    """An Atom feed. ``?tag=`` and ``?q=`` filter it."""
    xml = render_template("feed.xml", bookmarks=read_page()["bookmarks"])
    response = Response(xml, mimetype="application/atom+xml")
    response.add_etag()
    response.make_conditional(request)
    return response
