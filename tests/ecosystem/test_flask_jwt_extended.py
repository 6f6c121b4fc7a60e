"""Flask-JWT-Extended: its decorator hides the signature of the handler that it protects."""

from __future__ import annotations

import pytest

pytest.importorskip("flask_jwt_extended")

from flask_jwt_extended import JWTManager, create_access_token

from tests.ecosystem.support import SECRET, statuses


def test_a_token_is_required_by_one_handler(make_app):
    app = make_app(
        {
            "notes/[id]/route.py": """
from flask_jwt_extended import get_jwt_identity, jwt_required

@jwt_required(optional=True)
def GET(id):
    return {"id": id, "by": get_jwt_identity()}

@jwt_required()
def PUT(id):
    return {"id": id, "by": get_jwt_identity()}

@jwt_required()
async def DELETE(id):
    return {"id": id, "by": get_jwt_identity()}

def POST(id):
    return {"id": id}
"""
        }
    )
    app.config["JWT_SECRET_KEY"] = SECRET
    JWTManager(app)
    with app.app_context():
        token = {"Authorization": f"Bearer {create_access_token('ada')}"}
    client = app.test_client()
    assert statuses(app, "PUT /api/notes/1", "DELETE /api/notes/1") == [401, 401]
    assert client.post("/api/notes/1").json == {"id": "1"}
    assert client.get("/api/notes/1").json == {"id": "1", "by": None}
    for method in ("GET", "PUT", "DELETE"):
        answer = client.open("/api/notes/1", method=method, headers=token)
        assert answer.json == {"id": "1", "by": "ada"}
