"""One computation for each key, among threads; stale answers, failures, waits with an end."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest
from werkzeug.exceptions import NotFound, ServiceUnavailable
from werkzeug.wrappers import Response

from flask_routehandlers.caching.coordinator import Answer, Coordinator, Job
from flask_routehandlers.caching.leases import Leases
from flask_routehandlers.caching.stores.base import Found
from flask_routehandlers.caching.stores.entry import Entry
from flask_routehandlers.caching.stores.memory import MemoryStore
from flask_routehandlers.caching.workers import Workers
from tests.support import until

KEY = "a key"
NAME = "GET in posts/route.py for /api/posts"
logger = logging.getLogger("tests.coordinator")


def entry_of(body: bytes, revalidate: int | None = 60) -> Entry:
    return Entry(KEY, 200, (), body, f'"{body!r}"', ("posts",), revalidate)


class Handler:
    """Counts how often it runs; what it returns can be another thing each time."""

    def __init__(self, *results: Any, seconds: float = 0.0, revalidate: int | None = 60) -> None:
        self.results = list(results)
        self.seconds = seconds
        self.revalidate = revalidate
        self.runs = 0
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()

    def __call__(self) -> Entry | Response:
        with self._lock:
            self.runs += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            result = self.results.pop(0) if self.results else b"run %d" % self.runs
        time.sleep(self.seconds)
        with self._lock:
            self.at_once -= 1
        if isinstance(result, BaseException):
            raise result
        return entry_of(result, self.revalidate) if isinstance(result, bytes) else result

    def job(self, key: str = KEY) -> Job:
        return Job(key, NAME, lambda: ("posts",), self)


@pytest.fixture
def make() -> Iterator[Callable[..., Coordinator]]:
    made: list[Coordinator] = []

    def make(store: MemoryStore | None = None, **options: Any) -> Coordinator:
        kept = MemoryStore(100, 10**7) if store is None else store
        made.append(Coordinator(kept, logger, **options))
        return made[-1]

    yield make
    for coordinator in made:
        coordinator.close()


def ask(coordinator: Coordinator, handler: Handler) -> Answer:
    return coordinator.resolve(handler.job(), coordinator.get(KEY))


def body(answer: Answer) -> bytes:
    assert isinstance(answer.result, Found)
    return answer.result.entry.body


def by_many(function: Callable[[], Any], count: int = 100) -> list[Any]:
    """What so many threads get that call a function at one time; an exception as it is."""
    barrier = threading.Barrier(count)

    def call(_: int) -> Any:
        barrier.wait()
        try:
            return function()
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def put_stale(coordinator: Coordinator) -> None:
    """Store an entry that is stale at once."""
    store = coordinator.store
    assert store.put(entry_of(b"old", revalidate=0), store.begin(KEY, ("posts",)))


def test_the_first_caller_computes_and_the_next_gets_what_is_stored(make):
    coordinator, handler = make(), Handler()
    first, second = ask(coordinator, handler), ask(coordinator, handler)
    assert (first.state, first.is_stored, body(first)) == ("miss", True, b"run 1")
    assert (second.state, second.is_stored, body(second)) == ("hit", False, b"run 1")


def test_one_of_many_callers_computes_a_cold_key(make):
    coordinator, handler = make(), Handler(seconds=0.2)
    answers = by_many(lambda: ask(coordinator, handler))
    assert handler.runs == 1
    assert {body(answer) for answer in answers} == {b"run 1"}
    assert sum(answer.is_stored for answer in answers) == 1
    assert sum(answer.is_collapsed for answer in answers) <= 99


def test_many_callers_of_a_stale_key_get_it_at_once_and_it_is_refreshed_once(make):
    coordinator, handler = make(), Handler(seconds=0.2)
    put_stale(coordinator)
    answers = by_many(lambda: (ask(coordinator, handler), handler.at_once))
    assert {body(answer) for answer, _ in answers} == {b"old"}
    assert {answer.state for answer, _ in answers} == {"stale"}
    assert until(lambda: ask(coordinator, handler).state == "hit")
    assert (handler.runs, body(ask(coordinator, handler))) == (1, b"run 1")


def test_keys_do_not_wait_for_each_other(make):
    coordinator, handler = make(), Handler(seconds=0.1)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda i: coordinator.resolve(handler.job(str(i)), None), range(10)))
    assert handler.most_at_once > 5


def test_nobody_waits_longer_than_allowed_and_then_computes(make):
    coordinator, handler = make(max_wait=0.1), Handler(seconds=1)
    answers = by_many(lambda: ask(coordinator, handler), 3)
    assert handler.runs == handler.most_at_once == 3
    assert {answer.state for answer in answers} == {"miss"}


def test_a_lock_of_another_process_is_waited_for_and_not_for_ever(make):
    coordinator, handler = make(max_wait=0.2), Handler()
    coordinator.store.lock(KEY, "another process", 60)
    began = time.monotonic()
    answer = ask(coordinator, handler)
    assert 0.05 < time.monotonic() - began < 2
    assert (answer.is_stored, body(answer)) == (True, b"run 1")


def test_what_another_process_stores_meanwhile_is_the_answer(make):
    coordinator, handler = make(), Handler()
    store = coordinator.store
    store.lock(KEY, "another process", 60)
    timer = threading.Timer(0.1, lambda: store.put(entry_of(b"theirs"), store.begin(KEY, ())))
    timer.start()
    answer = ask(coordinator, handler)
    timer.join()
    assert (handler.runs, body(answer), answer.is_collapsed) == (0, b"theirs", True)


def test_a_process_that_died_holds_a_cold_key_until_its_lock_expires(make):
    coordinator, handler = make(max_wait=60), Handler()
    coordinator.store.lock(KEY, "a dead process", 0.3)
    answer = ask(coordinator, handler)
    assert (handler.runs, answer.is_stored) == (1, True)


def test_a_process_that_died_holds_a_stale_key_until_its_lock_expires(make):
    coordinator, handler = make(), Handler()
    put_stale(coordinator)
    coordinator.store.lock(KEY, "a dead process", 0.3)
    assert ask(coordinator, handler).state == "stale"
    assert until(lambda: ask(coordinator, handler).state == "hit", 0.3 + 1)


def test_a_lock_is_kept_for_as_long_as_its_owner_works(make):
    store = MemoryStore(10, 10**7)
    one, two = make(store, lock_seconds=0.3), make(store, max_wait=5, lock_seconds=0.3)
    handler = Handler(seconds=1)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda c: ask(c, handler), [one, two]))
    assert handler.runs == 1
    assert {body(answer) for answer in answers} == {b"run 1"}


def test_the_exception_of_a_handler_reaches_who_computed(make):
    coordinator, handler = make(), Handler(KeyError("gone"))
    with pytest.raises(KeyError, match="gone"):
        ask(coordinator, handler)
    assert body(ask(coordinator, handler)) == b"run 2"


def test_after_one_failure_those_who_wait_compute_once_again(make):
    coordinator, handler = make(), Handler(KeyError("gone"), seconds=0.2)
    answers = by_many(lambda: ask(coordinator, handler), 20)
    assert handler.runs == 2
    assert sum(isinstance(answer, KeyError) for answer in answers) == 1
    assert {body(a) for a in answers if isinstance(a, Answer)} == {b"run 2"}


def test_a_handler_that_always_fails_delays_nobody_for_more_than_two_runs(make):
    coordinator = make()
    handler = Handler(*(KeyError(i) for i in range(20)), seconds=0.1)
    began = time.monotonic()
    answers = by_many(lambda: ask(coordinator, handler), 20)
    assert all(isinstance(answer, KeyError) for answer in answers)
    assert len({id(answer) for answer in answers}) == 20
    assert time.monotonic() - began < 1


def test_a_response_that_may_not_be_stored_is_given_to_one_caller_only(make):
    coordinator = make()
    handler = Handler(*(Response(str(i)) for i in range(10)), seconds=0.1)
    answers = by_many(lambda: ask(coordinator, handler), 10)
    assert handler.runs == 10
    assert len({id(answer.result) for answer in answers}) == 10
    assert {(answer.state, answer.is_stored) for answer in answers} == {("miss", False)}
    assert coordinator.get(KEY) is None


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupted_computation_leaves_nothing_behind(make, interruption):
    coordinator, handler = make(), Handler(interruption())
    with pytest.raises(interruption):
        ask(coordinator, handler)
    assert coordinator.store.lock(KEY, "free", 0.01)
    time.sleep(0.02)
    assert body(ask(coordinator, handler)) == b"run 2"


def test_a_result_that_is_out_of_date_when_it_is_ready_goes_to_its_caller_alone(make):
    coordinator = make()
    waits = threading.Event()

    class Slow(Handler):
        def __call__(self) -> Entry | Response:
            result = super().__call__()
            if self.runs == 1:
                coordinator.store.revalidate_tags(["posts"])
                waits.set()
                time.sleep(0.2)
            return result

    handler = Slow()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, coordinator, handler)
        waits.wait(5)
        second = ask(coordinator, handler)
        assert (body(first.result()), first.result().is_stored) == (b"run 1", False)
    assert (body(second), second.is_stored) == (b"run 2", True)
    assert body(ask(coordinator, handler)) == b"run 2"


def test_compute_runs_the_handler_whatever_is_stored(make):
    coordinator, handler = make(), Handler()
    ask(coordinator, handler)
    answer = coordinator.compute(handler.job())
    assert (body(answer), answer.is_stored) == (b"run 2", True)
    assert body(ask(coordinator, handler)) == b"run 2"


# Refreshing.


def failing(kind: str) -> Any:
    match kind:
        case "exception":
            return KeyError("no database")
        case "exit":
            return SystemExit(3)
        case "http error":
            return ServiceUnavailable()
        case "status":
            return Response(status=502)


@pytest.mark.parametrize("kind", ["exception", "exit", "http error", "status"])
def test_a_refresh_that_fails_keeps_the_entry_waits_and_is_told_once(make, kind, caplog):
    coordinator = make()
    handler = Handler(failing(kind), failing(kind))
    put_stale(coordinator)
    began = time.monotonic()
    while time.monotonic() - began < 0.8:
        assert body(ask(coordinator, handler)) == b"old"
        time.sleep(0.01)
    assert handler.runs == 1
    assert until(lambda: bool(ask(coordinator, handler)) and handler.runs == 2)
    assert time.monotonic() - began >= 1
    [record] = caplog.records
    assert NAME in record.getMessage()
    assert ("502" in record.getMessage()) is (kind == "status")
    assert bool(record.exc_info) is (kind != "status")


def test_a_refresh_that_works_again_ends_the_pause_and_a_new_failure_is_told(make, caplog):
    coordinator = make()
    handler = Handler(KeyError("one"), b"good", KeyError("two"), revalidate=1)
    put_stale(coordinator)
    assert until(lambda: body(ask(coordinator, handler)) == b"good")
    assert until(lambda: bool(ask(coordinator, handler)) and handler.runs == 3)
    assert until(lambda: len(caplog.records) == 2)


@pytest.mark.parametrize("gone", [NotFound(), Response(status=404), Response(status=204)])
def test_an_entry_whose_handler_has_no_such_answer_any_more_is_dropped(make, gone, caplog):
    coordinator, handler = make(), Handler(gone)
    put_stale(coordinator)
    assert body(ask(coordinator, handler)) == b"old"
    assert until(lambda: coordinator.get(KEY) is None)
    assert body(ask(coordinator, handler)) == b"run 2"
    assert caplog.records == []


def test_tags_that_cannot_be_computed_are_a_failed_refresh(make, caplog):
    coordinator = make()
    put_stale(coordinator)

    def tags() -> tuple[str, ...]:
        raise TypeError("no tags")

    job = Job(KEY, NAME, tags, Handler())
    assert coordinator.resolve(job, coordinator.get(KEY)).state == "stale"
    assert until(lambda: len(caplog.records) == 1)
    assert body(coordinator.resolve(job, coordinator.get(KEY))) == b"old"


def test_a_refresh_that_was_overtaken_does_not_bring_old_data_back(make):
    coordinator = make()
    handler = Handler(b"from old data", seconds=0.3)
    put_stale(coordinator)
    ask(coordinator, handler)
    assert until(lambda: handler.at_once == 1)
    coordinator.store.revalidate_tags(["posts"])
    assert coordinator.get(KEY) is None
    assert until(lambda: handler.at_once == 0)
    time.sleep(0.05)
    assert coordinator.get(KEY) is None


def test_a_key_is_due_unless_it_is_being_refreshed(make):
    coordinator, handler = make(), Handler(KeyError("no database"), seconds=0.2)
    put_stale(coordinator)
    assert coordinator.is_due(KEY)
    ask(coordinator, handler)
    assert not coordinator.is_due(KEY)
    assert until(lambda: handler.at_once == 0 and handler.runs == 1)
    assert not coordinator.is_due(KEY)
    assert until(lambda: coordinator.is_due(KEY))


def test_refreshes_do_not_take_more_threads_than_allowed(make):
    coordinator, handler = make(threads=2), Handler(seconds=0.05)
    store = coordinator.store
    for i in range(8):
        entry = Entry(str(i), 200, (), b"old", '"old"', (), 0)
        store.put(entry, store.begin(entry.key, ()))
        coordinator.resolve(handler.job(entry.key), store.get(entry.key))
    assert until(lambda: handler.runs == 8)
    assert handler.most_at_once == 2


def test_what_finds_no_place_in_the_queue_is_refreshed_by_a_later_request(make, monkeypatch):
    monkeypatch.setattr("flask_routehandlers.caching.coordinator.WAITING", 1)
    coordinator, handler = make(threads=1), Handler(seconds=0.1)
    store = coordinator.store

    def is_fresh(key: str) -> bool:
        found = store.get(key)
        coordinator.resolve(handler.job(key), found)
        return found.fresh_for > 0

    class Named(Handler):
        def job(self, key: str = KEY) -> Job:
            made = Entry(key, 200, (), b"new", '"new"', (), 60)
            return Job(key, NAME, tuple, lambda: time.sleep(0.05) or made)

    handler = Named()
    keys = [str(i) for i in range(6)]
    for key in keys:
        store.put(Entry(key, 200, (), b"old", '"old"', (), 0), store.begin(key, ()))
    assert until(lambda: all(list(map(is_fresh, keys))))


def test_memory_for_tries_is_bounded(make, monkeypatch):
    monkeypatch.setattr("flask_routehandlers.caching.coordinator.REMEMBERED", 10)
    monkeypatch.setattr("flask_routehandlers.caching.coordinator.NEXT_TRY", 0.001)
    coordinator, handler = make(), Handler()
    store = coordinator.store
    for i in range(100):
        key = str(i)
        store.put(Entry(key, 200, (), b"old", '"old"', (), 0), store.begin(key, ()))
        store.lock(key, "another process", 60)
        coordinator.resolve(handler.job(key), store.get(key))
        assert until(lambda key=key: coordinator.is_due(key))
    assert len(coordinator._next_try) <= 10


# Threads.


def test_tasks_run_in_an_empty_context():
    variable: ContextVar[str] = ContextVar("variable", default="empty")
    variable.set("of the request")
    workers = Workers(1, 10)
    seen: list[str] = []
    assert workers.submit(lambda: seen.append(variable.get()))
    assert until(lambda: bool(seen))
    assert seen == ["empty"]
    workers.stop(1)


def test_stopping_waits_for_what_runs_and_forgets_what_waits():
    workers = Workers(1, 10)
    done: list[int] = []

    def work(number: int) -> None:
        time.sleep(0.2)
        done.append(number)

    for number in range(3):
        assert workers.submit(lambda number=number: work(number))
    time.sleep(0.05)
    workers.stop(5)
    assert done == [0]
    assert not workers.submit(lambda: work(9))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_a_task_ends_is_replaced():
    workers = Workers(1, 10)
    done: list[int] = []

    def leave() -> None:
        raise SystemExit

    workers.submit(leave)
    assert until(lambda: workers.submit(lambda: done.append(1)) and bool(done))
    workers.stop(1)


def test_threads_without_work_end(monkeypatch):
    monkeypatch.setattr("flask_routehandlers.caching.workers.IDLE", 0.05)
    before = threading.active_count()
    workers = Workers(3, 10)
    for _ in range(3):
        workers.submit(lambda: time.sleep(0.05))
    assert until(lambda: threading.active_count() <= before)


def test_the_process_ends_while_a_refresh_hangs(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import time\n"
        "from flask_routehandlers.caching.workers import Workers\n"
        "workers = Workers(1, 10)\n"
        "workers.submit(lambda: time.sleep(60))\n"
        "time.sleep(0.1)\n"
        "print('end')\n"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=30, check=True
    )
    assert (done.stdout, done.stderr) == ("end\n", "")
    assert time.monotonic() - began < 10


@pytest.mark.skipif(sys.platform != "linux", reason="threads are limited by memory here")
def test_where_no_thread_is_to_be_had_what_is_stored_is_served_on(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import logging, resource, threading, time\n"
        "from flask_routehandlers.caching.coordinator import Coordinator, Job\n"
        "from flask_routehandlers.caching.stores.entry import Entry\n"
        "from flask_routehandlers.caching.stores.memory import MemoryStore\n"
        "store = MemoryStore(10, 10**6)\n"
        "coordinator = Coordinator(store, logging.getLogger())\n"
        "runs = []\n"
        "def compute():\n"
        "    runs.append(1)\n"
        "    return Entry('k', 200, (), b'', '\"x\"', (), 1)\n"
        "job = Job('k', 'k', lambda: (), compute)\n"
        "def ask(): return coordinator.resolve(job, coordinator.get('k')).state\n"
        "def limit(size): resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))\n"
        "limit(2**30)\n"
        "threading.stack_size(2**31)\n"
        "print(ask())\n"
        "time.sleep(1.1)\n"
        "print(ask(), ask(), len(runs))\n"
        "limit(resource.RLIM_INFINITY)\n"
        "threading.stack_size(0)\n"
        "print(ask())\n"
        "time.sleep(0.5)\n"
        "print(ask(), len(runs))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=30, check=True
    )
    assert (done.stdout, done.stderr) == ("miss\nstale stale 1\nstale\nhit 2\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_computes_what_its_parent_was_about_to(make):
    coordinator, handler = make(max_wait=60), Handler(seconds=0.5)
    put_stale(coordinator)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(coordinator.resolve, handler.job("cold"), None)
        ask(coordinator, handler)
        assert until(lambda: handler.at_once == 2)
        with coordinator._lock:
            child = os.fork()
            if not child:
                signal.alarm(15)
                mine = Handler()
                is_stored = coordinator.resolve(mine.job("cold"), None).is_stored
                is_fresh = until(lambda: body(ask(coordinator, mine)) == b"run 2")
                os._exit(0 if is_stored and is_fresh else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_lease_that_was_lost_is_not_renewed():
    store = MemoryStore(10, 10**7)
    leases = Leases(store, 0.3)
    token = leases.take(KEY)
    store.unlock(KEY, token)
    assert store.lock(KEY, "another process", 60)
    time.sleep(0.4)
    assert not store.renew(KEY, token, 1)
    leases.release(KEY, token)
    assert not store.lock(KEY, "a third", 60)
