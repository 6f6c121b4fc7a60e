"""A shared store that may fail: while it is down, a store in this process takes its place.

No request may fail or wait because of the store. A call that fails marks it as down, and from then
on one caller asks twice a second whether it is back. While it is down, revalidations of other
processes are not noticed, so that entries are fresh for seconds only, and the store in this
process begins with nothing each time.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from logging import Logger
from typing import TypeVar

from ...errors import StoreError
from .base import Found, Marks, Store, StoreRefusedError, raise_if_from_signal
from .entry import Entry

Result = TypeVar("Result")

#: The most seconds for which an entry is fresh while its revalidation would not be noticed.
LONGEST_FRESH = 5.0

#: Seconds until a store that failed is asked again.
PAUSE = 0.5

#: Seconds in which the same message is logged once.
LOG_AGAIN = 60.0

#: How many locks are remembered that the store has to release when it is back.
UNRELEASED = 1000


class ResilientStore:
    """Use a shared store, and do without it while it is down. See :class:`~.base.Store`.

    Only the methods that revalidate raise: their callers have to know that other processes have
    not heard of it. What the shared store had is not used while it is down, and what was computed
    meanwhile is not used afterwards: revalidations would go unnoticed.

    :param shared: the store that may fail.
    :param make_local: makes the store to use while it is down, with nothing in it.
    :param logger: logs when it fails.
    :param now: a clock that is never set back, in seconds.
    """

    def __init__(
        self,
        shared: Store,
        make_local: Callable[[], Store],
        logger: Logger,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._make_local = make_local
        self._logger = logger
        self._now = now
        self._local = make_local()
        self._lock = threading.Lock()
        self._is_up = True
        self._next_try = 0.0
        self._logged: dict[str, float] = {}
        self._unreleased: deque[str] = deque(maxlen=UNRELEASED)

    def get(self, key: str) -> Found | None:
        found = self._ask(lambda store: store.get(key), None)
        if found is None or self._is_up:
            return found
        age = found.age
        fresh_for = min(found.fresh_for, LONGEST_FRESH - age)
        return Found(found.entry, age, fresh_for, self._now)

    def begin(self, key: str, tags: tuple[str, ...]) -> Marks:
        return self._ask(lambda store: store.begin(key, tags), Marks(key, tags, (), None))

    def put(self, entry: Entry, marks: Marks) -> bool:
        if marks.origin is not self._shared:
            return self._local.put(entry, marks)
        return self._ask(lambda store: store.put(entry, marks), False)

    def discard(self, marks: Marks) -> None:
        if marks.origin is self._shared:
            self._ask(lambda store: store.discard(marks), None)

    def lock(self, key: str, seconds: float) -> bool:
        if not self._is_up:
            # Another call finds out that the store is back: that releases locks of this process.
            return self._local.lock(key, seconds)

        def lock(store: Store) -> bool:
            try:
                return store.lock(key, seconds)
            except StoreRefusedError:
                raise
            except BaseException:
                # A store that hangs now may still get the command, when it goes on.
                self._unreleased.append(key)
                raise

        return self._ask(lock, True)

    def renew(self, key: str, seconds: float) -> bool:
        return self._ask(lambda store: store.renew(key, seconds), True)

    def unlock(self, key: str) -> None:
        def unlock(store: Store) -> None:
            if store is not self._shared:
                self._unreleased.append(key)
            store.unlock(key)

        self._ask(unlock, None)

    def revalidate_key(self, key: str) -> None:
        self._local.revalidate_key(key)
        self._insist(lambda: self._shared.revalidate_key(key))

    def revalidate_tags(self, tags: Iterable[str]) -> None:
        names = tuple(tags)
        self._local.revalidate_tags(names)
        if names:
            self._insist(lambda: self._shared.revalidate_tags(names))

    def _ask(self, call: Callable[[Store], Result], refused: Result) -> Result:
        """Return the result of a call of the shared store, or of the local one while it is down.

        :param refused: the result if the shared store refuses.
        """
        if self._is_up or self._may_try():
            try:
                result = call(self._shared)
            except StoreRefusedError as error:
                self._succeed()
                self._log("The cache store refuses: %s", error)
                return refused
            except Exception as error:
                raise_if_from_signal(error)
                self._fail(error)
            else:
                self._succeed()
                return result
        return call(self._local)

    def _insist(self, call: Callable[[], None]) -> None:
        """Call the shared store even if it seems to be down, and raise if it is."""
        try:
            call()
        except StoreRefusedError:
            raise
        except Exception as error:
            raise_if_from_signal(error)
            self._fail(error)
            raise
        self._succeed()

    def _may_try(self) -> bool:
        """Return whether this caller is the next one to ask a store that was down."""
        now = self._now()
        with self._lock:
            if now < self._next_try:
                return False
            self._next_try = now + PAUSE
            return True

    def _fail(self, error: Exception) -> None:
        """Do without the shared store from now on, beginning with nothing stored."""
        with self._lock:
            was_up, self._is_up = self._is_up, False
            if was_up:
                self._local = self._make_local()
                self._next_try = self._now() + PAUSE
        if was_up:
            message = "The cache store is down, each process keeps its own entries meanwhile: %s"
            self._log(message, error)

    def _succeed(self) -> None:
        """Release the locks that the shared store has from before, and use it again.

        In this order: it cannot tell them from those that this process takes from then on.
        """
        if self._is_up:
            return
        while self._unreleased:
            try:
                key = self._unreleased.popleft()
            except IndexError:
                break  # another thread took the last one
            try:
                with suppress(StoreRefusedError):
                    self._shared.unlock(key)
            except Exception as error:  # it is down again
                self._unreleased.append(key)
                raise_if_from_signal(error)
                return
        with self._lock:
            self._is_up = True
            self._local = self._make_local()

    def _log(self, message: str, error: Exception) -> None:
        """Log an error, but the same message once a minute; with its traceback if unexpected."""
        now = self._now()
        if now >= self._logged.get(message, 0.0):
            self._logged[message] = now + LOG_AGAIN
            is_expected = isinstance(error, StoreError)
            self._logger.warning(message, error, exc_info=not is_expected and error)
