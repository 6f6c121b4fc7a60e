"""A dictionary that is bounded by entries and by bytes: the least recently used go first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

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
