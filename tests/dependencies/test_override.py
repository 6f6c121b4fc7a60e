"""Dependencies that a test replaces, and route files as modules."""

from __future__ import annotations

import threading

import pytest

from flask_routehandlers import RouteHandlers
from flask_routehandlers.testing import override, route
from tests.dependencies.support import COMMITTED, SESSION, take_log
from tests.support import bare_app, write_files

FILES = {
    "dependencies.py": "def db(): return 'db'\ndef user(db): return f'user of {db}'",
    "middleware.py": """
def middleware(user, call_next):
    response = call_next()
    response.headers["User"] = user
    return response
""",
    "[slug]/dependencies.py": "def article(slug, user): return f'{slug} for {user}'",
    "[slug]/route.py": "def GET(article, db): return [article, db]",
    "[slug]/own/dependencies.py": "def user(user): return f'inner {user}'",
    "[slug]/own/route.py": "def GET(user, article): return [user, article]",
}


@pytest.fixture
def client(serve):
    return serve(FILES)


def ask(client, path="a"):
    response = client.get(f"/api/{path}")
    return response.json, response.headers["User"]


USUAL = (["a for user of db", "db"], "user of db")


def test_a_function_takes_the_place_of_a_dependency(client):
    assert ask(client) == USUAL
    with override(client.application, user=lambda: "ada"):
        assert ask(client) == (["a for ada", "db"], "ada")
    assert ask(client) == USUAL


def test_every_definition_of_a_name_is_replaced(client):
    with override(client.application, user=lambda: "ada"):
        assert ask(client, "a/own") == (["ada", "a for ada"], "ada")
    assert ask(client, "a/own")[0] == ["inner user of db", "a for user of db"]


def test_it_is_called_with_what_it_names(client):
    def article(slug, db, request, params):
        return f"{slug} {db} {request.method} {params}"

    with override(client.application, article=article, db=lambda: "fake"):
        assert ask(client)[0] == ["a fake GET {'slug': 'a'}", "fake"]


def test_its_own_name_is_what_it_replaces(client):
    with override(client.application, user=lambda user: user.upper()):
        assert ask(client)[1] == "USER OF DB"
        assert ask(client, "a/own")[0][0] == "INNER USER OF DB"


def test_nested_ones_restore(client):
    app = client.application
    with override(app, user=lambda: "ada"):
        with override(app, user=lambda user: f"{user}!", db=lambda: "fake"):
            assert ask(client) == (["a for ada!", "fake"], "ada!")
            with override(app, user=lambda user: f"{user}?"):
                assert ask(client)[1] == "ada!?"
            assert ask(client)[1] == "ada!"
        assert ask(client) == (["a for ada", "db"], "ada")
    assert ask(client) == USUAL


def test_blocks_may_end_in_any_order(client):
    first = override(client.application, user=lambda: "ada")
    second = override(client.application, db=lambda: "fake")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert ask(client) == (["a for user of fake", "fake"], "user of fake")
    second.__exit__(None, None, None)
    assert ask(client) == USUAL


def test_an_error_restores_too(client):
    with pytest.raises(ZeroDivisionError), override(client.application, user=lambda: "ada"):
        raise ZeroDivisionError
    assert ask(client) == USUAL


def test_all_threads_see_it(client):
    seen = []
    with override(client.application, user=lambda: "ada"):
        thread = threading.Thread(target=lambda: seen.append(ask(client)[1]))
        thread.start()
        thread.join()
    assert seen == ["ada"]


def test_all_trees_see_it(tmp_path):
    app = bare_app(tmp_path)
    for name in ("a", "b"):
        files = {
            "dependencies.py": f"def user(): return {name!r}",
            "x/route.py": "def GET(user): return user",
        }
        write_files(tmp_path / f"app/{name}", files)
        RouteHandlers(app, f"app/{name}")
    client = app.test_client()
    with override(app, user=lambda: "ada"):
        assert [client.get(f"/{name}/x").text for name in ("a", "b")] == ["ada", "ada"]
    assert [client.get(f"/{name}/x").text for name in ("a", "b")] == ["a", "b"]


def test_any_kind_of_function_can_replace_any(serve):
    def generator():
        yield from _generator()

    def _generator():
        take_log()
        yield "generator"

    async def function():
        return "async"

    async def async_generator():
        yield "async generator"

    replacements = {
        "plain": lambda: "plain",
        "generator": generator,
        "async": function,
        "async generator": async_generator,
        "None": lambda: None,
    }
    for define in ("def db() -> str: return 'db'", "async def db() -> str: return 'db'", SESSION):
        for handler in ("def", "async def"):
            client = serve(define, f"{handler} GET(db): return str(db)")
            for name, replacement in replacements.items():
                with override(client.application, db=replacement):
                    assert client.get("/api/x").text == name
            assert client.get("/api/x").text == "db"


def test_an_async_session_can_replace_a_sync_one(serve):
    async def session():
        yield "fake"
        take_log().append("x")

    client = serve(
        {
            "dependencies.py": SESSION,
            "middleware.py": "def middleware(db, call_next): return call_next()",
            "x/route.py": "def GET(db):\n    yield db",
        }
    )
    with override(client.application, db=session):
        assert client.get("/api/x").text == "fake"
    assert client.get("/api/x").text == "db"
    assert take_log() == COMMITTED


def test_a_shared_function_is_replaced_once_for_each_name(serve):
    client = serve(
        {
            "_lib/shared.py": "def db(): return 'db'",
            "dependencies.py": """
from ._lib.shared import db
session = db
__all__ = ['db', 'session']
""",
            "x/dependencies.py": "from .._lib.shared import db\n__all__ = ['db']",
            "middleware.py": "def middleware(db, call_next): return call_next()",
            "x/route.py": "def GET(db, session): return [db, session]",
        }
    )
    calls = []
    with override(client.application, db=lambda db: calls.append(db) or f"fake {db}"):
        assert client.get("/api/x").json == ["fake db", "db"]
    assert calls == ["db"]


def test_nothing_else_is_planned_again(serve):
    client = serve(
        """
class Number(int):
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        log("planned")
        return handler(int)

def db(): return 'db'
def number(n: Query[Number], db) -> int: return n
""",
        "def GET(number, db): return [number, db]",
    )
    assert "planned" in take_log()
    with override(client.application, db=lambda: "fake"):
        assert client.get("/api/x?n=1").json == [1, "fake"]
    assert take_log() == []


def test_an_unknown_name_is_an_error(client):
    with pytest.raises(LookupError) as caught, override(client.application, usr=lambda: 1):
        pass
    assert caught.value.args == ("No dependencies.py defines 'usr'. Did you mean 'user'?",)
    with pytest.raises(LookupError) as caught, override(client.application, xyz=lambda: 1):
        pass
    assert caught.value.args == ("No dependencies.py defines 'xyz'.",)


def test_what_is_not_a_function_is_an_error(client):
    with pytest.raises(TypeError) as caught, override(client.application, user="ada"):
        pass
    assert str(caught.value) == (
        "override() got 'ada' for user, which is not a function. Write user=lambda: ..."
    )


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        (
            {"user": lambda nothing: 1},
            "user asks for 'nothing', which is not in the path. It can ask for 'request', "
            "'params' and 'db'. Any other parameter needs a default. For a value from the "
            "client, write nothing: Query[str]. For any other, define nothing() in a "
            "dependencies.py of this folder or above. If user is not a dependency, begin its name "
            "with an underscore.",
        ),
        (
            {"db": lambda user: 1},
            "The dependencies user -> db -> user ask for each other. "
            "Remove one of the arguments, or move what both need into another dependency.",
        ),
    ],
)
def test_a_function_that_cannot_be_called_changes_nothing(client, functions, message):
    with (
        pytest.raises(Exception) as caught,  # noqa: PT011
        override(client.application, **functions),
    ):
        pass
    assert str(caught.value) == message
    assert ask(client) == USUAL


def test_an_app_without_dependencies_has_no_names(serve):
    client = serve({"x/route.py": "def GET(): return ''"})
    with pytest.raises(LookupError), override(client.application, user=lambda: 1):
        pass


def test_a_route_file_is_a_module(serve):
    client = serve(
        {
            **FILES,
            "(group)/posts/[id]/route.py": "def PUT(post, body: Body[int]): return [post, body]",
            "(group)/posts/[id]/dependencies.py": "def post(id): ...",
            "route.py": "def GET(): return 'root'",
        }
    )
    app = client.application
    for path in ("posts/[id]", "/posts/[id]/", "(group)/posts/[id]"):
        assert route(app, path).PUT(post=1, body=2) == [1, 2]
    assert route(app, "").GET() == route(app, "/").GET() == "root"
    assert route(app, "[slug]").GET("article", db="db") == ["article", "db"]


@pytest.mark.parametrize(
    ("path", "guess"), [("[slg]", " Did you mean '[slug]'?"), ("nothing/here", "")]
)
def test_an_unknown_route_file_is_an_error(client, path, guess):
    with pytest.raises(LookupError) as caught:
        route(client.application, path)
    assert caught.value.args == (f"The app has no route file in the folder {path!r}.{guess}",)
