"""Processes that share a Redis server, as the workers of an app do; commands go through pipes."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from random import Random
from typing import Any

import redis

from flask_routehandlers.caching.coordinator import Coordinator, Job
from flask_routehandlers.caching.settings import Settings as CacheSettings
from flask_routehandlers.caching.stores.base import Found
from flask_routehandlers.caching.stores.entry import Entry
from flask_routehandlers.caching.stores.memory import MemoryStore
from flask_routehandlers.caching.stores.redis import RedisStore
from flask_routehandlers.caching.stores.resilient import ResilientStore
from tests.servers import RedisServer

SECRET_KEY = "shared by all"
TAG = "a tag"

_SPAWN = multiprocessing.get_context("spawn")
_WAIT = 60


@dataclass(frozen=True)
class Settings:
    """The options of each process.

    :param seconds: how long the handler takes.
    :param revalidate: how long its answer is fresh.
    :param threads: how many callers a process has.
    :param lock_seconds: how long a lock outlives its owner.
    :param timeout: how long the server is waited for.
    """

    port: int
    seconds: float = 0.05
    revalidate: int | None = 3600
    threads: int = 125
    lock_seconds: float = 10.0
    timeout: float = 0.1


class Member:
    """A process of the fleet, as its parent sees it."""

    def __init__(self, settings: Settings, floor: Any) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self.process: BaseProcess = _SPAWN.Process(target=_run, args=(theirs, settings, floor))
        self.process.start()
        theirs.close()

    def send(self, command: str, *arguments: Any) -> None:
        self._pipe.send((command, arguments))

    def receive(self) -> Any:
        assert self._pipe.poll(_WAIT), "a process of the fleet does not answer"
        return self._pipe.recv()

    def call(self, command: str, *arguments: Any) -> Any:
        self.send(command, *arguments)
        return self.receive()

    def kill(self) -> None:
        assert self.process.pid is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(10)

    def end(self) -> None:
        self._pipe.close()
        self.process.join(10)
        if self.process.is_alive():
            self.process.kill()
            self.process.join(10)


class Fleet:
    """Some processes with one server.

    :ivar floor: the least value that an answer may have that is asked for from now on.
    """

    def __init__(self, stack: ExitStack, count: int, settings: Settings) -> None:
        self._stack = stack
        self.settings = settings
        self.floor = _SPAWN.Value("q", 0)
        self.members: list[Member] = []
        for _ in range(count):
            self.add()
        for member in self.members:
            member.call("ready")

    def add(self) -> Member:
        member = Member(self.settings, self.floor)
        self._stack.callback(member.end)
        self.members.append(member)
        return member

    def call(self, command: str, *arguments: Any) -> list[Any]:
        """Let all processes do something at once; return the result of each."""
        for member in self.members:
            member.send(command, *arguments)
        return [member.receive() for member in self.members]


@contextmanager
def fleet(server: RedisServer, count: int = 4, **settings: Any) -> Iterator[Fleet]:
    with ExitStack() as stack:
        yield Fleet(stack, count, Settings(server.port, **settings))


class _Worker:
    """The process itself."""

    def __init__(self, settings: Settings, floor: Any) -> None:
        logger = logging.getLogger("fleet")
        logger.setLevel(logging.CRITICAL)
        url = f"redis://127.0.0.1:{settings.port}"
        of_cache = CacheSettings(url, timeout=settings.timeout, lock=settings.lock_seconds)
        store = ResilientStore(
            RedisStore(of_cache, SECRET_KEY), partial(MemoryStore, 1_000, 10**7), logger
        )
        self.coordinator = Coordinator(store, of_cache, logger)
        self.settings = settings
        self.floor = floor
        self.source = redis.Redis(port=settings.port, max_connections=200)
        self.pool = ThreadPoolExecutor(settings.threads)
        self.runs_for = settings.seconds

    def _answer(self, key: str, compute: Callable[[], bytes]) -> Found:
        def entry(tags: tuple[str, ...]) -> Entry:
            return Entry(key, 200, (), compute(), '"x"', tags, self.settings.revalidate)

        job = Job(key, key, lambda: (TAG,), entry)
        result = self.coordinator.resolve(job, self.coordinator.get(key)).result
        assert isinstance(result, Found)
        return result

    def ready(self) -> bool:
        return True

    def ask(self, key: str) -> list[bytes]:
        """Return what the callers of this process get when they ask at once. Runs are counted."""
        barrier = threading.Barrier(self.settings.threads)

        def compute() -> bytes:
            number = self.source.incr(f"runs of {key}")
            time.sleep(self.runs_for)
            return b"run %d" % number

        def call(_: int) -> bytes:
            barrier.wait(_WAIT)
            return self._answer(key, compute).entry.body

        return list(self.pool.map(call, range(self.settings.threads)))

    def begin_and_hang(self, key: str) -> None:
        """Begin a computation that never ends."""

        def compute() -> bytes:
            self.source.incr(f"hanging runs of {key}")
            time.sleep(_WAIT)
            return b"never"

        threading.Thread(target=self._answer, args=(key, compute), daemon=True).start()

    def freshness(self, key: str) -> tuple[bool, float]:
        """Ask for a key once; return whether it is fresh, and how long the answer took."""

        def compute() -> bytes:
            self.source.incr(f"runs of {key}")
            return b"new"

        began = time.monotonic()
        found = self._answer(key, compute)
        return found.fresh_for > 0, time.monotonic() - began

    def watch_counter(self, keys: list[str], seconds: float) -> tuple[int, int]:
        """Return how many answers there were, and how many of them were too old when they were
        asked for."""
        ends = time.monotonic() + seconds

        def compute() -> bytes:
            value = self.source.get("counter")
            time.sleep(Random().random() * 0.02)
            return bytes(value)

        def watch(seed: int) -> tuple[int, int]:
            rng = Random(seed)
            answers = old = 0
            while time.monotonic() < ends:
                floor = self.floor.value
                answers += 1
                old += int(self._answer(rng.choice(keys), compute).entry.body) < floor
            return answers, old

        counts = list(self.pool.map(watch, range(self.settings.threads)))
        return sum(a for a, _ in counts), sum(o for _, o in counts)

    def keep_asking(self, keys: list[str], seconds: float) -> list[tuple[float, float, float]]:
        """Return for each answer when it came, when it was computed, and how long it took, by the
        clock that all processes of a machine share. The last one is how late a thread that only
        sleeps woke up at most."""
        ends = time.monotonic() + seconds

        def ask(seed: int) -> list[tuple[float, float, float]]:
            rng = Random(seed)
            answers = []
            while (began := time.monotonic()) < ends:
                body = self._answer(rng.choice(keys), lambda: b"%f" % time.monotonic()).entry.body
                now = time.monotonic()
                answers.append((now, float(body), now - began))
                time.sleep(0.002)
            return answers

        def sleep() -> float:
            latest = 0.0
            while (began := time.monotonic()) < ends:
                time.sleep(0.002)
                latest = max(latest, time.monotonic() - began - 0.002)
            return latest

        with ThreadPoolExecutor(1) as sleeper:
            latest = sleeper.submit(sleep)
            every = list(self.pool.map(ask, range(self.settings.threads)))
            return [*(answer for some in every for answer in some), (0.0, 0.0, latest.result())]


def _run(pipe: Connection, settings: Settings, floor: Any) -> None:
    worker = _Worker(settings, floor)
    while True:
        try:
            command, arguments = pipe.recv()
        except EOFError:
            return
        pipe.send(getattr(worker, command)(*arguments))
