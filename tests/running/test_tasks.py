"""asyncio's and anyio's own tools in a coroutine that a thread drives."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Any

import pytest

from flask_routehandlers.running.modes import run_async
from tests.support import until

pytestmark = pytest.mark.usefixtures("any_loop")


def test_timeout_cancels_what_waits() -> None:
    async def wait() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(60)
        except TimeoutError:
            await asyncio.sleep(0)
            return "timeout"
        return "late"

    assert run_async(wait()) == "timeout"


def test_wait_for_times_out() -> None:
    with pytest.raises(TimeoutError):
        run_async(asyncio.wait_for(asyncio.sleep(60), 0.01))


def test_task_group_waits_for_all() -> None:
    async def work(value: int) -> int:
        await asyncio.sleep(0.001)
        return value

    async def start() -> list[int]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(i)) for i in range(3)]
        return [task.result() for task in tasks]

    assert run_async(start()) == [0, 1, 2]


def test_failure_cancels_a_task_group() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("work")

    async def fail() -> None:
        await asyncio.sleep(0.001)
        raise KeyError

    async def start() -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(work())
                group.create_task(fail())
                await asyncio.sleep(60)
        except* KeyError:
            ended.append("group")
        return "after"

    assert run_async(start()) == "after"
    assert ended == ["work", "group"]


def test_gather_returns_exceptions() -> None:
    async def fail() -> None:
        raise KeyError

    async def start() -> list[Any]:
        return await asyncio.gather(fail(), asyncio.sleep(0.001, 5), return_exceptions=True)

    error, value = run_async(start())
    assert type(error) is KeyError
    assert value == 5


def test_shield_survives_a_timeout() -> None:
    async def start() -> int:
        work = asyncio.create_task(asyncio.sleep(0.03, 5))
        with suppress(TimeoutError):
            async with asyncio.timeout(0.005):
                await asyncio.shield(work)
        return await work

    assert run_async(start()) == 5


def test_to_thread_uses_another_thread() -> None:
    assert run_async(asyncio.to_thread(threading.get_ident)) != threading.get_ident()


def test_sleep_zero_lets_a_task_begin() -> None:
    async def start() -> list[str]:
        events: list[str] = []

        async def work() -> None:
            events.append("begun")

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        events.append("after")
        await task
        return events

    assert run_async(start()) == ["begun", "after"]


def test_current_task_is_like_a_task() -> None:
    async def look() -> None:
        task = asyncio.current_task()
        assert task is not None
        await asyncio.sleep(0)
        assert asyncio.current_task() is task
        assert task in asyncio.all_tasks()
        assert task.get_coro() is not None
        assert task.get_name()
        assert not task.done()
        assert task.cancelling() == 0
        task.cancel("why")
        assert task.cancelling() == 1
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(60)
        assert task.uncancel() == 0
        tasks.append(task)

    tasks: list[asyncio.Task[Any]] = []
    run_async(look())
    assert tasks[0].done()
    assert not tasks[0].cancel()


def test_another_task_can_cancel_a_handler() -> None:
    async def cancel(task: asyncio.Task[Any]) -> None:
        task.cancel("by another")

    async def wait() -> str:
        task = asyncio.current_task()
        assert task is not None
        other = asyncio.create_task(cancel(task))
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            task.uncancel()
            await other
            return str(error)
        return "late"

    assert run_async(wait()) == "by another"


def test_another_task_can_wait_for_a_handler() -> None:
    ended = threading.Event()

    async def follow(task: asyncio.Task[Any]) -> None:
        await asyncio.wait([task])
        ended.set()

    async def start() -> asyncio.Task[None]:
        task = asyncio.current_task()
        assert task is not None
        return asyncio.create_task(follow(task))

    assert run_async(start())
    assert ended.wait(5)


def test_a_task_outlives_its_request() -> None:
    done = threading.Event()

    async def work() -> None:
        await asyncio.sleep(0.02)
        done.set()

    async def start() -> asyncio.Task[None]:
        return asyncio.create_task(work())

    assert run_async(start())
    assert done.wait(5)


def test_locks_and_queues_connect_requests() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    received: list[int] = []
    thread = threading.Thread(target=lambda: received.append(run_async(queue.get())))
    thread.start()
    run_async(queue.put(5))
    thread.join(5)
    assert received == [5]


def test_a_future_of_another_loop_is_refused() -> None:
    other = asyncio.new_event_loop()

    async def wait() -> None:
        await other.create_future()

    with pytest.raises(RuntimeError, match="attached to a different loop"):
        run_async(wait())
    other.close()


def test_what_is_no_future_is_refused() -> None:
    class Odd:
        def __await__(self) -> Any:
            yield 5

    async def wait() -> None:
        await Odd()

    with pytest.raises(RuntimeError, match="got bad yield: 5"):
        run_async(wait())


def test_subprocesses_can_be_awaited() -> None:
    async def echo() -> bytes:
        process = await asyncio.create_subprocess_exec(
            "echo", "hello", stdout=asyncio.subprocess.PIPE
        )
        return (await process.communicate())[0]

    assert run_async(echo()) == b"hello\n"


def test_streams_of_sockets_work() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def ask() -> bytes:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"hello\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return line

    assert run_async(ask()) == b"hello\n"


def test_anyio_cancels_and_groups() -> None:
    anyio = pytest.importorskip("anyio")

    async def start() -> list[object]:
        events: list[object] = []

        async def work(value: int) -> None:
            await anyio.sleep(0.001)
            events.append(value)

        async with anyio.create_task_group() as group:
            group.start_soon(work, 1)
        with anyio.move_on_after(0.01) as scope:
            await anyio.sleep(60)
        events.append(scope.cancelled_caught)
        with pytest.raises(TimeoutError), anyio.fail_after(0.01):
            await anyio.sleep(60)
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 60)
            group.cancel_scope.cancel()
        events.append(await anyio.to_thread.run_sync(threading.get_ident))
        return events

    first, cancelled, thread = run_async(start())
    assert (first, cancelled) == (1, True)
    assert thread != threading.get_ident()


def test_loop_wakes_for_an_earlier_timer() -> None:
    # The first coroutine lets the loop sleep for long, the second one needs it soon.
    done = threading.Event()

    async def late() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(60):
                await stop.wait()

    async def make() -> asyncio.Event:
        return asyncio.Event()

    stop = run_async(make())
    thread = threading.Thread(target=lambda: run_async(late()))
    thread.start()
    for _ in range(20):
        run_async(asyncio.sleep(0.001))

    async def end() -> None:
        stop.set()
        done.set()

    run_async(end())
    thread.join(5)
    assert until(lambda: not thread.is_alive())
