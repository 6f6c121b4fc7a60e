"""What an operation requires: credentials in signatures, and patches."""

from __future__ import annotations

import pytest

from flask_routehandlers.openapi.security import combine

BEARER = {"type": "http", "scheme": "bearer"}

SCHEMES = {
    "Bearer": ("bearer", BEARER),
    "Annotated[str, Scheme('Basic')]": ("basic", {"type": "http", "scheme": "basic"}),
    "Annotated[Authorization, Scheme('Digest')]": (
        "digest",
        {"type": "http", "scheme": "digest"},
    ),
    "Annotated[str, Scheme(header='X-API-Key')]": (
        "xAPIKey",
        {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    ),
    "Annotated[str, Scheme(cookie='session')]": (
        "session",
        {"type": "apiKey", "in": "cookie", "name": "session"},
    ),
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_is_a_component(describe, scheme):
    document = describe({"x/route.py": f"def GET(a: {scheme}): ..."})
    name, component = SCHEMES[scheme]
    assert document["components"]["securitySchemes"] == {name: component}
    assert document["paths"]["/api/x"]["get"]["security"] == [{name: []}]


def test_public_operations_require_nothing(describe):
    document = describe({"x/route.py": "def GET(): ..."})
    assert document["security"] == []
    assert "security" not in document["paths"]["/api/x"]["get"]
    assert "securitySchemes" not in document.get("components", {})


KEY = "Annotated[str, Scheme(header='X-Key')]"

COMBINED = {
    "token: Bearer | None = None": [{}, {"bearer": []}],
    f"token: Bearer, key: {KEY}": [{"bearer": [], "xKey": []}],
    "token: Bearer, other: Bearer | None = None": [{"bearer": []}],
    f"token: Bearer | None = None, key: {KEY} | None = None": [
        {},
        {"bearer": []},
        {"xKey": []},
    ],
    f"key: {KEY}, token: Bearer | None = None": [{"xKey": []}, {"bearer": [], "xKey": []}],
}


@pytest.mark.parametrize("signature", COMBINED)
def test_credentials_are_optional_if_all_are(operation, signature):
    assert operation(f"def GET({signature}): ...")["security"] == COMBINED[signature]


def test_schemes_of_one_name_are_told_apart(describe):
    code = """
def GET(a: Annotated[str, Scheme('Key')], b: Annotated[str, Scheme(header='Key')],
        c: Annotated[str, Scheme(cookie='key')]): ...
"""
    document = describe({"x/route.py": code})
    schemes = document["components"]["securitySchemes"]
    assert list(schemes) == ["key", "keyCookie", "keyHeader"]
    assert document["paths"]["/api/x"]["get"]["security"] == [
        {"key": [], "keyCookie": [], "keyHeader": []}
    ]


WAY = {
    "y/middleware.py": f"def middleware(call_next, key: {KEY}): return call_next()",
    "y/dependencies.py": """
def viewer(token: Bearer | None = None) -> str | None: ...
def user(token: Bearer) -> str: ...
""",
    "y/route.py": """
def GET(viewer): ...
def POST(user, viewer): ...
def PUT(): ...
""",
}


def security(document, path="/api/y"):
    return {
        method: operation.get("security")
        for method, operation in document["paths"][path].items()
        if method != "parameters"
    }


def test_credentials_of_the_way_are_required(describe):
    assert security(describe(WAY)) == {
        "get": [{"xKey": []}, {"bearer": [], "xKey": []}],
        "post": [{"bearer": [], "xKey": []}],
        "put": [{"xKey": []}],
    }


SCOPED = {
    "openapi.json/route.py": """
from flask_routehandlers.openapi import document
GET = document
openapi = {"components": {"securitySchemes": {
    "oauth": {"type": "openIdConnect", "openIdConnectUrl": "https://x.test"},
    "session": {"type": "apiKey", "in": "cookie", "name": "session"},
}}}
""",
    "y/middleware.py": """
openapi = {"security": [{"oauth": ["read"]}, {"session": []}]}
def middleware(call_next): return call_next()
""",
    "y/dependencies.py": """
openapi = {"user": {"security": [{"oauth": ["read", "write"]}]}}
def user(token: Bearer | None = None): ...
""",
    "y/route.py": """
openapi = {"PUT": {"security": []}, "PATCH": {"security": [{"session": []}]},
           "DELETE": {"security": None}}
def GET(): ...
def POST(user): ...
def PUT(user): ...
def PATCH(user): ...
def DELETE(user): ...
""",
}


def test_security_of_patches_is_combined(describe):
    found = security(describe(SCOPED))
    assert found["get"] == [{"oauth": ["read"]}, {"session": []}]
    assert found["post"] == [
        {"oauth": ["read", "write"]},
        {"oauth": ["read", "write"], "session": []},
        {"bearer": [], "oauth": ["read", "write"]},
        {"bearer": [], "oauth": ["read", "write"], "session": []},
    ]


def test_security_of_a_route_file_replaces_it(describe):
    found = security(describe(SCOPED))
    assert found["put"] == []
    assert found["patch"] == [{"session": []}]
    assert found["delete"] is None


def test_a_document_can_require_something_of_all(describe):
    files = {**SCOPED, "x/route.py": "def GET(): ..."}
    files["openapi.json/route.py"] += 'openapi["security"] = [{"session": []}]\n'
    document = describe(files)
    assert document["security"] == [{"session": []}]
    assert security(document, "/api/x") == {"get": None}


def test_an_alternative_fulfils_every_list():
    assert combine([]) == []
    assert combine([[{"a": []}], [{}]]) == [{"a": []}]
    assert combine([[{}, {"a": []}], [{}, {"a": ["x"]}]]) == [{}, {"a": ["x"]}, {"a": []}]
    assert combine([[{"a": ["x"]}], [{"a": ["y", "x"]}]]) == [{"a": ["x", "y"]}]
