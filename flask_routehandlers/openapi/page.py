"""The handler ``docs``: a page with Swagger UI, from a package and without a network.

One optional catch-all folder serves everything that the page needs: the page itself for no
segments, ``init.js`` with the URL of the document, and two files of the package
``flask-swagger-ui``, of which nothing else is public. The page has no inline script, so that its
content security policy can allow scripts of its own origin alone.

``checking`` refuses at start-up a page that is elsewhere, has no document, or lacks the package;
the assertions here rely on that.
"""

from __future__ import annotations

import json
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask, Response, current_app, request, send_from_directory, url_for
from werkzeug.exceptions import NotFound

from ..mount import Mount, Route
from .operations import is_document
from .serving import find_route, get_document

#: The package with the files of Swagger UI.
PACKAGE = "flask_swagger_ui"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src {origins}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{base}swagger-ui-bundle.js"></script>
<script src="{base}init.js"></script>
</body>
</html>
"""

_INIT = """SwaggerUIBundle({{
  url: {url},
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
}});
"""


def docs(params: dict[str, Any]) -> Response:
    """Serve a page that shows the nearest document, and lets requests be tried.

    :param params: the path parameters. That of the optional catch-all is a list of segments, such
        as ``["swagger-ui.css"]``, and empty for the page; those of folders above it are in the URL
        of the document too.
    :raises ~werkzeug.exceptions.NotFound: for any other file.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    mount, route = find_route(app, request.endpoint or "")
    document = find_document(mount, route)
    assert document is not None, "a page without a document is refused at start-up"
    [parameter] = route.file.segments[-1].parameters
    asset = "/".join(params[parameter.name])
    if not asset:
        response = _make_page(get_document(app, mount, document).document)
    elif asset == "init.js":
        arguments = document.rules[-1].arguments
        url = url_for(document.endpoint, **{name: params[name] for name in arguments})
        response = Response(_INIT.format(url=json.dumps(url)), mimetype="text/javascript")
    elif asset in ("swagger-ui.css", "swagger-ui-bundle.js"):
        # Found, but not imported: nothing of its code is used.
        package = find_spec(PACKAGE)
        assert package, "a page without the package is refused at start-up"
        assert package.origin
        response = send_from_directory(Path(package.origin).parent / "dist", asset)
    else:
        raise NotFound
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _make_page(document: dict[str, Any]) -> Response:
    """Return the page, with a policy for what it loads.

    Styles may be inline, since Swagger UI writes them so. Requests may go to the servers that the
    document names, and to its own origin.

    :param document: the document, for its title and its servers.
    """
    # Relative to the page, whose URL need not have a slash at its end.
    last = request.path.rpartition("/")[2]
    base = "./"
    if last:
        base = f"./{quote(last)}/"
    title = document.get("info", {}).get("title", "API")
    page = _PAGE.format(title=escape(title), base=base)
    response = Response(page, mimetype="text/html")
    origins = ["'self'"]
    for server in document.get("servers", ()):
        url = urlsplit(server.get("url", ""))
        if url.scheme and url.netloc:
            origins.append(f"{url.scheme}://{url.netloc}")
    policy = _POLICY.format(origins=" ".join(origins))
    response.headers["Content-Security-Policy"] = policy
    return response


def find_document(mount: Mount, route: Route) -> Route | None:
    """Return the nearest document at the folder of a page, or above.

    For a page at ``app/api/docs/[[...asset]]``, these are the folders ``docs``, then the root. A
    document is at a folder if its own folder is in it: ``openapi.json`` is at the root.
    """
    documents: dict[tuple[str, ...], Route] = {}
    for other in mount.routes:
        if is_document(other):
            documents.setdefault(other.file.folders[:-1], other)
    for depth in range(len(route.file.folders) - 1, -1, -1):
        if route.file.folders[:depth] in documents:
            return documents[route.file.folders[:depth]]
    return None
