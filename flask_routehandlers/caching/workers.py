"""A few threads for work that no request waits for."""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable
from contextvars import Context
from threading import Condition, Thread
from weakref import WeakSet

from .._forks import renew_after_fork

#: Seconds after which a thread without work ends.
IDLE = 5.0

#: Seconds that the end of the process waits for work that has begun.
LAST_SECONDS = 1.0

_every: WeakSet[Workers] = WeakSet()


class Workers:
    """Runs tasks in threads that start with the first task and never keep the process alive.

    :param threads: how many run at once.
    :param most: how many tasks wait at most.
    """

    def __init__(self, threads: int, most: int) -> None:
        self._threads = threads
        self._most = most
        self.after_fork()
        renew_after_fork(self)
        _every.add(self)

    def after_fork(self) -> None:
        self._changed = Condition()
        self._waiting: deque[Callable[[], object]] = deque()
        self._running = 0
        self._idle = 0
        self._stopped = False

    def submit(self, task: Callable[[], object]) -> bool:
        """Run a task soon, in an empty context.

        :returns: whether it was accepted; it is not when too many wait.
        """
        with self._changed:
            if self._stopped or len(self._waiting) >= self._most:
                return False
            self._waiting.append(task)
            if self._idle >= len(self._waiting):
                self._changed.notify()
            elif self._running < self._threads:
                try:
                    Thread(target=Context().run, args=(self._work,), daemon=True).start()
                except RuntimeError:  # no thread is to be had, or the process ends
                    if not self._running:
                        self._waiting.pop()
                        return False
                else:
                    self._running += 1
        return True

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                task()
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            if not self._waiting:
                self._idle += 1
                self._changed.wait_for(lambda: self._waiting or self._stopped, IDLE)
                self._idle -= 1
            return self._waiting.popleft() if self._waiting else None

    def stop(self, seconds: float) -> None:
        """Forget what waits, and give what runs some seconds to end."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._running, seconds)


@atexit.register
def _stop_all() -> None:
    for workers in list(_every):
        workers.stop(LAST_SECONDS)
