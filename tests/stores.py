"""The stores that tests share, with a way to let time pass for each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from flask_routehandlers.caching.settings import Settings
from flask_routehandlers.caching.stores.base import Store
from flask_routehandlers.caching.stores.entry import Entry, make_etag
from flask_routehandlers.caching.stores.memory import MemoryStore
from flask_routehandlers.caching.stores.redis import RedisStore
from flask_routehandlers.caching.stores.resilient import ResilientStore
from flask_routehandlers.errors import StoreError
from tests.servers import PREFIX, RedisServer
from tests.support import Clock

SECRET_KEY = "a secret"
ENTRIES, BYTES = 10_000, 50_000_000

#: Lets some seconds pass for a store.
PassTime = Callable[[float], None]


def memory_store(entries: int = ENTRIES, size: int = BYTES) -> tuple[MemoryStore, PassTime]:
    clock = Clock()
    return MemoryStore(entries, size, clock), clock.forward


def redis_store(server: RedisServer, **options: Any) -> RedisStore:
    """A store in a server that has time to answer on a busy machine."""
    options = {"max_entries": 1_000, "max_bytes": BYTES, "timeout": 5} | options
    return RedisStore(Settings(url=server.url, **options), SECRET_KEY)


def resilient_store(shared: Store, now: Callable[[], float] = time.monotonic) -> ResilientStore:
    make_local = partial(MemoryStore, ENTRIES, BYTES, now)
    return ResilientStore(shared, make_local, logging.getLogger("tests.stores"), now)


def pass_time_in(server: RedisServer) -> PassTime:
    """Set back all that lies in a server: times of entries, ends of locks."""

    def pass_time(seconds: float) -> None:
        server.make_stale(seconds)
        milliseconds = round(seconds * 1000)
        with server.client() as client:
            for name in client.scan_iter(f"{PREFIX}l:*"):
                client.pexpire(name, max(client.pttl(name) - milliseconds, 0))

    return pass_time


def an_entry(key: str = "key", body: bytes = b"hello", **fields: Any) -> Entry:
    headers = (("Content-Type", "text/plain"),)
    values = {"tags": ("posts",), "revalidate": 60} | fields
    return Entry(key, 200, headers, body, make_etag(200, headers, body), **values)


def keep(store: Store, entry: Entry) -> bool:
    """Store an entry; return whether that was done."""
    return store.put(entry, store.begin(entry.key, entry.tags))


def revalidate(store: Store, *tags: str, key: str | None = None) -> None:
    """Revalidate tags, and a key. A resilient store that is down does so, and raises."""
    try:
        store.revalidate_tags(tags)
    except StoreError:
        assert isinstance(store, ResilientStore)
    if key is None:
        return
    try:
        store.revalidate_key(key)
    except StoreError:
        assert isinstance(store, ResilientStore)
