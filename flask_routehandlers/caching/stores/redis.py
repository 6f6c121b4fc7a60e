"""A store that many processes share: Redis, or Valkey, through redis-py.

What is revalidated is not searched for: each tag has a generation, a random name, which goes when
the tag is revalidated, and with it all that has another one or none. A server that forgets a
generation to make room forgets entries, and never brings one back.
"""

from __future__ import annotations

from collections.abc import Iterable
from secrets import token_hex
from threading import Lock

from ..._forks import renew_after_fork
from .base import (
    FIRST_PAUSE,
    LONGEST_LIFE,
    LONGEST_PAUSE,
    LONGEST_RUN,
    Found,
    Marks,
    StoreRefusedError,
)
from .connections import Connections, Reply, ReplyError, pack
from .entry import Entry, dump, load, signature, signing_key, size_of
from .memory import LRU
from .scripts import BEGIN, GET, IS_POSTPONED, LOCK, POSTPONE, PUT, RENEW, Script

#: The braces put all keys into one slot of a cluster.
PREFIX = "{flask-routehandlers}:"

#: Connections of a process at most.
MOST_CONNECTIONS = 50


class RedisStore:
    """Keeps entries in a Redis or Valkey server. See :class:`Store`.

    :param url: ``redis://``, ``rediss://`` or ``unix://``, with the options of redis-py.
    :param secret_key: the app's ``SECRET_KEY``, which all processes share.
    :param prefix: what all keys in the server begin with.
    :param timeout: seconds after which a server that does not answer counts as down.
    :param max_entries: how many checked entries this process keeps at most, to compare.
    :param max_bytes: how many bytes they take at most, about.
    :raises ValueError: for a URL that redis-py does not know.
    """

    def __init__(
        self,
        url: str,
        secret_key: str | bytes,
        max_entries: int,
        max_bytes: int,
        *,
        prefix: str = PREFIX,
        timeout: float = 0.1,
    ) -> None:
        self._connections = Connections(url, timeout, MOST_CONNECTIONS)
        self._secret = signing_key(secret_key)
        self._prefix = prefix
        self._limits = max_entries, max_bytes
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = Lock()
        # Entries that were checked, each with the command that asks whether it is still the same:
        # that is done for each hit, and the server sends only what is another one.
        self._checked: LRU[tuple[bytes, Entry]] = LRU(*self._limits)

    def get(self, key: str) -> Found | None:
        checked = self._checked.get(key)
        if checked is None:
            reply = self._read(key)
        else:
            command, entry = checked
            try:
                reply = self._connections.call(command)
            except ReplyError:
                reply = self._read(key)
            if type(reply) is int:
                return _found(entry, reply)
        if not isinstance(reply, list) or not isinstance(reply[-1], bytes):
            return None
        milliseconds, data = reply
        loaded = load(data, key, self._secret)
        if loaded is None:
            return None
        self._keep(loaded, data)
        return _found(loaded, milliseconds)

    def _read(self, key: str) -> Reply:
        return self._run(GET, [self._name("e", key)], b"")

    def _keep(self, entry: Entry, data: bytes) -> None:
        command = GET.command([self._name("e", entry.key)], signature(data))
        size = size_of(entry) + len(command)
        with self._lock:
            if self._checked.has_room(size):
                self._checked.put(entry.key, (command, entry), size)

    def begin(self, key: str, tags: Iterable[str]) -> Marks:
        names = tuple(dict.fromkeys(tags))
        keys = [self._name("m", key), *(self._name("t", tag) for tag in names)]
        life = b"%d" % (LONGEST_LIFE + LONGEST_RUN)
        new = token_hex(16).encode()
        generations = self._run(BEGIN, keys, new, b"%d" % LONGEST_RUN, life)
        return Marks(key, names, tuple(generations), self)

    def put(self, entry: Entry, marks: Marks) -> bool:
        if marks.origin is not self:
            return False
        keys = [self._name(kind, marks.key) for kind in "epm"]
        keys += [self._name("t", tag) for tag in marks.tags]
        data = dump(entry, self._secret)
        life = b"%d" % LONGEST_LIFE
        reply = self._run(PUT, keys, data, signature(data), life, *marks.generations)
        if reply != 1:
            return False
        self._keep(entry, data)
        return True

    def lock(self, key: str, token: str, seconds: float) -> bool:
        return self._of_lock(LOCK, key, token, seconds)

    def renew(self, key: str, token: str, seconds: float) -> bool:
        return self._of_lock(RENEW, key, token, seconds)

    def unlock(self, key: str, token: str) -> None:
        self._of_lock(RENEW, key, token, 0)

    def _of_lock(self, script: Script, key: str, token: str, seconds: float) -> bool:
        milliseconds = b"%d" % round(seconds * 1000)
        reply = self._run(script, [self._name("l", key)], token.encode(), milliseconds)
        return bool(reply == 1)

    def postpone(self, key: str) -> tuple[int, float]:
        pauses = b"%d" % FIRST_PAUSE, b"%d" % LONGEST_PAUSE
        failures, seconds = self._run(POSTPONE, [self._name("p", key)], *pauses)
        return failures, seconds

    def is_postponed(self, key: str) -> bool:
        reply = self._run(IS_POSTPONED, [self._name("p", key)], b"%d" % LONGEST_PAUSE)
        return bool(reply == 1)

    def revalidate_key(self, key: str) -> None:
        self._forget([self._name("e", key), self._name("m", key)])

    def revalidate_tags(self, tags: Iterable[str]) -> None:
        names = [self._name("t", tag) for tag in tags]
        if names:
            self._forget(names)

    def _forget(self, names: list[bytes]) -> None:
        try:
            self._connections.call(pack([b"UNLINK", *names]))
        except ReplyError as error:
            raise StoreRefusedError(str(error)) from error

    def close(self) -> None:
        self._connections.close()

    def _run(self, script: Script, keys: list[bytes], *arguments: bytes) -> Reply:
        try:
            return script.run(self._connections, keys, *arguments)
        except ReplyError as error:
            raise StoreRefusedError(str(error)) from error

    def _name(self, kind: str, name: str) -> bytes:
        return f"{self._prefix}{kind}:{name}".encode("utf-8", "surrogatepass")


def _found(entry: Entry, milliseconds: int) -> Found:
    age = milliseconds / 1000
    if age < 0:  # the server's clock was set back: nobody knows
        return Found(entry, 0.0, entry.lifetime if entry.revalidate is None else 0.0)
    return Found(entry, age, entry.lifetime - age)
