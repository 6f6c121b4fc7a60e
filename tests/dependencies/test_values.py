"""What a dependency may return: no error and no response ever passes for a value."""

from __future__ import annotations

import pytest

from tests.dependencies.support import take_log

#: A dependency that evaluates an expression, in each of the forms that it can have.
FORMS = {
    "function": "def dep(){returns}: return {value}",
    "async function": "async def dep(){returns}: return {value}",
    "generator": "def dep(){yields}: yield {value}",
    "async generator": "async def dep(){yields}: yield {value}",
    "decorated": """
def _plain(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs): return f(*args, **kwargs)
    return wrapper
@_plain
async def dep(){returns}: return {value}
""",
    "hidden": """
def _hide(f):
    def wrapper(): return f()
    wrapper.__annotations__ = f.__annotations__
    return wrapper
@_hide
async def dep(){returns}: return {value}
""",
}

each_form = pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)

ROUTE = "def GET(dep): log('handler'); return {'value': repr(dep)}"


def write(form: str, value: str, annotation: str = "") -> str:
    """Return a file with a dependency of a form, which has a value."""
    returns = f" -> {annotation}" if annotation else ""
    yields = ""
    if annotation:
        kind = "AsyncIterator" if "async" in form else "Iterator"
        yields = f" -> {kind}[{annotation}]"
    return form.format(value=value, returns=returns, yields=yields)


@each_form
@pytest.mark.parametrize("value", ["0", "''", "[]", "False", "3.5", "{'a': 1}", "User"])
def test_any_value_is_passed_on(serve, form, value):
    client = serve("class User: ...\n" + write(form, value), ROUTE)
    for _ in range(2):
        shown = client.get("/api/x").json["value"]
        assert "User" in shown if value == "User" else shown == value


@each_form
@pytest.mark.parametrize(
    "annotation", ["", "None", "str | None", "Optional[str]", "Any", "object", "'Missing'",
                   "Annotated[str | None, 1]", "NotFound | None", "Literal['a', None]",
                   "TypeVar('T')"]
)  # fmt: skip
def test_none_is_passed_on_where_it_may_be(serve, form, annotation):
    client = serve(write(form, "None", annotation), ROUTE)
    assert client.get("/api/x").json["value"] == "None"


@each_form
@pytest.mark.parametrize("annotation", ["str", "str | NotFound", "NotFound", "Annotated[str, 1]"])
def test_none_that_the_annotation_lacks_is_an_error(serve, form, annotation):
    client = serve(write(form, "None", annotation), ROUTE)
    client.application.testing = True
    with pytest.raises(TypeError) as caught:
        client.get("/api/x")
    assert str(caught.value) == (
        "dep in dependencies.py returned None, which its annotation does not have. "
        "Return a value or an error, or add | None."
    )
    assert take_log() == []


@each_form
@pytest.mark.parametrize("annotation", ["", "str | Forbidden", "Any"])
def test_an_error_that_is_returned_is_raised(serve, form, annotation):
    client = serve(write(form, "Forbidden('Not yours.')", annotation), ROUTE)
    response = client.get("/api/x")
    assert (response.status_code, response.json["detail"]) == (403, "Not yours.")
    assert take_log() == []


@each_form
@pytest.mark.parametrize(
    ("value", "status"),
    [("redirect('/login')", 302), ("Response('own', 401)", 401), ("Response('own')", 200)],
)
def test_a_response_answers_the_request(serve, form, value, status):
    client = serve(write(form, value), ROUTE)
    response = client.get("/api/x")
    assert response.status_code == status
    assert (status == 302) or response.text == "own"
    assert take_log() == []


def test_what_a_middleware_asks_for_answers_before_it(serve):
    client = serve(
        {
            "dependencies.py": "def user(): return Unauthorized('Who?')",
            "middleware.py": """
def outer(call_next):
    response = call_next()
    response.headers["Outer"] = "ran"
    return response

def inner(user, call_next):
    log("inner")
    return call_next()

middleware = [outer, inner]
""",
        },
        "def GET(): log('handler'); return ''",
    )
    response = client.get("/api/x")
    assert (response.status_code, response.headers["Outer"]) == (401, "ran")
    assert take_log() == []


@pytest.mark.parametrize("define", ["def", "async def"])
def test_a_generator_has_to_yield(serve, define):
    client = serve(f"{define} dep():\n    return\n    yield", ROUTE)
    client.application.testing = True
    with pytest.raises(RuntimeError) as caught:
        client.get("/api/x")
    assert str(caught.value) == (
        "dep in dependencies.py yielded nothing. Yield the value once, or raise an error."
    )


def test_errors_of_dependencies_have_handlers_of_the_app(serve):
    client = serve("def dep(): raise LookupError('gone')", ROUTE)

    @client.application.errorhandler(LookupError)
    def answer(error):
        return f"handled {error}", 410

    response = client.get("/api/x")
    assert (response.status_code, response.text) == (410, "handled gone")
