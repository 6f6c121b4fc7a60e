"""New Relic: it replaces ``Flask.add_url_rule`` and ``register_error_handler`` to name requests.

It names each after the view that a rule is added with. A view that is stored in another way has
no name, and then neither has a request that ends in it. The agent changes Flask when Flask is
imported, so it runs in a separate process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("newrelic.agent")

SETTINGS = {
    "NEW_RELIC_DEVELOPER_MODE": "true",  # nothing is sent
    "NEW_RELIC_LICENSE_KEY": "0" * 40,
    "NEW_RELIC_APP_NAME": "shop",
    "NEW_RELIC_LOG_LEVEL": "critical",
}

CHILD = """
import json, sys
import newrelic.agent

newrelic.agent.initialize()
newrelic.agent.register_application(timeout=60)

from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask("shop", root_path=sys.argv[1], static_folder=None)
RouteHandlers(app)
app.add_url_rule("/own", "own", lambda: "own")
names = []

@app.after_request
def record(response):
    names.append([response.status_code, newrelic.agent.current_transaction().path])
    return response

for request in sys.argv[2:]:
    method, url = request.split()
    app.test_client().open(url, method=method, buffered=True)
module = app.view_functions["api./users/[id]"].__module__
print(json.dumps([[status, name.replace(module, "MODULE")] for status, name in names]))
"""

USERS = """
from flask import abort

def GET(id):
    return id

async def PUT(id):
    abort(404)
"""


def test_requests_are_named_after_their_route(tree):
    middleware = "def middleware(call_next): return call_next()\n"
    project = tree({"users/[id]/route.py": USERS, "users/middleware.py": middleware})
    route = "WebTransaction/Function/MODULE:api./users/[id]"
    not_found = "WebTransaction/Function/flask.app:Flask.handle_http_exception"
    expected = {
        "GET /api/users/3": [200, route],
        "HEAD /api/users/3": [200, route],
        "PUT /api/users/3": [404, route],
        "DELETE /api/users/3": [405, route],
        "OPTIONS /api/users/3": [204, route],
        "GET /api/nothing": [404, not_found],
        "GET /nothing": [404, not_found],
        "POST /own": [405, not_found],
    }
    child = subprocess.run(
        [sys.executable, "-c", CHILD, project, *expected],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        cwd=Path(__file__).parents[2],
        env=os.environ | SETTINGS,
    )
    assert child.returncode == 0, child.stderr
    assert json.loads(child.stdout) == list(expected.values())
