"""Which way the coroutines of an app run."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from flask_routehandlers.running.modes import async_to_sync, call_sync, keeps_loop, run_for
from flask_routehandlers.running.process import current_engine


async def running_loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def uses_kept_loop(app: Flask) -> bool:
    return run_for(app, running_loop()) is current_engine()._loop


class Overriding(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            return asyncio.run(func(*args, **kwargs))

        return run


class Converting(Flask):
    def async_to_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: asyncio.run(func(*args, **kwargs))


def test_flasks_own_app_keeps_the_loop() -> None:
    app = Flask(__name__)
    assert keeps_loop(app)
    assert uses_kept_loop(app)


@pytest.mark.parametrize("kind", [Overriding, Converting])
def test_the_app_decides_if_it_overrides(kind: type[Flask]) -> None:
    app = kind(__name__)
    assert not keeps_loop(app)
    assert not uses_kept_loop(app)


def test_an_instance_may_override() -> None:
    app = Flask(__name__)
    app.ensure_sync = Overriding(__name__).ensure_sync  # type: ignore[method-assign]
    assert not uses_kept_loop(app)


def test_our_own_override_keeps_the_loop() -> None:
    app = Flask(__name__)
    app.async_to_sync = async_to_sync  # type: ignore[method-assign]
    assert keeps_loop(app)
    assert uses_kept_loop(app)


def test_a_setting_keeps_flasks_way() -> None:
    pytest.importorskip("asgiref")
    app = Flask(__name__)
    app.config["ROUTE_HANDLERS_ASYNC"] = "flask"
    assert not uses_kept_loop(app)


def test_flasks_way_shares_a_loop_with_nested_calls() -> None:
    pytest.importorskip("asgiref")
    app = Flask(__name__)
    app.config["ROUTE_HANDLERS_ASYNC"] = "flask"

    async def outer() -> bool:
        inner = await call_sync(lambda: run_for(app, running_loop()))
        return inner is asyncio.get_running_loop()

    assert run_for(app, outer())


def test_an_override_shares_a_loop_with_nested_calls() -> None:
    pytest.importorskip("asgiref")
    app = Converting(__name__)

    async def outer() -> bool:
        inner = await call_sync(lambda: run_for(app, running_loop()))
        return inner is asyncio.get_running_loop()

    assert run_for(app, outer())


def test_below_wsgi_to_asgi_the_servers_loop_runs() -> None:
    asgiref = pytest.importorskip("asgiref.sync")
    app = Flask(__name__)

    async def serve() -> tuple[bool, bool]:
        view = asgiref.sync_to_async(lambda: (keeps_loop(app), run_for(app, running_loop())))
        kept, loop = await view()
        return kept, loop is asyncio.get_running_loop()

    assert asyncio.run(serve()) == (False, True)


def test_a_thread_that_asgiref_used_keeps_the_loop() -> None:
    asgiref = pytest.importorskip("asgiref.sync")
    app = Flask(__name__)

    async def outer() -> None:
        await asgiref.sync_to_async(int)()

    asgiref.async_to_sync(outer)()
    assert keeps_loop(app)


def test_below_eventlet_flask_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    patcher: Any = types.ModuleType("eventlet.patcher")
    patcher.is_monkey_patched = lambda name: name == "thread"
    monkeypatch.setitem(sys.modules, "eventlet.patcher", patcher)
    assert not keeps_loop(Flask(__name__))
