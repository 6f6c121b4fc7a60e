"""Go on after a tree that is refused, where all that is wrong is to be told at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import RouteTreeError

#: Who collects refusals now.
_collecting: list[list[RouteTreeError]] = []


@contextmanager
def collecting() -> Iterator[list[RouteTreeError]]:
    """Let apps be made without the trees that are refused.

    :returns: the errors that are not raised meanwhile.
    """
    refused: list[RouteTreeError] = []
    _collecting.append(refused)
    try:
        yield refused
    finally:
        _collecting.remove(refused)


def collect(error: RouteTreeError) -> bool:
    """Whether somebody takes the error, so that it need not be raised."""
    for refused in _collecting:
        refused.append(error)
    return bool(_collecting)
