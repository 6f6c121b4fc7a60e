"""The log line for code that blocks the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from flask_routehandlers.running import baton as baton_module
from flask_routehandlers.running.baton import Baton
from flask_routehandlers.running.modes import run_async
from tests.support import until

pytestmark = pytest.mark.usefixtures("shared_loop")


@pytest.fixture(autouse=True)
def _short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baton_module, "LONGEST_STEP", 0.1)
    monkeypatch.setattr(baton_module, "_reported", set())


async def nothing() -> None:
    pass


def meanwhile(function: Callable[[], None]) -> None:
    """Run a function in a thread until it ends, and coroutines here meanwhile."""
    thread = threading.Thread(target=function)
    thread.start()
    while thread.is_alive():
        run_async(nothing())
        time.sleep(0.001)
    thread.join()


def block_until_logged(caplog: pytest.LogCaptureFixture) -> None:
    assert until(lambda: bool(caplog.records), 20)


def test_a_step_that_blocks_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    async def helper() -> None:
        block_until_logged(caplog)

    async def handler() -> None:
        await asyncio.sleep(0)
        await helper()

    line = helper.__code__.co_firstlineno + 1
    for _ in range(2):
        meanwhile(lambda: run_async(handler()))
    (record,) = caplog.records
    assert record.name == "flask_routehandlers"
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        f"{helper.__qualname__} in {__file__}, line {line}, has blocked the event loop for more "
        "than 0.1 seconds, and other async code waits. Make it a def, or move what takes long to "
        "await asyncio.to_thread(...)."
    )


def test_a_task_that_blocks_is_named(caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        block_until_logged(caplog)

    async def handler() -> None:
        await asyncio.create_task(work())

    meanwhile(lambda: run_async(handler()))
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{work.__qualname__} in {__file__}, line ")


@pytest.mark.ci
def test_many_short_steps_are_not_named(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def count_looks(thread: int) -> object:
        looks.append(thread)
        return look(thread)

    async def short() -> None:
        # Each step is seen once. A second look comes half a second later.
        before = len(looks)
        assert until(lambda: len(looks) > before, 20)

    async def handler() -> None:
        await asyncio.gather(short(), short(), short())

    look = baton_module._async_frames
    monkeypatch.setattr(baton_module, "_async_frames", count_looks)
    monkeypatch.setattr(baton_module, "LONGEST_STEP", 1)
    meanwhile(lambda: run_async(handler()))
    assert len(looks) >= 3
    assert caplog.records == []


def test_code_without_coroutine_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    baton = Baton()

    def hold() -> None:
        baton.take()
        held.set()
        time.sleep(0.3)
        baton.give()

    held = threading.Event()
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    baton.take()
    baton.give()
    thread.join()
    assert caplog.records == []


def test_a_loop_with_work_lets_threads_in() -> None:
    # The thread of the loop always has a callback to run, and never waits for events.
    stopped = threading.Event()

    async def spin() -> None:
        while not stopped.is_set():
            await asyncio.sleep(0)

    async def start() -> asyncio.Task[None]:
        return asyncio.create_task(spin())

    task = run_async(start())
    for _ in range(200):
        run_async(nothing())
    stopped.set()
    assert until(task.done)
