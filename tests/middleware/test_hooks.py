"""Flask's hooks around a chain, and the identity that its view has inside."""

from __future__ import annotations

import pytest
from flask import g, request

from tests.middleware.support import both_kinds, tracer, variant


def test_hooks_of_the_app_run_around_a_chain(make_client):
    client = make_client(tracer("root"))
    app = client.application

    @app.before_request
    def before():
        g.trace = ["before"]
        return ("shut", 503) if request.args else None

    @app.after_request
    def after(response):
        response.headers["Seen"] = response.headers.get("Trace", "nothing")
        return response

    assert client.get("/api/x").headers["Seen"] == "before root /root"
    assert client.get("/api/x?shut").headers["Seen"] == "nothing"


OBSERVER = """
from flask import current_app

def middleware(request, call_next):
    view = current_app.view_functions[request.endpoint]
    def identity():
        return view.__name__, view.__module__, getattr(view, "tag", None)
    before = identity()
    try:
        call_next()
    except Exception:
        pass
    assert identity() == before
    current_app.config["SEEN"].append(before)
    return ""
"""


@both_kinds
@pytest.mark.parametrize(
    ("method", "name", "tag"),
    [
        ("GET", "GET", "read"),
        ("HEAD", "GET", "read"),
        ("POST", "POST", None),
        ("PUT", "api./x", None),
    ],
)
def test_the_view_is_the_handler_in_a_chain(make_app, kind, method, name, tag):
    middleware = variant(OBSERVER, kind)
    route = "def GET(): return ''\nGET.tag = 'read'\nasync def POST(): return ''\n"
    files = {"middleware.py": middleware, "x/middleware.py": middleware, "x/route.py": route}
    app = make_app(files)
    seen = app.config["SEEN"] = []
    app.test_client().open("/api/x", method=method)
    module = app.view_functions["api./x"].__module__
    assert seen == [(name, module, tag)] * 2
