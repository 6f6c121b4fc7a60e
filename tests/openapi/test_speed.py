"""The cost of a document grows with its operations, and no faster."""

from __future__ import annotations

import sys

from flask_routehandlers.mount import mounts_of
from flask_routehandlers.openapi.document import make_document
from tests.benchmarks.openapi import make_app


def count_calls(app):
    """Return how many functions a document calls, whatever they take on this machine."""
    calls = 0

    def count(*_):
        nonlocal calls
        calls += 1

    [mount] = mounts_of(app)
    sys.setprofile(count)
    try:
        make_document(app, mount, (), "openapi.json/route.py")
    finally:
        sys.setprofile(None)
    return calls


def test_calls_grow_with_operations(tmp_path):
    small, large = (count_calls(make_app(tmp_path / f"p{n}", n)) for n in (20, 80))
    assert large / small < 4.2


def test_an_operation_takes_few_calls(tmp_path):
    files = 50
    assert count_calls(make_app(tmp_path / "p", files)) / (2 * files) < 8000
