"""Decide what is stored of a response, and what HTTP caches may do with it.

A stored response is given to everyone, so one that says it is for a single client is not stored:
with a cookie, with ``private`` or ``no-store``, or with ``Vary``, since the key has nothing of the
request but its path. RFC 9111 has the rules for HTTP caches; ``stale-while-revalidate`` is from
RFC 5861.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from werkzeug.http import parse_list_header
from werkzeug.urls import iri_to_uri

#: The statuses of responses that are stored.
STATUSES = (200, 301, 308)

#: Seconds for which an HTTP cache may serve a response that is not revalidated.
ONE_YEAR = 365 * 24 * 3600

#: The ``Cache-Control`` of a response that only the client may keep.
PRIVATE = "private, no-cache"

#: Headers that belong to one message or connection, or are made for each response.
_NOT_KEPT = {
    "accept-ranges", "age", "cache-status", "connection", "content-length", "date", "keep-alive",
    "proxy-authenticate", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip

#: Headers that shared caches obey rather than ``Cache-Control``, besides those that end with
#: ``-cache-control``.
_TARGETED = {"edge-control", "surrogate-control", "x-accel-expires"}

Headers = Sequence[tuple[str, str]]


def why_not_stored(status: int, headers: Headers) -> str | None:
    """Return the reason why a response is not stored, in a word; ``None`` if it is.

    :param headers: the headers of the handler's response.
    """
    if status not in STATUSES:
        return f"status-{status}"
    names = {name.lower() for name, _ in headers}
    for name in ("set-cookie", "vary"):
        if name in names:
            return name
    for directive in _directives(headers):
        if directive in ("private", "no-store"):
            return directive
    return None


def kept_headers(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Return the headers that are stored with a response, as they are sent."""
    kept = []
    for name, value in headers:
        if name.lower() in ("location", "content-location"):
            kept.append((name, iri_to_uri(value)))
        elif name.lower() not in _NOT_KEPT:
            kept.append((name, value))
    return tuple(kept)


def cache_control(lifetime: int | None) -> str:
    """Return the ``Cache-Control`` of a stored response.

    ``s-maxage`` is for shared caches alone: a revalidation reaches no browser. ``60`` gives
    ``s-maxage=60, stale-while-revalidate=31535940``, whose sum is a year.

    :param lifetime: seconds until it is stale, or ``None``: fresh until revalidated.
    """
    if lifetime is None or lifetime >= ONE_YEAR:
        return f"s-maxage={ONE_YEAR}"
    return f"s-maxage={lifetime}, stale-while-revalidate={ONE_YEAR - lifetime}"


def is_shareable(headers: Headers) -> bool:
    """Return whether ``Cache-Control`` lets a cache give a response to other clients."""
    return {"private", "no-store"}.isdisjoint(_directives(headers, with_values=True))


def is_targeted(name: str) -> bool:
    """Return whether a header speaks to some shared caches, which obey it first."""
    return name.lower().endswith("-cache-control") or name.lower() in _TARGETED


def varies(values: Iterable[str]) -> bool:
    """Return whether the values of ``Vary`` name anything but the encoding."""
    for value in values:
        for field in parse_list_header(value):
            if field.lower() != "accept-encoding":
                return True
    return False


def _directives(headers: Headers, *, with_values: bool = False) -> Iterable[str]:
    """Return the directives of ``Cache-Control`` in lower case."""
    for name, value in headers:
        if name.lower() == "cache-control":
            for item in parse_list_header(value):
                if not with_values:
                    item = item.partition("=")[0]
                yield item.strip().lower()
