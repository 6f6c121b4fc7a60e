"""Redis goes away under load: killed, hung, or both in turn. No request fails or waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import pytest

from tests.fleet import fleet
from tests.servers import RedisServer, redis_server

#: Seconds that an outage may add to an answer, and until answers are fresh after it.
DELAY, RETURN = 0.15, 2.0

Outage = Callable[[RedisServer, float], None]


def killed(server: RedisServer, seconds: float) -> None:
    server.kill()
    time.sleep(seconds)
    server.start()


def hung(server: RedisServer, seconds: float) -> None:
    server.hang()
    time.sleep(seconds)
    server.go_on()


def flapping(server: RedisServer, seconds: float) -> None:
    rng = Random(seconds)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        rng.choice([killed, hung])(server, rng.uniform(0.05, 0.5))
        time.sleep(rng.uniform(0.05, 0.5))


def go_through(outage: Outage, seconds: float) -> str:
    """Two processes ask all the time, before, in and after an outage. Says how it was."""
    keys = [f"key {i}" for i in range(10)]
    total = 1 + seconds + 1 + RETURN + 1
    with redis_server() as server, fleet(server, 2, threads=6, revalidate=1) as running:
        for member in running.members:
            member.send("keep_asking", keys, total)
        time.sleep(1)
        outage(server, seconds)
        returned = time.monotonic()
        every = [member.receive() for member in running.members]
    answers = [answer for some in every for answer in some[:-1]]
    # A machine that has no time for a thread that only sleeps has none for the others either.
    busy = max(some[-1][2] for some in every)
    longest = max(took for _, _, took in answers)
    late = [(came, made) for came, made, _ in answers if came > returned + RETURN]
    # It waits for the server, and for the processor before, while and after it does.
    assert longest <= DELAY + 3 * busy, (
        f"{longest:.3f} s, of which {busy:.3f} s without the outage"
    )
    assert late, "nobody asked for long enough"
    assert [made for _, made in late if made < returned] == []
    since = max((came for came, made, _ in answers if made < returned), default=returned)
    return (
        f"{len(answers):,} answers, 0 failed, the slowest took {longest * 1000:.0f} ms "
        f"(threads wait {busy * 1000:.0f} ms without it), "
        f"fresh {max(since - returned, 0):.2f} s after the return"
    )


@pytest.mark.ci
@pytest.mark.parametrize("outage", [killed, hung, flapping])
def test_no_request_fails_in_an_outage(outage):
    go_through(outage, 1.5)


@pytest.mark.soak
@pytest.mark.parametrize("outage", [killed, hung, flapping])
def test_no_request_fails_in_a_long_outage(outage):
    print(f"\n{outage.__name__} for 10 s: {go_through(outage, 10)}")
