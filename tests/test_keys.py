"""Keys: no two things that a handler could tell apart have the same."""

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

PREFIX = file_prefix("shop", "api", "posts/[id]/route.py", "1")
PATHS = st.text(max_size=300).map("/".__add__)


def test_every_part_of_a_file_is_in_its_prefix():
    parts = ["a", "b", "ab", "", 'a","b', "a/b"]
    made = [file_prefix(*four) for four in product(parts, repeat=4)]
    assert len(set(made)) == len(made)
    assert {len(prefix) for prefix in made} == {32}


@given(PATHS, PATHS)
def test_two_paths_have_two_keys(path, other):
    assert (make_key(PREFIX, path) == make_key(PREFIX, other)) == (path == other)


def test_a_path_has_a_key_for_each_file():
    other = file_prefix("shop", "api", "posts/[slug]/route.py", "1")
    assert make_key(PREFIX, "/posts/1") != make_key(other, "/posts/1")


@pytest.mark.parametrize("path", ["/" + "x" * 100_000, "/" + "é" * 500, "/\udcff" * 200])
def test_a_long_path_has_a_short_key(path):
    assert len(make_key(PREFIX, path)) < LONGEST_PATH
    assert make_key(PREFIX, path) != make_key(PREFIX, path + "x")


def test_a_change_of_the_code_or_of_the_version_is_another_code():
    made = [code_version(b"x = 1", ""), code_version(b"x = 2", ""), code_version(b"x = 1", "2")]
    assert len({*made, code_version(b"x = 12", "")}) == 4
