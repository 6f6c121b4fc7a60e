"""The end of the process: first the callbacks of :func:`after`, then the event loop."""

from __future__ import annotations

import atexit
import sys
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
_is_prepared = False


def at_exit(before: Callable[[], None], last: Callable[[], None]) -> None:
    """Call two functions when the process ends.

    Both may be called more than once.

    :param before: called before the owners of work are drained.
    :param last: called after that.
    """
    _before.append(before)
    _last.append(last)


def drain_at_exit(owner: Drained) -> None:
    """Call :meth:`Drained.drain` when the process ends, for as long as the owner lives."""
    _drained.add(owner)
    prepare()


def prepare() -> None:
    """Have the process drained while executors still take work.

    That is earlier than what :mod:`atexit` calls, and the only time in a child of
    :mod:`multiprocessing` that was forked, as the workers of granian are. Python has no public
    function for it.
    """
    global _is_prepared
    # It ends all executors with the same function, which calls the newest first.
    import concurrent.futures.thread  # noqa: F401

    register = getattr(threading, "_register_atexit", None)
    if register is not None and not _is_prepared:
        _is_prepared = True
        register(_end_early)


def _end_early() -> None:
    _drain()
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        _close()
    # Elsewhere threads that the process waits for may use the loop until they end.


def _drain() -> None:
    for function in _before:
        function()
    for owner in list(_drained):
        owner.drain()


def _close() -> None:
    for function in _last:
        function()


@atexit.register
def _end() -> None:
    _drain()
    _close()
