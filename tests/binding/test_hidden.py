"""Decorators without ``functools.wraps``, which hide what a handler asks for."""

from __future__ import annotations

import pytest

from flask_routehandlers import RouteHandlers, RouteHandlersWarning
from tests.support import bare_app

DECORATORS = """
import functools
from flask import request as current
from flask_routehandlers import Query

def login_required(f):
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)
    return wrapper

def role_required(role):
    def decorate(f):
        def inner(**kwargs):
            return f(**kwargs)
        return inner
    return decorate

def with_user(f):
    def wrapper(**kwargs):
        return f(user="ann", **kwargs)
    return wrapper

def with_request(f):
    def wrapper(request, **kwargs):
        return f(request=request, **kwargs)
    return wrapper

def plain(f):
    @functools.wraps(f)
    def wrapper(**kwargs):
        return f(**kwargs)
    return wrapper

class Counted:
    def __init__(self, f):
        self.f = f
    def __call__(self, **kwargs):
        return self.f(**kwargs)
"""

#: Decorated handlers, what they do not get, and what is to be done.
LOST = {
    "@login_required\ndef GET(request, user, id): ...": (
        "'request'", "Add @functools.wraps(function) to wrapper() in login_required()."
    ),
    "@login_required\ndef GET(id, *, params, request=None): ...": (
        "'params', 'request'", "Add @functools.wraps(function) to wrapper() in login_required()."
    ),
    "@role_required('admin')\ndef GET(request): ...": (
        "'request'", "Add @functools.wraps(function) to inner() in role_required()."
    ),
    "@plain\n@login_required\ndef GET(request): ...": (
        "'request'", "Add @functools.wraps(function) to wrapper() in login_required()."
    ),
    "@login_required\n@plain\ndef GET(request): ...": (
        "'request'", "Add @functools.wraps(function) to wrapper() in login_required()."
    ),
    "@login_required\n@with_user\ndef GET(request, user): ...": (
        "'request'", "Add @functools.wraps(function) to wrapper() in login_required()."
    ),
    "@Counted\ndef GET(request): ...": (
        "'request'", "Call functools.update_wrapper(self, function) in Counted.__init__()."
    ),
    "@login_required\nasync def GET(request): ...": (
        "'request'", "Add @functools.wraps(function) to wrapper() in login_required()."
    ),
    "@login_required\ndef GET(page: Query[int] = 1): ...": (
        "'page'", "Add @functools.wraps(function) to wrapper() in login_required()."
    ),
    "@login_required\ndef GET(session): ...": (
        "'session'", "Add @functools.wraps(function) to wrapper() in login_required()."
    ),
}  # fmt: skip

DEPENDENCIES = "def session():\n    return 'open'\n"


@pytest.mark.parametrize(("code", "lost", "hint"), [(k, *v) for k, v in LOST.items()])
def test_a_hidden_signature_is_warned_about(tree, code, lost, hint):
    files = {"[id]/route.py": f"{DECORATORS}\n{code}\n", "dependencies.py": DEPENDENCIES}
    app = bare_app(tree(files))
    with pytest.warns(RouteHandlersWarning) as caught:
        RouteHandlers(app)
    place = f"{app.root_path}/app/api/[id]/route.py"
    assert [str(warning.message) for warning in caught] == [
        f"{place}: A decorator hides the signature of GET, which does not get {lost}. {hint}"
    ]
    [warning] = app.extensions["routehandlers"]["api"].warnings
    assert warning.files == ("[id]/route.py",)


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("@login_required\ndef GET(id): return id", "3"),
        ("@login_required\ndef GET(id='x', *rest, limit=10): return id", "3"),
        ("@with_user\ndef GET(user, id): return user + id", "ann3"),
        ("@with_request\ndef GET(request, id): return request.method + id", "GET3"),
        ("@plain\ndef GET(request, id): return request.method + id", "GET3"),
        ("@login_required\ndef GET(**kwargs): return kwargs['id']", "3"),
        ("def make(load):\n    return lambda **kwargs: load(current, **kwargs)\n"
         "def load(request, id): return request.method + id\nGET = make(load)", "GET3"),
        ("GET = Counted(lambda id: id)", "3"),
    ],
)  # fmt: skip
def test_other_wrappers_are_not_warned_about(make_app, code, answer):
    app = make_app({"[id]/route.py": f"{DECORATORS}\n{code}\n"})
    assert app.test_client().get("/api/3").text == answer
