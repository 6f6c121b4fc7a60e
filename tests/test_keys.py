"""Keys: what a handler could distinguish has different keys."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_routehandlers.caching.stores.entry import (
    LONGEST_PATH,
    code_version,
    file_prefix,
    make_key,
)
from tests.support import SEEDED

PREFIX = file_prefix("shop", "api", "posts/[id]/route.py", "1")
PATHS = st.text(max_size=300).map("/".__add__)


def test_a_prefix_depends_on_every_part():
    parts = ["a", "b", "ab", "", 'a","b', "a/b"]
    prefixes = [file_prefix(*four) for four in product(parts, repeat=4)]
    assert len(set(prefixes)) == len(prefixes)
    assert {len(prefix) for prefix in prefixes} == {32}


@SEEDED
@given(PATHS, PATHS)
def test_different_paths_have_different_keys(path, other):
    assert (make_key(PREFIX, path) == make_key(PREFIX, other)) == (path == other)


def test_a_path_has_a_key_in_each_file():
    other = file_prefix("shop", "api", "posts/[slug]/route.py", "1")
    assert make_key(PREFIX, "/posts/1") != make_key(other, "/posts/1")


@pytest.mark.parametrize("path", ["/" + "x" * 100_000, "/" + "é" * 500, "/\udcff" * 200])
def test_long_paths_have_short_keys(path):
    assert len(make_key(PREFIX, path)) < LONGEST_PATH
    assert make_key(PREFIX, path) != make_key(PREFIX, path + "x")


def test_a_change_of_code_is_another_version():
    sources = [(b"x = 1", ""), (b"x = 2", ""), (b"x = 1", "2"), (b"x = 12", "")]
    assert len({code_version(*source) for source in sources}) == 4
