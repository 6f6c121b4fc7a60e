"""The parts of the loop below gevent: a native thread, and an inbox that wakes a greenlet.

gevent has replaced threads by greenlets when this is imported, for all modules but this one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty
from typing import Any
from weakref import WeakKeyDictionary

from gevent import get_hub, monkey  # type: ignore[import-untyped]
from gevent.event import Event  # type: ignore[import-untyped]

from .engine import Engine
from .queued import Call

_start_thread = monkey.get_original("_thread", "start_new_thread")
_Selector = monkey.get_original("selectors", "DefaultSelector")


class _NativeExecutor(ThreadPoolExecutor):
    """An executor with a native thread for each call."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def run() -> None:
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        _start_thread(run, ())
        return future


class _Bell:
    """Wakes greenlets of one hub from other threads.

    gevent would report a deadlock if nothing but such a bell could wake a greenlet, so its hub
    counts on the bell as long as one waits, and no longer: otherwise the hub would never end.
    """

    def __init__(self, hub: Any) -> None:
        self._rung: deque[Event] = deque()
        self._waiting = 0
        self._watcher = hub.loop.async_(ref=False)
        self._watcher.start(self._answer)

    def ring(self, event: Event) -> None:
        """Set an event of a greenlet, from any thread."""
        self._rung.append(event)
        self._watcher.send()

    def expect(self, count: int) -> None:
        """Let the hub run for some more greenlets that wait, or, below zero, for some less."""
        self._waiting += count
        self._watcher.ref = self._waiting > 0

    def _answer(self) -> None:
        while self._rung:
            self._rung.popleft().set()


_bells: WeakKeyDictionary[Any, _Bell] = WeakKeyDictionary()


class GreenletInbox:
    """The queue on which the greenlet of a request waits."""

    def __init__(self) -> None:
        hub = get_hub()
        bell = _bells.get(hub)
        if bell is None:
            bell = _bells[hub] = _Bell(hub)
        self._bell = bell
        self._items: deque[Call | None] = deque()
        self._changed = Event()

    def put(self, item: Call | None) -> None:
        """Add an item, in any thread."""
        self._items.append(item)
        self._bell.ring(self._changed)

    def get(self, timeout: float | None = None) -> Call | None:
        """Wait for an item.

        :raises Empty: if none comes within some seconds.
        """
        self._bell.expect(1)
        try:
            while not self._items:
                if not self._changed.wait(timeout):
                    raise Empty
                self._changed.clear()
        finally:
            self._bell.expect(-1)
        return self._items.popleft()

    def empty(self) -> bool:
        """Return whether there is no item."""
        return not self._items


class GreenletEngine(Engine):
    """The engine below gevent: greenlets wait for a loop in a native thread."""

    inbox_class = GreenletInbox

    def __init__(self) -> None:
        loop = asyncio.SelectorEventLoop(_Selector())
        loop.set_default_executor(_NativeExecutor())
        super().__init__(loop)

    def _start_thread(self, function: Callable[[], object]) -> None:
        _start_thread(function, ())

    def keep_spare_thread(self) -> None:
        """Do nothing: an executor of threads would have greenlets."""
