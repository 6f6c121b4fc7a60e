"""The handler ``docs``: a page with Swagger UI, from a package and without a network."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request, send_from_directory
from werkzeug.exceptions import NotFound

from ..mount import Mount, Route
from .operations import is_document
from .serving import find_route

#: The package with the files of Swagger UI.
PACKAGE = "flask_swagger_ui"

_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{base}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{base}/swagger-ui-bundle.js"></script>
<script src="{base}/swagger-ui-standalone-preset.js"></script>
<script src="{base}/init.js"></script>
</body>
</html>
"""

_INIT = """window.ui = SwaggerUIBundle({{
  url: {url},
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset.slice(1)],
}});
"""


def docs(params: dict[str, Any]) -> Response:
    """Serve a page that shows the nearest document, and lets requests be tried."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    mount, route = find_route(app, request.endpoint or "")
    asset = "/".join(next(iter(params.values()), []))
    if not asset:
        return _make_page(app)
    if asset == "init.js":
        url = find_document_url(mount, route)
        response = Response(
            _INIT.format(url=json.dumps(request.root_path + url)), mimetype="text/javascript"
        )
    elif asset in _ASSETS:
        response = send_from_directory(_folder_of_assets(), asset)
    else:
        raise NotFound
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _make_page(app: Flask) -> Response:
    # Relative to the page, whose URL has no slash at its end.
    base = request.path.rpartition("/")[2]
    response = Response(_PAGE.format(title=app.name, base=base), mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _folder_of_assets() -> Path:
    spec = find_spec(PACKAGE)
    assert spec, "a page without the package is refused at start-up"
    assert spec.origin
    return Path(spec.origin).parent / "dist"


def find_document(mount: Mount, route: Route) -> Route | None:
    """Return the nearest document at the folder of a page, or above."""
    folders = route.file.folders[:-1]
    for depth in range(len(folders), -1, -1):
        for other in mount.routes:
            if is_document(other) and other.file.folders[:-1] == folders[:depth]:
                return other
    return None


def find_document_url(mount: Mount, route: Route) -> str:
    """Return the path of the nearest document."""
    found = find_document(mount, route)
    assert found is not None, "a page without a document is refused at start-up"
    return found.rules[-1].rule
