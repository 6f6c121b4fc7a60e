"""Whether something that failed is to be asked again: not by everybody, and not at once."""

from __future__ import annotations

import time
from threading import Lock

from ..._forks import renew_after_fork

#: Seconds until a store that failed is asked again: after the first failure, and at most.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 1.0


class Breaker:
    """Closed while calls pass. A failure opens it; now and then one caller may try again."""

    def __init__(self) -> None:
        self.is_closed = True
        self._pause = FIRST_PAUSE
        self._next_try = 0.0
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = Lock()
        self._is_tried = False

    def allows(self) -> bool:
        """Whether the caller may call. Who may has to say how it went."""
        if self.is_closed:
            return True
        with self._lock:
            if self._is_tried or time.monotonic() < self._next_try:
                return False
            self._is_tried = True
            return True

    def succeeded(self) -> None:
        with self._lock:
            self.is_closed = True
            self._is_tried = False
            self._pause = FIRST_PAUSE

    def failed(self) -> bool:
        """Note a failure.

        :returns: whether it is the first one since a success.
        """
        with self._lock:
            was_closed = self.is_closed
            self.is_closed = False
            if was_closed or self._is_tried:  # not a call that began before it opened
                self._next_try = time.monotonic() + self._pause
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._is_tried = False
            return was_closed

    def interrupted(self) -> None:
        """Note that a call came to no end: another caller may try."""
        with self._lock:
            self._is_tried = False
