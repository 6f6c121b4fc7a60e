"""The decision table: what is stored, and what HTTP caches are told."""

from __future__ import annotations

import pytest

from flask_routehandlers.caching.policy import (
    cache_control,
    is_shareable,
    kept_headers,
    varies,
    why_not_stored,
)

TEXT = ("Content-Type", "text/plain")


@pytest.mark.parametrize(
    ("status", "headers", "reason"),
    [
        # The status.
        (200, [], None),
        (200, [TEXT], None),
        (301, [("Location", "/a")], None),
        (308, [("Location", "/a")], None),
        (201, [], "status-201"),
        (202, [], "status-202"),
        (204, [], "status-204"),
        (206, [("Content-Range", "bytes 0-1/2")], "status-206"),
        (302, [("Location", "/a")], "status-302"),
        (303, [("Location", "/a")], "status-303"),
        (304, [], "status-304"),
        (307, [("Location", "/a")], "status-307"),
        (400, [], "status-400"),
        (401, [], "status-401"),
        (404, [], "status-404"),
        (405, [], "status-405"),
        (410, [], "status-410"),
        (500, [], "status-500"),
        (503, [], "status-503"),
        # What makes it one client's.
        (200, [("Set-Cookie", "a=1")], "set-cookie"),
        (200, [("SET-COOKIE", "a=1")], "set-cookie"),
        (301, [("Location", "/a"), ("Set-Cookie", "a=1")], "set-cookie"),
        (200, [("Vary", "Cookie")], "vary"),
        (200, [("Vary", "*")], "vary"),
        (200, [("vary", "Accept-Encoding")], "vary"),
        (200, [("Cache-Control", "private")], "private"),
        (200, [("Cache-Control", "Private, max-age=60")], "private"),
        (200, [("Cache-Control", 'private="Set-Cookie"')], "private"),
        (200, [("Cache-Control", "no-store")], "no-store"),
        (200, [("cache-control", "max-age=0,NO-STORE")], "no-store"),
        (200, [("Cache-Control", "max-age=60"), ("Cache-Control", "no-store")], "no-store"),
        # What is said to caches on the way.
        (200, [("Cache-Control", "public, max-age=60")], None),
        (200, [("Cache-Control", "no-cache")], None),
        (200, [("Cache-Control", "max-age=0, must-revalidate")], None),
        (200, [("Cache-Control", "x-private")], None),
        (200, [("Cache-Control", 'x="private"')], None),
        (200, [("Expires", "0")], None),
        (200, [("X-Cookie", "a=1")], None),
    ],
)
def test_some_responses_are_not_stored(status, headers, reason):
    assert why_not_stored(status, headers) == reason


def test_headers_of_one_message_are_not_kept():
    headers = [
        TEXT,
        ("Content-Length", "5"),
        ("Content-Language", "en"),
        ("Connection", "close"),
        ("Transfer-Encoding", "chunked"),
        ("Date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Age", "5"),
        ("Cache-Status", "other; hit"),
        ("Accept-Ranges", "bytes"),
        ("X-Own", "1"),
        ("X-Own", "2"),
        ("ETag", '"mine"'),
        ("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ]
    assert kept_headers(headers) == (
        TEXT,
        ("Content-Language", "en"),
        ("X-Own", "1"),
        ("X-Own", "2"),
        ("ETag", '"mine"'),
        ("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT"),
    )


@pytest.mark.parametrize(
    ("lifetime", "value"),
    [
        (1, "s-maxage=1, stale-while-revalidate=31535999"),
        (60, "s-maxage=60, stale-while-revalidate=31535940"),
        (31_535_999, "s-maxage=31535999, stale-while-revalidate=1"),
        (31_536_000, "s-maxage=31536000"),
        (10**12, "s-maxage=31536000"),
        (None, "s-maxage=31536000"),
    ],
)
def test_cache_control_covers_a_year(lifetime, value):
    assert cache_control(lifetime) == value


@pytest.mark.parametrize(
    ("value", "shareable"),
    [
        ("s-maxage=60", True),
        ("public", True),
        ("no-cache", True),
        ("private", False),
        ("private, no-cache", False),
        ("max-age=0, No-Store", False),
    ],
)
def test_cache_control_may_forbid_sharing(value, shareable):
    assert is_shareable([("Cache-Control", value)]) is shareable


@pytest.mark.parametrize(
    ("values", "result"),
    [
        ([], False),
        ([""], False),
        (["Accept-Encoding"], False),
        (["accept-encoding", "ACCEPT-ENCODING"], False),
        (["Cookie"], True),
        (["Accept-Encoding, Cookie"], True),
        (["Accept-Encoding", "Origin"], True),
        (["*"], True),
    ],
)
def test_vary_means_more_than_encoding(values, result):
    assert varies(values) is result
