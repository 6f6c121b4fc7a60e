"""The end of the process: first the callbacks of :func:`after`, then the event loop."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet


class Drained(Protocol):
    """An owner of work that should be done before the process ends."""

    def drain(self) -> None:
        """Accept nothing more, and wait for work that has been accepted."""
        ...


_drained: WeakSet[Drained] = WeakSet()
_before: list[Callable[[], None]] = []
_last: list[Callable[[], None]] = []


def at_exit(before: Callable[[], None], last: Callable[[], None]) -> None:
    """Call two functions when the process ends: before and after everything has been drained."""
    _before.append(before)
    _last.append(last)


def drain_at_exit(owner: Drained) -> None:
    """Call :meth:`Drained.drain` when the process ends, for as long as the owner lives."""
    if not _drained:
        _drain_early()
    _drained.add(owner)


def _drain_early() -> None:
    """Drain while executors still take work, which is earlier than what atexit calls.

    Python has no public function for it. Threads that the process waits for may use the loop
    until they end, so only the end of the loop is left to atexit.
    """
    # It ends all executors with the same function, which calls the newest first.
    import concurrent.futures.thread  # noqa: F401

    register = getattr(threading, "_register_atexit", None)
    if register is not None:
        register(_drain)


def _drain() -> None:
    for function in _before:
        function()
    for owner in list(_drained):
        owner.drain()


@atexit.register
def _end() -> None:
    _drain()
    for function in _last:
        function()
