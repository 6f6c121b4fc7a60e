"""From what a handler or a middleware returns to what Flask takes from a view."""

from __future__ import annotations

from collections.abc import Coroutine
from types import CoroutineType, GeneratorType, NoneType
from typing import Any

from flask import Flask, stream_with_context

#: Types of return values that are, or can hold, what Flask would not take as it is meant.
UNFINISHED = frozenset({NoneType, GeneratorType, CoroutineType, tuple})


def finish(app: Flask, result: Any, function: str, file: str, kind: str = "A handler") -> Any:
    """Await a coroutine, and let a generator keep its request context while it streams.

    A generator keeps it too as the body of a tuple, in front of a status and headers.

    :param result: what the function returned.
    :param function: what it is called in its file, for errors.
    :param file: the file, relative to the root.
    :param kind: what such a function is, for errors.
    :raises TypeError: for ``None``.
    """
    if isinstance(result, CoroutineType):
        result = app.ensure_sync(_awaited)(result)
    if isinstance(result, GeneratorType):
        return stream_with_context(result)
    if isinstance(result, tuple) and result and isinstance(result[0], GeneratorType):
        return stream_with_context(result[0]), *result[1:]
    if result is None:
        raise nothing_returned(function, file, kind)
    return result


def nothing_returned(function: str, file: str, kind: str = "A handler") -> TypeError:
    """The error for a function that returned ``None``."""
    return TypeError(
        f"{function} in {file} returned None. {kind} returns a response: "
        'a str, a dict or list (JSON), a Response, or "", 204 for none.'
    )


async def _awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await coroutine
