"""The threads of static handlers, and what becomes of them in a fork and at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextvars import ContextVar

import pytest

from flask_routehandlers._forks import PerProcess
from flask_routehandlers.caching import cache_of, workers
from flask_routehandlers.caching.workers import Backlog, run_later, start_call
from tests.support import in_child, until

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")


def test_a_call_runs_in_another_empty_context():
    variable: ContextVar[str] = ContextVar("variable", default="empty")
    variable.set("of the request")
    assert start_call(variable.get).result() == "empty"


def test_a_call_runs_in_another_thread():
    thread = start_call(threading.current_thread).result()
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_calls_run_concurrently():
    barrier = threading.Barrier(30)
    calls = [start_call(lambda: barrier.wait(20)) for _ in range(30)]
    assert sorted(call.result() for call in calls) == list(range(30))


def test_an_idle_thread_is_used_again(monkeypatch):
    monkeypatch.setattr(workers, "_idle", PerProcess(deque))
    first = start_call(threading.get_ident).result()
    assert until(lambda: len(workers._idle.get()) == 1)
    assert start_call(threading.get_ident).result() == first


def test_idle_threads_end_soon_after(monkeypatch):
    monkeypatch.setattr(workers, "IDLE", 0.05)
    threads = [start_call(threading.current_thread).result() for _ in range(3)]
    assert until(lambda: not any(thread.is_alive() for thread in threads))
    assert start_call(lambda: 1).result() == 1


@pytest.mark.parametrize("error", [KeyError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_call_raises_in_its_caller(error):
    def fail() -> None:
        raise error

    with pytest.raises(error):
        start_call(fail).result()
    assert start_call(lambda: 1).result() == 1


def test_waiting_for_a_call_may_end_early():
    event = threading.Event()
    call = start_call(lambda: event.wait(20))
    assert not call.wait(0.01)
    event.set()
    assert call.result()


def test_later_work_follows_the_result():
    delivered, done = threading.Event(), []

    def work() -> int:
        run_later(lambda: done.append(delivered.wait(20)))
        return 1

    assert start_call(work).result() == 1
    assert done == []
    delivered.set()
    assert until(lambda: done == [True])


def test_tasks_run_in_order_by_a_few_threads():
    running, most, order = [], [], []
    lock = threading.Lock()

    def task(number: int) -> None:
        with lock:
            order.append(number)
            running.append(number)
            most.append(len(running))
        with lock:
            running.remove(number)

    backlog = Backlog(1, 100)
    assert all(backlog.add(lambda number=number: task(number)) for number in range(50))
    assert until(lambda: len(order) == 50)
    assert order == list(range(50))
    assert max(most) == 1


def test_no_accepted_task_is_lost():
    """With one thread, which often finds nothing to do just when a task is added."""
    backlog = Backlog(1, 10**6)
    done: list[int] = []

    def add(start: int) -> None:
        for number in range(300):
            assert backlog.add(lambda: done.append(1))
            if number % 3 == 0:
                assert until(lambda: len(done) >= start)

    threads = [threading.Thread(target=add, args=(0,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert until(lambda: len(done) == 1200)


class YieldingLock:
    """A lock after whose release other threads come first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()
        time.sleep(0.001)


def test_no_task_is_lost_while_a_thread_ends():
    backlog, done = Backlog(1, 100), threading.Semaphore(0)
    backlog._lock = YieldingLock()
    for _ in range(50):
        assert backlog.add(done.release)
        assert done.acquire(timeout=20)


def test_too_many_waiting_tasks_are_refused():
    event, backlog = threading.Event(), Backlog(1, 2)
    begun = threading.Event()
    assert backlog.add(lambda: begun.set() or event.wait(20))
    assert begun.wait(20)
    assert [backlog.add(bool) for _ in range(3)] == [True, True, False]
    event.set()


def test_closing_waits_for_what_runs():
    event, begun, done = threading.Event(), threading.Event(), []
    backlog = Backlog(1, 10)

    def task(number: int) -> None:
        done.append(number)
        begun.set()
        event.wait(20)

    for number in range(3):
        assert backlog.add(lambda number=number: task(number))
    assert begun.wait(20)
    threading.Timer(0.05, event.set).start()
    backlog.close(20)
    assert event.is_set()
    assert done == [0]
    assert not backlog.add(bool)


def test_a_hanging_task_does_not_keep_the_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import threading\n"
        "from flask_routehandlers.caching.workers import Backlog\n"
        "backlog, begun = Backlog(1, 10), threading.Event()\n"
        "backlog.add(lambda: begun.set() or threading.Event().wait())\n"
        "begun.wait()\n"
        "print('end')\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("end\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="threads are limited by memory here")
def test_without_threads_stale_answers_remain(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import logging, resource, threading\n"
        "from flask_routehandlers.caching import workers\n"
        "workers.IDLE = 0.01\n"
        "from flask_routehandlers.caching.coordinator import Coordinator, Job\n"
        "from flask_routehandlers.caching.settings import Settings\n"
        "from flask_routehandlers.caching.stores.entry import Entry\n"
        "from flask_routehandlers.caching.stores.memory import MemoryStore\n"
        "from tests.support import Clock, until\n"
        "clock = Clock()\n"
        "store = MemoryStore(10, 10**6, clock)\n"
        "coordinator = Coordinator(store, Settings(), logging.getLogger(), clock)\n"
        "runs = []\n"
        "def compute(tags):\n"
        "    runs.append(1)\n"
        "    return Entry('k', 200, (), b'', '\"x\"', (), 60)\n"
        "job = Job('k', 'k', lambda: (), compute)\n"
        "def ask(): return coordinator.resolve(job, coordinator.get('k')).state\n"
        "def limit(size): resource.setrlimit(resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))\n"
        "print(ask())\n"
        "until(lambda: threading.active_count() == 1)\n"
        "limit(2**30)\n"
        "threading.stack_size(2**31)\n"
        "clock.forward(61)\n"
        "print(ask(), ask(), len(runs))\n"
        "limit(resource.RLIM_INFINITY)\n"
        "threading.stack_size(0)\n"
        "print(ask())\n"
        "print(until(lambda: ask() == 'hit', 20), len(runs))\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert (done.stdout, done.stderr) == ("stored\nstale stale 1\nstale\nTrue 2\n", "")


# Forks.


def test_a_value_is_made_once_in_a_process():
    made: list[object] = []
    value = PerProcess(lambda: made.append(object()) or made[-1])
    first = value.get()
    assert value.get() is first
    assert made == [first]


def test_threads_use_one_value():
    barrier = threading.Barrier(20)
    value = PerProcess(object)

    def get() -> object:
        barrier.wait(20)
        return value.get()

    calls = [start_call(get) for _ in range(20)]
    assert len({id(call.result()) for call in calls}) == 1


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_makes_its_own_value():
    value = PerProcess(threading.Lock)
    lock = value.get()
    with lock:
        assert in_child(lambda: value.get() is not lock and value.get().acquire(timeout=20))
    assert value.get() is lock


SLOW = """
import threading
import time
go = threading.Event()
begun = threading.Event()
revalidate = 60
def GET(id):
    begun.set()
    assert id == "quick" or go.wait(20)
    return id
"""


@needs_fork
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_computes_what_its_parent_does(make_app):
    app = make_app({"[id]/route.py": SLOW})
    module = app.view_functions["api./[id]"].module
    asking = threading.Thread(target=app.test_client().get, args=("/api/slow",))
    asking.start()
    assert module.begun.wait(20)

    def answers() -> bool:
        signal.alarm(20)  # ends a child that waits for a thread that it does not have
        module.go = threading.Event()
        module.go.set()
        cache = cache_of(app)
        assert cache is not None
        return all(app.test_client().get(f"/api/{n}").text == n for n in ("slow", "quick"))

    try:
        with cache_of(app).coordinator._lock:
            assert in_child(answers)
    finally:
        module.go.set()
        asking.join()
