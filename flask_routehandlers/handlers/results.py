"""Turn the result of a handler or a middleware into something that Flask accepts from a view."""

from __future__ import annotations

from collections.abc import Coroutine
from types import CoroutineType, GeneratorType, NoneType
from typing import Any

from flask import Flask, stream_with_context

#: Types of results that Flask would refuse or misread, or that can hold one it would.
UNFINISHED = frozenset({NoneType, GeneratorType, CoroutineType, tuple})


def finish(app: Flask, result: Any, name: str, file: str, kind: str = "A handler") -> Any:
    """Await a coroutine, and let a generator keep its request context while it streams.

    A generator keeps the context also as the body of a tuple with a status and headers.

    :param result: the return value of the function.
    :param name: the function's name in its file, for errors.
    :param file: the file, relative to the root.
    :param kind: the kind of function, for errors.
    :raises TypeError: for ``None``.
    """
    if isinstance(result, CoroutineType):
        result = app.ensure_sync(_await)(result)
    if isinstance(result, GeneratorType):
        return stream_with_context(result)
    if isinstance(result, tuple) and result and isinstance(result[0], GeneratorType):
        return stream_with_context(result[0]), *result[1:]
    if result is None:
        raise returned_none(name, file, kind)
    return result


def returned_none(name: str, file: str, kind: str = "A handler") -> TypeError:
    """Return the error for a function that returned ``None``."""
    return TypeError(
        f"{name} in {file} returned None. {kind} returns a response: a str, a dict or list "
        '(JSON), a Response, or "", 204 for an empty one.'
    )


async def _await(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await coroutine
