"""Several processes with one Redis: one run for each key, nothing old, nobody stuck."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

import pytest

from flask_routehandlers.caching.settings import Settings
from flask_routehandlers.caching.stores.redis import RedisStore
from tests.fleet import SECRET_KEY, TAG, Fleet, fleet
from tests.servers import PREFIX, RedisServer, redis_server

PROCESSES = 4
CALLERS = 500
LOCK_SECONDS = 1.0


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(scope="module")
def callers(server: RedisServer) -> Iterator[Fleet]:
    # A busy machine makes the server slow, which must not count as an outage here.
    with fleet(server, PROCESSES, threads=CALLERS // PROCESSES, timeout=10.0) as running:
        yield running


def runs(server: RedisServer, key: str) -> int:
    """How often a key was computed, once nobody computes it any more."""
    with server.client() as client:
        deadline = time.monotonic() + 10
        while client.exists(f"{PREFIX}l:{key}") and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        return int(client.get(f"runs of {key}") or 0)


def check_rounds(server: RedisServer, callers: Fleet, name: str, rounds: int) -> None:
    for number in range(rounds):
        key = f"{name} {number}"
        cold = {body for some in callers.call("ask", key) for body in some}
        assert (cold, runs(server, key)) == ({b"run 1"}, 1)
        server.make_stale()
        stale = [body for some in callers.call("ask", key) for body in some]
        assert len(stale) == CALLERS
        assert set(stale) <= {b"run 1", b"run 2"}
        assert b"run 1" in stale
        assert runs(server, key) == 2
        after = {body for some in callers.call("ask", key) for body in some}
        assert (after, runs(server, key)) == ({b"run 2"}, 2)
        with server.client() as client:
            client.delete(f"{PREFIX}e:{key}")


@pytest.mark.ci
def test_one_of_500_callers_computes(server, callers):
    check_rounds(server, callers, "short", 3)


@pytest.mark.soak
def test_one_of_500_callers_computes_50_times(server, callers):
    check_rounds(server, callers, "long", 50)
    print(f"\n50 rounds, {CALLERS} callers in {PROCESSES} processes, cold and expired: 1 run each")


def delays_after_kills(server: RedisServer, rounds: int) -> list[float]:
    """For how long a key stays stale, or is waited for when it is cold, after its computation was
    killed, in seconds."""
    rng = Random(rounds)
    delays = []
    options = {"threads": 1, "lock_seconds": LOCK_SECONDS}
    with fleet(server, 2, **options) as running, server.client() as client:
        for number in range(rounds):
            key = f"killed {rounds} {number}"
            victim, survivor = running.members
            if number % 2:  # a stale key; a cold one otherwise
                survivor.call("freshness", key)
                server.make_stale()
            victim.call("begin_and_hang", key)
            while not client.exists(f"hanging runs of {key}"):
                time.sleep(0.005)
            time.sleep(rng.random() * LOCK_SECONDS)
            victim.kill()
            running.members.remove(victim)
            killed = time.monotonic()
            while not survivor.call("freshness", key)[0]:
                assert time.monotonic() - killed < 10, f"{key} is stuck"
                time.sleep(0.01)
            delays.append(time.monotonic() - killed)
            assert client.get(f"runs of {key}") == (b"2" if number % 2 else b"1")
            running.add()
            running.members[-1].call("ready")
            running.members.reverse()
    return delays


@pytest.mark.ci
def test_a_killed_refresher_blocks_briefly(server):
    assert max(delays_after_kills(server, 2)) < LOCK_SECONDS + 1


@pytest.mark.soak
def test_50_killed_refreshers_block_briefly(server):
    delays = delays_after_kills(server, 50)
    print(
        f"\n50 refreshers killed: fresh after {max(delays):.2f} s, with locks of {LOCK_SECONDS} s"
    )
    assert max(delays) < LOCK_SECONDS + 1


def count_old_answers(server: RedisServer, seconds: float) -> tuple[int, int, int]:
    """How many answers, how many that were older than a revalidation that had returned when they
    were asked for, and how many revalidations."""
    # Time enough: it is for a server that answers that nothing old is promised.
    store = RedisStore(Settings(url=server.url, timeout=5), SECRET_KEY)
    options = {"threads": 8, "timeout": 5.0, "revalidate": 1}
    rng = Random(seconds)
    with fleet(server, PROCESSES, **options) as running, server.client() as client:
        client.set("counter", 0)
        for member in running.members:
            member.send("watch_counter", ["one", "two"], seconds)
        ends, told = time.monotonic() + seconds, 0
        while time.monotonic() < ends:
            told += 1
            client.set("counter", told)
            store.revalidate_tags([TAG])
            running.floor.value = told
            time.sleep(rng.choice([0, 0.001, 0.01, 0.05]))
        counts = [member.receive() for member in running.members]
    return sum(answers for answers, _ in counts), sum(old for _, old in counts), told


@pytest.mark.ci
def test_no_process_serves_older_answers(server):
    answers, old, told = count_old_answers(server, 2)
    assert (old, answers > 100, told > 10) == (0, True, True)


@pytest.mark.soak
def test_no_process_ever_serves_older_answers(server):
    answers, old, told = count_old_answers(server, 60)
    print(f"\n{answers:,} answers of {PROCESSES} processes, {told:,} revalidations: {old} too old")
    assert old == 0
