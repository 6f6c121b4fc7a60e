"""Sync functions that async code calls in the thread of the request."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import Any

import pytest

from flask_routehandlers.running.modes import call_sync, run_async

number: ContextVar[int] = ContextVar("number", default=0)


async def in_task(function: Any, *args: Any) -> Any:
    return await asyncio.create_task(call_sync(function, *args))


@pytest.mark.parametrize("call", [call_sync, in_task])
def test_functions_run_in_the_requests_thread(any_loop: str, call: Any) -> None:
    assert run_async(call(threading.get_ident)) == threading.get_ident()


@pytest.mark.parametrize("call", [call_sync, in_task])
def test_exceptions_reach_the_caller(any_loop: str, call: Any) -> None:
    async def catch() -> str:
        try:
            await call({}.__getitem__, "key")
        except KeyError as error:
            return str(error)
        return "none"

    assert run_async(catch()) == "'key'"


@pytest.mark.parametrize("call", [call_sync, in_task])
def test_stop_iteration_is_a_runtime_error(any_loop: str, call: Any) -> None:
    with pytest.raises(RuntimeError) as caught:
        run_async(call(next, iter(())))
    assert str(caught.value) == "A sync function that async code called raised StopIteration."


def test_arguments_are_passed_on(any_loop: str) -> None:
    async def call() -> dict[str, Any]:
        return await call_sync(dict, [("a", 1)], b=2)

    assert run_async(call()) == {"a": 1, "b": 2}


def test_variables_go_in_and_come_back(any_loop: str) -> None:
    def double() -> None:
        number.set(number.get() * 2)

    async def call() -> int:
        number.set(3)
        await call_sync(double)
        return number.get()

    token = number.set(1)
    assert run_async(call()) == 6
    number.reset(token)


def test_no_loop_runs_below_a_function(any_loop: str) -> None:
    async def call() -> None:
        await call_sync(asyncio.get_running_loop)

    with pytest.raises(RuntimeError, match="no running event loop"):
        run_async(call())


def test_other_code_goes_on_meanwhile(any_loop: str) -> None:
    begun, released = threading.Event(), threading.Event()

    async def release() -> None:
        while not begun.is_set():
            await asyncio.sleep(0.001)
        released.set()

    def wait() -> bool:
        begun.set()
        return released.wait(10)

    async def call() -> bool:
        task = asyncio.create_task(release())
        result = await call_sync(wait)
        await task
        return result

    assert run_async(call())


def test_calls_of_tasks_run_one_at_a_time(any_loop: str) -> None:
    events: list[str] = []

    def work(name: str) -> int:
        events.append(f"begin {name}")
        events.append(f"end {name}")
        return threading.get_ident()

    async def call() -> list[int]:
        return await asyncio.gather(*(call_sync(work, name) for name in "abc"))

    assert set(run_async(call())) == {threading.get_ident()}
    assert [event.split()[1] for event in events] == ["a", "a", "b", "b", "c", "c"]


def test_cancellation_waits_for_a_function(any_loop: str) -> None:
    events: list[str] = []
    begun, cancelled = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        cancelled.wait(10)
        events.append("function")

    async def cancel() -> None:
        task = asyncio.create_task(call_sync(work))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        task.cancel()
        await asyncio.sleep(0)
        cancelled.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        events.append("task")

    async def call() -> None:
        await asyncio.create_task(cancel())

    run_async(call())
    assert events == ["function", "task"]


def test_a_cancelled_call_is_not_begun(any_loop: str) -> None:
    calls: list[int] = []
    cancelled = threading.Event()

    async def cancel() -> None:
        task = asyncio.create_task(call_sync(calls.append, 1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cancelled.set()

    async def call() -> bool:
        task = asyncio.create_task(cancel())
        # The thread of the request is busy meanwhile.
        was_set = await call_sync(cancelled.wait, 10)
        await task
        return was_set

    assert run_async(call())
    assert calls == []


def test_a_late_task_gets_another_thread(any_loop: str) -> None:
    threads: list[int] = []
    done = threading.Event()

    async def late() -> None:
        await asyncio.sleep(0.02)
        threads.append(await call_sync(threading.get_ident))
        done.set()

    async def start() -> asyncio.Task[None]:
        return asyncio.create_task(late())

    assert run_async(start())
    assert done.wait(5)
    assert threads[0] != threading.get_ident()


def test_without_an_engine_asgiref_calls() -> None:
    pytest.importorskip("asgiref")

    async def call() -> int:
        return await call_sync(int, "5")

    assert asyncio.run(call()) == 5
