"""Flask-WTF: it looks up ``__module__`` and ``__name__`` of the stored view in its exemptions.

Those of a closure differ from what ``@csrf.exempt`` has seen, so no handler could be exempt. And
all closures of one line of code share them: exempting one would end the protection of every route.
"""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

pytest.importorskip("flask_wtf")

from tests.ecosystem.support import statuses
from tests.support import write_files

CSRF = "from flask_wtf import CSRFProtect\n\ncsrf = CSRFProtect()\n"
WRITES = "def POST():\n    return {}\n\ndef PUT():\n    return {}\n"


@pytest.mark.parametrize("after_mounting", ["", "the handler", "the method", "the name"])
def test_one_handler_is_exempt(make_project, after_mounting):
    decorator = "" if after_mounting else "from ...extensions import csrf\n\n@csrf.exempt\n"
    app, extensions = make_project(
        CSRF,
        {
            "hooks/route.py": decorator + WRITES,
            "payments/route.py": WRITES,
            "token/route.py": "from flask_wtf.csrf import generate_csrf\n\n"
            "def GET():\n    return generate_csrf()\n",
        },
    )
    extensions.csrf.init_app(app)
    view = app.view_functions["api./hooks"]
    match after_mounting:
        case "the handler":
            extensions.csrf.exempt(import_module(view.__module__).POST)
        case "the method":
            extensions.csrf.exempt(view.view_class.post)
        case "the name":
            extensions.csrf.exempt(f"{view.__module__}.POST")
    writes = ["POST /api/hooks", "PUT /api/hooks", "POST /api/payments", "PUT /api/payments"]
    assert statuses(app, *writes) == [200, 400, 400, 400]
    client = app.test_client()
    token = {"X-CSRFToken": client.get("/api/token").text}
    assert client.post("/api/payments", headers=token).status_code == 200


def test_a_whole_tree_is_exempt(make_project):
    app, extensions = make_project(CSRF, {"hooks/route.py": WRITES})
    app.add_url_rule("/form", "form", dict, methods=["POST"])
    extensions.csrf.init_app(app)
    extensions.csrf.exempt(app.blueprints["api"])
    assert statuses(app, "POST /api/hooks", "PUT /api/hooks", "POST /form") == [200, 200, 400]


def test_a_package_has_natural_handler_names(tmp_path, monkeypatch):
    imports = "from csrf_shop.extensions import csrf\n\n"
    write_files(
        tmp_path / "csrf_shop",
        {
            "extensions.py": CSRF,
            "api/hooks/route.py": f"{imports}@csrf.exempt\n{WRITES}",
            "api/payments/[id]/route.py": WRITES.replace("()", "(id)"),
            "__init__.py": f"""
from flask import Flask
from flask_routehandlers import RouteHandlers
{imports}
def create_app(*exempt):
    app = Flask(__name__)
    app.secret_key = "a secret"
    csrf.init_app(app)
    for name in exempt:
        csrf.exempt(name)
    RouteHandlers(app, "api", url_prefix="/api")
    return app
""",
        },
    )
    monkeypatch.syspath_prepend(tmp_path)
    writes = ["POST /api/hooks", "PUT /api/hooks", "POST /api/payments/1", "PUT /api/payments/1"]
    try:
        create_app = import_module("csrf_shop").create_app
        assert statuses(create_app(), *writes) == [200, 400, 400, 400]
        named = create_app("csrf_shop.api.payments.[id].route.PUT")
        assert statuses(named, *writes) == [200, 400, 400, 200]
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "csrf_shop"]:
            del sys.modules[name]
