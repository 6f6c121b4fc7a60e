"""The right to run code of the event loop, which one thread has at a time."""

from __future__ import annotations

import logging
import sys
from threading import Lock, RLock, get_ident
from types import CodeType, FrameType

#: Seconds that a step may keep other threads waiting before the log names it.
LONGEST_STEP = 0.5

#: Flags of the code objects of coroutines and async generators.
_ASYNC = 0x80 | 0x200

_logger = logging.getLogger("flask_routehandlers")

_reported: set[CodeType] = set()


class Baton:
    """A lock that is fair to threads that wait, and names code that holds it too long.

    The thread of the loop holds it except while it waits for events, and the thread of a request
    for each step of its coroutine. So no two threads ever run code of the loop concurrently.

    It knows its owner, as an :class:`~threading.RLock` does, so that a signal handler that raises
    between two instructions cannot leave it locked forever.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        # Threads that wait form a line, and only the first one waits for the lock itself.
        # Otherwise a loop with work to do would take it again before the thread wakes up.
        self._line = Lock()
        self._holder = 0
        self._turn = 0

    def take(self) -> None:
        """Wait until no other thread runs code of the loop."""
        if not self._lock.acquire(blocking=False):
            with self._line:
                self._wait()
        self._holder = get_ident()
        self._turn += 1

    def give(self) -> None:
        """Let the next thread run, if this one may run code of the loop at all."""
        try:  # noqa: SIM105 (suppress() takes longer than all the rest)
            self._lock.release()
        except RuntimeError:
            pass

    def _wait(self) -> None:
        """Take the lock, and report the code that holds it if that takes too long."""
        seen = None
        while not self._lock.acquire(timeout=LONGEST_STEP / 2):
            frames = _async_frames(self._holder)
            # The thread of the loop runs many callbacks in one turn, each with its own frame.
            step = (self._turn, frames[-1:])
            if step == seen and frames:
                _report(frames[0])
            seen = step


def _async_frames(thread: int) -> list[FrameType]:
    """Return the frames of async code that a thread runs, the innermost first.

    Frames of this package are left out: an endpoint awaits its handler.
    """
    frame = sys._current_frames().get(thread)
    frames = []
    while frame:
        name = frame.f_globals.get("__name__", "")
        if frame.f_code.co_flags & _ASYNC and not name.startswith("flask_routehandlers."):
            frames.append(frame)
        frame = frame.f_back
    return frames


def _report(frame: FrameType) -> None:
    """Log the function and the line that a frame runs, once for each function."""
    code = frame.f_code
    if code in _reported:
        return
    _reported.add(code)
    _logger.warning(
        "%s in %s, line %d, has blocked the event loop for more than %s seconds, and other async "
        "code waits. Make it a def, or move what takes long to await asyncio.to_thread(...).",
        code.co_qualname,
        code.co_filename,
        frame.f_lineno,
        LONGEST_STEP,
    )
