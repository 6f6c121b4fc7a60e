"""A coroutine that sync code runs: threads, contexts, exceptions, nesting."""

from __future__ import annotations

import asyncio
import gc
import signal
import sqlite3
import threading
import traceback
import weakref
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, NoReturn

import pytest
from flask import Flask, g, request, session

from flask_routehandlers.running.modes import async_to_sync, call_sync, run_async
from flask_routehandlers.running.process import current_engine

number: ContextVar[int] = ContextVar("number", default=0)


async def add(a: int, b: int) -> int:
    return a + b


async def fail() -> NoReturn:
    await asyncio.sleep(0)
    raise KeyError("missing")


def test_result_of_a_coroutine_that_never_waits(any_loop: str) -> None:
    assert run_async(add(1, 2)) == 3


def test_result_of_a_coroutine_that_waits(any_loop: str) -> None:
    async def wait() -> int:
        for _ in range(3):
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
        return 5

    assert run_async(wait()) == 5


def test_steps_run_in_the_calling_thread(shared_loop: None) -> None:
    async def threads() -> set[int]:
        seen = {threading.get_ident()}
        await asyncio.sleep(0.001)
        return seen | {threading.get_ident()}

    assert run_async(threads()) == {threading.get_ident()}


def test_a_sqlite3_connection_can_be_used(shared_loop: None) -> None:
    connection = sqlite3.connect(":memory:")

    async def query() -> Any:
        await asyncio.sleep(0.001)
        return connection.execute("select 7").fetchone()

    assert run_async(query()) == (7,)
    connection.close()


def test_started_tasks_run_in_the_loops_thread(any_loop: str) -> None:
    async def ident() -> int:
        return threading.get_ident()

    async def start() -> list[int]:
        return await asyncio.gather(ident(), asyncio.create_task(ident()))

    first, second = run_async(start())
    assert first == second != threading.get_ident()


def test_all_coroutines_share_one_loop(any_loop: str) -> None:
    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    loops = []
    thread = threading.Thread(target=lambda: loops.append(run_async(loop())))
    thread.start()
    thread.join()
    assert loops == [run_async(loop())]


def test_variables_set_inside_are_seen_outside(any_loop: str) -> None:
    async def change() -> None:
        number.set(number.get() + 1)
        await asyncio.sleep(0)
        number.set(number.get() + 1)

    token = number.set(5)
    run_async(change())
    assert number.get() == 7
    number.reset(token)


def test_a_token_can_be_reset_after_a_wait(any_loop: str) -> None:
    async def change() -> int:
        token = number.set(5)
        await asyncio.sleep(0.001)
        number.reset(token)
        return number.get()

    assert run_async(change()) == 0


def test_request_and_session_in_tasks(any_loop: str) -> None:
    app = Flask(__name__)
    app.secret_key = "secret"
    app.testing = True

    async def look() -> str:
        await asyncio.sleep(0)
        g.seen = session["user"]
        return request.args["q"]

    @app.get("/")
    def view() -> Any:
        async def gather() -> list[str]:
            session["user"] = "Ada"
            return await asyncio.gather(look(), look())

        return [run_async(gather()), g.seen]

    assert app.test_client().get("/?q=x").json == [["x", "x"], "Ada"]


def test_tracebacks_show_two_frames_of_ours(shared_loop: None) -> None:
    with pytest.raises(KeyError) as caught:
        run_async(fail())
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names == ["test_tracebacks_show_two_frames_of_ours", "run_async", "drive", "fail"]
    assert caught.value.__context__ is None


def test_an_exception_leaves_through_the_caller(any_loop: str) -> None:
    with pytest.raises(KeyError, match="missing"):
        run_async(fail())


@contextmanager
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Witness:
    """An object whose end can be seen."""


async def return_after(witness: Witness) -> None:
    await asyncio.sleep(0)


async def raise_at_once(witness: Witness) -> NoReturn:
    raise KeyError


async def raise_after_wait(witness: Witness) -> NoReturn:
    await asyncio.sleep(0.001)
    raise KeyError


async def raise_from_task(witness: Witness) -> None:
    await asyncio.create_task(fail())


async def raise_in_timeout(witness: Witness) -> NoReturn:
    async with asyncio.timeout(5):
        await asyncio.sleep(0)
        raise KeyError


async def raise_from_sync(witness: Witness) -> None:
    await call_sync({}.__getitem__, 1)


async def raise_below_sync(witness: Witness) -> None:
    await call_sync(lambda: run_async(fail()))


@pytest.mark.parametrize(
    "function",
    [
        return_after,
        raise_at_once,
        raise_after_wait,
        raise_from_task,
        raise_in_timeout,
        raise_from_sync,
        raise_below_sync,
    ],
)
def test_requests_are_freed_without_collector(
    function: Callable[[Witness], Coroutine[Any, Any, None]], any_loop: str
) -> None:
    def call() -> weakref.ref[Witness]:
        witness = Witness()
        with suppress(KeyError):
            run_async(function(witness))
        return weakref.ref(witness)

    call()
    with no_collector():
        reference = call()
        # The loop's thread may still be leaving the callback that woke this one.
        run_async(asyncio.sleep(0))
        assert reference() is None


def test_async_code_cannot_wait_for_itself(any_loop: str) -> None:
    async def call() -> None:
        run_async(add(1, 2))

    with pytest.raises(RuntimeError) as caught:
        run_async(call())
    assert str(caught.value) == (
        "run_async() was called by async code of the same event loop, which cannot wait for "
        "itself. Await the coroutine, or call the function around it with "
        "await asyncio.to_thread(...)."
    )


def test_async_code_can_wait_in_another_thread(any_loop: str) -> None:
    async def call() -> int:
        return await asyncio.to_thread(lambda: run_async(add(1, 2)))

    assert run_async(call()) == 3


def test_below_another_running_loop(any_loop: str) -> None:
    async def notebook() -> tuple[int, bool]:
        task = asyncio.current_task()
        result = run_async(wait_and_add(1, 2))
        await asyncio.sleep(0)
        return result, asyncio.current_task() is task

    async def wait_and_add(a: int, b: int) -> int:
        await asyncio.sleep(0.001)
        return a + b

    assert asyncio.run(notebook()) == (3, True)


def test_nested_below_sync_code(any_loop: str) -> None:
    async def outer(depth: int) -> int:
        await asyncio.sleep(0)
        if depth == 0:
            return 0
        return 1 + await call_sync(lambda: run_async(outer(depth - 1)))

    assert run_async(outer(5)) == 5


def test_timeout_around_nested_coroutine(any_loop: str) -> None:
    ended = []

    async def inner() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(threading.get_ident())

    async def outer() -> str:
        try:
            async with asyncio.timeout(0.02):
                await call_sync(lambda: run_async(inner()))
        except TimeoutError:
            return "timeout"
        return "late"

    assert run_async(outer()) == "timeout"
    assert len(ended) == 1


def test_nested_coroutine_serves_calls_of_tasks(any_loop: str) -> None:
    # The inner coroutine waits for a task of the outer one, which needs the thread of both.
    async def outer() -> int:
        task = asyncio.create_task(call_sync(threading.get_ident))

        async def inner() -> int:
            return await task

        return await call_sync(lambda: run_async(inner()))

    assert run_async(outer()) == threading.get_ident()


def test_a_cancelled_coroutine_is_a_runtime_error(any_loop: str) -> None:
    async def cancel() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)

    with pytest.raises(RuntimeError, match=r"^The coroutine was cancelled\.$"):
        run_async(cancel())


def test_exit_of_a_handler_raises_only_there(any_loop: str) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        run_async(leave())
    assert run_async(add(1, 2)) == 3


def test_exit_of_a_task_does_not_end_the_loop(any_loop: str) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    async def start() -> str:
        task = asyncio.create_task(leave())
        try:
            await task
        except SystemExit:
            return "exit"
        return "none"

    assert run_async(start()) == "exit"
    assert run_async(add(1, 2)) == 3


class Interrupt(BaseException):
    pass


def test_a_signal_cancels_a_waiting_coroutine(any_loop: str) -> None:
    events: list[object] = []

    def interrupt(*_: object) -> None:
        raise Interrupt

    async def wait() -> None:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.001)
            events.append("cleaned up")

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(Interrupt):
            run_async(wait())
    finally:
        signal.signal(signal.SIGALRM, before)
    assert events == ["cleaned up"]
    assert run_async(add(1, 2)) == 3


def test_async_to_sync_wraps_the_function(any_loop: str) -> None:
    wrapped = async_to_sync(add)
    assert wrapped(1, b=2) == 3
    assert wrapped.__name__ == "add"


def test_flask_runs_its_views_and_hooks_with_it(any_loop: str) -> None:
    app = Flask(__name__)
    app.testing = True
    app.async_to_sync = async_to_sync  # type: ignore[method-assign]
    loops = []

    @app.before_request
    async def before() -> None:
        loops.append(asyncio.get_running_loop())

    @app.get("/")
    async def view() -> str:
        loops.append(asyncio.get_running_loop())
        return "ok"

    for _ in range(2):
        assert app.test_client().get("/").text == "ok"
    assert set(loops) == {current_engine()._loop}


def test_abandoned_generators_are_closed(any_loop: str) -> None:
    closed = threading.Event()

    async def numbers() -> Any:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            closed.set()

    async def first() -> int:
        async for value in numbers():
            return value
        return 0

    assert run_async(first()) == 1
    gc.collect()
    assert closed.wait(5)
