"""The store in a Redis server: what it sends, what it finds there, how it connects."""

from __future__ import annotations

import multiprocessing
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flask_routehandlers.caching.settings import Settings
from flask_routehandlers.caching.stores.entry import dump, make_signer
from flask_routehandlers.caching.stores.redis import RedisStore
from flask_routehandlers.errors import StoreError
from tests.servers import PREFIX, RedisServer, free_port, redis_server
from tests.stores import SECRET_KEY, an_entry, keep, pass_time_in, redis_store

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


# What is sent.


def test_processes_share_a_server(redis):
    one, two = redis_store(redis), redis_store(redis)
    keep(one, an_entry())
    assert two.get("key").entry == an_entry()
    two.revalidate_tags(["posts"])
    assert one.get("key") is None


def test_an_entry_is_transferred_once(redis):
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


def test_a_server_may_forget_the_scripts(redis):
    store = redis_store(redis)
    keep(store, an_entry())
    with redis.client() as client:
        client.script_flush()
    assert store.get("key") is not None
    assert store.renew("key", 60) is False


def test_a_lock_belongs_to_one_process(redis):
    mine, theirs = redis_store(redis), redis_store(redis)
    assert mine.lock("key", 60)
    assert not theirs.lock("key", 60)
    assert not theirs.renew("key", 60)
    theirs.unlock("key")
    assert not theirs.lock("key", 60)
    mine.unlock("key")
    assert theirs.lock("key", 60)


def test_an_expired_lock_belongs_to_the_next(redis):
    mine, theirs = redis_store(redis), redis_store(redis)
    mine.lock("key", 60)
    pass_time_in(redis)(61)
    assert theirs.lock("key", 60)
    assert not mine.renew("key", 60)
    mine.unlock("key")
    assert not mine.lock("key", 60)


def test_every_key_has_the_prefix_and_expires(redis):
    store = redis_store(redis, prefix="{mine}:")
    keep(store, an_entry())
    store.lock("key", 60)
    with redis.client() as client:
        names = client.keys()
        assert len(names) == 4
        assert all(name.startswith(b"{mine}:") and client.ttl(name) > 0 for name in names)


def test_runs_without_an_entry_leave_nothing(redis):
    store = redis_store(redis)
    for number in range(10):
        store.discard(store.begin(f"key {number}", ("posts", f"post {number}")))
    with redis.client() as client:
        assert len(client.keys()) == 21
        assert all(0 < client.ttl(name) <= 60 for name in client.keys("*"))


def test_a_run_without_an_entry_spares_others(redis):
    store = redis_store(redis)
    marks = store.begin("running", ("new",))
    keep(store, an_entry())
    store.discard(store.begin("gone", ("posts", "new")))
    assert store.put(an_entry("running", tags=("new",)), marks)
    with redis.client() as client:
        for tag in ("posts", "new"):
            assert client.ttl(f"{PREFIX}t:{tag}") >= client.ttl(f"{PREFIX}e:running")


# What is found.


def test_an_evicted_generation_takes_its_entries(redis):
    store = redis_store(redis)
    keep(store, an_entry())
    with redis.client() as client:
        client.delete(f"{PREFIX}t:posts")
    assert store.get("key") is None
    assert keep(store, an_entry(body=b"new"))
    assert store.get("key").entry.body == b"new"


def test_entries_signed_by_others_are_not_found(redis):
    keep(redis_store(redis), an_entry())
    assert RedisStore(Settings(url=redis.url, timeout=5), "another").get("key") is None


DAMAGES: list[Callable[[Any, str], object]] = [
    lambda client, name: client.hset(name, "data", b""),
    lambda client, name: client.hset(name, "data", b"x" * 100),
    lambda client, name: client.hset(name, "data", client.hget(name, "data")[:-1]),
    lambda client, name: client.hset(name, "data", dump(an_entry("other"), make_signer("s"))),
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
def test_a_damaged_entry_is_a_miss(redis, damage):
    keep(redis_store(redis), an_entry())
    with redis.client() as client:
        damage(client, f"{PREFIX}e:key")
    store = redis_store(redis)
    assert store.get("key") is None
    assert keep(store, an_entry())
    assert redis_store(redis).get("key").entry == an_entry()


@pytest.mark.parametrize("kind", ["m:key", "t:posts"])
@pytest.mark.parametrize("value", ["", "garbage", "1 2 3", "99999999999999999999 x", ["list"]])
def test_foreign_values_block_nothing(redis, kind, value):
    with redis.client() as client:
        if isinstance(value, list):
            client.rpush(PREFIX + kind, *value)
        else:
            client.set(PREFIX + kind, value)
    store = redis_store(redis)
    assert keep(store, an_entry())
    assert store.get("key") is not None


@pytest.mark.parametrize(("jump", "age", "fresh"), [(-HOUR, HOUR, -HOUR), (HOUR, 0, 0)])
def test_a_jump_of_the_server_clock_makes_stale(redis, jump, age, fresh):
    store = redis_store(redis)
    keep(store, an_entry())
    keep(store, an_entry("until revalidated", revalidate=None))
    with redis.client() as client:
        for key in ("key", "until revalidated"):
            client.hincrby(f"{PREFIX}e:{key}", "stored", jump * 1000)
    found = store.get("key")
    assert found.age == pytest.approx(age, abs=60)
    assert fresh - 60 < found.fresh_for <= fresh + 120
    assert found.fresh_for <= 0 or jump > 0
    assert store.get("until revalidated").fresh_for == float("inf")


def test_a_lock_ends_when_the_clock_is_set_back(redis):
    """That of a pause, for example, which its process never releases."""
    store, other = redis_store(redis), redis_store(redis)
    assert store.lock("key", 60)
    assert not other.lock("key", 60)
    with redis.client() as client:
        client.pexpire(f"{PREFIX}l:key", (60 + HOUR) * 1000)
    assert other.lock("key", 60)
    assert not store.lock("key", 60)


# Connections.


def test_an_interrupted_call_drops_its_connection(redis):
    store = redis_store(redis)
    keep(store, an_entry("a", b"a"))
    keep(store, an_entry("b", b"b"))

    class Interruption(BaseException):
        pass

    peer = store._connections._free[-1]
    real = peer._socket

    class Interrupted:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def recv(self, size: int) -> bytes:
            raise Interruption

    peer._socket = Interrupted()
    with pytest.raises(Interruption):
        store.get("a")
    # The reply that comes later does not reach the next caller.
    assert real.fileno() == -1
    assert store.get("b").entry.body == b"b"


def test_a_closed_idle_connection_is_replaced(redis):
    store = redis_store(redis)
    keep(store, an_entry())
    with redis.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    assert store.get("key") is not None


def test_closed_idle_connections_are_all_replaced(redis, monkeypatch):
    """Also if there is none left that was not open."""
    monkeypatch.setattr("flask_routehandlers.caching.stores.redis.MOST_CONNECTIONS", 3)
    store = redis_store(redis)
    peers = store._connections._free
    for _ in range(3):
        keep(store, an_entry())
        peers.rotate()
    assert all(peer.is_used for peer in peers)
    with redis.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(store.get, "key") for _ in range(3)]
        assert all(call.result(5) for call in calls)


def test_threads_share_a_few_connections(redis, monkeypatch):
    monkeypatch.setattr("flask_routehandlers.caching.stores.redis.MOST_CONNECTIONS", 3)
    store = redis_store(redis)
    keep(store, an_entry())
    found: list[bool] = []

    def read() -> None:
        found.extend(store.get("key") is not None for _ in range(20))

    with redis.client() as client:
        before = client.info("clients")["connected_clients"]
        threads = [threading.Thread(target=read) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [True] * 400
        assert client.info("clients")["connected_clients"] <= before + 2  # and the first one


def test_waiting_for_a_connection_has_an_end(redis, monkeypatch):
    """With the call that uses it, whether that succeeds or fails."""
    monkeypatch.setattr("flask_routehandlers.caching.stores.redis.MOST_CONNECTIONS", 1)
    store = redis_store(redis, timeout=0.2)
    keep(store, an_entry())
    with ThreadPoolExecutor(10) as pool:
        redis.hang()
        calls = [pool.submit(store.get, f"key {number}") for number in range(10)]
        assert all(isinstance(call.exception(), StoreError) for call in calls)
        redis.go_on()
        assert list(pool.map(store.get, map(str, range(10)))) == [None] * 10


def test_an_unknown_url_is_refused_at_once():
    with pytest.raises(ValueError, match=r"^redis-py cannot parse it$"):
        RedisStore(Settings(url="http://localhost"), SECRET_KEY)
    with pytest.raises(ValueError, match=r"^redis-py does not accept its options: .*colour"):
        RedisStore(Settings(url="redis://localhost?colour=red"), SECRET_KEY)


def test_a_store_connects_with_its_first_call():
    RedisStore(Settings(url=f"redis://127.0.0.1:{free_port()}"), SECRET_KEY)


def test_password_and_database_come_from_the_url(redis):
    with redis.client() as client:
        client.execute_command("ACL SETUSER", "cache", "on", ">s3cret", "~*", "+@all")
        url = f"redis://cache:s3cret@127.0.0.1:{redis.port}/3"
        keep(RedisStore(Settings(url=url, timeout=5), SECRET_KEY), an_entry())
        assert client.info("keyspace")["db3"]["keys"] == 3
    wrong = f"redis://cache:wrong@127.0.0.1:{redis.port}/3"
    with pytest.raises(StoreError, match="password"):
        RedisStore(Settings(url=wrong, timeout=5), SECRET_KEY).get("key")


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


def test_a_url_may_be_of_any_kind(other_url):
    store = RedisStore(Settings(url=other_url, timeout=5), SECRET_KEY)
    other = RedisStore(Settings(url=other_url, timeout=5), SECRET_KEY)
    entry = an_entry(body=b"x" * 300_000)  # of several parts
    assert keep(store, entry)
    assert other.get("key").entry == entry
    with ThreadPoolExecutor(8) as pool:
        assert {found.entry.body for found in pool.map(other.get, ["key"] * 80)} == {entry.body}
    assert store.lock("key", 60)
    assert not other.lock("key", 60)
    other.revalidate_tags(["posts"])
    assert store.get("key") is None


def test_a_spawned_process_inherits_nothing(redis):
    keep(redis_store(redis), an_entry())
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(read_in_process, (redis.url,)) == b"hello"


def read_in_process(url: str) -> bytes | None:
    found = RedisStore(Settings(url=url, timeout=5), SECRET_KEY).get("key")
    return found.entry.body if found else None


@pytest.mark.skipif(sys.platform != "linux", reason="the time-out is the system's on Linux alone")
def test_a_silent_server_is_reported_in_words():
    with redis_server() as server:
        store = redis_store(server, timeout=0.1)
        store.get("key")
        server.hang()
        try:
            with pytest.raises(StoreError) as caught:
                store.get("key")
        finally:
            server.go_on()
    assert str(caught.value) == "no answer within 0.1 seconds"


def test_a_dripping_server_is_not_waited_for():
    """Each part of its reply arrives in time; the whole never does."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            peer, _ = server.accept()
            end = time.monotonic() + 20
            with peer, suppress(OSError):
                peer.sendall(b"$1000000000\r\n")
                while time.monotonic() < end:
                    peer.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"redis://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(StoreError, match=r"^no answer within 0.05 seconds$"):
            RedisStore(Settings(url=url, timeout=0.05), SECRET_KEY).get("key")
        thread.join()


def test_a_missing_server_is_reported_in_words():
    port = free_port()
    store = RedisStore(Settings(url=f"redis://127.0.0.1:{port}"), SECRET_KEY)
    with pytest.raises(StoreError) as caught:
        store.get("key")
    message = str(caught.value)
    assert message.startswith(f"ConnectionError: Error 111 connecting to 127.0.0.1:{port}")
    assert not message.endswith(".")
