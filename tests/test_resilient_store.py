"""The store that does without its server while that is down."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from flask_routehandlers.caching.settings import Settings
from flask_routehandlers.caching.stores.base import StoreRefusedError
from flask_routehandlers.caching.stores.memory import MemoryStore
from flask_routehandlers.caching.stores.redis import RedisStore
from flask_routehandlers.caching.stores.resilient import LONGEST_FRESH, PAUSE
from flask_routehandlers.errors import StoreError
from tests.servers import RedisServer, redis_server
from tests.stores import SECRET_KEY, an_entry, keep, redis_store, resilient_store
from tests.support import Clock, until


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_entries_do_not_cross_an_outage(server, clock, caplog):
    store = resilient_store(redis_store(server), clock)
    keep(store, an_entry(body=b"before"))
    marks = store.begin("key", ("posts",))
    server.kill()
    assert store.get("key") is None
    assert not store.put(an_entry(body=b"late"), marks)
    assert keep(store, an_entry(body=b"during"))
    assert store.get("key").entry.body == b"during"
    marks = store.begin("key", ("posts",))
    server.start()
    clock.forward(PAUSE)
    assert store.get("key") is None
    assert not store.put(an_entry(body=b"late"), marks)
    assert keep(store, an_entry(body=b"after"))
    assert redis_store(server).get("key").entry.body == b"after"
    [record] = caplog.records
    assert record.getMessage().startswith(
        "The cache store is down, each process keeps its own entries meanwhile: "
    )


def test_a_result_of_an_outage_does_not_end_it(server, clock):
    store = resilient_store(redis_store(server), clock)
    server.kill()
    marks = store.begin("key", ("posts",))
    clock.forward(PAUSE)
    assert store.put(an_entry(), marks)
    assert store.get("key") is not None


def test_entries_are_fresh_briefly_in_an_outage(server, clock):
    store = resilient_store(redis_store(server), clock)
    server.kill()
    store.get("key")
    keep(store, an_entry(revalidate=None))
    keep(store, an_entry("short", revalidate=2))
    assert store.get("key").fresh_for == LONGEST_FRESH
    assert store.get("short").fresh_for == 2
    clock.forward(0.1)
    assert store.get("key").fresh_for == pytest.approx(LONGEST_FRESH - 0.1)


def test_revalidating_raises_in_an_outage(server, clock):
    store = resilient_store(redis_store(server), clock)
    server.kill()
    store.get("key")
    keep(store, an_entry())
    with pytest.raises(StoreError, match="refused"):
        store.revalidate_tags(["posts"])
    assert store.get("key") is None
    keep(store, an_entry())
    with pytest.raises(StoreError, match="refused"):
        store.revalidate_key("key")
    assert store.get("key") is None


def test_locks_of_an_outage_are_released_after_it(server, clock):
    store, other = resilient_store(redis_store(server, timeout=0.1), clock), redis_store(server)
    assert store.lock("held before", 60)
    server.hang()
    store.lock("key", 60)  # the server reads it when it goes on
    store.unlock("held before")
    server.go_on()
    clock.forward(PAUSE)
    store.get("any")
    assert other.lock("key", 60)
    assert other.lock("held before", 60)


def test_locks_after_an_outage_are_not_released_with_older_ones(server, clock):
    store, other = resilient_store(redis_store(server), clock), redis_store(server)
    names = [str(number) for number in range(300)]
    server.kill()
    for name in names:
        store.lock(name, 60)
        store.unlock(name)
    server.start()
    clock.forward(PAUSE)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(store.get, "any")
        assert until(lambda: store._is_up)
        taken = [name for name in reversed(names) if store.lock(name, 60)]
        asked.result()
    assert len(taken) == len(names)
    assert not any(other.lock(name, 60) for name in taken)


def test_the_first_lock_after_an_outage_is_not_released(server, clock):
    store, other = resilient_store(redis_store(server), clock), redis_store(server)
    server.kill()
    store.lock("key", 60)
    store.unlock("key")
    server.start()
    clock.forward(PAUSE)
    assert store.lock("key", 60)
    assert not (store._is_up and other.lock("key", 60))


def test_a_lock_is_released_after_a_second_outage(server, clock, monkeypatch):
    store, other = resilient_store(redis_store(server), clock), redis_store(server)
    assert store.lock("key", 60)
    store._fail(StoreError("no answer"))
    store.unlock("key")

    def fail(key: str) -> None:
        raise StoreError("no answer")

    clock.forward(PAUSE)
    with monkeypatch.context() as patch:
        patch.setattr(store._shared, "unlock", fail)
        store.get("any")
    assert not other.lock("key", 60)
    clock.forward(PAUSE)
    store.get("any")
    assert other.lock("key", 60)


def test_a_silent_server_is_waited_for_once(server, clock):
    store = resilient_store(redis_store(server, timeout=0.1), clock)
    store.get("key")
    calls: list[str] = []
    shared = store._shared
    for name in ("begin", "put", "lock"):
        call = getattr(shared, name)
        setattr(shared, name, lambda *a, call=call, name=name: calls.append(name) or call(*a))
    server.hang()
    try:
        for number in range(100):
            keep(store, an_entry(str(number)))
            store.lock(str(number), 60)
    finally:
        server.go_on()
    assert calls == ["begin"]


def test_a_full_server_refuses_and_answers(server, clock, caplog):
    shared = redis_store(server)
    store = resilient_store(shared, clock)
    keep(store, an_entry())
    with server.client() as client:
        client.config_set("maxmemory", 1)
        assert store.get("key") is not None
        with pytest.raises(StoreRefusedError):
            shared.begin("other", ("posts",))
        assert not keep(store, an_entry("other"))
        assert store.lock("other", 60)
        assert store.get("key") is not None
        store.revalidate_tags(["posts"])
        assert store.get("key") is None
        client.config_set("maxmemory", 0)
    assert keep(store, an_entry("other"))
    [record] = caplog.records
    assert record.getMessage().startswith("The cache store refuses: OOM ")


def test_an_unexpected_error_fails_no_request(clock, caplog):
    class Broken(MemoryStore):
        def get(self, key: str) -> Any:
            raise ZeroDivisionError

    store = resilient_store(Broken(1, 1), clock)
    assert store.get("key") is None
    assert keep(store, an_entry())
    [record] = caplog.records
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such timers")
@pytest.mark.parametrize("error", [RuntimeError, TimeoutError, ConnectionResetError, ValueError])
def test_an_error_from_a_signal_is_raised(error, clock):
    def interrupt(*_: object) -> None:
        raise error("of the app")

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        store = resilient_store(RedisStore(Settings(url=url, timeout=30), SECRET_KEY), clock)
        previous = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(error, match="of the app"):
                store.get("key")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
