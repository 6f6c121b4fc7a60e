"""The handler ``document``: serve the OpenAPI document of its folder."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, Response, current_app, request

from ..mount import Mount, Route, mounts_of
from .document import Document, make_document

#: The key of the documents of an app in ``app.extensions``.
_EXTENSION_NAME = "routehandlers_openapi"


def document() -> Response:
    """Serve the OpenAPI document of the folder above, and everything below it."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    mount, route = find_route(app, request.endpoint or "")
    # The server is where the client found this one, unless the document names others.
    made = {"servers": [{"url": request.root_path or "/"}], **get_document(app, mount, route)}
    return Response(dump(made), mimetype="application/json")


def find_route(app: Flask, endpoint: str) -> tuple[Mount, Route]:
    """Return the route of an endpoint, with its mount.

    :raises LookupError: for an endpoint of no tree.
    """
    for mount in mounts_of(app):
        for route in mount.routes:
            if route.endpoint == endpoint:
                return mount, route
    raise LookupError(f"No route file has the endpoint {endpoint!r}.")


def get_document(app: Flask, mount: Mount, route: Route) -> Document:
    """Return the document of a route file without servers. It is made once for each process."""
    documents: dict[str, Document] = app.extensions.setdefault(_EXTENSION_NAME, {})
    if route.endpoint not in documents:
        folders = route.file.folders[:-1]
        documents[route.endpoint] = make_document(app, mount, folders, route.file.file)
    return documents[route.endpoint]


def dump(made: Any) -> str:
    """Return a document as JSON that is sorted, so that a difference is small."""
    return json.dumps(made, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
