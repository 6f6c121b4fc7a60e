"""A shared store that may fail: while it is down, a small store of this process stands in."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from logging import Logger
from threading import Lock
from typing import TypeVar

from ..._forks import renew_after_fork
from ...errors import StoreError
from .base import Found, Marks, Store, StoreRefusedError
from .entry import Entry
from .memory import MemoryStore

Result = TypeVar("Result")

#: Seconds for which an entry is fresh at most while nobody can be told to revalidate it.
LONGEST_FRESH = 5.0

#: Seconds in which the same thing is said once.
SAY_AGAIN = 60.0

#: How many locks are remembered that are to be released when the store is back.
UNRELEASED = 1000


class ResilientStore:
    """Asks a shared store, and lives without it. See :class:`Store`.

    Only the methods that revalidate raise: who calls them has to know that others were not told.
    What was in the shared store is not used while it is down, and what was computed meanwhile is
    not used afterwards: nobody would know of revalidations.

    :param shared: the store that may fail.
    :param logger: told when it fails.
    :param max_entries: how many entries are kept at most while it is down.
    :param max_bytes: how many bytes they take at most, about.
    """

    def __init__(self, shared: Store, logger: Logger, max_entries: int, max_bytes: int) -> None:
        self._shared = shared
        self._logger = logger
        self._limits = max_entries, max_bytes
        self._breaker = Breaker()
        self._local = MemoryStore(*self._limits)
        self._said: dict[str, float] = {}
        self._unreleased: deque[tuple[str, str]] = deque(maxlen=UNRELEASED)
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = Lock()
        self._unreleased.clear()  # they are the parent's

    def get(self, key: str) -> Found | None:
        if self._breaker.is_closed:
            try:
                return self._shared.get(key)
            except StoreRefusedError as error:
                self._say("The cache store refuses: %s", error)
                return None
            except Exception as error:
                self._failed(error)
        found = self._ask(lambda store: store.get(key), None)
        if found is None or self._breaker.is_closed:
            return found
        return found._replace(fresh_for=min(found.fresh_for, LONGEST_FRESH - found.age))

    def begin(self, key: str, tags: Iterable[str]) -> Marks:
        names = tuple(tags)
        return self._ask(lambda store: store.begin(key, names), Marks(key, names, (), None))

    def put(self, entry: Entry, marks: Marks) -> bool:
        return self._ask(lambda store: store.put(entry, marks), False)

    def lock(self, key: str, token: str, seconds: float) -> bool:
        def lock(store: Store) -> bool:
            try:
                return store.lock(key, token, seconds)
            except StoreRefusedError:
                raise
            except BaseException:
                # It may be heard later, by a store that hangs now.
                self._unreleased.append((key, token))
                raise

        return self._ask(lock, True)

    def renew(self, key: str, token: str, seconds: float) -> bool:
        return self._ask(lambda store: store.renew(key, token, seconds), True)

    def unlock(self, key: str, token: str) -> None:
        def unlock(store: Store) -> None:
            if store is not self._shared:
                self._unreleased.append((key, token))
            store.unlock(key, token)

        self._ask(unlock, None)

    def postpone(self, key: str) -> tuple[int, float]:
        return self._ask(lambda store: store.postpone(key), (1, 1.0))

    def is_postponed(self, key: str) -> bool:
        return self._ask(lambda store: store.is_postponed(key), False)

    def revalidate_key(self, key: str) -> None:
        self._local.revalidate_key(key)
        self._tell(lambda: self._shared.revalidate_key(key))

    def revalidate_tags(self, tags: Iterable[str]) -> None:
        names = tuple(tags)
        self._local.revalidate_tags(names)
        if names:
            self._tell(lambda: self._shared.revalidate_tags(names))

    def close(self) -> None:
        self._local = MemoryStore(*self._limits)
        self._shared.close()

    def _ask(self, call: Callable[[Store], Result], refused: Result) -> Result:
        """The result of a call of the shared store, or of the local one while it is down."""
        if self._breaker.allows():
            try:
                result = call(self._shared)
            except StoreRefusedError as error:
                self._answered()
                self._say("The cache store refuses: %s", error)
                return refused
            except Exception as error:
                self._failed(error)
            except BaseException:
                self._breaker.interrupted()
                raise
            else:
                self._answered()
                return result
        return call(self._local)

    def _tell(self, call: Callable[[], None]) -> None:
        """Call the shared store whether it is thought to be down or not, and raise if it is."""
        try:
            call()
        except StoreRefusedError:
            raise
        except Exception as error:
            self._failed(error)
            raise
        self._answered()

    def _failed(self, error: Exception) -> None:
        with self._lock:
            if self._breaker.is_closed:
                self._local = MemoryStore(*self._limits)
            is_first = self._breaker.failed()
        if is_first:
            text = "The cache store is down, each process has its own entries until it is back: %s"
            self._say(text, error)

    def _answered(self) -> None:
        if self._breaker.is_closed:
            return
        with self._lock:
            self._breaker.succeeded()
            self._local = MemoryStore(*self._limits)
        while self._unreleased and self._breaker.is_closed:
            try:
                key, token = self._unreleased.popleft()
            except IndexError:
                return  # another thread took the last one
            self.unlock(key, token)

    def _say(self, text: str, error: Exception) -> None:
        now = time.monotonic()
        if now >= self._said.get(text, 0.0):
            self._said[text] = now + SAY_AGAIN
            unexpected = None if isinstance(error, StoreError) else error
            self._logger.warning(text, error, exc_info=unexpected)


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
