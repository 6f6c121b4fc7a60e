"""The event loop that a separate thread and the threads of requests run in turns."""

from __future__ import annotations

import asyncio
import selectors
import time
from asyncio.events import _get_running_loop, _set_running_loop
from asyncio.tasks import _enter_task, _leave_task
from collections.abc import Callable
from contextvars import Context
from math import inf
from typing import Any, NamedTuple, TypeVarTuple

from .baton import Baton

Ts = TypeVarTuple("Ts")

#: Whether the selector of this system can be changed in one thread while another waits for it.
CAN_SHARE = selectors.DefaultSelector.__name__ in ("EpollSelector", "KqueueSelector")


class BatonSelector(selectors.DefaultSelector):
    """A selector that gives the baton away while it waits.

    :ivar asleep_until: when it stops waiting by itself, or minus infinity while it does not wait.
    """

    def __init__(self, baton: Baton) -> None:
        super().__init__()
        self._baton = baton
        self.asleep_until = -inf

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events, as every selector does."""
        if timeout is None:
            self.asleep_until = inf
        elif timeout > 0:
            self.asleep_until = time.monotonic() + timeout
        self._baton.give()
        try:
            events = super().select(timeout)
        finally:
            self._baton.take()
            self.asleep_until = -inf
        # A thread may have changed a registration after the event. It will be reported again.
        return [(key, mask) for key, mask in events if self._is_registered(key)]

    def _is_registered(self, key: selectors.SelectorKey) -> bool:
        try:
            return self.get_key(key.fileobj) is key
        except (KeyError, ValueError):  # the file is closed
            return False


class Paused(NamedTuple):
    """A loop that the thread runs otherwise, and its current task."""

    loop: asyncio.AbstractEventLoop
    task: asyncio.Task[Any] | None


class SharedLoop(asyncio.SelectorEventLoop):
    """A loop whose code runs in any thread that holds the baton.

    The threads of requests run the steps of their own coroutines with :meth:`enter` and
    :meth:`leave`.
    """

    def __init__(self) -> None:
        self.baton = Baton()
        self._waiter = BatonSelector(self.baton)
        self._is_due = False
        #: What the loop does with async generators; they belong to the thread.
        self.hooks = (
            self._asyncgen_firstiter_hook,  # type: ignore[attr-defined]
            self._asyncgen_finalizer_hook,  # type: ignore[attr-defined]
        )
        #: For callbacks that need no context. A copy of a request's would keep it alive.
        self.empty = Context()
        super().__init__(self._waiter)
        # In debug mode asyncio refuses calls from all threads but one.
        self.set_debug(False)

    def run_forever(self) -> None:
        """Run until :meth:`stop`, and hold the baton but while this waits for events."""
        self.baton.take()
        try:
            super().run_forever()
        finally:
            self.baton.give()

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Call a function in the next round, as every loop does."""
        self._is_due = True
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call a function at a time, as every loop does."""
        if when < self._waiter.asleep_until:
            self._is_due = True
        return super().call_at(when, callback, *args, context=context)

    def enter(self, task: asyncio.Future[Any]) -> Paused | None:
        """Make this the running loop of the thread, and ``task`` the current one.

        :param task: the task whose step begins.
        :returns: the other loop that the thread runs, as that of an async test that calls a test
            client, for :meth:`leave`.
        """
        other = _get_running_loop()
        paused = None
        if other is not None:
            paused = Paused(other, asyncio.current_task(other))
            if paused.task is not None:
                _leave_task(other, paused.task)
        _set_running_loop(self)
        _enter_task(self, task)  # type: ignore[arg-type]
        return paused

    def leave(self, task: asyncio.Future[Any], paused: Paused | None) -> None:
        """End what :meth:`enter` began, and wake the loop's thread if it has something to do."""
        _leave_task(self, task)  # type: ignore[arg-type]
        _set_running_loop(None)
        if paused is not None:
            _set_running_loop(paused.loop)
            if paused.task is not None:
                _enter_task(paused.loop, paused.task)
        if self._is_due:
            self.wake()

    def wake(self) -> None:
        """Wake the loop's thread if the holder of the baton gave it something to do."""
        if self._waiter.asleep_until > 0 and self._is_due:
            self._waiter.asleep_until = -inf
            self.call_soon_threadsafe(_nothing, context=self.empty)
        self._is_due = False


def _nothing() -> None:
    pass
