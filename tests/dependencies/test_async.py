"""Sync and async functions mix: one chain, one task, one context, in each mode."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from flask_routehandlers.running.engine import Engine, SharedEngine
from flask_routehandlers.running.process import process
from tests.dependencies.support import ASYNC_SESSION, SESSION, rolled_back, take_log


@pytest.fixture(params=["shared", "hop", "flask"])
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """The ways to run async code: two kinds of loop, and Flask's own."""
    engine: Engine = SharedEngine()
    if request.param == "hop":
        engine = Engine(asyncio.new_event_loop())
    before, process.engine = process.engine, engine
    yield request.param
    engine.close()
    process.engine = before


@pytest.fixture
def serve_in(serve, mode):
    """Serve files in a mode."""

    def make(*files):
        client = serve(*files)
        if mode == "flask":
            client.application.config["ROUTE_HANDLERS_ASYNC"] = "flask"
        return client

    return make


#: Every way to mix a session, something that asks for it, a middleware and a handler.
MIX = [
    (session, user, middleware, handler)
    for session in ("def", "async def")
    for user in ("def", "async def")
    for middleware in ("", "def", "async def")
    for handler in ("def", "async def")
]


@pytest.mark.parametrize(("session", "user", "middleware", "handler"), MIX)
def test_all_kinds_mix(serve_in, session, user, middleware, handler):
    files = {
        "dependencies.py": (SESSION if session == "def" else ASYNC_SESSION)
        + f"{user} user(db):\n    log(f'user of {{db}}')\n    return 'ada'",
        "x/route.py": f"{handler} GET(user, db):\n    log('handler')\n    return [user, db]\n"
        f"{handler} POST(user):\n    abort(409)",
    }
    if middleware:
        call = "await call_next()" if "async" in middleware else "call_next()"
        files["middleware.py"] = f"{middleware} middleware(user, call_next): return {call}"
    client = serve_in(files)
    assert client.get("/api/x").json == ["ada", "db"]
    assert take_log() == ["open", "user of db", "handler", "commit", "close"]
    assert client.post("/api/x").status_code == 409
    assert take_log() == ["open", "user of db", *rolled_back("Conflict")[1:]]


def test_sync_functions_run_in_the_thread_of_the_request(serve_in):
    client = serve_in(
        """
def first():
    log(threading.get_ident())
    yield
    log(threading.get_ident())

async def second(first): await asyncio.sleep(0)

def third(second): log(threading.get_ident())
""",
        "def GET(third):\n    log(threading.get_ident())\n    return ''",
    )
    client.get("/api/x")
    threads = take_log()
    assert (len(threads), len(set(threads))) == (4, 1)


def test_what_is_set_before_is_seen_after(serve_in):
    client = serve_in(
        {
            "_lib/variables.py": "from contextvars import ContextVar\nname = ContextVar('name')",
            "dependencies.py": """
from ._lib.variables import name

async def first():
    name.set("first")
    yield
    log(f"first sees {name.get()}")

def second(first):
    log(f"second sees {name.get()}")
    name.set("second")
    yield
    log(f"second sees {name.get()}")
""",
            "x/route.py": """
from .._lib.variables import name

async def GET(second):
    log(f"handler sees {name.get()}")
    name.set("handler")
    return ""
""",
        }
    )
    client.get("/api/x")
    assert take_log() == [
        "second sees first", "handler sees second", "second sees handler", "first sees handler"
    ]  # fmt: skip


def test_a_variable_can_be_reset_where_it_was_set(serve, mode):
    if mode != "shared":
        pytest.skip("sync functions have a copy of the context there")
    code = """
name = contextvars.ContextVar("name", default="none")
{define} first():
    token = name.set("set")
    yield
    name.reset(token)
    log(name.get())
"""
    for define in ("def", "async def"):
        for handler in ("def", "async def"):
            client = serve(code.format(define=define), f"{handler} GET(first): return ''")
            assert client.get("/api/x").status_code == 200
            assert take_log() == ["none"]


def test_one_task_runs_all_of_a_chain(serve_in, mode):
    client = serve_in(
        {
            "dependencies.py": """
async def session():
    log(id(asyncio.current_task()))
    async with asyncio.timeout(30):
        yield
    log(id(asyncio.current_task()))
""",
            "middleware.py": """
async def middleware(session, call_next):
    log(id(asyncio.current_task()))
    return await call_next()
""",
            "x/route.py": "async def GET(): log(id(asyncio.current_task())); return ''",
        }
    )
    client.get("/api/x")
    tasks = take_log()
    assert (len(tasks), len(set(tasks))) == (4, 1)


def test_a_cancelled_handler_cleans_up(serve_in, mode):
    client = serve_in(
        SESSION + ASYNC_SESSION.replace("db()", "other()"),
        """
async def GET(db, other):
    asyncio.current_task().cancel()
    await asyncio.sleep(9)
""",
    )
    if mode == "flask":
        with pytest.raises(asyncio.CancelledError):
            client.get("/api/x")
    else:
        assert client.get("/api/x").status_code == 500
    assert take_log() == ["open", "open", *rolled_back("CancelledError")[1:] * 2]


def test_a_timeout_around_the_chain_rolls_back(serve_in):
    client = serve_in(
        {
            "dependencies.py": ASYNC_SESSION,
            "middleware.py": """
async def middleware(call_next):
    try:
        async with asyncio.timeout(0.01):
            return await call_next()
    except TimeoutError:
        return "late", 504
""",
            "x/route.py": "async def GET(db): await asyncio.sleep(30)",
        }
    )
    assert client.get("/api/x").status_code == 504
    assert take_log() == rolled_back("CancelledError")


@pytest.mark.parametrize("define", ["def", "async def"])
def test_an_async_generator_streams_with_an_async_session(serve_in, define):
    client = serve_in(
        ASYNC_SESSION,
        f"{define} GET(db):\n    for piece in 'ab':\n        log(piece)\n        yield piece",
    )
    assert client.get("/api/x").text == "ab"
    assert take_log() == ["open", "a", "b", "commit", "close"]


def test_many_dependencies_wait_at_the_same_time(serve_in):
    # A request waits for its own; those of other requests go on.
    from concurrent.futures import ThreadPoolExecutor

    client = serve_in(
        """
async def session(params):
    await asyncio.sleep(0.001)
    yield {}
    await asyncio.sleep(0.001)
""",
        "async def GET(session): return 'fine'",
    )
    app = client.application
    with ThreadPoolExecutor(16) as pool:
        texts = set(pool.map(lambda _: app.test_client().get("/api/x").text, range(100)))
    assert texts == {"fine"}
