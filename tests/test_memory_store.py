"""The bounds of the store in memory."""

from __future__ import annotations

import gc
import tracemalloc
from random import Random

import pytest

from flask_routehandlers.caching.stores.entry import size_of
from flask_routehandlers.caching.stores.memory import REMEMBERED, MemoryStore
from tests.stores import BYTES, an_entry, keep


def test_the_least_recently_used_entry_goes():
    store = MemoryStore(3, BYTES)
    for key in "abc":
        keep(store, an_entry(key))
    store.get("a")
    keep(store, an_entry("d"))
    assert [key for key in "abcd" if store.get(key)] == ["a", "c", "d"]


def test_the_sum_of_bytes_is_bounded():
    store = MemoryStore(100, 5 * size_of(an_entry("0", b"x" * 10_000)))
    for number in range(8):
        keep(store, an_entry(str(number), b"x" * 10_000))
    assert [key for key in "01234567" if store.get(key)] == ["3", "4", "5", "6", "7"]


@pytest.mark.parametrize(("entries", "size"), [(0, BYTES), (10, 0), (10, 5_000)])
def test_an_entry_without_room_removes_no_other(entries, size):
    store = MemoryStore(entries, size)
    small = keep(store, an_entry("small"))
    assert not keep(store, an_entry("large", b"x" * 10_000))
    assert (store.get("small") is not None) is small
    assert store.kept.size <= size


def test_an_entry_without_room_removes_its_own():
    store = MemoryStore(10, 5_000)
    assert keep(store, an_entry("key"))
    assert not keep(store, an_entry("key", b"x" * 10_000))
    assert store.get("key") is None
    assert store.kept.size == 0


def fill(count: int) -> MemoryStore:
    """Return a store that was used with so many different keys, tags and locks."""
    store = MemoryStore(1_000, 2_000_000)
    rng = Random(count)
    for number in range(count):
        tags = ("all", f"tag {rng.randrange(count)}", f"of {number}")
        body = rng.randbytes(rng.randrange(2_000))
        keep(store, an_entry(f"/items/{number}", body, tags=tags))
        if not number % 100:
            store.revalidate_tags((f"of {number}", f"unknown {number}"))
            store.revalidate_key(f"/unknown/{number}")
        store.lock(f"/locks/{number}", 0.01)
        assert len(store.kept) <= 1_000
        assert store.kept.size <= 2_000_000
    return store


def test_many_different_keys_stay_below_bounds():
    store = fill(2_000)
    assert len(store.kept) > 300
    store.revalidate_tags(("all",))
    assert (len(store.kept), store.kept.size) == (0, 0)


@pytest.mark.soak
def test_a_million_keys_stay_below_bounds():
    fill(20_000)
    gc.collect()
    tracemalloc.start()
    store = fill(1_000_000)
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    kept = store.kept
    print(f"\n1,000,000 keys: {len(kept):,} entries, {kept.size:,} bytes, {used:,} in memory")
    # In addition to entries: 10,000 revalidations and locks each.
    assert used < 2_000_000 + 2 * REMEMBERED * 600


def test_forgotten_revalidations_refuse_old_runs():
    store = MemoryStore(10, BYTES)
    marks = store.begin("key", ("posts",))
    store.revalidate_tags(f"tag {number}" for number in range(REMEMBERED + 1))
    assert not store.put(an_entry(), marks)
    assert keep(store, an_entry())
