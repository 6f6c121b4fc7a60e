"""The handler ``document``: serve the OpenAPI document of its folder.

A document is made at the first request for it and kept for the process, as JSON that is split
where the URL of the server belongs. A request then costs a join of strings, and proxies with
different prefixes get different servers from one document.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Flask, Response, current_app, request

from ..mount import Mount, Route, mounts_of
from .document import Document, make_document

#: The key of the documents of an app in ``app.extensions``.
_EXTENSION_NAME = "routehandlers_openapi"

#: What stands for the URL of the server until a request names it.
_SERVER = "\N{NULL}"


class ServedDocument(NamedTuple):
    """A document, and how it is served.

    :param document: the document, without ``servers`` unless its patch names some.
    :param parts: the document as JSON, split where the URL of the server belongs.
    """

    document: Document
    parts: tuple[str, ...]


def document() -> Response:
    """Serve the OpenAPI document of the folder above, and everything below it.

    Its one server is ``SCRIPT_NAME``, or ``/`` where there is none: a path alone, which a client
    resolves against the URL of the document (OpenAPI 3.1, Server Object). So the ``Host`` header
    of a request never gets into it.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    parts = get_document(app, *find_route(app, request.endpoint or "")).parts
    # The server is where the client found this one, whatever proxies have put before it.
    url = json.dumps(quote(request.root_path) or "/")
    return app.response_class(url.join(parts), mimetype="application/json")


def find_route(app: Flask, endpoint: str) -> tuple[Mount, Route]:
    """Return the only route of an endpoint that a handler of this package serves."""
    for mount in mounts_of(app):
        for route in mount.routes:
            if route.endpoint == endpoint:
                return mount, route
    raise AssertionError("a handler of this package runs for a route of a tree only")


def get_document(app: Flask, mount: Mount, route: Route) -> ServedDocument:
    """Return the document of a route, made once for each process.

    Two threads that ask at the same time may both make it: the results are equal, so there is no
    lock.
    """
    documents: dict[str, ServedDocument] = app.extensions.setdefault(_EXTENSION_NAME, {})
    if route.endpoint not in documents:
        content = make_document(app, mount, route.file.folders[:-1], route.file.file)
        parts = dump({"servers": [{"url": _SERVER}], **content}).split(json.dumps(_SERVER))
        documents[route.endpoint] = ServedDocument(content, tuple(parts))
    return documents[route.endpoint]


def dump(document: Any) -> str:
    """Return a document as JSON that is sorted, so that a difference is small.

    It ends with a line break, as a file in a repository should.
    """
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
