"""Many threads that share a loop, with everything that asyncio offers."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from flask_routehandlers.running.modes import call_sync, run_async
from flask_routehandlers.running.streams import StreamBody

Scenario = Callable[[random.Random], Coroutine[Any, Any, bool]]


class Shared:
    """What the requests of a process share."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.queue: asyncio.Queue[int] = asyncio.Queue(4)
        self.condition = asyncio.Condition()
        self.semaphore = asyncio.Semaphore(3)
        self.count = 0
        self.inside = 0
        self.version = 0

    async def count_with_lock(self, rng: random.Random) -> bool:
        async with self.lock:
            before = self.count
            await asyncio.sleep(rng.choice([0, 0, 0.0005]))
            self.count = before + 1
        return True

    async def pass_through_queue(self, rng: random.Random) -> bool:
        value = rng.randrange(1000)
        _, received = await asyncio.gather(self.queue.put(value), self.queue.get())
        return received < 1000

    async def limit_with_semaphore(self, rng: random.Random) -> bool:
        async with self.semaphore:
            self.inside += 1
            is_limited = self.inside <= 3
            await asyncio.sleep(rng.choice([0, 0.001]))
            self.inside -= 1
        return is_limited

    async def wait_for_condition(self, rng: random.Random) -> bool:
        async with self.condition:
            seen = self.version

            async def change() -> None:
                async with self.condition:
                    self.version += 1
                    self.condition.notify_all()

            task = asyncio.create_task(change())
            await self.condition.wait_for(lambda: self.version > seen)
        await task
        return True


async def time_out(rng: random.Random) -> bool:
    try:
        async with asyncio.timeout(rng.choice([0, 0.001])):
            await asyncio.sleep(60)
    except TimeoutError:
        return True
    return False


async def wait_for_in_time(rng: random.Random) -> bool:
    return await asyncio.wait_for(asyncio.sleep(rng.choice([0, 0.001]), True), 60)


async def fail_in_group(rng: random.Random) -> bool:
    async def fail() -> None:
        await asyncio.sleep(rng.choice([0, 0.001]))
        raise KeyError

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
            group.create_task(asyncio.sleep(60))
            if rng.random() < 0.5:
                await asyncio.sleep(60)
    except ExceptionGroup as raised:
        return raised.subgroup(KeyError) is not None
    return False


async def cancel_task(rng: random.Random) -> bool:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    task = asyncio.create_task(work())
    await asyncio.sleep(rng.choice([0, 0.001]))
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return task.cancelled() or bool(ended)


async def shield(rng: random.Random) -> bool:
    inner = asyncio.create_task(asyncio.sleep(0.002, True))
    with suppress(TimeoutError):
        async with asyncio.timeout(0.0005):
            await asyncio.shield(inner)
    return await inner


async def use_threads(rng: random.Random) -> bool:
    there = await asyncio.to_thread(threading.get_ident)
    back = await call_sync(threading.get_ident)
    task = await asyncio.create_task(call_sync(threading.get_ident))
    return back == task != there


async def nest(rng: random.Random) -> bool:
    async def inner() -> bool:
        await asyncio.sleep(rng.choice([0, 0.001]))
        return True

    return await call_sync(lambda: run_async(inner()))


async def time_out_nested(rng: random.Random) -> bool:
    try:
        async with asyncio.timeout(0.001):
            await call_sync(lambda: run_async(asyncio.sleep(60)))
    except TimeoutError:
        return True
    return False


async def generate(rng: random.Random) -> bool:
    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(5):
            await asyncio.sleep(rng.choice([0, 0, 0.0005]))
            yield number

    if rng.random() < 0.3:
        async for _ in numbers():
            return True
    return [number async for number in numbers()] == list(range(5))


async def never_wait(rng: random.Random) -> bool:
    return asyncio.current_task() is not None


SCENARIOS: list[Scenario] = [
    time_out, wait_for_in_time, fail_in_group, cancel_task, shield, use_threads, nest,
    time_out_nested, generate, never_wait, never_wait, never_wait,
]  # fmt: skip


def stream_pieces(rng: random.Random) -> bool:
    async def pieces() -> AsyncGenerator[int, None]:
        async with asyncio.TaskGroup() as group:
            for number in range(4):
                task = group.create_task(asyncio.sleep(0, number))
                yield await task

    body = StreamBody(pieces(), {})
    if rng.random() < 0.3:
        first = next(body)
        body.close()
        return bool(first == 0)
    return list(body) == [0, 1, 2, 3]


class Load:
    """Threads that run random scenarios, and what became of them.

    :param threads: how many threads.
    :param is_over: says of the number of scenarios that a thread has run whether it ends.
    """

    def __init__(self, threads: int, is_over: Callable[[int], bool]) -> None:
        self.results: Counter[str] = Counter()
        self._is_over = is_over
        self._errors: list[BaseException] = []
        self._shared: Shared | None = None
        self._threads = [
            threading.Thread(target=self._work, args=(seed,), daemon=True)
            for seed in range(threads)
        ]

    def run(self, longest: float) -> None:
        """Run them, and count a thread that does not end within some seconds as hung."""
        self._shared = run_async(self._share())
        deadline = time.monotonic() + longest
        for thread in self._threads:
            thread.start()
        for thread in self._threads:
            thread.join(max(0, deadline - time.monotonic()))
            self.results["hung"] += thread.is_alive()
        assert self._errors == []
        assert self._shared.count == self.results["count_with_lock"]

    async def _share(self) -> Shared:
        return Shared()

    def _work(self, seed: int) -> None:
        rng = random.Random(seed)
        shared = self._shared
        assert shared is not None
        scenarios = [
            *SCENARIOS,
            shared.count_with_lock,
            shared.pass_through_queue,
            shared.limit_with_semaphore,
            shared.wait_for_condition,
        ]
        done = 0
        while not self._is_over(done):
            scenario = rng.choice([*scenarios, None])
            try:
                if scenario is None:
                    name, is_right = "stream", stream_pieces(rng)
                else:
                    name, is_right = scenario.__name__, run_async(scenario(rng))
            except BaseException as error:
                self._errors.append(error)
                return
            self.results[name] += 1
            self.results["bad"] += not is_right
            done += 1


def assert_right(load: Load) -> None:
    total = sum(load.results.values())
    print(f"{total} ok, {load.results['bad']} bad, {load.results['hung']} hung", load.results)
    assert load.results["bad"] == load.results["hung"] == 0


@pytest.mark.parametrize("size", [20, pytest.param(400, marks=pytest.mark.ci)])
def test_threads_share_a_loop(any_loop: str, size: int) -> None:
    load = Load(8, lambda done: done >= size)
    load.run(longest=120)
    assert_right(load)


@pytest.mark.soak
def test_threads_share_a_loop_for_ten_minutes() -> None:
    end = time.monotonic() + 600
    load = Load(12, lambda done: time.monotonic() > end)
    load.run(longest=660)
    assert_right(load)
