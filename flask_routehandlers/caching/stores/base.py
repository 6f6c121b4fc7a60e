"""What a store of entries does, whatever it keeps them in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ...errors import StoreError
from .entry import Entry

#: Seconds for which the generations that a running handler began with are remembered. What it
#: returns later is not stored.
LONGEST_RUN = 3600

#: Seconds for which an entry is kept, if there is room: the longest time that HTTP caches count.
LONGEST_LIFE = 365 * 24 * 3600

#: Seconds until a refresh that failed is tried again: doubled for each failure, up to the second.
FIRST_PAUSE, LONGEST_PAUSE = 1, 60


class StoreRefusedError(StoreError):
    """A shared store answers, and does not do what it is asked: it is full, or read only."""


class Found(NamedTuple):
    """An entry, as it is at this moment.

    :param age: seconds since it was stored.
    :param fresh_for: seconds left: infinite until revalidated, zero or less when it is stale.
    """

    entry: Entry
    age: float
    fresh_for: float


@dataclass(frozen=True, slots=True)
class Marks:
    """What could make a result out of date while its handler runs, as it was before.

    :param generations: whatever the store compares; they move when it is told to revalidate.
    :param origin: the store that gave them, which alone can compare them.
    """

    key: str
    tags: tuple[str, ...]
    generations: tuple[Any, ...]
    origin: object


class Store(Protocol):
    """Keeps entries, locks and pauses. Every method may be called by many threads at once.

    Freshness is never a matter of this machine's clock. Only shared stores raise:

    :raises StoreError: by any method, when the store cannot be reached or refuses.
    """

    def get(self, key: str) -> Found | None:
        """The entry of a key; ``None`` if there is none or one of its tags was revalidated."""
        ...

    def begin(self, key: str, tags: Iterable[str]) -> Marks:
        """To be called before a handler runs whose result is to be stored with these tags."""
        ...

    def put(self, entry: Entry, marks: Marks) -> bool:
        """Store an entry, under the tags of its marks, unless the key or a tag was revalidated
        since they were taken. Ends the pause of the key.

        :returns: whether it was stored.
        """
        ...

    def lock(self, key: str, token: str, seconds: float) -> bool:
        """Take the lock of a key for at most some seconds, or see that somebody else has it.

        :param token: what nobody else has.
        """
        ...

    def renew(self, key: str, token: str, seconds: float) -> bool:
        """Keep a lock for some seconds from now, if it is still that of the token."""
        ...

    def unlock(self, key: str, token: str) -> None:
        """Release the lock of a key, if it is still that of the token."""
        ...

    def postpone(self, key: str) -> tuple[int, float]:
        """Note that a refresh failed: no other one is to be tried for a pause.

        :returns: how many failed in a row, and the seconds of the pause.
        """
        ...

    def is_postponed(self, key: str) -> bool:
        """Whether a refresh of the key has to wait for a pause to end."""
        ...

    def revalidate_key(self, key: str) -> None:
        """Forget the entry of a key; what is being computed for it now will not be stored."""
        ...

    def revalidate_tags(self, tags: Iterable[str]) -> None:
        """Forget every entry that has one of the tags, and what is being computed for it now."""
        ...

    def close(self) -> None:
        """Give back what it holds of the system. It can be used again."""
        ...


def pause(failures: int) -> int:
    """Seconds to wait after some failures in a row."""
    return min(FIRST_PAUSE << min(failures - 1, 30), LONGEST_PAUSE)
