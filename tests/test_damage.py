"""Damage in the store: the app answers with what its handler returns or with what it has signed
itself for the URL, and no request fails."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from flask_routehandlers.caching.stores.entry import signature
from tests.servers import PREFIX, redis_server
from tests.support import configured, settle, static_route_of
from tests.test_entries import FAULTS

#: A handler whose answers contain their URL.
FILES = {
    "[kind]/[n]/route.py": "revalidate = 60\ncache_tags = ['all']\n"
    "def GET(kind, n):\n    return f'{kind} {n}', {'X-Number': n}\n",
}
PATHS = [f"/api/{kind}/{n}" for kind in ("a", "b") for n in range(5)]


def expected(path: str) -> tuple[int, str, str]:
    _, _, kind, number = path.split("/")
    return 200, f"{kind} {number}", number


def damage_data(rng: Random, client: Any, name: bytes, other: bytes) -> str:
    """One of the faults that an entry by itself is tested with."""
    fault = rng.choice(FAULTS)
    data, foreign = client.hget(name, "data"), client.hget(other, "data")
    client.hset(name, "data", fault(rng, data, foreign))
    if rng.random() < 0.5:  # with a signature that agrees
        client.hset(name, "signature", signature(client.hget(name, "data")))
    return fault.__name__


def damage_field(rng: Random, client: Any, name: bytes, other: bytes) -> str:
    field = rng.choice(["tags", "signature", "stored"])
    # Without its signature, which is in its data too, an entry is served on.
    old = client.hget(name, field) or b""
    at = rng.randrange(len(old) + 1)
    new = rng.choice([b"", rng.randbytes(20), old[:at], old[:at] + rng.randbytes(3) + old[at:]])
    client.hset(name, field, new)
    return f"field {field}"


def lose_field(rng: Random, client: Any, name: bytes, other: bytes) -> str:
    client.hdel(name, *rng.sample(["tags", "signature", "stored", "data"], rng.randint(1, 4)))
    return "fields lost"


def take_the_place_of_another(rng: Random, client: Any, name: bytes, other: bytes) -> str:
    """A sound entry, under the key of another URL."""
    client.delete(name)
    client.hset(name, mapping=client.hgetall(other))
    return "re-keyed"


def be_another_type(rng: Random, client: Any, name: bytes, other: bytes) -> str:
    client.delete(name)
    rng.choice(
        [
            lambda: client.set(name, rng.randbytes(30)),
            lambda: client.rpush(name, b"x", b"y"),
            lambda: client.sadd(name, b"x"),
            lambda: client.zadd(name, {b"x": 1}),
            lambda: client.hset(name, "x", "y"),
        ]
    )()
    return "another type"


def damage_another_key(rng: Random, client: Any, name: bytes, other: bytes) -> str:
    """Marks and generations of tags."""
    begin = f"{PREFIX}e:".encode()
    kind = rng.choice(["m", "t"])
    rest = b"all" if kind == "t" else name.removeprefix(begin)
    key = f"{PREFIX}{kind}:".encode() + rest
    client.delete(key)
    if rng.random() < 0.3:
        client.rpush(key, b"x")
    else:
        client.set(key, rng.choice([b"", b"x", rng.randbytes(30), b"1 2", b"9" * 30]))
    return f"key {kind}"


DAMAGES = [
    *(damage_data,) * 10,
    *(damage_field, damage_field, lose_field),
    *(take_the_place_of_another, be_another_type, damage_another_key),
]


def go_through_damages(folder: Path, count: int) -> Counter[str]:
    """Damage an entry so many times and ask for it each time; return how often in which way."""
    rng = Random(count)
    kinds: Counter[str] = Counter()
    with redis_server() as server, server.client() as client:
        # One keeps no entries that it has checked, the other does.
        apps = [configured(folder, url=server.url, max_bytes=size) for size in (1, 10**6)]
        clients = [app.test_client() for app in apps]
        for app in apps:
            app.testing = True  # an exception is one of this test
        for path in PATHS:
            assert clients[0].get(path).status_code == 200
        route = static_route_of(apps[0])
        names = {path: f"{PREFIX}e:{route.key_of(path)}".encode() for path in PATHS}
        for _ in range(count):
            path, other = rng.sample(PATHS, 2)
            # Whole again, if another damage has dropped it.
            clients[0].get(other)
            clients[0].get(path)
            for app in apps:  # a refresh would write over the damage
                settle(app)
            if client.type(names[path]) != b"hash" or client.type(names[other]) != b"hash":
                kinds["not there"] += 1
                continue
            before = client.hget(names[path], "data")
            kind = rng.choice(DAMAGES)(rng, client, names[path], names[other])
            kinds[kind] += 1
            is_damaged = before is not None and (
                client.type(names[path]) != b"hash" or client.hget(names[path], "data") != before
            )
            response = clients[0].get(path)
            answer = response.status_code, response.text, response.headers["X-Number"]
            assert answer == expected(path), kind
            is_hit = "hit" in response.headers["Cache-Status"]
            kinds["served from the store"] += is_hit
            assert not (is_hit and is_damaged), kind
            response = clients[1].get(path)
            answer = response.status_code, response.text, response.headers["X-Number"]
            assert answer == expected(path), kind
    return kinds


def test_damage_in_the_server_is_not_served(tree, caplog):
    caplog.set_level(logging.WARNING)
    go_through_damages(tree(FILES), 100)
    assert caplog.records == []


@pytest.mark.ci
def test_much_damage_in_the_server_is_not_served(tree, caplog):
    caplog.set_level(logging.WARNING)
    kinds = go_through_damages(tree(FILES), 1_000)
    assert caplog.records == []
    for kind in ("flip", "truncate", "re-keyed", "another type", "key t", "served from the store"):
        assert kinds[kind] > 10, kind
    assert kinds["not there"] < 200


@pytest.mark.soak
def test_100000_damages_are_not_served(tree, caplog):
    caplog.set_level(logging.WARNING)
    kinds = go_through_damages(tree(FILES), 100_000)
    assert caplog.records == []
    print(f"\n100,000 times something in the server was damaged, 0 served: {dict(kinds)}")
