"""Stored bytes: what comes back is what was stored under this key with this secret, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_routehandlers.caching.stores.entry import (
    MAGIC,
    Entry,
    dump,
    load,
    make_etag,
    signature,
    signing_key,
    size_of,
)

SECRET = signing_key("a secret")
TEXTS = st.text(max_size=20)
ENTRIES = st.builds(
    Entry,
    key=TEXTS,
    status=st.sampled_from([200, 301, 308]),
    headers=st.lists(st.tuples(TEXTS, TEXTS), max_size=4).map(tuple),
    body=st.binary(max_size=200),
    etag=TEXTS,
    tags=st.lists(TEXTS, max_size=3).map(tuple),
    revalidate=st.none() | st.integers(1, 10**9),
)


def entry_for(key: str, body: bytes = b"hello", **fields: object) -> Entry:
    headers = (("Content-Type", "text/plain"),)
    values = {"tags": ("posts",), "revalidate": 60} | fields
    return Entry(key, 200, headers, body, make_etag(200, headers, body), **values)


@given(ENTRIES)
def test_an_entry_comes_back_as_it_was(entry):
    assert load(dump(entry, SECRET), entry.key, SECRET) == entry


@given(ENTRIES, TEXTS)
def test_an_entry_is_accepted_under_its_own_key_only(entry, key):
    found = load(dump(entry, SECRET), key, SECRET)
    assert (found is not None) == (key == entry.key)


@given(st.binary(max_size=300), TEXTS)
def test_foreign_bytes_are_no_entry(data, key):
    assert load(data, key, SECRET) is None
    assert load(MAGIC + data, key, SECRET) is None


def test_what_another_secret_signed_is_no_entry():
    assert load(dump(entry_for("k"), signing_key("another")), "k", SECRET) is None


def test_the_secret_itself_signs_nothing():
    assert signing_key("a secret") == signing_key(b"a secret") != b"a secret"
    assert load(dump(entry_for("k"), b"a secret"), "k", SECRET) is None


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


def write_anew(rng: Random, data: bytes, other: bytes) -> bytes:
    """A sound header and body that say something else, below the old signature."""
    start = len(MAGIC) + len(signature(data))
    header = json.dumps(["key 1", 200, [], '"x"', [], None]).encode()
    return data[:start] + len(header).to_bytes(4, "big") + header + rng.randbytes(9)


def sign_as_somebody_else(rng: Random, data: bytes, other: bytes) -> bytes:
    return dump(entry_for("key 1", rng.randbytes(9)), signing_key(rng.randbytes(8)))


def rekey(rng: Random, data: bytes, other: bytes) -> bytes:
    """A sound entry, of another key."""
    return other


def send_another_reply(rng: Random, data: bytes, other: bytes) -> bytes:
    return rng.choice([b"", b"OK", b"1", b"\0" * 100, b"FRH1", b"\x80\x04.", rng.randbytes(100)])


FAULTS = [
    *(flip, truncate, lose_the_beginning, extend, repeat, splice, replace),
    *(write_anew, sign_as_somebody_else, rekey, send_another_reply),
]


def accepted(fault: Callable[[Random, bytes, bytes], bytes], count: int) -> int:
    """How many of so many damaged entries are accepted."""
    rng = Random(f"{fault.__name__} {count}")
    entries = 0
    for _ in range(count):
        data = dump(entry_for("key 1", rng.randbytes(rng.randrange(60))), SECRET)
        other = dump(entry_for("key 2", rng.randbytes(rng.randrange(60))), SECRET)
        damaged = fault(rng, data, other)
        entries += damaged != data and load(damaged, "key 1", SECRET) is not None
    return entries


@pytest.mark.parametrize("fault", FAULTS)
def test_no_damaged_entry_is_accepted(fault):
    assert accepted(fault, 2_000 // len(FAULTS) + 1) == 0


@pytest.mark.soak
def test_none_of_very_many_damaged_entries_is_accepted():
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
def test_an_entity_tag_tells_status_headers_and_body(status, headers, body):
    assert make_etag(status, headers, body) != make_etag(200, [("A", "b")], b"c")
    assert make_etag(200, [("A", "b")], b"c") == make_etag(200, [("A", "b")], b"c")


def test_the_size_of_an_entry_counts_all_its_parts():
    small = size_of(entry_for("k"))
    assert size_of(entry_for("k", b"hello" + b"x" * 1000)) == small + 1000
    assert size_of(entry_for("k" * 101)) == small + 100
    assert size_of(entry_for("k", tags=("posts", "p" * 500))) >= small + 500
