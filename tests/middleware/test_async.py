"""Sync and async middleware in one chain, and async middleware without asgiref."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import sys
import threading
from contextvars import ContextVar

import pytest
from flask import Flask, g

from flask_routehandlers import RouteHandlers
from tests.middleware.support import OK, nest, trace, tracer, variant
from tests.support import bare_app, refused

#: Records its thread and its loop, and that what was put into the context before it is there.
RECORDER = """
import asyncio, threading
from flask import current_app, g

def {function}:
    var = current_app.config["VAR"]
    is_async = {is_async}
    loop = id(asyncio.get_running_loop()) if is_async else None
    assert var.get() == len(g.log)
    g.log.append([threading.get_ident(), loop])
    var.set(len(g.log))
    {rest}
"""

#: The same on the way back: the handler, and what it called, has changed the context.
WAY_BACK = """
    response = call_next()
    assert var.get() == "the handler's"
    assert g.outwards == {number} + 1
    g.outwards = {number}
    return response
"""


def chains(length: int) -> list[str]:
    """Return every chain of sync (``S``) and async (``A``) middleware of a length."""
    return ["".join(kinds) for kinds in itertools.product("SA", repeat=length)]


def recorder(function: str, kind: str, rest: str) -> str:
    """Return a file with a function that records where it runs."""
    is_async = kind == "A"
    code = RECORDER.format(function=function, is_async=is_async, rest=rest.strip())
    if is_async:
        return variant(code.replace("def GET", "async def GET"), "async")
    return code


@pytest.mark.parametrize("handler", "SA")
@pytest.mark.parametrize(
    "chain",
    [
        *chains(1),
        *chains(2),
        *chains(3),
        *(pytest.param(chain, marks=pytest.mark.ci) for chain in chains(4)),
    ],
)
def test_a_mixed_chain_has_one_loop_and_context(make_app, chain, handler):
    links = [
        recorder("middleware(call_next)", kind, WAY_BACK.format(number=number))
        for number, kind in enumerate(chain)
    ]
    rest = f'var.set("the handler\'s")\n    g.outwards = {len(chain)}\n    return g.log\n'
    files, url = nest(links, recorder("GET()", handler, rest))
    app = make_app(files)
    var = app.config["VAR"] = ContextVar("var", default=0)
    seen_after = []

    @app.before_request
    def before():
        g.log = []

    @app.after_request
    def look(response):
        seen_after.extend((g.outwards, var.get()))
        return response

    response = app.test_client().get(url)
    assert response.status_code == 200
    for kind, (thread, loop) in zip(chain + handler, response.json, strict=True):
        assert kind == "A" or (thread, loop) == (threading.get_ident(), None)
    loops = {loop for _, loop in response.json if loop}
    assert len(loops) == ("A" in chain + handler)
    assert seen_after == [0, "the handler's"]


def test_all_requests_share_one_loop(make_app):
    code = """
import asyncio
from flask import current_app

async def middleware(call_next):
    current_app.config["LOOPS"].append(asyncio.get_running_loop())
    return await call_next()
"""
    app = make_app({"middleware.py": code, "x/middleware.py": code, "x/route.py": OK})
    loops: list[asyncio.AbstractEventLoop] = []
    app.config["LOOPS"] = loops
    for _ in range(3):
        app.test_client().get("/api/x")
    assert len(set(loops)) == 1
    assert loops[0].is_running()


def test_the_app_decides_how_a_chain_is_run(tree):
    runs = []

    class RecordingFlask(Flask):
        def async_to_sync(self, function):
            runs.append(function)
            return super().async_to_sync(function)

    links = [tracer("a", "async"), tracer("b"), tracer("c", "async")]
    files, url = nest(links, "async def GET(): return ''\n")
    app = RecordingFlask("recording", root_path=str(tree(files)), static_folder=None)
    RouteHandlers(app)
    assert trace(app.test_client().get(url)) == "a b c /c /b /a"
    assert len(runs) == 1


def test_sync_code_of_a_request_shares_its_thread(make_app):
    # A connection of sqlite3 refuses to be used in any thread but that in which it was opened.
    middleware = """
from flask import g
def middleware(call_next):
    g.db.execute("insert into t values (1)")
    return call_next()
"""
    route = "from flask import g\ndef GET(): return g.db.execute('select * from t').fetchall()\n"
    links = [tracer("a", "async"), middleware, tracer("b", "async"), middleware]
    files, url = nest(links, route)
    app = make_app(files)

    @app.before_request
    def connect():
        g.db = sqlite3.connect(":memory:")
        g.db.execute("create table t (n)")

    app.teardown_request(lambda error: g.db.close())
    assert app.test_client().get(url).json == [[1], [1]]


ASYNC_LIST = """
async def check(call_next): return await call_next()
def plain(call_next): return call_next()
middleware = [plain, check]
"""


@pytest.fixture
def without_asgiref(monkeypatch):
    """Let no module import asgiref."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "asgiref"]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "asgiref", None)


@pytest.mark.usefixtures("without_asgiref")
def test_without_asgiref_async_stops_the_start(tree):
    files = {
        "a/middleware.py": ASYNC_LIST,
        "a/route.py": OK,
        "b/middleware.py": tracer("b", "async"),
        "b/route.py": OK,
        "c/route.py": "async def GET(): return ''\n",
    }
    app = bare_app(tree(files))
    app.config["ROUTE_HANDLERS_ASYNC"] = "flask"
    problems = refused(app)
    reason = "is async, and Flask needs asgiref to call it."
    assert sorted((*problem.files, problem.reason) for problem in problems) == [
        ("a/middleware.py", f"middleware[1] (check) {reason}"),
        ("b/middleware.py", f"middleware {reason}"),
        ("c/route.py", f"GET {reason}"),
    ]
    assert {problem.hint for problem in problems} == {'Install it: pip install "flask[async]".'}


@pytest.mark.usefixtures("without_asgiref")
def test_without_asgiref_async_is_never_skipped(tree):
    app = bare_app(tree({"a/middleware.py": ASYNC_LIST, "a/route.py": OK, "x/route.py": OK}))
    app.debug = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.config["ROUTE_HANDLERS_ASYNC"] = "flask"
    RouteHandlers(app)
    client = app.test_client()
    assert client.get("/api/a").status_code == 500
    assert client.get("/api/x").text == "answer"


@pytest.mark.usefixtures("without_asgiref")
def test_without_asgiref_sync_middleware_works(make_client):
    code = "def middleware(call_next): return 'through ' + call_next().get_data(as_text=True)\n"
    assert make_client(code).get("/api/x").text == "through answer"
