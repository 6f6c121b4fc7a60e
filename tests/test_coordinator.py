"""One computation for each key, among threads; stale answers, failures, bounded waits."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest
from werkzeug.exceptions import NotFound, ServiceUnavailable
from werkzeug.wrappers import Response

from flask_routehandlers.caching.coordinator import Answer, Coordinator, Job
from flask_routehandlers.caching.settings import Settings
from flask_routehandlers.caching.stores.base import Found, Store
from flask_routehandlers.caching.stores.entry import Entry
from flask_routehandlers.caching.stores.memory import MemoryStore
from tests.servers import redis_server
from tests.stores import redis_store
from tests.support import Clock, settle_coordinator, until

KEY = "a key"
NAME = "GET in posts/route.py for /api/posts"
FAILED = (
    "Refreshing GET in posts/route.py for /api/posts failed: the stored response is served until "
    "a refresh succeeds"
)
logger = logging.getLogger("tests.coordinator")


def entry_of(body: bytes, revalidate: int | None = 60, key: str = KEY) -> Entry:
    return Entry(key, 200, (), body, f'"{body!r}"', ("posts",), revalidate)


class Handler:
    """A handler that counts its runs, and runs until ``go`` is set.

    :param results: bodies, responses or exceptions, one for each of the first runs.
    """

    def __init__(self, *results: Any, waits: bool = False) -> None:
        self.results = list(results)
        self.runs = 0
        self.running = 0
        self.most_running = 0
        self.go = threading.Event()
        self._lock = threading.Lock()
        if not waits:
            self.go.set()

    def __call__(self, tags: tuple[str, ...]) -> Entry | Response:
        with self._lock:
            self.runs += 1
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            result = self.results.pop(0) if self.results else b"run %d" % self.runs
        assert self.go.wait(20)
        with self._lock:
            self.running -= 1
        if isinstance(result, BaseException):
            raise result
        return entry_of(result) if isinstance(result, bytes) else result

    def job(self, key: str = KEY) -> Job:
        return Job(key, NAME, lambda: ("posts",), self)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make(clock: Clock) -> Iterator[Callable[..., Coordinator]]:
    made: list[Coordinator] = []

    def make(store: Store | None = None, **options: Any) -> Coordinator:
        kept = MemoryStore(100, 10**7, clock) if store is None else store
        settings = Settings(**{"max_wait": 20} | options)
        made.append(Coordinator(kept, settings, logger, clock))
        return made[-1]

    yield make
    for coordinator in made:
        coordinator._refreshes.close(20)


def ask(coordinator: Coordinator, handler: Handler) -> Answer:
    return coordinator.resolve(handler.job(), coordinator.get(KEY))


def body(answer: Answer) -> bytes:
    assert isinstance(answer.result, Found)
    return answer.result.entry.body


class Callers:
    """Threads that ask at the same time."""

    def __init__(self, function: Callable[[], Any], count: int) -> None:
        self._pool = ThreadPoolExecutor(count)
        barrier = threading.Barrier(count)

        def call(_: int) -> Any:
            barrier.wait(20)
            try:
                return function()
            except Exception as error:
                return error

        self._results = self._pool.map(call, range(count))

    def results(self) -> list[Any]:
        """Return what each got; an exception as it is."""
        results = list(self._results)
        self._pool.shutdown()
        return results


def put_stale(coordinator: Coordinator, key: str = KEY) -> None:
    """Store an entry that is stale at once."""
    store = coordinator.store
    assert store.put(entry_of(b"old", 0, key), store.begin(key, ("posts",)))


def test_a_cold_key_is_computed_and_stored(make):
    coordinator, handler = make(), Handler()
    first, second = ask(coordinator, handler), ask(coordinator, handler)
    assert (first.state, body(first)) == ("stored", b"run 1")
    assert (second.state, body(second)) == ("hit", b"run 1")


def test_one_of_many_callers_computes(make):
    coordinator, handler = make(), Handler(waits=True)
    callers = Callers(lambda: ask(coordinator, handler), 50)
    assert until(lambda: handler.running == 1)
    handler.go.set()
    answers = callers.results()
    assert handler.runs == 1
    assert {body(answer) for answer in answers} == {b"run 1"}
    assert sum(answer.state == "stored" for answer in answers) == 1


def test_one_of_several_processes_computes(make):
    with redis_server() as server:
        fleet = [make(redis_store(server)) for _ in range(3)]
        handler, turns = Handler(waits=True), count()
        callers = Callers(lambda: ask(fleet[next(turns) % 3], handler), 30)
        assert until(lambda: handler.running == 1)
        handler.go.set()
        answers = callers.results()
    assert handler.runs == 1
    assert {body(answer) for answer in answers} == {b"run 1"}


def test_a_stale_key_is_answered_at_once(make):
    coordinator, handler = make(), Handler(waits=True)
    put_stale(coordinator)
    answers = Callers(lambda: ask(coordinator, handler), 50).results()
    assert {body(answer) for answer in answers} == {b"old"}
    assert {answer.state for answer in answers} == {"stale"}
    handler.go.set()
    assert until(lambda: ask(coordinator, handler).state == "hit")
    assert (handler.runs, body(ask(coordinator, handler))) == (1, b"run 1")


def test_keys_do_not_wait_for_each_other(make):
    coordinator, handler = make(), Handler(waits=True)
    with ThreadPoolExecutor(10) as pool:
        for number in range(10):
            pool.submit(coordinator.resolve, handler.job(str(number)), None)
        assert until(lambda: handler.running == 10)
        handler.go.set()


def test_a_caller_does_not_wait_for_long(make):
    coordinator, handler = make(max_wait=0.05), Handler(waits=True)
    callers = Callers(lambda: ask(coordinator, handler), 3)
    assert until(lambda: handler.running == 3)
    handler.go.set()
    assert {answer.state for answer in callers.results()} == {"stored"}


def test_a_foreign_lock_is_waited_for_briefly(make):
    coordinator, handler = make(max_wait=0.05), Handler()
    coordinator.store.lock(KEY, 60)
    answer = ask(coordinator, handler)
    assert (answer.state, body(answer)) == ("stored", b"run 1")


def test_a_foreign_result_is_the_answer(make):
    coordinator, handler = make(), Handler()
    store = coordinator.store
    store.lock(KEY, 60)
    callers = Callers(lambda: ask(coordinator, handler), 1)
    store.put(entry_of(b"theirs"), store.begin(KEY, ()))
    [answer] = callers.results()
    assert (handler.runs, body(answer)) == (0, b"theirs")


def test_a_lock_of_the_dead_frees_a_cold_key(make, clock):
    coordinator, handler = make(), Handler()
    coordinator.store.lock(KEY, 60)
    callers = Callers(lambda: ask(coordinator, handler), 1)
    clock.forward(61)
    [answer] = callers.results()
    assert (handler.runs, answer.state) == (1, "stored")


def test_a_lock_of_the_dead_frees_a_stale_key(make, clock):
    coordinator, handler = make(), Handler()
    put_stale(coordinator)
    coordinator.store.lock(f"refresh {KEY}", 60)
    assert ask(coordinator, handler).state == "stale"
    assert until(lambda: coordinator.is_due(KEY) or clock.forward(1))
    clock.forward(61)
    assert until(lambda: ask(coordinator, handler).state == "hit")


def test_a_lock_is_kept_while_its_owner_works(make, clock):
    """It is renewed each third of its time, by a thread that goes by real time."""
    store = MemoryStore(10, 10**7, clock)
    coordinator, handler = make(store, lock=0.1), Handler(waits=True)
    callers = Callers(lambda: ask(coordinator, handler), 1)
    assert until(lambda: handler.running == 1)
    for _ in range(5):
        clock.forward(0.06)
        [ends] = store._locks.values()
        assert until(lambda ends=ends: store._locks[KEY] > ends)
    handler.go.set()
    callers.results()
    assert store.lock(KEY, 60)


def test_an_exception_reaches_its_caller(make):
    coordinator, handler = make(), Handler(KeyError("gone"))
    with pytest.raises(KeyError, match="gone"):
        ask(coordinator, handler)
    assert body(ask(coordinator, handler)) == b"run 2"


def test_one_more_run_follows_a_failure(make):
    coordinator, handler = make(), Handler(KeyError("gone"), waits=True)
    callers = Callers(lambda: ask(coordinator, handler), 20)
    assert until(lambda: handler.running == 1)
    handler.go.set()
    answers = callers.results()
    assert handler.runs == 2
    assert sum(isinstance(answer, KeyError) for answer in answers) == 1
    assert {body(a) for a in answers if isinstance(a, Answer)} == {b"run 2"}


def test_each_caller_has_its_own_exception(make):
    coordinator = make()
    handler = Handler(*(KeyError(number) for number in range(20)))
    answers = Callers(lambda: ask(coordinator, handler), 20).results()
    assert all(isinstance(answer, KeyError) for answer in answers)
    assert len({id(answer) for answer in answers}) == 20


def test_each_caller_has_its_own_response(make):
    coordinator = make()
    handler = Handler(*(Response(str(number)) for number in range(10)))
    answers = Callers(lambda: ask(coordinator, handler), 10).results()
    assert handler.runs == 10
    assert len({id(answer.result) for answer in answers}) == 10
    assert {answer.state for answer in answers} == {"miss"}
    assert coordinator.get(KEY) is None


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interruption_leaves_nothing_locked(make, interruption):
    coordinator, handler = make(), Handler(interruption())
    with pytest.raises(interruption):
        ask(coordinator, handler)
    assert coordinator.store.lock(KEY, 60)
    coordinator.store.unlock(KEY)
    assert body(ask(coordinator, handler)) == b"run 2"


def test_an_outdated_result_is_for_one_caller(make):
    coordinator, handler = make(), Handler(waits=True)
    first = Callers(lambda: ask(coordinator, handler), 1)
    assert until(lambda: handler.running == 1)
    coordinator.store.revalidate_tags(["posts"])
    handler.go.set()
    [answer] = first.results()
    assert (body(answer), answer.state) == (b"run 1", "miss")
    second = ask(coordinator, handler)
    assert (body(second), second.state) == (b"run 2", "stored")
    assert body(ask(coordinator, handler)) == b"run 2"


def test_compute_ignores_what_is_stored(make):
    coordinator, handler = make(), Handler()
    ask(coordinator, handler)
    answer = coordinator.compute(handler.job())
    assert (body(answer), answer.state) == (b"run 2", "stored")
    assert body(ask(coordinator, handler)) == b"run 2"


# Refreshing.


FAILURES: dict[str, Callable[[], Any]] = {
    "exception": lambda: KeyError("no database"),
    "exit": lambda: SystemExit(3),
    "cancelled": asyncio.CancelledError,
    "http error": ServiceUnavailable,
    "status": lambda: Response(status=502),
    "closing": lambda: Unclosable(status=404),
}


class Unclosable(Response):
    """A response whose body fails when it is closed."""

    def close(self) -> None:
        raise KeyError("no database")


@pytest.mark.parametrize("kind", FAILURES)
def test_a_failed_refresh_keeps_the_entry(make, clock, kind, caplog):
    coordinator = make()
    handler = Handler(FAILURES[kind](), FAILURES[kind]())
    put_stale(coordinator)
    assert body(ask(coordinator, handler)) == b"old"
    assert until(lambda: len(caplog.records) == 1)
    assert until(lambda: handler.running == 0)
    for _ in range(3):
        assert body(ask(coordinator, handler)) == b"old"
    assert handler.runs == 1
    settle_coordinator(coordinator)  # else the clock goes forward before a pause begins
    clock.forward(1)
    assert until(lambda: body(ask(coordinator, handler)) == b"old" and handler.runs == 2)
    settle_coordinator(coordinator)
    clock.forward(2)
    assert until(lambda: body(ask(coordinator, handler)) == b"run 3")
    [record] = caplog.records
    message = FAILED
    if kind == "status":
        message = FAILED.replace("failed:", "failed with status 502:")
    assert record.getMessage() == message
    assert bool(record.exc_info) is (kind != "status")


def test_a_pause_grows_with_each_failure(make, clock):
    coordinator, began = make(), clock.time
    handler = Handler(*(KeyError("no database") for _ in range(8)))
    put_stale(coordinator)
    times = []
    for run in range(1, 9):
        assert until(lambda run=run: ask(coordinator, handler) and handler.runs == run)
        times.append(clock.time - began)
        settle_coordinator(coordinator)
        while not coordinator.is_due(KEY):
            clock.forward(1)
    assert times == [0, 1, 3, 7, 15, 31, 63, 123]


def fail_to_refresh(failed, other):
    """Let a refresh of one coordinator fail, and another one ask in the pause that follows."""
    handler = Handler(KeyError("no database"))
    put_stale(failed)
    assert ask(failed, handler).state == "stale"
    settle_coordinator(failed)
    assert ask(other, handler).state == "stale"
    settle_coordinator(other)
    assert handler.runs == 1
    return handler


def test_no_process_refreshes_in_a_pause(make, clock):
    store = MemoryStore(100, 10**7, clock)
    failed, other = make(store), make(store)
    handler = fail_to_refresh(failed, other)
    clock.forward(1)
    assert until(lambda: ask(other, handler).state == "hit")
    assert handler.runs == 2


def test_a_pause_holds_for_a_whole_fleet(make):
    with redis_server() as server:
        failed, other = make(redis_store(server)), make(redis_store(server))
        handler = fail_to_refresh(failed, other)
        with server.client() as client:
            [lock] = client.keys("*l:refresh*")
            assert 0 < client.pttl(lock) <= 1000
            client.delete(lock)
        assert until(lambda: other.is_due(KEY) or other._now.forward(1))
        assert until(lambda: ask(other, handler).state == "hit")


def test_a_missing_entry_waits_for_no_pause(make):
    coordinator, handler = make(), Handler(KeyError("no database"))
    put_stale(coordinator)
    ask(coordinator, handler)
    settle_coordinator(coordinator)
    coordinator.store.revalidate_key(KEY)
    answer = ask(coordinator, handler)
    assert (answer.state, body(answer)) == ("stored", b"run 2")


def test_a_new_entry_has_no_pause_where_the_old_one_failed(make, clock):
    coordinator, handler = make(), Handler(KeyError("no database"), entry_of(b"new", 0))
    put_stale(coordinator)
    ask(coordinator, handler)
    settle_coordinator(coordinator)
    coordinator.store.revalidate_key(KEY)
    assert ask(coordinator, handler).state == "stored"
    assert ask(coordinator, handler).state == "stale"
    assert until(lambda: handler.runs == 3)


@pytest.mark.parametrize("kind", ["memory", "shared"])
def test_a_new_entry_has_no_pause(make, clock, kind):
    with ExitStack() as stack:
        first = second = MemoryStore(100, 10**7, clock)
        if kind == "shared":
            server = stack.enter_context(redis_server())
            first, second = redis_store(server), redis_store(server)
        failed, other = make(first), make(second)
        handler = Handler(KeyError("no database"))
        put_stale(failed)
        ask(failed, handler)
        settle_coordinator(failed)
        put_stale(other)
        assert ask(other, handler).state == "stale"
        settle_coordinator(other)
        assert handler.runs == 2


def test_a_new_failure_is_logged_again(make, clock, caplog):
    coordinator = make()
    handler = Handler(KeyError("one"), b"good", KeyError("two"))
    put_stale(coordinator)

    def asked_later() -> bytes:
        clock.forward(61)
        return body(ask(coordinator, handler))

    assert until(lambda: asked_later() == b"good")
    assert until(lambda: bool(asked_later()) and len(caplog.records) == 2)


def test_a_failure_after_a_success_of_another_process_is_logged(make, caplog):
    with redis_server() as server:
        failed, other = make(redis_store(server)), make(redis_store(server))
        handler = Handler(KeyError("one"), KeyError("two"))
        put_stale(failed)
        ask(failed, handler)
        settle_coordinator(failed)
        time.sleep(0.01)  # the server counts milliseconds
        put_stale(other)  # the same bytes
        failed._now.forward(1)
        ask(failed, handler)
        settle_coordinator(failed)
        with server.client() as client:
            [lock] = client.keys("*l:refresh*")
            assert 0 < client.pttl(lock) <= 1000
    assert (handler.runs, len(caplog.records)) == (2, 2)


def test_logging_that_raises_keeps_no_key_stale(make, clock, monkeypatch):
    coordinator = make(threads=1)
    handler = Handler(KeyError("no database"))
    monkeypatch.setattr(coordinator, "_logger", None)
    put_stale(coordinator)
    ask(coordinator, handler)
    settle_coordinator(coordinator)
    clock.forward(10)
    assert until(lambda: ask(coordinator, handler).state == "hit")


def test_a_pause_grows_when_no_copy_of_the_entry_is_kept(make, clock, caplog):
    with redis_server() as server, server.client() as client:
        coordinator = make(redis_store(server, max_bytes=1))
        handler = Handler(KeyError("one"), KeyError("two"), KeyError("three"))
        put_stale(coordinator)
        server.make_stale()  # long before the first failure, however slow replies are
        lives = []
        for _ in range(3):
            assert ask(coordinator, handler).state == "stale"
            settle_coordinator(coordinator)
            [lock] = client.keys("*l:refresh*")
            lives.append(client.pttl(lock))
            client.delete(lock)
            clock.forward(10)
    assert lives == [pytest.approx(1000 * 2**n, abs=500) for n in range(3)]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("gone", [NotFound(), Response(status=404), Response(status=204)])
def test_an_entry_without_a_response_is_dropped(make, gone, caplog):
    coordinator, handler = make(), Handler(gone)
    put_stale(coordinator)
    assert body(ask(coordinator, handler)) == b"old"
    assert until(lambda: coordinator.get(KEY) is None)
    assert body(ask(coordinator, handler)) == b"run 2"
    assert caplog.records == []


def test_failing_tags_are_a_failed_refresh(make, caplog):
    coordinator = make()
    put_stale(coordinator)

    def tags() -> tuple[str, ...]:
        raise TypeError("no tags")

    job = Job(KEY, NAME, tags, Handler())
    assert coordinator.resolve(job, coordinator.get(KEY)).state == "stale"
    assert until(lambda: len(caplog.records) == 1)
    assert body(coordinator.resolve(job, coordinator.get(KEY))) == b"old"


def test_an_outdated_refresh_is_not_stored(make):
    coordinator, handler = make(), Handler(b"from old data", waits=True)
    put_stale(coordinator)
    ask(coordinator, handler)
    assert until(lambda: handler.running == 1)
    coordinator.store.revalidate_tags(["posts"])
    assert coordinator.get(KEY) is None
    handler.go.set()
    assert until(lambda: coordinator.store.lock(KEY, 60))
    assert coordinator.get(KEY) is None


def test_a_key_is_due_unless_it_is_refreshed(make, clock):
    coordinator, handler = make(), Handler(KeyError("no database"), waits=True)
    put_stale(coordinator)
    assert coordinator.is_due(KEY)
    ask(coordinator, handler)
    clock.forward(10**6)
    assert not coordinator.is_due(KEY)
    handler.go.set()
    assert until(lambda: coordinator.is_due(KEY) or clock.forward(1))


def test_refreshes_take_a_few_threads(make):
    coordinator, handler = make(threads=2), Handler(waits=True)
    for number in range(8):
        put_stale(coordinator, str(number))
        coordinator.resolve(handler.job(str(number)), coordinator.get(str(number)))
    assert until(lambda: handler.running == 2)
    handler.go.set()
    assert until(lambda: handler.runs == 8)
    assert handler.most_running == 2


def test_no_refresh_is_lost_when_many_wait(make, monkeypatch):
    monkeypatch.setattr("flask_routehandlers.caching.coordinator.WAITING", 1)
    coordinator = make(threads=1)

    class Named(Handler):
        def job(self, key: str = KEY) -> Job:
            return Job(key, NAME, tuple, lambda tags: entry_of(b"new", 60, key))

    handler = Named()
    keys = [str(number) for number in range(6)]
    for key in keys:
        put_stale(coordinator, key)

    def are_fresh() -> bool:
        stale = 0
        for key in keys:
            found = coordinator.get(key)
            coordinator.resolve(handler.job(key), found)
            stale += found.fresh_for <= 0
        return not stale

    assert until(are_fresh)


def test_attempts_take_bounded_memory(make, clock, monkeypatch):
    monkeypatch.setattr("flask_routehandlers.caching.coordinator.REMEMBERED", 10)
    coordinator, handler = make(), Handler()
    for number in range(50):
        key = str(number)
        put_stale(coordinator, key)
        coordinator.store.lock(f"refresh {key}", 10**6)
        coordinator.resolve(handler.job(key), coordinator.get(key))
        assert until(lambda key=key: coordinator.is_due(key) or clock.forward(1))
    assert len(coordinator._next_try) <= 10
