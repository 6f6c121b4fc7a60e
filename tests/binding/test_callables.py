"""Handlers with decorators, and callables that are not functions."""

from __future__ import annotations

import pytest

from tests.binding.support import AVAILABLE, DECORATORS, FOLDER, QUERY, URL, VALUES


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        ("@plain\ndef GET(name): return show(locals())", {"name": "ann"}),
        ("@plain\ndef GET(): return show(locals())", {}),
        ("@plain\ndef GET(request): return show(locals())", {"request": "REQUEST"}),
        ("@plain\ndef GET(**rest): return show(locals())", {"rest": VALUES}),
        ("@plain\n@plain\n@plain\ndef GET(number): return show(locals())", {"number": 3}),
        (
            "@with_user\ndef GET(user, name): return show(locals())",
            {"user": "bob", "name": "ann"},
        ),
        (
            "@with_request\n@with_user\n@plain\n"
            "def GET(user, method, number): return show(locals())",
            {"user": "bob", "method": "GET", "number": 3},
        ),
        (
            "@only_number\ndef GET(name, number): return show(locals())",
            {"name": "somebody", "number": 3},
        ),
        (
            "@with_extra\ndef GET(name, seen, number=None): return show(locals())",
            {"name": "ANN", "seen": {"number": 3}, "number": None},
        ),
        ("@unnamed\ndef GET(name, number): return show(locals())", VALUES),
        ("@Counted\ndef GET(number): return show(locals())", {"number": 3}),
        (
            "@Counted\n@with_user\ndef GET(user, request): return show(locals())",
            {"user": "bob", "request": "REQUEST"},
        ),
        ("@plain\nasync def GET(name): return show(locals())", {"name": "ann"}),
        ("@awaiting\nasync def GET(number): return show(locals())", {"number": 3}),
        ("@awaiting\n@plain\nasync def GET(**rest): return show(locals())", {"rest": VALUES}),
        # A decorator may convert, so an annotation does not contradict the folder.
        ("@plain\ndef GET(name: int): return show(locals())", {"name": "ann"}),
    ],
)
def test_a_decorated_handler_gets_what_it_names(arguments_of, code, arguments):
    assert arguments_of(DECORATORS + code) == arguments


def test_unknown_names_of_decorators_are_refused(refusal):
    code = """
import functools

def with_size(f):
    @functools.wraps(f)
    def wrapper(size, **kwargs):
        return f(**kwargs)
    return wrapper

@with_size
def GET(name): return ''
"""
    hint = f"{AVAILABLE} {QUERY.format('size')}"
    assert refusal(code) == [f"GET asks for 'size', which is not in the path. {hint}"]


def test_a_function_may_wrap_itself(arguments_of):
    code = "def GET(name): return show(locals())\nGET.__wrapped__ = GET"
    assert arguments_of(code) == {"name": "ann"}


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (
            "class Handler:\n    def __call__(self, name): return show(locals() | {'self': 0})\n"
            "GET = Handler()",
            {"self": 0, "name": "ann"},
        ),
        (
            "class Handler:\n    def get(self, request): return show(locals() | {'self': 0})\n"
            "GET = Handler().get",
            {"self": 0, "request": "REQUEST"},
        ),
        (
            "import functools\ndef base(prefix, name): return show(locals())\n"
            "GET = functools.partial(base, 'x')",
            {"prefix": "x", "name": "ann"},
        ),
        (
            "import functools\ndef base(name, number, size): return show(locals())\n"
            "GET = functools.partial(base, size=5)",
            {**VALUES, "size": 5},
        ),
        ("GET = lambda number: {'number': number}", {"number": 3}),
        ("import math\nGET = lambda name, root=math.sqrt: {'name': name}", {"name": "ann"}),
    ],
    ids=["instance", "bound method", "partial", "partial by name", "lambda", "default"],
)
def test_any_callable_can_be_a_handler(arguments_of, code, arguments):
    assert arguments_of(code) == arguments


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("GET = '{name} wrote {number}'.format", "ann wrote 3"),
        ("class Names(dict): pass\nGET = Names({'name': 'x'}).__repr__", "{'name': 'x'}"),
    ],
    ids=["takes names", "takes nothing"],
)
def test_functions_of_c_can_be_handlers(make_app, code, answer):
    client = make_app({f"{FOLDER}/route.py": code}).test_client()
    assert client.get(URL).text == answer


def test_a_hidden_signature_gets_all_parameters(make_app):
    # Whether dict.update shows its signature differs between versions of Python.
    code = "store = {}\nGET = store.update\ndef POST(): return store"
    client = make_app({f"{FOLDER}/route.py": code}).test_client()
    assert client.get(URL).status_code == 500  # it returns None
    assert client.post(URL).json == VALUES
