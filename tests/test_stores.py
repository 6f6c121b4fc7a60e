"""The contract of stores: the same tests for each of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

import pytest

from flask_routehandlers.caching.settings import Settings
from flask_routehandlers.caching.stores.base import Store
from flask_routehandlers.caching.stores.memory import MemoryStore
from flask_routehandlers.caching.stores.redis import RedisStore
from tests.servers import RedisServer, free_port, redis_server
from tests.stores import (
    BYTES,
    SECRET_KEY,
    PassTime,
    an_entry,
    keep,
    memory_store,
    pass_time_in,
    redis_store,
    resilient_store,
    revalidate,
)
from tests.support import Clock

HOUR = 3600


class Timed(NamedTuple):
    """A store, and a function that lets time pass for it."""

    store: Store
    pass_time: PassTime


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def redis(server: RedisServer) -> RedisServer:
    """The server, with nothing in it."""
    with server.client() as client:
        client.flushall()
    return server


@pytest.fixture
def memory() -> Timed:
    return Timed(*memory_store())


@pytest.fixture
def shared(redis: RedisServer) -> Timed:
    return Timed(redis_store(redis), pass_time_in(redis))


@pytest.fixture
def resilient(shared: Timed) -> Timed:
    return Timed(resilient_store(shared.store), shared.pass_time)


@pytest.fixture
def resilient_down() -> Timed:
    """Its server is not there, so that it keeps everything in memory."""
    clock = Clock()
    shared = RedisStore(Settings(url=f"redis://127.0.0.1:{free_port()}"), SECRET_KEY)
    return Timed(resilient_store(shared, clock), clock.forward)


@pytest.fixture(params=["memory", "shared", "resilient", "resilient_down"])
def timed(request: pytest.FixtureRequest) -> Timed:
    timed: Timed = request.getfixturevalue(request.param)
    return timed


@pytest.fixture
def store(timed: Timed) -> Store:
    return timed.store


def in_threads(function: Any, count: int) -> None:
    """Call a function in so many threads, with their numbers, and wait for all."""
    threads = [threading.Thread(target=function, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# Entries.


def test_a_stored_entry_is_found(store):
    entry = an_entry()
    assert store.get("key") is None
    assert keep(store, entry)
    found = store.get("key")
    assert found.entry == entry
    age = found.age  # first: the entry gets older while it is looked at
    assert 0 <= age < 60
    assert found.fresh_for <= 60 - age


def test_an_entry_replaces_the_previous_one(store):
    keep(store, an_entry(body=b"one"))
    keep(store, an_entry(body=b"two"))
    assert store.get("key").entry.body == b"two"


def test_an_entry_is_stale_after_its_time(timed):
    store, pass_time = timed
    keep(store, an_entry(revalidate=600))
    assert store.get("key").fresh_for > 0
    pass_time(601)
    found = store.get("key")
    assert found.age >= 601
    assert found.fresh_for <= 0


def test_an_entry_until_revalidated_stays_fresh(timed):
    store, pass_time = timed
    keep(store, an_entry(revalidate=None))
    found = store.get("key")
    assert found.fresh_for > 0
    pass_time(3)
    assert store.get("key").fresh_for > 0


@pytest.mark.parametrize("body", [b"", b"\r\n:1\r\n$-1\r\n", bytes(range(256)) * 5000])
def test_a_body_may_contain_any_bytes(store, body):
    keep(store, an_entry(body=body))
    assert store.get("key").entry.body == body


@pytest.mark.parametrize("key", ["/é/ü", "/\udcff", "/a b\r\nc", "/" + "x" * 5000])
def test_a_key_may_be_any_string(store, key):
    keep(store, an_entry(key))
    assert store.get(key).entry.key == key
    assert store.get(key + "x") is None


# Revalidating.


def test_a_tag_forgets_its_entries_only(store):
    keep(store, an_entry("one", tags=("posts", "post 1")))
    keep(store, an_entry("two", tags=("posts", "post 2")))
    keep(store, an_entry("three", tags=()))
    revalidate(store, "post 1", "unknown")
    assert [store.get(key) is None for key in ("one", "two", "three")] == [True, False, False]
    revalidate(store, "posts")
    assert [store.get(key) is None for key in ("one", "two", "three")] == [True, True, False]


def test_a_key_forgets_its_entry_only(store):
    keep(store, an_entry("one"))
    keep(store, an_entry("two"))
    revalidate(store, key="one")
    assert (store.get("one"), store.get("two").entry.key) == (None, "two")


def test_no_tags_forget_nothing(store):
    keep(store, an_entry())
    revalidate(store)
    assert store.get("key") is not None


@pytest.mark.parametrize("what", [{"key": "key"}, "posts"], ids=["key", "tag"])
def test_a_result_from_before_is_refused(store, what):
    marks = store.begin("key", ("posts",))
    if isinstance(what, dict):
        revalidate(store, **what)
    else:
        revalidate(store, what)
    assert not store.put(an_entry(), marks)
    assert store.get("key") is None
    assert keep(store, an_entry())


def test_a_refused_result_replaces_nothing(store):
    marks = store.begin("key", ("posts",))
    revalidate(store, "posts")
    keep(store, an_entry(body=b"new"))
    assert not store.put(an_entry(body=b"old"), marks)
    assert store.get("key").entry.body == b"new"


def test_concurrent_results_are_both_stored(store):
    marks = [store.begin("key", ("posts",)) for _ in range(2)]
    assert [store.put(an_entry(), mark) for mark in marks] == [True, True]


def test_other_revalidations_refuse_nothing(store):
    marks = store.begin("key", ("posts",))
    revalidate(store, "others", key="other")
    assert store.put(an_entry(), marks)


def test_marks_of_another_store_are_refused(store):
    assert not store.put(an_entry(), MemoryStore(10, BYTES).begin("key", ("posts",)))


def test_a_repeated_tag_counts_once(store):
    assert keep(store, an_entry(tags=("a", "a", "b")))
    revalidate(store, "a")
    assert store.get("key") is None


# Locks.


def test_a_lock_is_taken_once(store):
    assert store.lock("key", 60)
    assert not store.lock("key", 60)
    assert store.lock("other", 60)
    store.unlock("key")
    assert store.lock("key", 60)


def test_an_expired_lock_is_free(timed):
    store, pass_time = timed
    store.lock("key", 60)
    pass_time(61)
    assert not store.renew("key", 60)
    assert store.lock("key", 60)


def test_a_renewed_lock_does_not_expire(timed):
    store, pass_time = timed
    store.lock("key", 60)
    for _ in range(3):
        pass_time(40)
        assert store.renew("key", 60)
    assert not store.lock("key", 60)
    assert not store.renew("other", 60)


def test_one_of_many_threads_gets_a_lock(store):
    owners: list[int] = []

    def take(number: int) -> None:
        if store.lock("key", 60):
            owners.append(number)

    in_threads(take, 30)
    assert len(owners) == 1


# Clocks and threads.


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_the_time_of_day_does_not_matter(store, jump, monkeypatch):
    keep(store, an_entry())
    store.lock("key", 60)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    found = store.get("key")
    assert 0 <= found.age < 60
    assert 0 < found.fresh_for <= 60
    assert not store.lock("key", 60)


def test_concurrent_threads_find_the_right_entry(store):
    wrong: list[object] = []

    def work(seed: int) -> None:
        rng = Random(seed)
        try:
            for _ in range(40):
                key = f"key {rng.randrange(5)}"
                tag = f"tag {rng.randrange(3)}"
                match rng.randrange(4):
                    case 0:
                        keep(store, an_entry(key, key.encode(), tags=(tag,)))
                    case 1:
                        revalidate(store, tag)
                    case _:
                        found = store.get(key)
                        if found is not None and found.entry.body != key.encode():
                            wrong.append(found)
        except BaseException as error:
            wrong.append(error)

    in_threads(work, 8)
    assert wrong == []
