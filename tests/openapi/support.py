"""Apps with a document, and their documents."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from flask_routehandlers import RouteHandlers
from tests.contracts.support import IMPORTS
from tests.support import bare_app, write_files

DOCUMENT = """
from flask_routehandlers.openapi import document

GET = document
"""

PAGE = """
from flask_routehandlers.openapi import docs

GET = docs
"""

#: The file of the document of a whole tree, and that of its page.
DOCUMENT_FILE = "openapi.json/route.py"
PAGE_FILE = "docs/[[...asset]]/route.py"

#: A handler without anything to describe.
HANDLER = "def GET(): ..."


def documented(folder: Path, files: Mapping[str, str], **config: Any) -> Flask:
    """Return an app with a document at ``/api/openapi.json``.

    :param folder: an empty folder.
    :param files: files below ``app/api``, without what they import. That of the document may be
        among them.
    :param config: settings of the app.
    """
    files = {DOCUMENT_FILE: DOCUMENT, **files}
    contents = {f"app/api/{name}": IMPORTS + code for name, code in files.items()}
    app = bare_app(write_files(folder, contents))
    app.config |= {"TESTING": True, **config}
    RouteHandlers(app)
    return app


def document_of(app: Flask, path: str = "/api/openapi.json", **options: Any) -> dict[str, Any]:
    """Return the document that an app serves, which has to be valid."""
    response = app.test_client().get(path, **options)
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    document: dict[str, Any] = response.get_json()
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    return document
