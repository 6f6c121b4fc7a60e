"""Stored bytes: reading returns what was stored under this key with this secret, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from flask_routehandlers.caching.stores.entry import (
    Entry,
    dump,
    load,
    make_etag,
    make_signer,
    signature,
    size_of,
)
from tests.support import SEEDED

SIGNER = make_signer("a secret")
STRINGS = st.text(max_size=20)
ENTRIES = st.builds(
    Entry,
    key=STRINGS,
    status=st.sampled_from([200, 301, 308]),
    headers=st.lists(st.tuples(STRINGS, STRINGS), max_size=4).map(tuple),
    body=st.binary(max_size=200),
    etag=STRINGS,
    tags=st.lists(STRINGS, max_size=3).map(tuple),
    revalidate=st.none() | st.integers(1, 10**9),
)


def entry_for(key: str, body: bytes = b"hello", **fields: object) -> Entry:
    headers = (("Content-Type", "text/plain"),)
    values = {"tags": ("posts",), "revalidate": 60} | fields
    return Entry(key, 200, headers, body, make_etag(200, headers, body), **values)


@SEEDED
@given(ENTRIES)
def test_an_entry_is_read_as_it_was_stored(entry):
    assert load(dump(entry, SIGNER), entry.key, SIGNER) == entry


@SEEDED
@given(ENTRIES, STRINGS)
def test_an_entry_is_read_under_its_key_only(entry, key):
    found = load(dump(entry, SIGNER), key, SIGNER)
    assert (found is not None) == (key == entry.key)


@SEEDED
@given(st.binary(max_size=300), STRINGS)
def test_foreign_bytes_are_not_an_entry(data, key):
    assert load(data, key, SIGNER) is None
    assert load(data + b"." + signature(dump(entry_for(key), SIGNER)), key, SIGNER) is None


def test_another_secret_signs_no_entry():
    assert load(dump(entry_for("k"), make_signer("another")), "k", SIGNER) is None
    same = make_signer(b"a secret")
    assert load(dump(entry_for("k"), same), "k", SIGNER) == entry_for("k")


def test_other_signatures_of_an_app_do_not_count():
    signed = dump(entry_for("k"), SIGNER).rpartition(b".")[0]
    assert load(Signer("a secret").sign(signed), "k", SIGNER) is None


def flip(rng: Random, data: bytes, other: bytes) -> bytes:
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]


def truncate(rng: Random, data: bytes, other: bytes) -> bytes:
    return data[: rng.randrange(len(data))]


def lose_the_beginning(rng: Random, data: bytes, other: bytes) -> bytes:
    return data[rng.randrange(1, len(data)) :]


def extend(rng: Random, data: bytes, other: bytes) -> bytes:
    return data + rng.randbytes(rng.randint(1, 40))


def repeat(rng: Random, data: bytes, other: bytes) -> bytes:
    return data + data


def splice(rng: Random, data: bytes, other: bytes) -> bytes:
    at = rng.randrange(1, min(len(data), len(other)))
    return data[:at] + other[at:]


def replace(rng: Random, data: bytes, other: bytes) -> bytes:
    at, length = rng.randrange(len(data)), rng.randint(1, 20)
    return data[:at] + rng.randbytes(length) + data[at + length :]


def rewrite(rng: Random, data: bytes, other: bytes) -> bytes:
    """A sound line and body that say something else, with the old signature."""
    line = json.dumps(["key 1", 200, [], '"x"', [], None]).encode()
    return line + b"\n" + rng.randbytes(9) + b"." + signature(data)


def sign_with_another_secret(rng: Random, data: bytes, other: bytes) -> bytes:
    return dump(entry_for("key 1", rng.randbytes(9)), make_signer(rng.randbytes(8)))


def rekey(rng: Random, data: bytes, other: bytes) -> bytes:
    """A sound entry, of another key."""
    return other


def send_another_reply(rng: Random, data: bytes, other: bytes) -> bytes:
    return rng.choice([b"", b"OK", b"1", b"\0" * 100, b"FRH1", b"\x80\x04.", rng.randbytes(100)])


FAULTS = [
    *(flip, truncate, lose_the_beginning, extend, repeat, splice, replace),
    *(rewrite, sign_with_another_secret, rekey, send_another_reply),
]


def accepted(fault: Callable[[Random, bytes, bytes], bytes], count: int) -> int:
    """Return how many of so many damaged entries are accepted."""
    rng = Random(f"{fault.__name__} {count}")
    entries = 0
    for _ in range(count):
        data = dump(entry_for("key 1", rng.randbytes(rng.randrange(60))), SIGNER)
        other = dump(entry_for("key 2", rng.randbytes(rng.randrange(60))), SIGNER)
        damaged = fault(rng, data, other)
        entries += damaged != data and load(damaged, "key 1", SIGNER) is not None
    return entries


@pytest.mark.parametrize("fault", FAULTS)
def test_no_damaged_entry_is_accepted(fault):
    assert accepted(fault, 100) == 0


@pytest.mark.soak
def test_none_of_100000_damages_is_accepted():
    each = 100_000 // len(FAULTS) + 1
    assert [accepted(fault, each) for fault in FAULTS] == [0] * len(FAULTS)
    print(f"\n{each * len(FAULTS):,} damaged entries of {len(FAULTS)} kinds: 0 accepted")


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (301, [("A", "b")], b"c"),
        (200, [("A", "c")], b"c"),
        (200, [("A", "b"), ("A", "b")], b"c"),
        (200, [], b"c"),
        (200, [("A", "b")], b"d"),
    ],
)
def test_an_entity_tag_depends_on_all_parts(status, headers, body):
    assert make_etag(status, headers, body) != make_etag(200, [("A", "b")], b"c")
    assert make_etag(200, [("A", "b")], b"c") == make_etag(200, [("A", "b")], b"c")


def test_the_size_of_an_entry_counts_all_parts():
    small = size_of(entry_for("k"))
    assert size_of(entry_for("k", b"hello" + b"x" * 1000)) == small + 1000
    assert size_of(entry_for("k" * 101)) == small + 100
    assert size_of(entry_for("k", tags=("posts", "p" * 500))) >= small + 500
