"""One computation for each key: among the threads of a process, and in the whole fleet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from logging import Logger
from threading import Event, Lock
from typing import Literal, NamedTuple

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from .._forks import renew_after_fork
from ..errors import StoreError
from .leases import Leases
from .stores.base import Found, Store
from .stores.entry import Entry
from .workers import Workers

#: Seconds between two looks at a key that another process computes: the first, and the longest.
FIRST_LOOK, LONGEST_LOOK = 0.01, 0.05

#: Seconds after which a refresh is tried again that another process was about to do.
NEXT_TRY = 0.25

#: Seconds after which a refresh is tried again whose result was not stored.
AFTER_REFUSAL = 1.0

#: How many refreshes wait for a thread at most, and how many tries are remembered.
WAITING, REMEMBERED = 100, 10_000

State = Literal["hit", "stale", "miss"]


@dataclass(frozen=True, slots=True)
class Job:
    """How the answer for a key is computed.

    :param key: the key of the entry.
    :param name: what is said of it in the log: method, file, path.
    :param tags: gives the tags of the entry, before the handler runs.
    :param compute: runs the handler. An entry is stored, any other response is passed on to the
        one caller that computed it.
    """

    key: str
    name: str
    tags: Callable[[], Iterable[str]]
    compute: Callable[[], Entry | Response]


class Answer(NamedTuple):
    """What a caller gets.

    :param result: an entry as found in the store or as it was just made, or a response that is
        not to be stored.
    :param is_stored: whether this call stored the entry.
    :param is_collapsed: whether somebody else, who was at it already, computed the entry.
    """

    result: Found | Response
    state: State
    is_stored: bool = False
    is_collapsed: bool = False


class _Run:
    """A computation that other threads of this process wait for."""

    __slots__ = ("done", "found", "is_private")

    def __init__(self) -> None:
        self.done = Event()
        self.found: Found | None = None
        self.is_private = False


class Coordinator:
    """Answers for keys from a store, and has computed what is not there or stale.

    :param store: a store whose methods do not raise, but those that revalidate.
    :param logger: told once when a refresh begins to fail.
    :param max_wait: seconds that a caller waits at most for another's computation.
    :param lock_seconds: how long a lock outlives a process that died.
    :param threads: how many refreshes run at once in this process.
    """

    def __init__(
        self,
        store: Store,
        logger: Logger,
        *,
        max_wait: float = 2.0,
        lock_seconds: float = 10.0,
        threads: int = 4,
    ) -> None:
        self.store = store
        #: The entry of a key, or ``None``: the store's own method, for a hit costs no more.
        self.get: Callable[[str], Found | None] = store.get
        self._logger = logger
        self._max_wait = max_wait
        self._leases = Leases(store, lock_seconds)
        self._workers = Workers(threads, WAITING)
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = Lock()
        self._runs: dict[str, _Run] = {}
        # When a refresh may be tried next, by time.monotonic(); never while one runs here.
        self._next_try: dict[str, float] = {}

    def close(self) -> None:
        """End the threads, for good, and close the store."""
        self._workers.stop(self._max_wait)
        self.store.close()

    def is_due(self, key: str) -> bool:
        """Whether this process should try to refresh a stale key now."""
        return self._next_try.get(key, 0.0) <= time.monotonic()

    def resolve(self, job: Job, found: Found | None) -> Answer:
        """Answer with what :meth:`get` gave: at once if it is stale, after a computation if it is
        nothing.

        :raises Exception: what the handler raises, where it was computed for this caller.
        """
        if found is None:
            return self._compute_once(job)
        if found.fresh_for > 0:
            return Answer(found, "hit")
        self._refresh_soon(job)
        return Answer(found, "stale")

    def compute(self, job: Job) -> Answer:
        """Compute now, whatever is stored and whoever else does, and store the result."""
        marks = self.store.begin(job.key, job.tags())
        result = job.compute()
        if not isinstance(result, Entry):
            return Answer(result, "miss")
        stored = self.store.put(result, marks)
        return Answer(Found(result, 0.0, result.lifetime), "miss", stored)

    # A key that is not there.

    def _compute_once(self, job: Job) -> Answer:
        deadline = time.monotonic() + self._max_wait
        for _ in range(2):
            mine = _Run()
            with self._lock:
                run = self._runs.setdefault(job.key, mine)
            if run is mine:
                return self._lead(job, mine, deadline)
            if not run.done.wait(max(0.0, deadline - time.monotonic())) or run.is_private:
                break
            # A result that was not stored was out of date when it was ready, or failed.
            found = run.found or self.get(job.key)
            if found is not None:
                return Answer(found, "miss", is_collapsed=True)
        return self.compute(job)

    def _lead(self, job: Job, run: _Run, deadline: float) -> Answer:
        token = None
        try:
            token, found = self._take_or_find(job.key, deadline)
            if found is not None:
                # Not for those who wait: it may be revalidated before they began to.
                return Answer(found, "miss", is_collapsed=True)
            marks = self.store.begin(job.key, job.tags())
            result = job.compute()
            # Who comes after this asks the store: a revalidation may come between.
            self._leave(job.key, run)
            if not isinstance(result, Entry):
                run.is_private = True
                return Answer(result, "miss")
            stored = self.store.put(result, marks)
            found = Found(result, 0.0, result.lifetime)
            if stored:
                run.found = found
            return Answer(found, "miss", stored)
        finally:
            self._leave(job.key, run)
            run.done.set()
            if token is not None:
                self._leases.release(job.key, token)

    def _leave(self, key: str, run: _Run) -> None:
        with self._lock:
            if self._runs.get(key) is run:
                del self._runs[key]

    def _take_or_find(self, key: str, deadline: float) -> tuple[str | None, Found | None]:
        """The lock of a key, or what another process stored meanwhile; neither when it is late."""
        look = FIRST_LOOK
        while (token := self._leases.take(key)) is None:
            if time.monotonic() + look > deadline:
                return None, None
            time.sleep(look)
            look = min(look * 1.5, LONGEST_LOOK)
            found = self.get(key)
            if found is not None:
                return None, found
        # Whoever had the lock before may have stored it since we looked.
        return token, self.get(key)

    # A key that is stale.

    def _refresh_soon(self, job: Job) -> None:
        now = time.monotonic()
        with self._lock:
            if self._next_try.get(job.key, 0.0) > now:
                return
            if len(self._next_try) >= REMEMBERED:
                self._next_try = {k: at for k, at in self._next_try.items() if at > now}
            self._next_try[job.key] = float("inf")
        if not self._workers.submit(partial(self._refresh, job)):
            self._try_again(job.key, 0.0)

    def _try_again(self, key: str, seconds: float) -> None:
        with self._lock:
            self._next_try.pop(key, None)
            if seconds:
                self._next_try[key] = time.monotonic() + seconds

    def _refresh(self, job: Job) -> None:
        seconds = NEXT_TRY
        token = None
        try:
            token = self._leases.take(job.key)
            if token is not None and not self.store.is_postponed(job.key):
                seconds = self._refresh_locked(job)
        finally:
            if token is not None:
                self._leases.release(job.key, token)
            self._try_again(job.key, seconds)

    def _refresh_locked(self, job: Job) -> float:
        """Refresh a key. Returns the seconds after which it may be tried again."""
        found = self.get(job.key)
        if found is None or found.fresh_for > 0:
            return 0.0
        try:
            answer = self.compute(job)
        except HTTPException as error:
            if (error.code or 500) < 500:
                return self._forget(job)
            return self._postpone(job, error)
        except (Exception, SystemExit) as error:
            return self._postpone(job, error)
        if isinstance(answer.result, Found):
            return 0.0 if answer.is_stored else AFTER_REFUSAL
        status = answer.result.status_code
        answer.result.close()
        return self._forget(job) if status < 500 else self._postpone(job, status)

    def _postpone(self, job: Job, why: BaseException | int) -> float:
        failures, seconds = self.store.postpone(job.key)
        if failures == 1:
            status = f" with status {why}" if isinstance(why, int) else ""
            self._logger.error(
                "Refreshing %s failed%s: what is stored is served on, and it is tried again",
                job.name,
                status,
                exc_info=why if isinstance(why, BaseException) else None,
            )
        return seconds

    def _forget(self, job: Job) -> float:
        """The handler has no answer any more that may be stored: the next caller gets what it has
        now."""
        with suppress(StoreError):
            self.store.revalidate_key(job.key)
        return 0.0
