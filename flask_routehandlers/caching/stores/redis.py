"""A store that processes share: Redis, or Valkey, through redis-py.

Revalidating does not search for entries. Each tag has a generation, a random name, which is
deleted when the tag is revalidated. An entry whose tags have other generations, or none, is not
found any more. A server that evicts a generation loses entries, and never revives one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from secrets import token_hex

from ..settings import Settings
from .base import (
    LONGEST_LIFE,
    LONGEST_PAUSE,
    LONGEST_RUN,
    SHORTEST_RUN,
    Found,
    Marks,
    StoreRefusedError,
    refresh_lock,
)
from .connections import Connections, Reply, pack
from .entry import Entry, dump, load, make_signer, signature, size_of
from .memory import LRU
from .scripts import BEGIN, DISCARD, GET, LOCK, PUT, RENEW

#: Connections of a process at most.
MOST_CONNECTIONS = 50


class RedisStore:
    """Keep entries in a Redis or Valkey server. See :class:`~.base.Store`.

    :param settings: those of the cache. Their limits are for the entries that this process has
        verified.
    :param secret_key: the app's ``SECRET_KEY``, which all processes share.
    :raises ValueError: for a URL that redis-py does not accept.
    """

    def __init__(self, settings: Settings, secret_key: str | bytes) -> None:
        assert settings.url is not None
        self._connections = Connections(settings.url, settings.timeout, MOST_CONNECTIONS)
        self._signer = make_signer(secret_key)
        self._prefix = settings.prefix
        self._token = token_hex(16).encode()  # marks the locks of this process
        self._longest_lock = b"%d" % (max(settings.lock, LONGEST_PAUSE) + 1)
        self._lock = threading.Lock()
        # Entries that were verified, each with the command that asks whether it is still current:
        # a hit sends that, and the server sends the bytes of another one only.
        self._verified: LRU[tuple[bytes, Entry]] = LRU(settings.max_entries, settings.max_bytes)

    def get(self, key: str) -> Found | None:
        verified = self._verified.get(key)
        if verified is None:
            reply = self._read(key)
        else:
            command, entry = verified
            try:
                reply = self._connections.call(command)
            except StoreRefusedError:
                reply = self._read(key)
            if type(reply) is int:
                return _found(entry, reply)
        if not isinstance(reply, bytes):
            return None
        milliseconds, _, data = reply.partition(b" ")
        loaded = load(data, key, self._signer)
        if loaded is None:
            return None
        self._keep(loaded, data)
        return _found(loaded, int(milliseconds))

    def _read(self, key: str) -> Reply:
        """Ask for an entry of which this process has no copy."""
        return GET.run(self._connections, [self._name("e", key)], b"")

    def _keep(self, entry: Entry, data: bytes) -> None:
        """Keep a copy of an entry, to be used for as long as the server has the same bytes."""
        command = GET.command([self._name("e", entry.key)], signature(data))
        size = size_of(entry) + len(command)
        with self._lock:
            if self._verified.has_room(size):
                self._verified.put(entry.key, (command, entry), size)

    def begin(self, key: str, tags: tuple[str, ...]) -> Marks:
        keys = self._marked(key, tags)
        joined = BEGIN.run(self._connections, keys, token_hex(16).encode(), b"%d" % LONGEST_RUN)
        generations = tuple(joined[i : i + 32] for i in range(0, len(joined), 32))
        return Marks(key, tags, generations, self)

    def put(self, entry: Entry, marks: Marks) -> bool:
        if marks.origin is not self:
            return False
        keys = [self._name("e", marks.key), self._name("l", refresh_lock(marks.key))]
        keys += self._marked(marks.key, marks.tags)
        data = dump(entry, self._signer)
        life = b"%d" % LONGEST_LIFE
        reply = PUT.run(self._connections, keys, data, signature(data), life, *marks.generations)
        if reply != 1:
            return False
        self._keep(entry, data)
        return True

    def discard(self, marks: Marks) -> None:
        keys = self._marked(marks.key, marks.tags)
        DISCARD.run(self._connections, keys, b"%d" % LONGEST_RUN, b"%d" % SHORTEST_RUN)

    def lock(self, key: str, seconds: float) -> bool:
        life = b"%d" % round(seconds * 1000)
        arguments = self._token, life, self._longest_lock
        return LOCK.run(self._connections, [self._name("l", key)], *arguments) is not None

    def renew(self, key: str, seconds: float) -> bool:
        life = b"%d" % round(seconds * 1000)
        reply = RENEW.run(self._connections, [self._name("l", key)], self._token, life)
        return bool(reply == 1)

    def unlock(self, key: str) -> None:
        self.renew(key, 0)

    def revalidate_key(self, key: str) -> None:
        self._call(b"UNLINK", self._name("e", key), self._name("m", key))

    def revalidate_tags(self, tags: Iterable[str]) -> None:
        names = [self._name("t", tag) for tag in tags]
        if names:
            self._call(b"UNLINK", *names)

    def _call(self, *parts: bytes) -> Reply:
        """Send a command, and return its reply."""
        return self._connections.call(pack(parts))

    def _marked(self, key: str, tags: tuple[str, ...]) -> list[bytes]:
        """Return the keys in the server of the mark of a key, and of tags."""
        return [self._name("m", key), *(self._name("t", tag) for tag in tags)]

    def _name(self, kind: str, name: str) -> bytes:
        """Return a key in the server.

        :param kind: ``e`` for an entry, ``t`` for a tag, ``m`` for the mark of a key, ``l`` for
            its lock.
        """
        return f"{self._prefix}{kind}:{name}".encode("utf-8", "surrogatepass")


def _found(entry: Entry, milliseconds: int) -> Found:
    """Return an entry with its age by the server's clock, in milliseconds."""
    age = milliseconds / 1000
    if age >= 0:
        return Found(entry, age, entry.lifetime - age)
    # The server's clock was set back, so the age is unknown: what can be stale is.
    fresh_for = 0.0 if entry.revalidate else entry.lifetime
    return Found(entry, 0.0, fresh_for)
