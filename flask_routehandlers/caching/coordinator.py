"""One computation for each key: among the threads of a process, and in the whole fleet.

A request for a key that is not stored computes it, or waits for whoever does: for a thread of the
same process on an event, for another process by looking into the store. It waits a bounded time,
and then computes too. A request for a stale key gets the stale entry at once, and a refresh runs
in the background, one in the fleet.

Locks are advisory: a lock that is lost costs a second computation and never a wrong response. That
is the work of the marks, with which the store refuses what a revalidation has overtaken.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from logging import Logger
from typing import Literal, NamedTuple

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ..errors import StoreError
from .settings import Settings
from .stores.base import LONGEST_PAUSE, Found, Store, refresh_lock
from .stores.entry import Entry
from .workers import Backlog, start_call

#: Seconds between two looks at a key that another process computes: at first, and at most.
FIRST_LOOK, LONGEST_LOOK = 0.01, 0.05

#: Seconds until the next attempt at a refresh that another process was about to do.
NEXT_TRY = 0.25

#: Seconds until the next attempt at a refresh that failed, or whose result was not stored, for the
#: first time. Each further failure doubles it.
FIRST_PAUSE = 1.0

#: How many refreshes wait for a thread at most, and how many attempts and pauses are remembered.
WAITING, REMEMBERED = 100, 10_000

#: How one caller got an answer: it was stored, fresh or stale; this call stored it; another call,
#: which had begun earlier, did; or it is not stored.
State = Literal["hit", "stale", "stored", "collapsed", "miss"]


@dataclass(frozen=True, slots=True)
class Job:
    """The way to compute the answer for a key.

    :param key: the key of the entry.
    :param name: its name in the log: method, file, path.
    :param tags: returns the tags of the entry, before the handler runs.
    :param compute: runs the handler, given the tags. An entry is stored; any other response is
        for the one caller that asked for it.
    """

    key: str
    name: str
    tags: Callable[[], tuple[str, ...]]
    compute: Callable[[tuple[str, ...]], Entry | Response]


class Answer(NamedTuple):
    """The answer to one caller.

    :param result: an entry from the store or just computed, or a response that is not stored.
    """

    result: Found | Response
    state: State


class _Run:
    """A computation that other threads of this process wait for."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.found: Found | None = None
        self.is_private = False


class Coordinator:
    """Answer for keys from a store, and have computed what is missing or stale.

    :param store: a store whose methods do not raise, except those that revalidate.
    :param settings: those of the cache: how long to wait, and how many refreshes run at once.
    :param logger: logs the first of several refreshes that fail in a row.
    :param now: a clock that is never set back, in seconds.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        logger: Logger,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        #: Return the entry of a key, or ``None``: the store's own method, so that a hit costs no
        #: more than that.
        self.get: Callable[[str], Found | None] = store.get
        self._logger = logger
        self._max_wait = settings.max_wait
        self._lock_seconds = settings.lock
        self._now = now
        self._refreshes = Backlog(settings.threads, WAITING)
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        # When the next refresh of a key may begin; never while one runs here.
        self._next_try: dict[str, float] = {}
        # The pause of a key, and when the refresh failed before it.
        self._pauses: dict[str, tuple[float, float]] = {}

    def is_due(self, key: str) -> bool:
        """Return whether this process should try to refresh a stale key now."""
        return self._next_try.get(key, 0.0) <= self._now()

    def resolve(self, job: Job, found: Found | None) -> Answer:
        """Return the answer for a key: at once if it is stored, else after a computation.

        :param found: the result of :meth:`get`. If it is stale, a refresh begins.
        :raises Exception: what the handler raises, if it runs for this caller.
        """
        if found is None:
            return self._compute_once(job)
        if found.fresh_for > 0:
            return Answer(found, "hit")
        self._refresh_soon(job)
        return Answer(found, "stale")

    def compute(self, job: Job) -> Answer:
        """Compute now, whatever is stored or being computed, and store the result."""
        return start_call(partial(self._run, job)).result()

    # A key that is not stored.

    def _compute_once(self, job: Job) -> Answer:
        """Compute a key, or wait for the thread of this process that does.

        Whoever waits too long, or for what turns out to be for another client, computes too.
        """
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
                return Answer(found, "collapsed")
        return self.compute(job)

    def _lead(self, job: Job, run: _Run, deadline: float) -> Answer:
        """Compute a key for all threads of this process, or wait for another process that does.

        :param run: shows the threads that wait how it ended.
        :param deadline: when to stop waiting for another process.
        """
        is_locked = False
        try:
            is_locked, found = self._lock_or_find(job.key, deadline)
            if found is not None:
                # Not for those who wait: it may be revalidated before they began to.
                return Answer(found, "collapsed")
            answer = self._run_locked(job, job.key, run)
            if isinstance(answer.result, Response):
                run.is_private = True
            elif answer.state == "stored":
                run.found = answer.result
                self._end_pause(job.key)
            return answer
        finally:
            self._leave(job.key, run)
            run.done.set()
            if is_locked:
                self.store.unlock(job.key)

    def _leave(self, key: str, run: _Run) -> None:
        """Let no more threads wait for a run."""
        with self._lock:
            if self._runs.get(key) is run:
                del self._runs[key]

    def _lock_or_find(self, key: str, deadline: float) -> tuple[bool, Found | None]:
        """Lock a key, or find what another process stored; neither after a deadline.

        :returns: whether it is locked, and what was found.
        """
        look = FIRST_LOOK
        while not self.store.lock(key, self._lock_seconds):
            if time.monotonic() + look > deadline:
                return False, None
            time.sleep(look)
            look = min(look * 1.5, LONGEST_LOOK)
            found = self.get(key)
            if found is not None:
                return False, found
        # Whoever had the lock before may have stored it since we looked.
        return True, self.get(key)

    # Computing.

    def _run_locked(self, job: Job, lock: str, run: _Run | None = None) -> Answer:
        """Compute and store in another thread, and keep a lock meanwhile.

        The thread that waits renews it, so that a process that dies does not.
        """
        call = start_call(partial(self._run, job, run))
        while not call.wait(self._lock_seconds / 3):
            self.store.renew(lock, self._lock_seconds)
        return call.result()

    def _run(self, job: Job, run: _Run | None = None) -> Answer:
        """Run the handler and store its result, unless it was revalidated meanwhile.

        :param run: what other threads wait for, if they may.
        """
        tags = job.tags()
        marks = self.store.begin(job.key, tags)
        is_stored = False
        try:
            result = job.compute(tags)
            if run is not None:
                # Who comes from now on asks the store: a revalidation may come first.
                self._leave(job.key, run)
            if not isinstance(result, Entry):
                return Answer(result, "miss")
            is_stored = self.store.put(result, marks)
        finally:
            if not is_stored:
                self.store.discard(marks)
        found = Found(result, 0.0, result.lifetime, self._now)
        return Answer(found, "stored" if is_stored else "miss")

    # A key that is stale.

    def _refresh_soon(self, job: Job) -> None:
        """Refresh a key in the background, unless this process does so already."""
        now = self._now()
        with self._lock:
            if self._next_try.get(job.key, 0.0) > now:
                return
            if len(self._next_try) >= REMEMBERED:
                self._next_try = {k: at for k, at in self._next_try.items() if at > now}
            self._next_try[job.key] = float("inf")
        if not self._refreshes.add(partial(self._refresh, job)):
            self._try_again(job.key, 0.0)

    def _end_pause(self, key: str) -> None:
        """Let this process refresh a key again, unless it does so now."""
        with self._lock:
            if self._next_try.get(key) != float("inf"):
                self._next_try.pop(key, None)

    def _try_again(self, key: str, seconds: float) -> None:
        """Let this process refresh a key again, but not within some seconds."""
        with self._lock:
            self._next_try[key] = self._now() + seconds

    def _refresh(self, job: Job) -> None:
        """Refresh a key, unless another process does so, or has just failed to.

        The lock is not that of callers which compute a missing entry. After a failure it is kept
        for a pause, in which no process tries again, unless another entry is stored.
        """
        lock, pause = refresh_lock(job.key), NEXT_TRY
        try:
            if self.store.lock(lock, self._lock_seconds):
                pause = self._refresh_locked(job, lock)
                if pause:
                    self.store.renew(lock, pause)
                else:
                    self.store.unlock(lock)
        finally:  # also if the app's own logging raises
            self._try_again(job.key, pause)

    def _refresh_locked(self, job: Job, lock: str) -> float:
        """Refresh a key. Return the seconds until the next attempt may begin."""
        found = self.get(job.key)
        if found is None or found.fresh_for > 0:
            return 0.0
        try:
            result, state = self._run_locked(job, lock)
            if isinstance(result, Response):
                result.close()
        except HTTPException as error:
            if (error.code or 500) >= 500:
                return self._pause(job, found, "failed", error)
        except BaseException as error:
            return self._pause(job, found, "failed", error)
        else:
            if isinstance(result, Found):
                return 0.0 if state == "stored" else FIRST_PAUSE
            status = result.status_code
            if status >= 500:
                return self._pause(job, found, f"failed with status {status}", None)
        # The handler has no such response any more.
        with suppress(StoreError):
            self.store.revalidate_key(job.key)
        return 0.0

    def _pause(self, job: Job, found: Found, how: str, error: BaseException | None) -> float:
        """Return the seconds until the next attempt may begin; log the first failure in a row.

        :param found: what is served meanwhile. If it was stored after the last failure, perhaps by
            another process, this one is the first.
        :param how: the end of the sentence that says what happened.
        """
        with self._lock:
            seconds, failed = self._pauses.pop(job.key, (0.0, float("-inf")))
            is_first = failed < found.stored
            seconds = min(seconds * 2, LONGEST_PAUSE)
            if is_first:
                seconds = FIRST_PAUSE
            self._pauses[job.key] = seconds, found.now()
            if len(self._pauses) > REMEMBERED:
                del self._pauses[next(iter(self._pauses))]
        if is_first:
            message = "Refreshing %s %s: the stored response is served until a refresh succeeds"
            self._logger.error(message, job.name, how, exc_info=error)
        return seconds
