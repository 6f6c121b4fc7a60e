"""apispec: it reads the methods of a ``MethodView`` from ``view_class``.

A closure is one function with one docstring: the document of a file would be empty.
"""

from __future__ import annotations

import pytest

pytest.importorskip("apispec_webframeworks")

from apispec import APISpec
from apispec_webframeworks.flask import FlaskPlugin


def test_every_handler_of_a_file_is_documented(make_app):
    app = make_app(
        {
            "users/[id=int]/route.py": '''
"""One user.
---
x-owner: accounts
"""

from functools import wraps

def logged(handler):
    @wraps(handler)
    def wrapper(**values):
        return handler(**values)
    return wrapper

def GET(id):
    """Read the user.
    ---
    summary: Read
    """

@logged
def DELETE(id):
    """Remove the user.
    ---
    summary: Remove
    """
'''
        },
        "files/[...path]",
    )
    spec = APISpec("Shop", "1", "3.1.0", plugins=[FlaskPlugin()])
    for endpoint in ("api./users/[id=int]", "api./files/[*path]"):
        spec.path(view=app.view_functions[endpoint], app=app)
    assert spec.to_dict()["paths"] == {
        "/api/users/{id}": {
            "x-owner": "accounts",
            "get": {"summary": "Read"},
            "delete": {"summary": "Remove"},
        },
        "/api/files/{path}": {"get": {}},
    }
