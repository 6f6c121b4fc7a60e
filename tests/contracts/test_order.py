"""Credentials and middleware come before values, and a body is read last."""

from __future__ import annotations

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.contracts.support import IMPORTS


class BrokenInput:
    """The body of a request whose client is gone."""

    def read(self, *args):
        raise AssertionError("the body was read")

    readline = readlines = __iter__ = read


GUARD = """
def middleware(request, call_next):
    return {status}("Stop.")
"""

PLACES = {
    "body": "body: Body[int]",
    "form": "form: Form[int]",
    "query": "query: Query[int]",
    "header": "header: Header[int]",
    "cookie": "cookie: Cookie[int]",
}


def send(app, content_type="application/json", **headers):
    """Return the status of a request whose values are not valid and whose body breaks."""
    builder = EnvironBuilder(
        "/api/x", method="POST", query_string="query=x", headers={"Header": "x", **headers}
    )
    environ = builder.get_environ()
    environ |= {
        "CONTENT_LENGTH": "10",
        "CONTENT_TYPE": content_type,
        "HTTP_COOKIE": "cookie=x",
        "wsgi.input": BrokenInput(),
    }
    return int(run_wsgi_app(app, environ, buffered=True)[1][:3])


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("status", ["Unauthorized", "Forbidden"])
@pytest.mark.parametrize("prefix", ["", "async "])
def test_a_middleware_answers_first(make_app, place, status, prefix):
    app = make_app(
        {
            "middleware.py": IMPORTS + prefix + GUARD.format(status=status).lstrip(),
            "x/route.py": f"{IMPORTS}def POST({PLACES[place]}): return 'reached'\n",
        }
    )
    assert send(app) == {"Unauthorized": 401, "Forbidden": 403}[status]


@pytest.mark.parametrize("place", PLACES)
def test_a_missing_credential_comes_before_values(make_app, place):
    code = f"{IMPORTS}def POST({PLACES[place]}, token: Bearer): return 'reached'\n"
    assert send(make_app({"x/route.py": code})) == 401


def test_a_credential_comes_before_the_body(make_app):
    code = f"{IMPORTS}def POST(body: Body[int], token: Bearer): return 'reached'\n"
    app = make_app({"x/route.py": code})
    app.testing = True
    with pytest.raises(AssertionError, match="the body was read"):
        send(app, Authorization="Bearer x")
    assert send(app, "text/plain", Authorization="Bearer x") == 415


def test_an_unexpected_media_type_leaves_the_body_unread(make_app):
    code = f"{IMPORTS}def POST(body: Body[int]): return 'reached'\n"
    assert send(make_app({"x/route.py": code}), "text/plain") == 415


def test_a_handler_without_a_body_leaves_it_unread(make_app):
    code = f"{IMPORTS}def POST(query: Query[str]): return 'reached'\n"
    assert send(make_app({"x/route.py": code})) == 200


def test_decorators_run_after_the_values(make_app):
    code = f"""{IMPORTS}
import functools
def guarded(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs): abort(403)
    return wrapper
@guarded
def POST(query: Query[int]): return 'reached'
"""
    assert send(make_app({"x/route.py": code})) == 422
