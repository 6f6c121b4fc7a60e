"""flasgger: reads the docstrings of all views when its document is requested.

It asks each view for ``methods`` and for ``view_class``, and raises for all of the app where
``methods`` is anything but a set.
"""

from __future__ import annotations

import pytest

pytest.importorskip("flasgger")

from flasgger import Swagger
from flask import Flask

USER = '''
from flasgger import swag_from

def GET(id):
    """Read a user.
    ---
    responses: {200: {description: The user.}}
    """
    return {"id": id}

@swag_from({"summary": "Change a user.", "responses": {"200": {"description": "The change."}}})
async def PUT(id, request):
    return {"id": id}

def DELETE(id):
    """Has no document."""
    return "", 204
'''


def documented(app: Flask) -> dict[str, dict[str, str]]:
    """Return the summaries in the document of an app, by path and method."""
    paths = app.test_client().get("/apispec_1.json").json["paths"]
    return {
        path: {method: operation["summary"] for method, operation in operations.items()}
        for path, operations in paths.items()
    }


def test_each_handler_has_its_docstring(make_app):
    middleware = "def middleware(call_next): return call_next()\n"
    files = {"users/[id]/route.py": USER, "users/middleware.py": middleware}
    app = make_app(files, "health", "files/[[...path]]")
    app.testing = True
    Swagger(app)
    expected = {"/api/users/{id}": {"get": "Read a user.", "put": "Change a user."}}
    assert documented(app) == expected
    assert app.test_client().put("/api/users/3").json == {"id": "3"}
    assert documented(app) == expected
