"""webargs: its decorators add arguments that are not in the path, by position or by name.

A router that passed path parameters by position, or refused unknown arguments, could not call such
handlers.
"""

from __future__ import annotations

import pytest

pytest.importorskip("webargs")


def test_parsed_arguments_join_path_parameters(make_app):
    app = make_app(
        {
            "users/[id=int]/route.py": """
from webargs import fields
from webargs.flaskparser import use_args, use_kwargs

@use_kwargs({"page": fields.Int(load_default=1)}, location="query")
def GET(id, page):
    return {"id": id, "page": page}

@use_args({"name": fields.Str(required=True)}, location="json")
@use_args({"dry": fields.Bool(load_default=False)}, location="query")
def POST(body, query, id, request):
    return {"id": id, "body": body, "query": query, "method": request.method}

@use_kwargs({"name": fields.Str(required=True)}, location="json")
async def PUT(id, **body):
    return {"id": id, **body}
"""
        }
    )
    client = app.test_client()
    ada = {"name": "Ada"}
    assert client.get("/api/users/3").json == {"id": 3, "page": 1}
    assert client.get("/api/users/3?page=2").json == {"id": 3, "page": 2}
    assert client.put("/api/users/3", json=ada).json == {"id": 3, "name": "Ada"}
    posted = client.post("/api/users/3?dry=1", json=ada).json
    assert posted == {"id": 3, "body": ada, "query": {"dry": True}, "method": "POST"}
    assert client.get("/api/users/3?page=x").status_code == 422
    assert client.post("/api/users/3", json={}).status_code == 422
    assert client.put("/api/users/3", json={"name": 1}).status_code == 422
