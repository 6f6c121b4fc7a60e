"""What a dependency is called with, who can ask for one, and in which order they run."""

from __future__ import annotations

import pytest

from tests.dependencies.support import take_log


def test_a_dependency_is_called_with_what_it_names(serve):
    client = serve(
        {
            "[slug]/dependencies.py": """
def path(slug): return slug
def whole(request, params): return [request.path, params["slug"], params["number"]]
def both(path, whole): return [path, whole]
def sent(page: Query[int], agent: Header[str], theme: Cookie[str] = "light"):
    return [page, agent, theme]
""",
            "[slug]/[number=int]/route.py": "def GET(both, sent): return [both, sent]",
        }
    )
    response = client.get("/api/a/3?page=2", headers={"Agent": "me"})
    assert response.json == [["a", ["/api/a/3", "a", 3]], [2, "me", "light"]]


def test_handlers_middleware_and_dependencies_can_ask(serve):
    client = serve(
        {
            "dependencies.py": "def one(): return 1\ndef two(one): return one + 1",
            "middleware.py": """
def middleware(two, call_next):
    response = call_next()
    response.headers["Two"] = str(two)
    return response
""",
            "x/route.py": "def GET(one): return [one]\ndef POST(two): return [two]",
        }
    )
    assert (client.get("/api/x").json, client.post("/api/x").json) == ([1], [2])
    assert client.get("/api/x").headers["Two"] == "2"


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("c, b, a", ["base", "c", "b", "a"]),
        ("a, c, b", ["a", "base", "c", "b"]),
        ("b, second", ["base", "b", "c", "second"]),
        ("", []),
        ("second, *, a", ["base", "c", "second", "a"]),
    ],
)
def test_they_run_depth_first_in_order_of_signatures(serve, signature, expected):
    client = serve(
        """
def a(): log("a")
def b(base): log("b")
def base(): log("base")
def c(base): log("c")
def second(c, base): log("second")
""",
        f"def GET({signature}): return ''",
    )
    assert client.get("/api/x").status_code == 200
    assert take_log() == expected


def test_a_function_runs_once_in_a_request(serve):
    client = serve(
        {
            "dependencies.py": "def db(): log('db')\ndef user(db): log('user')",
            "middleware.py": """
def first(user, db, call_next): return call_next()
def second(db, call_next): return call_next()
middleware = [first, second]
""",
            "x/route.py": "def GET(db, user): return ''",
        }
    )
    for _ in range(2):
        assert client.get("/api/x").status_code == 200
        assert take_log() == ["db", "user"]


def test_none_runs_that_nothing_asks_for(serve):
    client = serve("def a(): log('a')\ndef b(a): log('b')", "def GET(a): return ''")
    client.get("/api/x")
    assert take_log() == ["a"]


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("GET", ["outer", "inner"]),
        ("HEAD", ["outer", "inner"]),
        ("OPTIONS", ["outer"]),
        ("POST", ["outer"]),
        ("PURGE", ["outer"]),
    ],
)
def test_what_runs_for_each_method(serve, method, expected):
    client = serve(
        {
            "dependencies.py": "def outer(): log('outer')\ndef inner(): log('inner')",
            "middleware.py": "def middleware(outer, call_next): return call_next()",
            "x/route.py": "def GET(inner): return ''",
        }
    )
    client.open("/api/x", method=method)
    assert take_log() == expected


@pytest.mark.parametrize("define", ["def", "async def"])
def test_an_options_handler_can_ask(serve, define):
    route = f"{define} OPTIONS(who): return who, {{'Mine': 'yes'}}"
    client = serve(f"{define} who(): return 'me'", route)
    response = client.options("/api/x")
    assert (response.text, response.headers["Mine"]) == ("me", "yes")


@pytest.mark.parametrize("define", ["def", "async def"])
def test_a_handler_that_answers_preflights_can_ask(serve, define):
    route = f"""
{define} GET(who): return who
GET.provide_automatic_options = False
"""
    client = serve("def who(): return 'me'", route)
    response = client.options("/api/x", headers={"Access-Control-Request-Method": "GET"})
    assert (response.text, response.headers["Allow"]) == ("me", "GET, HEAD, OPTIONS")


def test_decorated_functions_are_called_by_name(serve):
    client = serve(
        {
            "_lib/tools.py": """
import functools

def by_name(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return [len(args), f(**kwargs)]
    return wrapper

def shout(f):
    @functools.wraps(f)
    def wrapper(word, **kwargs):
        return f(word=word.upper(), **kwargs)
    return wrapper
""",
            "dependencies.py": """
from ._lib.tools import by_name, shout
def word(): return "word"
@by_name
def pair(word, request): return [word, request.method]
@shout
def loud(word, request): return word
""",
            "x/route.py": """
from .._lib.tools import by_name
@by_name
def GET(pair, loud): return [pair, loud]
""",
        }
    )
    assert client.get("/api/x").json == [0, [[0, ["word", "GET"]], "WORD"]]


@pytest.mark.parametrize("signature", ["page=1", "*, page=1", "db, page=1", "page=1, db=None"])
def test_a_value_that_a_preprocessor_takes_has_its_default(make_app, signature):
    code = "def db(): return 'db'\ndef chosen({}): return page"
    files = {
        "[page=int]/dependencies.py": code.format(signature.replace(", db=None", "")),
        "[page=int]/route.py": "def GET(chosen, page=1): return [chosen, page]",
    }
    app = make_app(files)

    @app.url_value_preprocessor
    def take(endpoint, values):
        if values.get("page") == 9:
            del values["page"]

    client = app.test_client()
    assert client.get("/api/3").json == [3, 3]
    assert client.get("/api/9").json == [1, 1]


def test_several_trees_have_their_own(tmp_path):
    from flask_routehandlers import RouteHandlers
    from tests.support import bare_app, write_files

    for name in ("a", "b"):
        files = {
            "dependencies.py": f"def name(): return {name!r}",
            "x/route.py": "def GET(name): return name",
        }
        write_files(tmp_path / f"app/{name}", files)
    app = bare_app(tmp_path)
    for name in ("a", "b"):
        RouteHandlers(app, f"app/{name}")
    client = app.test_client()
    assert [client.get(f"/{name}/x").text for name in ("a", "b")] == ["a", "b"]
