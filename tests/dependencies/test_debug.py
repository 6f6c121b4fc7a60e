"""What a ``dependencies.py`` that cannot be used does in debug mode: it never passes a guard."""

from __future__ import annotations

import pytest

from flask_routehandlers import RouteHandlers, RouteHandlersError
from tests.support import bare_app

FAILING = {
    "an exception": "1 / 0",
    "a syntax error": "def user(:",
    "an export": "class user: ...\n__all__ = ['user']",
    "a name": "def request(): ...",
    "an exit": "raise SystemExit",
}


@pytest.mark.parametrize("code", FAILING.values(), ids=FAILING)
def test_every_url_at_or_below_answers_with_the_error(tree, code):
    files = {
        "dependencies.py": "def user(): return 'outer'",
        "a/dependencies.py": code,
        "a/route.py": "def GET(user): return user\ndef POST(): return ''",
        "a/middleware.py": "def middleware(user, call_next): return call_next()",
        "a/b/dependencies.py": "def thing(user, missing): return user",
        "a/b/route.py": "def GET(user=None, thing=None): return 'passed'",
        "a/c/route.py": "def GET(): return 'passed'",
        "d/route.py": "def GET(user): return user",
    }
    app = bare_app(tree(files))
    app.debug = app.testing = True
    RouteHandlers(app)
    client = app.test_client()
    assert client.get("/api/d").text == "outer"
    for path in ("a", "a/b", "a/c"):
        with pytest.raises(RouteHandlersError, match=r"a/dependencies\.py"):
            client.get(f"/api/{path}")
    with pytest.raises(RouteHandlersError):
        client.post("/api/a")


def test_a_dependency_that_is_refused_stops_the_start(tree):
    # As a handler does: it is not the file that failed.
    files = {"dependencies.py": "def user(nothing): ...", "x/route.py": "def GET(): ..."}
    app = bare_app(tree(files))
    app.debug = True
    with pytest.raises(RouteHandlersError, match="user asks for 'nothing'"):
        RouteHandlers(app)
