"""Locks of a store that expire when their owner dies, and only then."""

from __future__ import annotations

import time
from contextvars import Context
from secrets import token_hex
from threading import Lock, Thread

from .._forks import renew_after_fork
from .stores.base import Store


class Leases:
    """The locks that this process holds. One thread renews those that are held for long.

    :param store: a store that does not raise.
    :param seconds: how long a lock outlives its owner.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = Lock()
        self._held: dict[tuple[str, str], float] = {}
        self._is_renewing = False

    def take(self, key: str) -> str | None:
        """Take the lock of a key: the token to release it with, or ``None``."""
        token = token_hex(16)
        if not self._store.lock(key, token, self._seconds):
            return None
        with self._lock:
            self._held[key, token] = time.monotonic()
            if not self._is_renewing:
                try:
                    Thread(target=Context().run, args=(self._renew,), daemon=True).start()
                    self._is_renewing = True
                except RuntimeError:
                    pass  # no thread is to be had: the lock expires early
        return token

    def release(self, key: str, token: str) -> None:
        with self._lock:
            self._held.pop((key, token), None)
        self._store.unlock(key, token)

    def _renew(self) -> None:
        third = self._seconds / 3
        while True:
            time.sleep(third)
            with self._lock:
                if not self._held:
                    self._is_renewing = False
                    return
                due = time.monotonic() - third / 2
                held = [lease for lease, since in self._held.items() if since <= due]
            for key, token in held:
                if not self._store.renew(key, token, self._seconds):
                    with self._lock:
                        self._held.pop((key, token), None)
