"""The threads that run the callbacks of :func:`after`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextvars import Context
from logging import Logger
from threading import Condition, Thread

from .._forks import renew_after_fork
from .process import process

#: Seconds after which a thread without work ends.
IDLE_SECONDS = 60.0

#: Seconds that the end of the process waits for responses whose callbacks are not pending yet.
RESPONSE_SECONDS = 1.0


class Pool:
    """A bounded queue of callbacks, and threads that start with the first one.

    :param logger: reports callbacks that are lost when the process ends.
    :param threads: how many run concurrently.
    :param limit: how many callbacks may be pending.
    :param drain_seconds: how long the end of the process waits for them.
    """

    def __init__(self, logger: Logger, threads: int, limit: int, drain_seconds: float) -> None:
        self._logger = logger
        self._threads = threads
        self._limit = limit
        self._drain_seconds = drain_seconds
        self._is_ending = False
        self.after_fork()
        renew_after_fork(self)
        process.add(self)

    def after_fork(self) -> None:
        """Begin again without callbacks: the parent runs those that it has."""
        self._changed = Condition()
        self._waiting: deque[Sequence[Callable[[], None]]] = deque()
        self._expected = 0
        self._pending = 0
        self._running = 0
        self._idle = 0

    def expect(self, count: int) -> None:
        """Wait for some more callbacks when the process ends, or, below zero, for some less.

        They will be submitted when their response has been sent. A client that has it may end
        the process before that.
        """
        with self._changed:
            self._expected += count
            self._changed.notify_all()

    def submit(self, callbacks: Sequence[Callable[[], None]]) -> None:
        """Run callbacks one after the other: soon in a thread, or here.

        They run here if too many are pending, and when the process ends.

        :param callbacks: functions that do not raise, which were expected.
        """
        with self._changed:
            is_accepted = not self._is_ending and self._pending + len(callbacks) <= self._limit
            if is_accepted and self._idle <= len(self._waiting):
                is_accepted = self._add_thread()
            self._expected -= len(callbacks)
            self._pending += len(callbacks)
            if is_accepted:
                self._waiting.append(callbacks)
            self._changed.notify_all()
        if not is_accepted:
            self._run(callbacks)

    def _run(self, callbacks: Sequence[Callable[[], None]]) -> None:
        for callback in callbacks:
            callback()
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()

    def _add_thread(self) -> bool:
        if self._running >= self._threads:
            return True
        try:
            Thread(target=Context().run, args=(self._work,), daemon=True).start()
        except RuntimeError:  # no thread can be started
            return self._running > 0
        self._running += 1
        return True

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                has_work = self._changed.wait_for(lambda: self._waiting, IDLE_SECONDS)
                self._idle -= 1
                if not has_work:
                    self._running -= 1
                    return
                callbacks = self._waiting.popleft()
            self._run(callbacks)

    def drain(self) -> None:
        """Accept nothing more, wait for what is pending, and report what is lost."""
        with self._changed:
            self._is_ending = True
            self._changed.wait_for(lambda: self._expected <= 0, RESPONSE_SECONDS)
            self._changed.wait_for(lambda: not self._pending, self._drain_seconds)
            if self._pending:
                self._logger.error(
                    "The process ends, and %d callbacks of after() are lost: "
                    "they did not end within %s seconds.",
                    self._pending,
                    self._drain_seconds,
                )
