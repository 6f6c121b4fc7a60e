"""A store in this process: bounded, least recently used entries go first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from ..._forks import renew_after_fork
from .base import Found, Marks, pause
from .entry import Entry, size_of

#: How many revalidations, pauses and locks are remembered.
REMEMBERED = 10_000


class _Kept(NamedTuple):
    entry: Entry
    tags: tuple[str, ...]
    stored: float
    lifetime: float


class MemoryStore:
    """Keeps entries in this process. See :class:`Store`.

    :param max_entries: how many entries are kept at most.
    :param max_bytes: how many bytes they take at most, about.
    """

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._number = 0
        self._clear()
        renew_after_fork(self)

    def _clear(self) -> None:
        self._kept: LRU[_Kept] = LRU(self._max_entries, self._max_bytes)
        self._keys_of: dict[str, set[str]] = {}
        # Revalidations are numbered. What began before the last one forgotten is not stored.
        self._number += 1
        self._forgotten = self._number
        self._revalidated: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._locks: dict[str, tuple[str, float]] = {}
        self._pauses: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def after_fork(self) -> None:
        if self._lock.locked():
            self._clear()  # a thread of the parent was about to change it
        self._lock = Lock()
        self._locks = {}  # of threads that are not in the child

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size(self) -> int:
        """The bytes that its entries take, about."""
        return self._kept.size

    def get(self, key: str) -> Found | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        age = time.monotonic() - kept.stored
        return Found(kept.entry, age, kept.lifetime - age)

    def begin(self, key: str, tags: Iterable[str]) -> Marks:
        return Marks(key, tuple(dict.fromkeys(tags)), (self._number,), self)

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
            self._drop(marks.key)
            if not self._kept.has_room(size):
                return False
            self._pauses.pop(marks.key, None)
            kept = _Kept(entry, marks.tags, time.monotonic(), entry.lifetime)
            for tag in marks.tags:
                self._keys_of.setdefault(tag, set()).add(marks.key)
            for key, old in self._kept.put(marks.key, kept, size):
                self._unlist(key, old)
        return True

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key)
        if kept is not None:
            self._unlist(key, kept)

    def _unlist(self, key: str, kept: _Kept) -> None:
        for tag in kept.tags:
            keys = self._keys_of[tag]
            keys.discard(key)
            if not keys:
                del self._keys_of[tag]

    def lock(self, key: str, token: str, seconds: float) -> bool:
        now = time.monotonic()
        with self._lock:
            held = self._locks.get(key)
            if held is not None and held[1] > now and held[0] != token:
                return False
            if len(self._locks) >= REMEMBERED:
                self._locks = {k: v for k, v in self._locks.items() if v[1] > now}
            self._locks[key] = (token, now + seconds)
        return True

    def renew(self, key: str, token: str, seconds: float) -> bool:
        now = time.monotonic()
        with self._lock:
            held = self._locks.get(key)
            if held is None or held[0] != token or held[1] <= now:
                return False
            self._locks[key] = (token, now + seconds)
        return True

    def unlock(self, key: str, token: str) -> None:
        with self._lock:
            held = self._locks.get(key)
            if held is not None and held[0] == token:
                del self._locks[key]

    def postpone(self, key: str) -> tuple[int, float]:
        with self._lock:
            failures = self._pauses.pop(key, (0, 0.0))[0] + 1
            seconds = pause(failures)
            self._pauses[key] = (failures, time.monotonic() + seconds)
            if len(self._pauses) > REMEMBERED:
                self._pauses.popitem(last=False)
        return failures, seconds

    def is_postponed(self, key: str) -> bool:
        paused = self._pauses.get(key)
        return paused is not None and paused[1] > time.monotonic()

    def revalidate_key(self, key: str) -> None:
        with self._lock:
            self._note("key", key)
            self._drop(key)

    def revalidate_tags(self, tags: Iterable[str]) -> None:
        with self._lock:
            for tag in tags:
                self._note("tag", tag)
                for key in list(self._keys_of.get(tag, ())):
                    self._drop(key)

    def _note(self, kind: str, name: str) -> None:
        self._number += 1
        self._revalidated[kind, name] = self._number
        self._revalidated.move_to_end((kind, name))
        if len(self._revalidated) > REMEMBERED:
            self._forgotten = self._revalidated.popitem(last=False)[1]

    def close(self) -> None:
        pass


Value = TypeVar("Value")


class LRU(Generic[Value]):
    """Reading needs no lock. Who writes has one.

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
        kept = self._values.get(key)
        if kept is None:
            return None
        try:
            self._values.move_to_end(key)
        except KeyError:
            return None  # dropped at this very moment
        return kept[0]

    def has_room(self, size: int) -> bool:
        """Whether a value of this size can be kept at all."""
        return size <= self._max_bytes and self._max_entries > 0

    def put(self, key: str, value: Value, size: int) -> list[tuple[str, Value]]:
        """Keep a value that there is room for, in place of the key's old one.

        :returns: those that had to go for it.
        """
        gone = []
        self.pop(key)
        self._values[key] = (value, size)
        self.size += size
        while self.size > self._max_bytes or len(self._values) > self._max_entries:
            dropped, (old, freed) = self._values.popitem(last=False)
            self.size -= freed
            gone.append((dropped, old))
        return gone

    def pop(self, key: str) -> Value | None:
        value, size = self._values.pop(key, (None, 0))
        self.size -= size
        return value
