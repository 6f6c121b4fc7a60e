"""A bounded store in the memory of this process: the least recently used entries go first.

Reading takes no lock, since it is what most requests do: each step of it is atomic in CPython, or
notices that another thread was faster. Writing takes one.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from .base import Found, Marks, refresh_lock
from .entry import Entry, size_of

#: How many revalidations and locks are remembered.
REMEMBERED = 10_000

Value = TypeVar("Value")


class LRU(Generic[Value]):
    """A dictionary of bounded size. Reading needs no lock, writing needs one of the caller's.

    :param max_entries: how many values are kept at most.
    :param max_bytes: the sum of their sizes at most.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._values: OrderedDict[str, tuple[Value, int]] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> Value | None:
        """Return the value of a key, which is now the one used last."""
        kept = self._values.get(key)
        if kept is None:
            return None
        try:
            self._values.move_to_end(key)
        except KeyError:
            return None  # another thread has just removed it
        return kept[0]

    def has_room(self, size: int) -> bool:
        """Return whether a value of this size can be kept at all."""
        return size <= self._max_bytes and self._max_entries > 0

    def put(self, key: str, value: Value, size: int) -> list[Value]:
        """Keep a value that there is room for.

        :param size: about how many bytes it takes.
        :returns: the values that are removed for it.
        """
        removed = []
        self.pop(key)
        self._values[key] = (value, size)
        self.size += size
        while self.size > self._max_bytes or len(self._values) > self._max_entries:
            _, (oldest, freed) = self._values.popitem(last=False)
            self.size -= freed
            removed.append(oldest)
        return removed

    def pop(self, key: str) -> Value | None:
        """Remove the value of a key, and return it; ``None`` if there is none."""
        value, size = self._values.pop(key, (None, 0))
        self.size -= size
        return value


class MemoryStore:
    """Keep entries in this process. See :class:`~.base.Store`.

    :param max_entries: how many entries are kept at most.
    :param max_bytes: about how many bytes they take at most.
    :param now: a clock that is never set back, in seconds.
    """

    def __init__(
        self, max_entries: int, max_bytes: int, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._lock = threading.Lock()
        #: The entries, by key.
        self.kept: LRU[Found] = LRU(max_entries, max_bytes)
        self._keys_of: dict[str, set[str]] = {}
        # Revalidations are numbered. A run that began before the last forgotten one is refused.
        self._number = 0
        self._forgotten = 0
        self._revalidated: OrderedDict[tuple[str, str], int] = OrderedDict()
        # When the lock of a key ends.
        self._locks: dict[str, float] = {}

    @property
    def get(self) -> Callable[[str], Found | None]:
        """See :class:`~.base.Store`: a property, so that a hit costs one call less."""
        return self.kept.get

    def begin(self, key: str, tags: tuple[str, ...]) -> Marks:
        return Marks(key, tags, (self._number,), self)

    def put(self, entry: Entry, marks: Marks) -> bool:
        if marks.origin is not self:
            return False
        [began] = marks.generations
        names = [("key", marks.key), *(("tag", tag) for tag in marks.tags)]
        size = size_of(entry)
        with self._lock:
            if began < self._forgotten:
                return False
            if any(self._revalidated.get(name, 0) > began for name in names):
                return False
            self._remove(entry.key)
            if not self.kept.has_room(size):
                return False
            self._locks.pop(refresh_lock(entry.key), None)
            for tag in entry.tags:
                self._keys_of.setdefault(tag, set()).add(entry.key)
            found = Found(entry, 0.0, entry.lifetime, self._now)
            for oldest in self.kept.put(entry.key, found, size):
                self._remove_from_tags(oldest.entry)
        return True

    def discard(self, marks: Marks) -> None:
        pass

    def _remove(self, key: str) -> None:
        """Remove the entry of a key, if there is one."""
        found = self.kept.pop(key)
        if found is not None:
            self._remove_from_tags(found.entry)

    def _remove_from_tags(self, entry: Entry) -> None:
        """Remove an entry from the sets of its tags, which are dropped when they are empty."""
        for tag in set(entry.tags):
            self._keys_of[tag].discard(entry.key)
            if not self._keys_of[tag]:
                del self._keys_of[tag]

    def lock(self, key: str, seconds: float) -> bool:
        now = self._now()
        with self._lock:
            if self._locks.get(key, now) > now:
                return False
            if len(self._locks) >= REMEMBERED:
                self._locks = {k: ends for k, ends in self._locks.items() if ends > now}
            self._locks[key] = now + seconds
        return True

    def renew(self, key: str, seconds: float) -> bool:
        now = self._now()
        with self._lock:
            if self._locks.get(key, now) <= now:
                return False
            self._locks[key] = now + seconds
        return True

    def unlock(self, key: str) -> None:
        with self._lock:
            self._locks.pop(key, None)

    def revalidate_key(self, key: str) -> None:
        with self._lock:
            self._record("key", key)
            self._remove(key)

    def revalidate_tags(self, tags: Iterable[str]) -> None:
        with self._lock:
            for tag in tags:
                self._record("tag", tag)
                for key in list(self._keys_of.get(tag, ())):
                    self._remove(key)

    def _record(self, kind: str, name: str) -> None:
        """Record a revalidation, so that runs which began earlier are refused."""
        self._number += 1
        self._revalidated[kind, name] = self._number
        self._revalidated.move_to_end((kind, name))
        if len(self._revalidated) > REMEMBERED:
            self._forgotten = self._revalidated.popitem(last=False)[1]
