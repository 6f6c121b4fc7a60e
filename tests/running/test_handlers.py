"""Async handlers of a tree on the event loop of the process."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask

from flask_routehandlers.running.process import current_engine

MakeApp = Callable[..., Flask]

PIECES = """
import asyncio
from flask import request
async def GET():
    for number in range(2):
        await asyncio.sleep(0)
        yield f"{number} {request.args['q']}\\n"
async def POST():
    return GET(), 201, {"Content-Type": "text/event-stream"}
"""

LOOP = """
import asyncio, threading
async def GET():
    await asyncio.sleep(0)
    return [id(asyncio.get_running_loop()), threading.get_ident()]
"""

MIDDLEWARE = """
import asyncio
async def middleware(request, call_next):
    await asyncio.sleep(0)
    response = await call_next()
    response.headers["X-Loop"] = str(id(asyncio.get_running_loop()))
    return response
"""

SYNC_MIDDLEWARE = """
import threading
def middleware(call_next):
    response = call_next()
    response.headers["X-Thread"] = str(threading.get_ident())
    return response
"""


def test_async_generators_stream(make_app: MakeApp) -> None:
    app = make_app({"route.py": PIECES})
    assert app.test_client().get("/api?q=x").text == "0 x\n1 x\n"
    response = app.test_client().post("/api?q=x")
    assert response.status_code == 201
    assert response.mimetype == "text/event-stream"
    assert response.text == "0 x\n1 x\n"


def test_async_generators_stream_through_middleware(make_app: MakeApp) -> None:
    app = make_app({"a/route.py": PIECES, "middleware.py": MIDDLEWARE})
    assert app.test_client().get("/api/a?q=x").text == "0 x\n1 x\n"


def test_handlers_run_in_the_requests_thread(make_app: MakeApp) -> None:
    client = make_app({"route.py": LOOP}).test_client()
    expected = [id(current_engine()._loop), threading.get_ident()]
    assert [client.get("/api").json for _ in range(2)] == [expected, expected]


@pytest.mark.parametrize("order", [("", "a/"), ("a/", "")])
def test_a_mixed_chain_shares_one_loop(make_app: MakeApp, order: tuple[str, str]) -> None:
    outer, inner = order
    files = {f"{outer}middleware.py": MIDDLEWARE, f"{inner}middleware.py": SYNC_MIDDLEWARE}
    response = make_app({"a/route.py": LOOP, **files}).test_client().get("/api/a")
    assert response.json == [id(current_engine()._loop), threading.get_ident()]
    assert response.headers["X-Loop"] == str(id(current_engine()._loop))
    assert response.headers["X-Thread"] == str(threading.get_ident())


def test_a_static_handler_cannot_call_after(make_app: MakeApp) -> None:
    code = "from flask_routehandlers import after\nrevalidate = 60\ndef GET():\n    after(print)\n"
    app = make_app({"posts/route.py": f"{code}    return ''"})
    app.testing = True
    with pytest.raises(RuntimeError, match=r"^GET in posts/route\.py is static: it runs once"):
        app.test_client().get("/api/posts")


def test_middleware_of_a_static_handler_can(make_app: MakeApp) -> None:
    middleware = (
        "from flask_routehandlers import after\n"
        "called = []\n"
        "def middleware(request, call_next):\n"
        "    after(called.append, request.path)\n"
        "    response = call_next()\n"
        "    response.headers['X-Called'] = str(len(called))\n"
        "    return response\n"
    )
    static = "revalidate = 60\ndef GET(): return ''"
    app = make_app({"posts/route.py": static, "middleware.py": middleware})
    app.testing = True
    responses = [app.test_client().get("/api/posts") for _ in range(3)]
    assert [response.headers["X-Called"] for response in responses] == ["0", "1", "2"]


def test_a_setting_gives_each_call_a_loop(make_app: MakeApp) -> None:
    pytest.importorskip("asgiref")
    app = make_app({"route.py": LOOP})
    app.config["ROUTE_HANDLERS_ASYNC"] = "flask"
    loop, _ = app.test_client().get("/api").json
    assert loop != id(current_engine()._loop)
