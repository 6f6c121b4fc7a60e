"""What every store does: in this process, in Redis, and when Redis is down."""

from __future__ import annotations

import errno
import gc
import logging
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flask_routehandlers.caching.stores.base import Store, StoreRefusedError, pause
from flask_routehandlers.caching.stores.entry import Entry, dump, make_etag, signing_key, size_of
from flask_routehandlers.caching.stores.memory import REMEMBERED, MemoryStore
from flask_routehandlers.caching.stores.redis import PREFIX, RedisStore
from flask_routehandlers.caching.stores.resilient import LONGEST_FRESH, ResilientStore
from flask_routehandlers.errors import StoreError
from tests.servers import RedisServer, free_port, redis_server
from tests.support import in_child

SECRET_KEY = "a secret"
ENTRIES, BYTES = 10_000, 50_000_000
HOUR = 3600


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


def redis_store(server: RedisServer, **options: Any) -> RedisStore:
    return RedisStore(server.url, SECRET_KEY, 1_000, BYTES, **options)


@pytest.fixture
def no_server() -> str:
    """A URL where nobody listens: what a port is that was given back."""
    with redis_server() as server:
        return server.url


@pytest.fixture(params=["memory", "redis", "resilient", "resilient, down"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    logger = logging.getLogger("tests.stores")
    if request.param == "memory":
        made: Store = MemoryStore(ENTRIES, BYTES)
    elif request.param == "redis":
        made = redis_store(request.getfixturevalue("redis"))
    elif request.param == "resilient":
        shared = redis_store(request.getfixturevalue("redis"))
        made = ResilientStore(shared, logger, ENTRIES, BYTES)
    else:
        shared = RedisStore(request.getfixturevalue("no_server"), SECRET_KEY, 10, BYTES)
        made = ResilientStore(shared, logger, ENTRIES, BYTES)
        made.get("any")  # it sees that there is no server
    yield made
    made.close()


def an_entry(key: str = "key", body: bytes = b"hello", **fields: Any) -> Entry:
    headers = (("Content-Type", "text/plain"),)
    values = {"tags": ("posts",), "revalidate": 60} | fields
    return Entry(key, 200, headers, body, make_etag(200, headers, body), **values)


def keep(store: Store, entry: Entry) -> bool:
    return store.put(entry, store.begin(entry.key, entry.tags))


def tell(store: Store, *tags: str) -> None:
    """Revalidate tags; a store that is down says that others were not told."""
    try:
        store.revalidate_tags(tags)
    except StoreError:
        assert isinstance(store, ResilientStore)


def tell_key(store: Store, key: str) -> None:
    try:
        store.revalidate_key(key)
    except StoreError:
        assert isinstance(store, ResilientStore)


def test_what_is_put_is_found(store):
    entry = an_entry()
    assert store.get("key") is None
    assert keep(store, entry)
    found = store.get("key")
    assert found.entry == entry
    assert 0 <= found.age < 5
    assert found.fresh_for <= 60 - found.age


def test_an_entry_replaces_the_one_before(store):
    keep(store, an_entry(body=b"one"))
    keep(store, an_entry(body=b"two"))
    assert store.get("key").entry.body == b"two"


def test_an_entry_is_stale_after_its_time_and_still_there(store):
    keep(store, an_entry(revalidate=1))
    assert store.get("key").fresh_for > 0
    time.sleep(1.1)
    found = store.get("key")
    assert found.age >= 1
    assert found.fresh_for <= 0


def test_an_entry_that_lasts_until_told_is_not_stale(store):
    keep(store, an_entry(revalidate=None))
    assert store.get("key").fresh_for > 0


@pytest.mark.parametrize("body", [b"", b"\r\n:1\r\n$-1\r\n", bytes(range(256)) * 5000])
def test_a_body_may_hold_anything(store, body):
    keep(store, an_entry(body=body))
    assert store.get("key").entry.body == body


@pytest.mark.parametrize("key", ["/é/ü", "/\udcff", "/a b\r\nc", "/" + "x" * 5000])
def test_a_key_may_be_any_text(store, key):
    keep(store, an_entry(key))
    assert store.get(key).entry.key == key
    assert store.get(key + "x") is None


def test_revalidating_a_tag_drops_what_has_it_and_nothing_else(store):
    keep(store, an_entry("one", tags=("posts", "post 1")))
    keep(store, an_entry("two", tags=("posts", "post 2")))
    keep(store, an_entry("three", tags=()))
    tell(store, "post 1", "unknown")
    assert [store.get(key) is None for key in ("one", "two", "three")] == [True, False, False]
    tell(store, "posts")
    assert [store.get(key) is None for key in ("one", "two", "three")] == [True, True, False]


def test_revalidating_a_key_drops_it_alone(store):
    keep(store, an_entry("one"))
    keep(store, an_entry("two"))
    tell_key(store, "one")
    assert (store.get("one"), store.get("two").entry.key) == (None, "two")


def test_revalidating_no_tag_drops_nothing(store):
    keep(store, an_entry())
    tell(store)
    assert store.get("key") is not None


@pytest.mark.parametrize("told", ["key", "tag"])
def test_a_result_is_refused_if_it_was_revalidated_while_it_was_made(store, told):
    marks = store.begin("key", ("posts",))
    if told == "key":
        tell_key(store, "key")
    else:
        tell(store, "posts")
    assert not store.put(an_entry(), marks)
    assert store.get("key") is None
    assert keep(store, an_entry())


def test_a_refused_result_leaves_the_newer_entry_alone(store):
    marks = store.begin("key", ("posts",))
    tell(store, "posts")
    keep(store, an_entry(body=b"new"))
    assert not store.put(an_entry(body=b"old"), marks)
    assert store.get("key").entry.body == b"new"


def test_two_results_of_one_time_are_both_taken(store):
    marks = [store.begin("key", ("posts",)) for _ in range(2)]
    assert [store.put(an_entry(), mark) for mark in marks] == [True, True]


def test_revalidating_something_else_refuses_nothing(store):
    marks = store.begin("key", ("posts",))
    tell(store, "others")
    tell_key(store, "other")
    assert store.put(an_entry(), marks)


def test_the_marks_of_another_store_are_refused(store):
    assert not store.put(an_entry(), MemoryStore(10, BYTES).begin("key", ("posts",)))


def test_a_tag_that_is_named_twice_counts_once(store):
    assert keep(store, an_entry(tags=("a", "a", "b")))
    tell(store, "a")
    assert store.get("key") is None


def test_a_lock_has_one_owner(store):
    assert store.lock("key", "mine", 5)
    assert not store.lock("key", "theirs", 5)
    assert store.lock("other", "theirs", 5)
    store.unlock("key", "theirs")
    assert not store.lock("key", "theirs", 5)
    store.unlock("key", "mine")
    assert store.lock("key", "theirs", 5)


def test_a_lock_expires_and_is_not_taken_back(store):
    store.lock("key", "mine", 0.05)
    time.sleep(0.1)
    assert not store.renew("key", "mine", 5)
    assert store.lock("key", "theirs", 5)
    store.unlock("key", "mine")
    assert not store.lock("key", "mine", 5)


def test_a_lock_that_is_renewed_does_not_expire(store):
    store.lock("key", "mine", 0.2)
    for _ in range(3):
        time.sleep(0.1)
        assert store.renew("key", "mine", 0.2)
    assert not store.lock("key", "theirs", 5)
    assert not store.renew("key", "theirs", 5)


def test_one_of_many_threads_gets_a_lock(store):
    got: list[str] = []

    def take(token: str) -> None:
        if store.lock("key", token, 5):
            got.append(token)

    threads = [threading.Thread(target=take, args=(f"token {i}",)) for i in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1


def test_a_pause_begins_with_a_failure_grows_and_ends_with_a_success(store):
    assert not store.is_postponed("key")
    assert [store.postpone("key") for _ in range(8)] == [
        *((1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60))
    ]
    assert store.is_postponed("key")
    assert not store.is_postponed("other")
    keep(store, an_entry())
    assert not store.is_postponed("key")
    assert store.postpone("key") == (1, 1)


def test_a_pause_ends_by_itself(store):
    store.postpone("key")
    time.sleep(1.1)
    assert not store.is_postponed("key")
    assert store.postpone("key") == (2, 2)


def test_pauses_have_an_end_after_any_number_of_failures():
    assert pause(10**9) == 60


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_the_clock_of_this_machine_is_not_asked(store, jump, monkeypatch):
    keep(store, an_entry())
    store.lock("key", "mine", 5)
    store.postpone("key")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    found = store.get("key")
    assert 0 <= found.age < 5
    assert 0 < found.fresh_for <= 60
    assert not store.lock("key", "theirs", 5)
    assert store.is_postponed("key")


def test_threads_at_work_find_what_is_right_or_nothing(store):
    wrong: list[object] = []

    def work(seed: int) -> None:
        rng = Random(seed)
        try:
            for _ in range(60):
                key = f"key {rng.randrange(5)}"
                tag = f"tag {rng.randrange(3)}"
                match rng.randrange(4):
                    case 0:
                        keep(store, an_entry(key, key.encode(), tags=(tag,)))
                    case 1:
                        tell(store, tag)
                    case _:
                        found = store.get(key)
                        if found is not None and found.entry.body != key.encode():
                            wrong.append(found)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# The store of a process: its bounds.


def test_the_least_recently_used_entry_goes_first():
    store = MemoryStore(3, BYTES)
    for key in "abc":
        keep(store, an_entry(key))
    store.get("a")
    keep(store, an_entry("d"))
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]


def test_bytes_are_bounded_too():
    store = MemoryStore(100, 5 * size_of(an_entry("0", b"x" * 10_000)))
    for i in range(8):
        keep(store, an_entry(str(i), b"x" * 10_000))
    assert [key for key in "01234567" if store.get(key)] == ["3", "4", "5", "6", "7"]


@pytest.mark.parametrize(("entries", "size"), [(0, BYTES), (10, 0), (10, 5_000)])
def test_what_has_no_room_at_all_drops_nothing_else(entries, size):
    store = MemoryStore(entries, size)
    small = keep(store, an_entry("small"))
    assert not keep(store, an_entry("large", b"x" * 10_000))
    assert (store.get("small") is not None) is small
    assert store.size <= size


def fill(count: int) -> MemoryStore:
    """A store that was given so many different keys, and was asked for revalidations."""
    store = MemoryStore(1_000, 2_000_000)
    rng = Random(count)
    for i in range(count):
        tags = ("all", f"tag {rng.randrange(count)}", f"of {i}")
        keep(store, an_entry(f"/items/{i}", rng.randbytes(rng.randrange(2_000)), tags=tags))
        if not i % 100:
            store.revalidate_tags((f"of {i}", f"unknown {i}"))
            store.revalidate_key(f"/unknown/{i}")
        store.lock(f"/locks/{i}", "never released", 0.01)
        store.postpone(f"/items/{i}")
        assert len(store) <= 1_000
        assert store.size <= 2_000_000
    return store


def test_what_has_no_room_takes_the_place_of_what_it_would_replace():
    store = MemoryStore(10, 5_000)
    assert keep(store, an_entry("key"))
    assert not keep(store, an_entry("key", b"x" * 10_000))
    assert store.get("key") is None
    assert store.size == 0


def test_many_different_keys_stay_below_the_bounds():
    store = fill(20_000)
    assert len(store) > 300
    store.revalidate_tags(("all",))
    assert (len(store), store.size) == (0, 0)


@pytest.mark.soak
def test_very_many_different_keys_stay_below_the_bounds_and_so_does_memory():
    fill(20_000)
    gc.collect()
    tracemalloc.start()
    store = fill(1_000_000)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"\n1,000,000 keys: {len(store):,} entries, {store.size:,} bytes, {used:,} in memory")
    # Beside entries: 10,000 revalidations, pauses and locks each.
    assert used < 2_000_000 + 3 * REMEMBERED * 600


def test_a_run_is_refused_when_the_revalidations_since_are_too_many_to_remember():
    store = MemoryStore(10, BYTES)
    marks = store.begin("key", ("posts",))
    store.revalidate_tags(f"tag {i}" for i in range(REMEMBERED + 1))
    assert not store.put(an_entry(), marks)
    assert keep(store, an_entry())


# A forked child.


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_has_its_own_connections(redis):
    store = redis_store(redis)
    keep(store, an_entry(body=b"x" * 50_000))

    def use() -> bool:
        return all(store.get("key").entry.body == b"x" * 50_000 for _ in range(200))

    with redis.client() as client:
        before = client.info("stats")["total_connections_received"]
        assert in_child(use)
        assert use()
        assert client.info("stats")["total_connections_received"] == before + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_child_is_not_blocked_by_a_thread_of_its_parent():
    store = MemoryStore(10, BYTES)
    keep(store, an_entry())
    assert in_child(lambda: store.get("key") is not None)
    with store._lock:
        assert in_child(lambda: store.get("key") is None and keep(store, an_entry()))
    assert store.get("key") is not None


# Redis.


def test_processes_share_a_server(redis):
    one, two = redis_store(redis), redis_store(redis)
    keep(one, an_entry())
    assert two.get("key").entry == an_entry()
    two.revalidate_tags(["posts"])
    assert one.get("key") is None


def test_a_hit_transfers_an_entry_once(redis):
    store = redis_store(redis)
    keep(redis_store(redis), an_entry(body=b"x" * 100_000))
    first = store.get("key").entry
    with redis.client() as client:
        before = client.info("stats")["total_net_output_bytes"]
        assert all(store.get("key").entry is first for _ in range(10))
        assert client.info("stats")["total_net_output_bytes"] - before < 20_000


def test_a_hit_is_one_request_to_the_server(redis):
    store = redis_store(redis)
    keep(store, an_entry())
    store.get("key")
    with redis.client() as client:
        before = client.info("stats")["total_reads_processed"]
        for _ in range(50):
            store.get("key")
        assert client.info("stats")["total_reads_processed"] - before <= 52


def test_a_server_that_forgot_the_scripts_is_told_them_again(redis):
    store = redis_store(redis)
    keep(store, an_entry())
    with redis.client() as client:
        client.script_flush()
    assert store.get("key") is not None
    assert store.lock("key", "mine", 5)


def test_everything_in_the_server_has_the_prefix_and_an_end(redis):
    store = redis_store(redis, prefix="{mine}:")
    keep(store, an_entry())
    store.lock("key", "mine", 5)
    store.postpone("key")
    with redis.client() as client:
        names = client.keys()
        assert len(names) == 5
        assert all(name.startswith(b"{mine}:") and client.ttl(name) > 0 for name in names)


def test_a_generation_that_the_server_lost_takes_its_entries_with_it(redis):
    store = redis_store(redis)
    keep(store, an_entry())
    with redis.client() as client:
        client.delete(f"{PREFIX}t:posts")
    assert store.get("key") is None
    assert keep(store, an_entry(body=b"new"))
    assert store.get("key").entry.body == b"new"


def test_the_secret_of_another_app_opens_nothing(redis):
    keep(redis_store(redis), an_entry())
    assert RedisStore(redis.url, "another", 10, BYTES).get("key") is None


DAMAGES: list[Callable[[Any, str], object]] = [
    lambda client, name: client.hset(name, "data", b""),
    lambda client, name: client.hset(name, "data", b"x" * 100),
    lambda client, name: client.hset(name, "data", client.hget(name, "data")[:-1]),
    lambda client, name: client.hset(name, "data", dump(an_entry("other"), signing_key("s"))),
    lambda client, name: client.hdel(name, "data"),
    lambda client, name: client.hset(name, "stored", "soon"),
    lambda client, name: client.hdel(name, "stored"),
    lambda client, name: client.hset(name, "tags", b"\xc1\xff garbage"),
    lambda client, name: client.hset(name, "tags", b"\x01"),
    lambda client, name: client.hset(name, "tags", b"\x92\x01\x02"),
    lambda client, name: client.hset(name, "tags", b"\x91\xa1x"),
    lambda client, name: client.hdel(name, "tags"),
    lambda client, name: client.hset(name, mapping={"signature": b"", "data": b"x"}),
    lambda client, name: client.delete(name) and client.set(name, "text"),
    lambda client, name: client.delete(name) and client.rpush(name, "list"),
    lambda client, name: client.delete(name) and client.hset(name, "x", "y"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=range(len(DAMAGES)))
def test_damage_in_the_server_is_a_miss_and_is_written_over(redis, damage):
    keep(redis_store(redis), an_entry())
    with redis.client() as client:
        damage(client, f"{PREFIX}e:key")
    store = redis_store(redis)
    assert store.get("key") is None
    assert keep(store, an_entry())
    assert redis_store(redis).get("key").entry == an_entry()


@pytest.mark.parametrize("kind", ["m:key", "t:posts", "l:key", "p:key"])
@pytest.mark.parametrize("value", ["", "garbage", "1 2 3", "99999999999999999999 x", ["list"]])
def test_foreign_values_in_the_server_block_nothing(redis, kind, value):
    with redis.client() as client:
        if isinstance(value, list):
            client.rpush(PREFIX + kind, *value)
        else:
            client.set(PREFIX + kind, value)
    store = redis_store(redis)
    assert keep(store, an_entry())
    assert store.get("key") is not None
    assert not store.is_postponed("other")
    assert store.postpone("key") == (1, 1)
    if value != "1 2 3":  # which is a lock
        assert store.lock("key", "mine", 5)


@pytest.mark.parametrize(("jump", "age", "fresh"), [(-HOUR, HOUR, -HOUR), (HOUR, 0, 0)])
def test_an_entry_is_stale_after_the_clock_of_the_server_jumped(redis, jump, age, fresh):
    store = redis_store(redis)
    keep(store, an_entry())
    keep(store, an_entry("until revalidated", revalidate=None))
    with redis.client() as client:
        for key in ("key", "until revalidated"):
            client.hincrby(f"{PREFIX}e:{key}", "stored", jump * 1000)
    found = store.get("key")
    assert found.age == pytest.approx(age, abs=5)
    assert fresh - 5 < found.fresh_for <= fresh + 65
    assert found.fresh_for <= 0 or jump > 0
    assert store.get("until revalidated").fresh_for == float("inf")


def test_no_lock_or_pause_outlasts_a_clock_of_the_server_that_is_set_back(redis):
    store = redis_store(redis)
    with redis.client() as client:
        later = round((time.time() + HOUR) * 1000)
        client.set(f"{PREFIX}l:key", f"{later} theirs", px=HOUR * 1000)
        client.set(f"{PREFIX}p:key", f"3 {later}", px=HOUR * 1000)
    assert store.lock("key", "mine", 5)
    assert not store.is_postponed("key")


def test_a_server_that_is_full_refuses_and_goes_on_answering(redis, caplog):
    shared = redis_store(redis)
    store = ResilientStore(shared, logging.getLogger("tests.stores"), 10, BYTES)
    keep(store, an_entry())
    with redis.client() as client:
        client.config_set("maxmemory", 1)
        try:
            assert store.get("key") is not None
            with pytest.raises(StoreRefusedError):
                shared.begin("other", ("posts",))
            assert not keep(store, an_entry("other"))
            assert store.lock("other", "mine", 5)
            assert store.get("key") is not None
            store.revalidate_tags(["posts"])
            assert store.get("key") is None
        finally:
            client.config_set("maxmemory", 0)
    assert keep(store, an_entry("other"))
    assert [r.getMessage().partition(":")[0] for r in caplog.records] == [
        "The cache store refuses"
    ]


def test_an_interrupted_call_takes_its_connection_with_it(redis, monkeypatch):
    """The reply that comes later is not the next caller's."""
    store = redis_store(redis)
    keep(store, an_entry("a", b"a"))
    keep(store, an_entry("b", b"b"))

    class Interruption(BaseException):
        pass

    caller = store._connections._idle[-1]
    real = caller._socket

    class Interrupted:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def recv(self, size: int) -> bytes:
            raise Interruption

    caller._socket = Interrupted()
    with pytest.raises(Interruption):
        store.get("a")
    assert real.fileno() == -1
    assert store.get("b").entry.body == b"b"
    assert store._connections._open == 1


def test_an_idle_connection_that_the_server_closed_is_no_outage(redis):
    store = redis_store(redis)
    keep(store, an_entry())
    with redis.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    assert store.get("key") is not None


def test_more_threads_than_connections_all_get_an_answer(redis, monkeypatch):
    monkeypatch.setattr("flask_routehandlers.caching.stores.redis.MOST_CONNECTIONS", 3)
    store = redis_store(redis, timeout=2)
    keep(store, an_entry())
    found: list[bool] = []

    def read() -> None:
        found.extend(store.get("key") is not None for _ in range(20))

    threads = [threading.Thread(target=read) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 400
    assert store._connections._open <= 3


def test_nobody_waits_long_for_a_connection(redis, monkeypatch):
    monkeypatch.setattr("flask_routehandlers.caching.stores.redis.MOST_CONNECTIONS", 1)
    store = redis_store(redis)
    store.get("key")
    caller = store._connections._idle.pop()
    began = time.monotonic()
    with pytest.raises(StoreRefusedError, match="all 1 connections are busy"):
        store.get("key")
    assert time.monotonic() - began < 1
    store._connections._give_back(caller)
    assert store.get("key") is None


def test_a_url_that_nobody_knows_is_refused_at_once():
    with pytest.raises(ValueError, match="scheme"):
        RedisStore("http://localhost", SECRET_KEY, 10, BYTES)
    with pytest.raises(ValueError, match="colour"):
        RedisStore("redis://localhost?colour=red", SECRET_KEY, 10, BYTES)


def test_a_store_connects_with_its_first_call_only(no_server):
    RedisStore(no_server, SECRET_KEY, 10, BYTES).close()


def test_a_password_and_a_database_are_those_of_the_url(redis):
    with redis.client() as client:
        client.execute_command("ACL SETUSER", "cache", "on", ">s3cret", "~*", "+@all")
        url = f"redis://cache:s3cret@127.0.0.1:{redis.port}/3"
        keep(RedisStore(url, SECRET_KEY, 10, BYTES), an_entry())
        assert client.info("keyspace")["db3"]["keys"] == 3
    wrong = f"redis://cache:wrong@127.0.0.1:{redis.port}/3"
    with pytest.raises(StoreError, match="password"):
        RedisStore(wrong, SECRET_KEY, 10, BYTES).get("key")


@pytest.fixture(params=["a socket file", "TLS", "a name"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A URL of another kind, and a server that listens there."""
    with redis_server() as server, tempfile.TemporaryDirectory() as short:
        if request.param == "a name":
            yield f"redis://localhost:{server.port}"
            return
        server.kill()
        if request.param == "a socket file":
            server.start("--unixsocket", f"{short}/socket")
            yield f"unix://{short}/socket?db=2"
            return
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("no openssl: apt-get install openssl")
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names]
        command += ["-keyout", "key.pem", "-out", "cert.pem"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        cert, key, port = f"{tmp_path}/cert.pem", f"{tmp_path}/key.pem", str(free_port())
        options = ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no"]
        server.start("--tls-port", port, *options)
        yield f"rediss://localhost:{port}?ssl_ca_certs={cert}"


def test_a_server_is_reached_in_each_way_that_a_url_can_name(other_url):
    store = RedisStore(other_url, SECRET_KEY, 10, BYTES, timeout=2)
    other = RedisStore(other_url, SECRET_KEY, 10, BYTES, timeout=2)
    entry = an_entry(body=b"x" * 300_000)  # of several parts
    assert keep(store, entry)
    assert other.get("key").entry == entry
    with ThreadPoolExecutor(8) as pool:
        assert {found.entry.body for found in pool.map(other.get, ["key"] * 80)} == {entry.body}
    assert store.lock("key", "token", 5)
    assert not other.lock("key", "another", 5)
    other.revalidate_tags(["posts"])
    assert store.get("key") is None
    store.close()
    other.close()


# The store that lives without Redis.


def test_what_was_stored_before_an_outage_is_not_used_in_it_nor_the_other_way_round(caplog):
    with redis_server() as server:
        logger = logging.getLogger("tests.stores")
        store = ResilientStore(redis_store(server), logger, 10, BYTES)
        keep(store, an_entry(body=b"before"))
        marks = store.begin("key", ("posts",))
        server.kill()
        assert store.get("key") is None
        assert not store.put(an_entry(body=b"late"), marks)
        assert keep(store, an_entry(body=b"during"))
        assert store.get("key").entry.body == b"during"
        marks = store.begin("key", ("posts",))
        server.start()
        time.sleep(1.1)
        assert store.get("key") is None
        assert not store.put(an_entry(body=b"late"), marks)
        assert keep(store, an_entry(body=b"after"))
        assert redis_store(server).get("key").entry.body == b"after"
    assert len(caplog.records) == 1


def test_no_entry_is_fresh_for_long_while_the_store_is_down(no_server):
    shared = RedisStore(no_server, SECRET_KEY, 10, BYTES)
    store = ResilientStore(shared, logging.getLogger("tests.stores"), 10, BYTES)
    store.get("key")
    keep(store, an_entry(revalidate=None))
    keep(store, an_entry("short", revalidate=2))
    assert 0 < store.get("key").fresh_for <= LONGEST_FRESH
    assert 0 < store.get("short").fresh_for <= 2


def test_who_revalidates_learns_that_the_store_is_down_and_this_process_forgets(no_server):
    shared = RedisStore(no_server, SECRET_KEY, 10, BYTES)
    store = ResilientStore(shared, logging.getLogger("tests.stores"), 10, BYTES)
    store.get("key")
    keep(store, an_entry())
    with pytest.raises(StoreError, match="refused"):
        store.revalidate_tags(["posts"])
    assert store.get("key") is None
    keep(store, an_entry())
    with pytest.raises(StoreError, match="refused"):
        store.revalidate_key("key")
    assert store.get("key") is None


def test_a_lock_that_was_asked_for_while_the_server_hung_is_released_when_it_is_back():
    with redis_server() as server:
        store = ResilientStore(redis_store(server), logging.getLogger("tests.stores"), 10, BYTES)
        other = redis_store(server)
        assert store.lock("held before", "mine", 60)
        server.hang()
        store.lock("key", "mine", 60)  # the server reads it when it goes on
        store.unlock("held before", "mine")
        server.go_on()
        time.sleep(1.1)
        store.get("any")
        assert other.lock("key", "theirs", 60)
        assert other.lock("held before", "theirs", 60)


def test_a_store_that_hangs_is_waited_for_once():
    with redis_server() as server:
        store = ResilientStore(redis_store(server), logging.getLogger("tests.stores"), 10, BYTES)
        store.get("key")
        server.hang()
        try:
            began = time.monotonic()
            for i in range(100):
                keep(store, an_entry(str(i)))
                store.lock(str(i), "mine", 5)
            assert time.monotonic() - began < 0.4
        finally:
            server.go_on()


def test_a_store_that_cannot_be_reached_is_told_in_words():
    with redis_server() as server:
        store = redis_store(server)
        store.get("key")
        server.hang()
        try:
            with pytest.raises(StoreError) as hung:
                store.get("key")
        finally:
            server.go_on()
        server.kill()
        with pytest.raises(StoreError) as gone:
            store.get("key")
    if sys.platform == "linux":  # elsewhere Python waits, and has a word of its own
        assert str(hung.value) == "no answer within 0.1 seconds"
    refused = f"ConnectionError: Error {errno.ECONNREFUSED} connecting to 127.0.0.1:{server.port}"
    assert str(gone.value).startswith(refused)
    assert not str(gone.value).endswith(".")


def test_a_fault_that_nobody_thought_of_fails_no_request(caplog):
    class Broken(MemoryStore):
        def get(self, key: str) -> Any:
            raise ZeroDivisionError

    store = ResilientStore(Broken(1, 1), logging.getLogger("tests.stores"), 10, BYTES)
    assert store.get("key") is None
    assert keep(store, an_entry())
    [record] = caplog.records
    assert record.exc_info[0] is ZeroDivisionError


def test_the_package_works_in_a_spawned_process(redis):
    """Nothing is inherited there."""
    keep(redis_store(redis), an_entry())
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(read_in_process, (redis.url,)) == b"hello"


def read_in_process(url: str) -> bytes | None:
    found = RedisStore(url, SECRET_KEY, 10, BYTES).get("key")
    return found.entry.body if found else None
