"""Errors of other extensions: webargs, Flask-Limiter and Flask-JWT-Extended."""

from __future__ import annotations

import pytest

from tests.problem_details.support import MEMBERS, problem

WEBARGS = """
from flask import abort
from webargs import fields
from webargs.flaskparser import FlaskParser

parser = FlaskParser()

@parser.use_kwargs({"age": fields.Int(required=True)}, location="query")
def GET(age):
    return {"age": age}

explaining = FlaskParser()

@explaining.error_handler
def explain(error, request, schema, *, error_status_code, error_headers):
    abort(422, {"detail": "The body is not valid.", "errors": error.messages})

@explaining.use_kwargs({"age": fields.Int(required=True)}, location="json")
def POST(age):
    return {"age": age}
"""


def test_webargs_can_report_its_messages(make_app):
    pytest.importorskip("webargs")
    client = make_app({"things/route.py": WEBARGS}).test_client()
    messages = {"json": {"age": ["Not a valid integer."]}}
    assert problem(client.post("/api/things", json={"age": "x"})) == MEMBERS | {
        "detail": "The body is not valid.",
        "errors": messages,
    }
    assert problem(client.get("/api/things?age=x")).keys() == {*MEMBERS, "detail"}


def test_an_error_handler_can_show_messages(make_app):
    pytest.importorskip("webargs")
    app = make_app({"things/route.py": WEBARGS})
    app.register_error_handler(422, lambda error: (error.data["messages"], 422))
    response = app.test_client().get("/api/things?age=x")
    assert response.json == {"query": {"age": ["Not a valid integer."]}}


def test_flask_limiter_reports_limit_and_delay(make_app):
    flask_limiter = pytest.importorskip("flask_limiter")
    app = make_app({}, "things")
    flask_limiter.Limiter(
        lambda: "me", app=app, default_limits=["1 per day"], storage_uri="memory://",
        headers_enabled=True,
    )  # fmt: skip
    client = app.test_client()
    assert client.get("/api/things").status_code == 200
    response = client.get("/api/things")
    details = problem(response)
    assert (details["status"], details["title"], details["detail"]) == (
        429, "Too Many Requests", "1 per 1 day",
    )  # fmt: skip
    assert int(response.headers["Retry-After"]) > 80_000
    assert response.headers["X-RateLimit-Remaining"] == "0"


def test_flask_jwt_extended_answers_itself(make_app):
    flask_jwt_extended = pytest.importorskip("flask_jwt_extended")
    source = "from flask_jwt_extended import jwt_required\n\n@jwt_required()\ndef GET(): ...\n"
    app = make_app({"things/route.py": source})
    app.config["JWT_SECRET_KEY"] = "a secret for tests, longer than 32 bytes"
    flask_jwt_extended.JWTManager(app)
    response = app.test_client().get("/api/things")
    assert (response.status_code, response.json) == (401, {"msg": "Missing Authorization Header"})
    assert response.content_type == "application/json"
