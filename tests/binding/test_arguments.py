"""Handlers are called with what they name, and refused for what no request has."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_routehandlers import RouteHandlers
from tests.binding.support import AVAILABLE, DECORATORS, QUERY, SHOW, VALUES
from tests.support import bare_app, write_files


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("", {}),
        ("name", {"name": "ann"}),
        ("number", {"number": 3}),
        ("name, number", VALUES),
        ("number, name", VALUES),
        ("*, name", {"name": "ann"}),
        ("name, *, number", VALUES),
        ("request", {"request": "REQUEST"}),
        ("params", {"params": VALUES}),
        ("params, number, request, name", {**VALUES, "params": VALUES, "request": "REQUEST"}),
        ("*, request, params", {"params": VALUES, "request": "REQUEST"}),
        ("request=None, params=None", {"params": VALUES, "request": "REQUEST"}),
        ("name='default'", {"name": "ann"}),
        ("name, limit=10", {"name": "ann", "limit": 10}),
        ("limit=10, *, number=0, page=1", {"limit": 10, "number": 3, "page": 1}),
        ("limit=10, /", {"limit": 10}),
        ("name='default', /", {"name": "default"}),
        ("limit=10, /, **rest", {"limit": 10, "rest": VALUES}),
        ("**rest", {"rest": VALUES}),
        ("name, **rest", {"name": "ann", "rest": {"number": 3}}),
        ("request, **rest", {"request": "REQUEST", "rest": VALUES}),
        ("params, number, **rest", {"params": VALUES, "number": 3, "rest": {"name": "ann"}}),
        ("*args", {"args": []}),
        ("name, *args", {"name": "ann", "args": []}),
        ("*args, number, **rest", {"args": [], "number": 3, "rest": {"name": "ann"}}),
    ],
)
def test_a_handler_gets_what_it_names(arguments_of, signature, arguments):
    assert arguments_of(f"def GET({signature}): return show(locals())") == arguments


@pytest.mark.parametrize(
    ("signature", "message"),
    [
        (
            "size",
            f"GET asks for 'size', which is not in the path. {AVAILABLE} {QUERY.format('size')}",
        ),
        ("nam", f"GET asks for 'nam', which is not in the path. Did you mean 'name'? {AVAILABLE}"),
        (
            "*, numbr",
            f"GET asks for 'numbr', which is not in the path. Did you mean 'number'? {AVAILABLE}",
        ),
        (
            "name, req, **rest",
            f"GET asks for 'req', which is not in the path. Did you mean 'request'? {AVAILABLE}",
        ),
        (
            "call_next",
            f"GET asks for 'call_next', which is not in the path. {AVAILABLE}",
        ),
        (
            "name, /",
            "GET has the positional-only parameter 'name', but arguments are passed by name. "
            "Remove the / from its signature.",
        ),
        (
            "request, /, name",
            "GET has the positional-only parameter 'request', but arguments are passed by name. "
            "Remove the / from its signature.",
        ),
    ],
)
def test_unknown_parameters_are_refused(refusal, signature, message):
    assert refusal(f"def GET({signature}): return ''") == [message]


def test_without_parameters_there_are_two_names(make_app, refusal):
    code = SHOW + "def GET(request, params, **rest): return show(locals())"
    client = make_app({"route.py": code}).test_client()
    assert client.get("/api").json == {"request": "REQUEST", "params": {}, "rest": {}}
    assert refusal("def GET(id): return ''", folder="users") == [
        "GET asks for 'id', which is not in the path. It can ask for 'request' and 'params'. "
        f"Any other parameter needs a default. {QUERY.format('id')}"
    ]


def test_every_handler_of_a_file_is_checked(refusal):
    code = "def GET(nam): return ''\ndef POST(name): return ''\ndef PUT(numbers): return ''"
    assert refusal(code) == [
        f"GET asks for 'nam', which is not in the path. Did you mean 'name'? {AVAILABLE}",
        f"PUT asks for 'numbers', which is not in the path. Did you mean 'number'? {AVAILABLE}",
    ]


def test_the_prefix_gives_parameters_too(make_app):
    code = SHOW + "def GET(lang, id): return show(locals())"
    app = make_app({"(shop)/[id=int]/route.py": code}, url_prefix="/<lang>/api")
    assert app.test_client().get("/de/api/3").json == {"lang": "de", "id": 3}


# Any signature.

NAMES = ("alpha", "beta", "gamma")
AVAILABLE_VALUES = {"alpha": "a", "beta": 2, "gamma": ["c", "d"], "request": "REQUEST"}
AVAILABLE_VALUES["params"] = {name: AVAILABLE_VALUES[name] for name in NAMES}
OTHERS = ("limit", "page")


@st.composite
def signatures(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """Draw a signature, and the arguments that a handler with it is called with."""
    names = draw(st.permutations([*AVAILABLE_VALUES, *OTHERS]))
    names = names[: draw(st.integers(0, len(names)))]
    optional = {name for name in names if name in OTHERS or draw(st.booleans())}
    star = draw(st.integers(0, len(names)))
    # A parameter without a default cannot follow one with a default, but after the star it can.
    head = sorted(names[:star], key=optional.__contains__)
    parts = [f"{name}='default'" if name in optional else name for name in head]
    expected = {name: AVAILABLE_VALUES.get(name, "default") for name in names}
    if names[star:]:
        parts.append("*")
        parts += [f"{n}='default'" if n in optional else n for n in names[star:]]
    if draw(st.booleans()):
        parts.append("**rest")
        expected["rest"] = {name: AVAILABLE_VALUES[name] for name in NAMES if name not in names}
    return ", ".join(parts), expected


@given(drawn=signatures(), wrapped=st.booleans())
@settings(max_examples=60, database=None)
def test_any_handler_gets_exactly_what_it_names(tmp_path_factory, drawn, wrapped):
    signature, expected = drawn
    code = f"{SHOW}{DECORATORS}{'@plain' if wrapped else ''}\n"
    code += f"def GET({signature}): return show(locals())"
    folder = tmp_path_factory.mktemp("signature")
    app = bare_app(write_files(folder, {"[alpha]/[beta=int]/[...gamma]/route.py": code}))
    RouteHandlers(app, ".", name="any")
    assert app.test_client().get("/a/2/c/d").json == expected
