"""A coroutine that runs in the loop's thread while the thread of its request waits.

This is the way below gevent, whose greenlets share a thread, and on Windows, whose selector
cannot be shared.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from threading import get_ident
from typing import Any

from .modes import CURRENT
from .queued import Waiter, copy_back


class HopTask(Waiter):
    """A task of the loop's thread, seen from the thread of a request.

    The task runs in a copy of the request's context. What it changes there is copied back.

    :param inbox_class: the queue for the thread.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        inbox_class: type[Any],
        coroutine: Coroutine[Any, Any, Any],
        outer: HopTask | None = None,
        is_abandoned: Callable[[], bool] | None = None,
    ) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._is_abandoned = is_abandoned
        self._task: asyncio.Task[Any] | None = None
        self._resume: asyncio.Future[bool | None] | None = None
        self._pieces: deque[tuple[Any, asyncio.Future[bool | None]]] = deque()
        self._is_cancelled = False
        self._has_ended = False
        self.outer = outer
        self.thread = get_ident()
        if outer is None:
            self.inbox = inbox_class()
        else:
            self.inbox = outer.inbox

    def drive(self, value: Any = None) -> Any:
        """Wait until the coroutine ends or emits a piece, and serve its calls.

        :param value: for a coroutine that has emitted a piece: whether it is to end.
        :returns: its result, or the piece; :meth:`done` says which.
        """
        if self._resume is None:
            self._context = copy_context()
            self._context.run(CURRENT.set, self)
            self._loop.call_soon_threadsafe(self._start)
        else:
            self._loop.call_soon_threadsafe(_resolve, self._resume, value)
        self._wait()
        if self._pieces:
            piece, self._resume = self._pieces.popleft()
            return piece
        self._pass_on_calls(self._loop)
        if self._interrupt is not None:
            raise self._interrupt
        self._context.run(CURRENT.set, self.outer)
        copy_back(self._context)
        task, self._task = self._task, None
        assert task is not None
        try:
            return task.result()
        finally:
            # A failing request must not be a cycle: its exception refers to this frame.
            del task

    @property
    def _is_woken(self) -> bool:  # type: ignore[override]
        return self._has_ended or bool(self._pieces)

    def _cancel_from_here(self) -> None:
        self._loop.call_soon_threadsafe(self.cancel)

    # In the thread of the loop.

    def _start(self) -> None:
        self._task = self._loop.create_task(self._coroutine, context=self._context)
        self._task.add_done_callback(self._end)
        if self._is_cancelled:
            self._task.cancel()

    def _end(self, task: asyncio.Task[Any]) -> None:
        self._has_ended = True
        self.inbox.put(None)

    async def emit(self, piece: Any) -> bool | None:
        """Give a piece to the thread, and stop until it comes back."""
        resume: asyncio.Future[bool | None] = self._loop.create_future()
        self._pieces.append((piece, resume))
        self.inbox.put(None)
        return await resume

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel what the coroutine waits for, unless it has ended."""
        self._is_cancelled = True
        return self._task is not None and self._task.cancel(msg)

    def done(self) -> bool:
        """Return whether the coroutine has ended."""
        return self._has_ended

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop of the process."""
        return self._loop


def _resolve(future: asyncio.Future[bool | None], value: bool | None) -> None:
    if not future.done():
        future.set_result(value)
