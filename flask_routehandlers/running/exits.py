"""The end of the process: first the callbacks of :func:`after`, then the event loop."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from typing import Protocol
from weakref import WeakSet


class Drained(Protocol):
    def drain(self) -> None:
        """Wait for work that has been accepted."""


_drained: WeakSet[Drained] = WeakSet()

_last: list[Callable[[], None]] = []


def drain_at_exit(owner: Drained) -> None:
    """Call :meth:`Drained.drain` when the process ends, for as long as the owner lives."""
    _drained.add(owner)


def close_at_exit(close: Callable[[], None]) -> None:
    """Call a function when the process ends, after everything has been drained."""
    _last.append(close)


def _drain() -> None:
    for owner in list(_drained):
        owner.drain()


@atexit.register
def _end() -> None:
    _drain()
    for close in _last:
        close()


# Python calls this earlier than what is registered with atexit: executors still take work then.
# Only the end of the loop can wait, since threads that the process waits for may use it.
_register = getattr(threading, "_register_atexit", None)
if _register is not None:
    _register(_drain)
