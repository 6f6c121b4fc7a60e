"""What is stored of a response, and what HTTP caches are told: decisions without side effects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from werkzeug.http import parse_list_header

#: The statuses of responses that are stored.
STATUSES = (200, 301, 308)

#: Seconds for which a response may be served that nobody has revalidated.
ONE_YEAR = 365 * 24 * 3600

#: The ``Cache-Control`` of what only the client may keep that asked.
PRIVATE = "private, no-cache"

#: Headers that belong to one message or one connection, or are made anew for each response.
_NOT_KEPT = frozenset(
    {
        "accept-ranges",
        "age",
        "cache-status",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

#: Headers that tell some shared caches more than ``Cache-Control`` does.
TARGETED = ("CDN-Cache-Control", "Surrogate-Control", "X-Accel-Expires")

Headers = Sequence[tuple[str, str]]


def why_not_stored(status: int, headers: Headers) -> str | None:
    """Why a response is not stored, in a word for the ``Cache-Status`` header; ``None`` if it is.

    :param headers: those that the handler gave.
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
    """The headers of a response that are stored with it."""
    return tuple((name, value) for name, value in headers if name.lower() not in _NOT_KEPT)


def cache_control(lifetime: int | None) -> str:
    """What HTTP caches between server and client are told of a stored response.

    :param lifetime: seconds until it is stale, or ``None``: until revalidated.
    """
    if lifetime is None or lifetime >= ONE_YEAR:
        return f"s-maxage={ONE_YEAR}"
    return f"s-maxage={lifetime}, stale-while-revalidate={ONE_YEAR - lifetime}"


def is_shareable(headers: Headers) -> bool:
    """Whether a cache may give a response with these headers to other clients, if nothing but
    ``Cache-Control`` tells it."""
    return not {"private", "no-store"}.intersection(_directives(headers))


def varies(values: Iterable[str]) -> bool:
    """Whether a response is another one for another client, by its ``Vary`` headers."""
    return any(
        field.lower() != "accept-encoding"
        for value in values
        for field in parse_list_header(value)
    )


def _directives(headers: Headers) -> Iterable[str]:
    for name, value in headers:
        if name.lower() == "cache-control":
            for item in parse_list_header(value):
                yield item.partition("=")[0].strip().lower()
