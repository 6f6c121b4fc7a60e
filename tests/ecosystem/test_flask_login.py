"""Flask-Login: its decorator hides the signature of the handler that it protects."""

from __future__ import annotations

import pytest

pytest.importorskip("flask_login")

from flask_login import FlaskLoginClient, LoginManager, UserMixin

from tests.ecosystem.support import SECRET, statuses


def test_login_is_required_by_one_handler(make_app):
    app = make_app(
        {
            "notes/[id]/route.py": """
from flask_login import current_user, login_required

def GET(id):
    return {"id": id}

@login_required
def PUT(request, id):
    return {"id": id, "by": current_user.id, "method": request.method}

@login_required
async def DELETE(id):
    return {"id": id, "by": current_user.id}
"""
        }
    )
    app.secret_key = SECRET
    app.test_client_class = FlaskLoginClient

    @LoginManager(app).user_loader
    def load_user(name: str) -> UserMixin:
        user = UserMixin()
        user.id = name
        return user

    assert statuses(app, "PUT /api/notes/1", "DELETE /api/notes/1") == [401, 401]
    assert app.test_client().get("/api/notes/1").json == {"id": "1"}
    ada = app.test_client(user=load_user("ada"))
    assert ada.put("/api/notes/1").json == {"id": "1", "by": "ada", "method": "PUT"}
    assert ada.delete("/api/notes/1").json == {"id": "1", "by": "ada"}
