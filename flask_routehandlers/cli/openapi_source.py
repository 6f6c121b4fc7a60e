"""The content of route files that serve an OpenAPI document and its page.

A document comes with its page, ``docs/[[...asset]]`` in the same folder, unless that folder has a
``docs/`` already or Swagger UI is not installed: the command then says so.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from importlib.util import find_spec

from ..errors import install_hint
from ..openapi.page import PACKAGE
from ..tree.discovery import ROUTE_FILE
from ..tree.segments import CatchAll
from .scaffold import Place, Plan, make_plan, parse_path

_DOCUMENT = """\
from flask_routehandlers.openapi import document

GET = document

openapi = {{"info": {{"title": {title}, "version": "0.1.0"}}}}
"""

_PAGE = """\
from flask_routehandlers.openapi import docs

GET = docs
"""

#: The folder of a page, next to that of its document.
_PAGE_FOLDERS = "docs", "[[...asset]]"


def make_openapi_plan(place: Place, path: str, *, middleware: bool) -> tuple[Plan, str]:
    """Plan the route file of a document and that of its page, or of a page alone.

    :param path: the folder below the root: of a page if it ends with an optional catch-all, else
        of a document.
    :returns: the plan, and why it has no page, if it has none.
    :raises RouteTreeError: with the problems of the path.
    """
    segments, _ = parse_path(path)
    is_page = bool(segments) and isinstance(segments[-1], CatchAll) and segments[-1].optional
    content = _PAGE
    if not is_page:
        content = _document_source(place)
    plan = make_plan(
        place,
        path,
        ["GET"],
        middleware=middleware,
        is_async=False,
        make_source=lambda *_, **__: content,
    )
    if is_page:
        return plan, ""
    above = os.path.dirname(path)
    folder = os.path.join(place.root, above, *_PAGE_FOLDERS)
    if os.path.exists(os.path.dirname(folder)):
        return plan, f"{_PAGE_FOLDERS[0]}/ exists, so no page is written."
    if find_spec(PACKAGE) is None:
        page = "/".join(filter(None, [above, *_PAGE_FOLDERS]))
        command = f"flask route-handlers new '{page}' --openapi"
        return plan, f"A page needs Swagger UI. {install_hint('openapi')} Then run `{command}`."
    contents = {**plan.contents, os.path.join(folder, ROUTE_FILE): _PAGE}
    return replace(plan, contents=contents), ""


def _document_source(place: Place) -> str:
    """Return the route file of a document, with a title and a version to be changed."""
    title = place.name if place.is_guessed else place.app.name
    return _DOCUMENT.format(title=json.dumps(title))
