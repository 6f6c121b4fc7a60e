"""after(): when, where and with what its functions run."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import (
    Flask,
    Response,
    abort,
    current_app,
    g,
    got_request_exception,
    has_request_context,
    request,
    send_file,
    session,
    stream_with_context,
)

from flask_routehandlers.running.after import STATIC_FILE, Pool, after
from flask_routehandlers.running.modes import run_async
from tests.support import in_child, until


@pytest.fixture
def shop() -> Flask:
    app = Flask(__name__)
    app.secret_key = "secret"
    return app


@pytest.fixture
def events() -> list[Any]:
    return []


def test_a_function_runs_when_the_response_closes(shop: Flask, events: list[Any]) -> None:
    @shop.get("/")
    def view() -> str:
        after(events.append, "after")
        return "ok"

    response = shop.test_client().get("/")
    assert response.text == "ok"
    assert events == []
    response.close()
    assert until(lambda: events == ["after"])


def test_functions_of_a_request_run_in_order(shop: Flask, events: list[Any]) -> None:
    @shop.get("/")
    def view() -> str:
        for number in range(20):
            after(events.append, number)
        return "ok"

    shop.test_client().get("/").close()
    assert until(lambda: len(events) == 20)
    assert events == list(range(20))


def test_arguments_are_passed(shop: Flask, events: list[Any]) -> None:
    def note(a: int, *, b: int) -> None:
        events.append((a, b))

    @shop.get("/")
    def view() -> str:
        after(note, 1, b=2)
        return "ok"

    shop.test_client().get("/").close()
    assert until(lambda: events == [(1, 2)])


def test_contexts_of_a_function(shop: Flask, events: list[Any]) -> None:
    ended = []

    @shop.teardown_appcontext
    def end(error: BaseException | None) -> None:
        ended.append(threading.get_ident())

    def note() -> None:
        same_app = current_app._get_current_object() is shop  # type: ignore[attr-defined]
        events.append((request.path, session["user"], hasattr(g, "value"), same_app))
        events.append(threading.get_ident())

    @shop.get("/page")
    def view() -> str:
        session["user"] = "Ada"
        g.value = 1
        after(note)
        return "ok"

    shop.test_client().get("/page").close()
    assert until(lambda: len(ended) == 2)
    assert events[0] == ("/page", "Ada", False, True)
    assert events[1] == ended[1] != threading.get_ident()


def test_each_function_has_an_app_context(shop: Flask, events: list[Any]) -> None:
    def note() -> None:
        events.append(hasattr(g, "value"))
        g.value = 1

    @shop.get("/")
    def view() -> str:
        after(note)
        after(note)
        return "ok"

    shop.test_client().get("/").close()
    assert until(lambda: events == [False, False])


def test_async_functions_share_the_loop(shop: Flask, events: list[Any]) -> None:
    async def note() -> None:
        await asyncio.sleep(0)
        events.append((request.path, asyncio.get_running_loop()))

    async def loop() -> Any:
        return asyncio.get_running_loop()

    @shop.get("/")
    def view() -> str:
        after(note)
        return "ok"

    shop.test_client().get("/").close()
    assert until(lambda: len(events) == 1)
    assert events == [("/", run_async(loop()))]


@pytest.mark.parametrize("outcome", ["abort", "crash", "stream", "file", "empty"])
def test_functions_run_whatever_the_outcome(
    shop: Flask, events: list[Any], outcome: str, tmp_path: Path
) -> None:
    path = tmp_path / "file.txt"
    path.write_text("content")

    def pieces() -> Any:
        yield "a"
        assert events == []
        yield "b"

    @shop.get("/")
    def view() -> Any:
        after(events.append, outcome)
        if outcome == "abort":
            abort(404)
        if outcome == "crash":
            raise KeyError
        if outcome == "stream":
            return Response(stream_with_context(pieces()))
        if outcome == "file":
            return send_file(path)
        return "", 204

    for method in ("get", "head"):
        response = getattr(shop.test_client(), method)("/")
        response.get_data()
        assert events == []
        response.close()
        assert until(lambda: events == [outcome])
        events.clear()


def test_functions_run_when_an_error_propagates(shop: Flask, events: list[Any]) -> None:
    shop.config["PROPAGATE_EXCEPTIONS"] = True

    @shop.get("/")
    def view() -> str:
        after(events.append, 1)
        raise KeyError

    with pytest.raises(KeyError):
        shop.test_client().get("/")
    assert until(lambda: events == [1])


def test_a_replaced_response_loses_nothing(shop: Flask, events: list[Any]) -> None:
    @shop.after_request
    def replace(response: Response) -> Response:
        return Response("other")

    @shop.get("/")
    def view() -> str:
        after(events.append, 1)
        return "ok"

    shop.test_client().get("/").close()
    assert until(lambda: events == [1])


def test_an_error_is_logged_and_others_go_on(
    shop: Flask, events: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    signals: list[Any] = []
    teardowns: list[Any] = []

    def fail(**_: Any) -> None:
        raise KeyError("missing")

    def follow(app: Flask, exception: BaseException, **_: Any) -> None:
        signals.append((type(exception), request.path))

    @shop.teardown_appcontext
    def end(error: BaseException | None) -> None:
        teardowns.append(type(error))

    @shop.post("/x")
    def view() -> str:
        after(fail)
        after(events.append, 1)
        return "ok"

    with got_request_exception.connected_to(follow, shop):
        shop.test_client().post("/x").close()
        assert until(lambda: events == [1])
    (record,) = caplog.records
    assert record.name == shop.logger.name
    name = fail.__qualname__
    assert record.getMessage() == f"after() of POST /x: {name} failed"
    assert record.exc_info is not None
    assert signals == [(KeyError, "/x")]
    assert KeyError in teardowns


def test_exit_in_a_function_ends_only_it(
    shop: Flask, events: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    def leave() -> None:
        raise SystemExit(1)

    @shop.get("/")
    def view() -> str:
        after(leave)
        after(events.append, 1)
        return "ok"

    for _ in range(3):
        shop.test_client().get("/").close()
    assert until(lambda: events == [1, 1, 1])
    assert len(caplog.records) == 3


def test_functions_may_call_after(shop: Flask, events: list[Any]) -> None:
    def first() -> None:
        after(events.append, "second")
        events.append("first")

    @shop.get("/")
    def view() -> str:
        after(first)
        return "ok"

    shop.test_client().get("/").close()
    assert until(lambda: events == ["first", "second"])


def test_tests_run_functions_at_once(shop: Flask, events: list[Any]) -> None:
    shop.testing = True

    async def note() -> None:
        await asyncio.sleep(0)
        events.append(("async", threading.get_ident()))

    @shop.get("/")
    def view() -> str:
        after(events.append, 1)
        after(note)
        return "ok"

    with shop.test_client() as client:
        client.get("/")
        assert events == [1, ("async", threading.get_ident())]
        assert has_request_context()


def test_tests_see_the_errors(shop: Flask) -> None:
    shop.testing = True

    @shop.get("/")
    def view() -> str:
        after({}.__getitem__, "missing")
        return "ok"

    with pytest.raises(KeyError, match="missing"):
        shop.test_client().get("/")


def test_a_test_request_context_runs_functions(shop: Flask, events: list[Any]) -> None:
    shop.testing = True
    with shop.test_request_context("/"):
        after(events.append, 1)
        assert events == []
    assert events == [1]


def test_outside_of_a_request_it_is_refused(shop: Flask) -> None:
    with shop.app_context(), pytest.raises(RuntimeError) as caught:
        after(print)
    assert str(caught.value) == (
        "after() was called outside of a request. Call the function itself, or hand it to a "
        "thread or a queue of tasks."
    )


def test_in_a_static_handler_it_is_refused(shop: Flask) -> None:
    context = shop.test_request_context(environ_overrides={STATIC_FILE: "posts/route.py"})
    with context, pytest.raises(RuntimeError) as caught:
        after(print)
    assert str(caught.value) == (
        "GET in posts/route.py is static: it runs once for many requests. "
        "Call after() in a middleware, which runs for each of them."
    )


def test_beyond_the_limit_functions_run_at_once(shop: Flask, events: list[Any]) -> None:
    shop.config["ROUTE_HANDLERS_AFTER_LIMIT"] = 1
    shop.config["ROUTE_HANDLERS_AFTER_THREADS"] = 1
    begun, released = threading.Event(), threading.Event()

    def block() -> None:
        begun.set()
        released.wait(10)

    @shop.get("/block")
    def block_view() -> str:
        after(block)
        return "ok"

    @shop.get("/")
    def view() -> str:
        after(lambda: events.append(threading.get_ident()))
        return "ok"

    client = shop.test_client()
    client.get("/block").close()
    assert begun.wait(5)
    client.get("/").close()
    assert events == [threading.get_ident()]
    released.set()


@pytest.fixture
def pool(shop: Flask) -> Callable[..., Pool]:
    def make(threads: int = 2, limit: int = 10, drain_seconds: float = 5) -> Pool:
        return Pool(shop.logger, threads, limit, drain_seconds)

    return make


def test_the_pool_starts_threads_on_need(pool: Callable[..., Pool]) -> None:
    threads: set[int] = set()
    barrier = threading.Barrier(2, timeout=5)

    def meet() -> None:
        barrier.wait()
        threads.add(threading.get_ident())

    two = pool(2)
    two.expect(4)
    for _ in range(4):
        two.submit([meet])
    two.drain()
    assert len(threads) == 2


def test_drain_waits_for_pending_functions(pool: Callable[..., Pool]) -> None:
    released = threading.Event()
    done: list[int] = []

    def work() -> None:
        released.wait(5)
        done.append(1)

    draining = pool()
    draining.expect(5)
    draining.submit([work] * 5)
    thread = threading.Thread(target=draining.drain)
    thread.start()
    assert until(lambda: draining._is_ending)
    assert thread.is_alive()
    released.set()
    thread.join(5)
    assert done == [1] * 5


def test_drain_waits_for_the_end_of_a_response(
    pool: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_routehandlers.running.after.RESPONSE_SECONDS", 10)
    done: list[int] = []
    draining = pool()
    draining.expect(2)
    thread = threading.Thread(target=draining.drain)
    thread.start()
    assert until(lambda: draining._is_ending)

    def work() -> None:
        # The end waits for callbacks that it does not run itself.
        assert thread.is_alive()
        done.append(threading.get_ident())

    draining.submit([work, work])
    thread.join(10)
    assert not thread.is_alive()
    assert done == [threading.get_ident()] * 2


def test_a_response_that_is_not_closed_is_forgotten(shop: Flask) -> None:
    @shop.get("/")
    def view() -> str:
        after(print)
        return "ok"

    shop.test_client().get("/")
    gc.collect()
    (pool,) = [value for value in shop.extensions.values() if isinstance(value, Pool)]
    assert until(lambda: pool._expected == 0)


def test_lost_functions_are_reported(
    pool: Callable[..., Pool], caplog: pytest.LogCaptureFixture
) -> None:
    released = threading.Event()
    draining = pool(drain_seconds=0.01)
    draining.expect(3)
    draining.submit([lambda: released.wait(5) and None] * 3)
    draining.drain()
    released.set()
    assert [record.getMessage() for record in caplog.records] == [
        "The process ends, and 3 callbacks of after() are lost: they did not end within 0.01 "
        "seconds."
    ]


def test_idle_threads_end(pool: Callable[..., Pool], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flask_routehandlers.running.after.IDLE_SECONDS", 0.01)
    idle = pool()
    done: list[int] = []
    idle.submit([lambda: done.append(1)])
    assert until(lambda: idle._running == 0)
    idle.submit([lambda: done.append(2)])
    assert until(lambda: done == [1, 2])


def test_a_forked_child_has_a_pool(pool: Callable[..., Pool]) -> None:
    parents = pool()
    released = threading.Event()
    parents.submit([lambda: released.wait(5) and None])

    def run() -> bool:
        done = threading.Event()
        parents.submit([done.set])
        return done.wait(5)

    assert in_child(run)
    released.set()
