"""The interface of a store of entries."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any, Protocol

from ...errors import StoreError
from .entry import Entry

#: The longest run of a handler, in seconds. A result that takes longer may not be stored.
LONGEST_RUN = 3600

#: Seconds for which marks are kept after a run without an entry, for other runs with their tags.
SHORTEST_RUN = 60

#: Seconds for which an entry is kept if there is room: the longest time that HTTP caches count.
LONGEST_LIFE = 365 * 24 * 3600

#: Seconds of the longest pause after refreshes that failed, for which their lock is kept.
LONGEST_PAUSE = 60.0


class StoreRefusedError(StoreError):
    """A shared store answers, but refuses a command: it is full or read-only, for example."""


class Found:
    """An entry, with its times by a clock of this process.

    Times do not change while it gets older, so a store in memory can find the same object again,
    with what was made of it.

    :param age: seconds since it was stored.
    :param fresh_for: seconds left: infinite if it is fresh until revalidated, zero or less when
        it is stale.
    :param now: a clock that is never set back, in seconds.
    """

    __slots__ = ("entry", "expires", "hit", "now", "stored")

    def __init__(
        self,
        entry: Entry,
        age: float,
        fresh_for: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.entry = entry
        self.now = now
        moment = now()
        self.stored = moment - age
        self.expires = moment + fresh_for
        #: Whatever a reader derives from it, for as long as this object is kept.
        self.hit: Any = None

    @property
    def age(self) -> float:
        """Seconds since it was stored."""
        return self.now() - self.stored

    @property
    def fresh_for(self) -> float:
        """Seconds left, see above."""
        return self.expires - self.now()


@dataclass(frozen=True, slots=True)
class Marks:
    """The state of a key and its tags before a handler runs, to see whether it changes meanwhile.

    :param generations: values that the store compares; they change with each revalidation.
    :param origin: the store that made them, and alone can compare them.
    """

    key: str
    tags: tuple[str, ...]
    generations: tuple[Any, ...]
    origin: object


def refresh_lock(key: str) -> str:
    """Return the name of the lock of a refresh, which is kept for a pause after a failure."""
    return f"refresh {key}"


class Store(Protocol):
    """Keep entries and locks. Every method may be called by many threads at once.

    How long something is fresh or locked never depends on the time of day of this machine.

    :raises StoreError: by any method of a shared store, when it cannot be reached or refuses.
    """

    @property
    def get(self) -> Callable[[str], Found | None]:
        """Return the entry of a key; ``None`` without one, or if a tag of it was revalidated."""
        ...

    def begin(self, key: str, tags: tuple[str, ...]) -> Marks:
        """Return the marks for :meth:`put`, before the handler runs.

        :param tags: the tags of the entry that it may make.
        """
        ...

    def put(self, entry: Entry, marks: Marks) -> bool:
        """Store an entry, unless its key or a tag was revalidated since its marks were taken.

        It ends the pause of the key, in whatever process.

        :returns: whether it was stored.
        """
        ...

    def discard(self, marks: Marks) -> None:
        """Drop marks with which nothing was stored."""
        ...

    def lock(self, key: str, seconds: float) -> bool:
        """Take the lock of a key for some seconds, unless it is held, in this process too."""
        ...

    def renew(self, key: str, seconds: float) -> bool:
        """Keep the lock of a key for some seconds from now, if this process still has it."""
        ...

    def unlock(self, key: str) -> None:
        """Release the lock of a key, if this process still has it."""
        ...

    def revalidate_key(self, key: str) -> None:
        """Forget the entry of a key, and refuse what is being computed for it now."""
        ...

    def revalidate_tags(self, tags: Iterable[str]) -> None:
        """Forget every entry that has one of the tags, and refuse those being computed now."""
        ...


def raise_if_from_signal(error: BaseException) -> None:
    """Raise an error again if a signal handler of the app raised it in the middle of a call."""
    handlers = (signal.getsignal(number) for number in signal.valid_signals())
    codes = {getattr(handler, "__code__", None) for handler in handlers} - {None}
    if any(frame.f_code in codes for frame, _ in walk_tb(error.__traceback__)):
        raise error
