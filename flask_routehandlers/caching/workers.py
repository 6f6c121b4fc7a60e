"""Threads for the code of static handlers, which never runs in the thread of a request.

Below gevent these are greenlets. So what gevent replaces is looked up in its module at each use.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, ContextVar
from typing import Any, Generic, TypeVar
from weakref import WeakSet

from .._forks import PerProcess

#: Seconds after which a thread without work ends.
IDLE = 5.0

#: Seconds for which the end of the process waits for refreshes that have begun.
LAST_SECONDS = 1.0

Result = TypeVar("Result")

#: The inboxes of the threads that wait for a call.
_idle: PerProcess[deque[Any]] = PerProcess(deque)

_later: ContextVar[list[Callable[[], object]]] = ContextVar("later")


class Call(Generic[Result]):
    """A call of a function in another thread, see :func:`start_call`.

    :param function: a function without parameters.
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self._outbox: Any = queue.SimpleQueue()

    def run(self) -> None:
        """Call the function in an empty context, then what it passed to :func:`run_later`."""
        context = Context()
        later: list[Callable[[], object]] = []
        context.run(_later.set, later)
        try:
            self._outbox.put((context.run(self._function), None))
        except BaseException as error:
            self._outbox.put((None, error))
        for function in later:
            context.run(function)

    def wait(self, seconds: float) -> bool:
        """Return whether the function ends within some seconds."""
        try:
            self._outbox.put(self._outbox.get(timeout=seconds))
        except queue.Empty:
            return False
        return True

    def result(self) -> Result:
        """Return or raise, once, what the function does when it ends."""
        result, error = self._outbox.get()
        if error is None:
            return result  # type: ignore[no-any-return]
        try:
            raise error
        finally:
            del error  # its traceback refers to this frame


def run_later(function: Callable[[], object]) -> None:
    """Call a function in the thread of the current call, once its result is delivered."""
    _later.get().append(function)


def start_call(function: Callable[[], Result]) -> Call[Result]:
    """Begin to call a function in another thread: one that is idle, else a new one.

    It is a daemon: a handler that hangs must not keep the process from ending.

    :raises RuntimeError: when the system provides no thread.
    """
    call = Call(function)
    try:
        inbox = _idle.get().pop()
    except IndexError:
        inbox = queue.SimpleQueue()
        threading.Thread(target=_work, args=(inbox, _idle.get()), daemon=True).start()
    inbox.put(call)
    return call


def _work(inbox: Any, idle: deque[Any]) -> None:
    """Run calls, as a thread, until none has come for some time."""
    while True:
        try:
            call = inbox.get(timeout=IDLE)
        except queue.Empty:
            try:
                idle.remove(inbox)
            except ValueError:
                continue  # a call is on its way
            return
        call.run()
        del call
        idle.append(inbox)


class Backlog:
    """Tasks that no request waits for. They run in the order in which they were added.

    :param threads: how many run at once.
    :param size: how many wait at most.
    """

    def __init__(self, threads: int, size: int) -> None:
        self._threads = threads
        self._size = size
        self._lock = threading.Lock()
        self._tasks: deque[Callable[[], object]] = deque()
        self._running = 0
        _backlogs.get().add(self)

    def add(self, task: Callable[[], object]) -> bool:
        """Run a task soon. What it raises is lost.

        :returns: whether it was accepted. It is not when too many wait.
        """
        with self._lock:
            if len(self._tasks) >= self._size:
                return False
            if self._running < self._threads:
                try:
                    start_call(self._run)
                    self._running += 1
                except RuntimeError:  # no thread is available, or the process ends
                    if not self._running:
                        return False
            self._tasks.append(task)
        return True

    def _run(self) -> None:
        """Run tasks, as a thread, until none waits."""
        while True:
            with self._lock:
                if not self._tasks:
                    self._running -= 1
                    return
                task = self._tasks.popleft()
            with suppress(Exception):
                task()

    def close(self, seconds: float) -> None:
        """Drop the tasks that wait, accept no more, and wait some seconds for those that run."""
        with self._lock:
            self._size = 0
            self._tasks.clear()
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            time.sleep(0.005)


_backlogs: PerProcess[WeakSet[Backlog]] = PerProcess(WeakSet)


@atexit.register
def _close_all() -> None:
    for backlog in list(_backlogs.get()):
        backlog.close(LAST_SECONDS)
