"""flask-cors: its decorator marks a handler that answers its own preflight.

Flask reads the mark from the view of a new rule. A closure has none: the preflight would be
answered without any of the headers.
"""

from __future__ import annotations

import pytest

pytest.importorskip("flask_cors")

from flask import Flask
from flask_cors import CORS

ORIGIN = "https://shop.example"


def cors_of(app: Flask, method: str, url: str) -> dict[str, str | None]:
    """Return the origin that can read the response to a method and to its preflight."""
    client = app.test_client()
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
    actual = client.open(url, method=method, headers={"Origin": ORIGIN})
    preflight = client.options(url, headers=headers)
    assert (actual.status_code, preflight.status_code // 100) == (200, 2)
    name = "Access-Control-Allow-Origin"
    return {"actual": actual.headers.get(name), "preflight": preflight.headers.get(name)}


OPEN = {"actual": ORIGIN, "preflight": ORIGIN}
CLOSED = {"actual": None, "preflight": None}


def test_one_handler_is_open_with_its_preflight(make_app):
    app = make_app(
        {
            "carts/[id]/route.py": f"""
from flask_cors import cross_origin

@cross_origin(origins="{ORIGIN}", methods=["PUT"], max_age=600)
def PUT(id):
    return {{"id": id}}

def DELETE(id):
    return {{"id": id}}
""",
            "orders/[id]/route.py": "def PUT(id):\n    return {'id': id}\n",
        }
    )
    assert cors_of(app, "PUT", "/api/carts/1") == OPEN
    assert cors_of(app, "DELETE", "/api/carts/1") == CLOSED
    assert cors_of(app, "PUT", "/api/orders/1") == CLOSED
    preflight = app.test_client().options(
        "/api/carts/1", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "PUT"}
    )
    assert preflight.headers["Access-Control-Allow-Methods"] == "PUT"
    assert preflight.headers["Access-Control-Max-Age"] == "600"
    assert preflight.headers["Allow"] == "DELETE, OPTIONS, PUT"
    assert preflight.data == b""


def test_an_app_opens_urls_of_a_tree(make_app):
    handlers = "def GET():\n    return []\n\ndef PUT():\n    return {}\n"
    app = make_app({"carts/route.py": handlers, "orders/route.py": handlers})
    CORS(app, resources={r"/api/carts": {"origins": ORIGIN}})
    for method in ("GET", "PUT"):
        assert cors_of(app, method, "/api/carts") == OPEN
        assert cors_of(app, method, "/api/orders") == CLOSED
