"""Turn the result of a handler or a middleware into something that Flask accepts from a view."""

from __future__ import annotations

import dataclasses
from collections.abc import Coroutine
from types import CoroutineType, GeneratorType
from typing import Any

from flask import Flask, Response, stream_with_context
from werkzeug.exceptions import HTTPException

from ..contracts.instances import encode_whole

#: Types of results that Flask accepts as they are.
FINISHED = frozenset({dict, list, str, bytes, Response})


def finish(app: Flask, result: Any, name: str, file: str, kind: str = "A handler") -> Any:
    """Await a coroutine, and let a generator keep its request context while it streams.

    A generator keeps the context also as the body of a tuple with a status and headers.

    :param result: the return value of the function.
    :param name: the function's name in its file, for errors.
    :param file: the file, relative to the root.
    :param kind: the kind of function, for errors.
    :raises TypeError: for ``None``.
    :raises ~werkzeug.exceptions.HTTPException: the result, if it is one.
    """
    if isinstance(result, CoroutineType):
        result = app.ensure_sync(await_result)(result)
    if isinstance(result, GeneratorType):
        return stream_with_context(result)
    if isinstance(result, tuple) and result and isinstance(result[0], GeneratorType):
        return stream_with_context(result[0]), *result[1:]
    return complete(app, result, name, file, kind)


def complete(app: Flask, result: Any, name: str, file: str, kind: str = "A handler") -> Any:
    """Write instances of models and dataclasses, and raise what cannot be returned.

    An exception that is returned counts as raised: type checkers allow it, and otherwise it
    would pass for a response.

    :raises TypeError: for ``None``.
    :raises ~werkzeug.exceptions.HTTPException: the result, if it is one.
    """
    if result is None:
        raise returned_none(name, file, kind)
    if isinstance(result, HTTPException):
        raise result
    if isinstance(result, tuple) and result:
        return _write_instance(app, result[0]), *result[1:]
    return _write_instance(app, result)


def _write_instance(app: Flask, value: Any) -> Any:
    """Return an instance with all of its fields as JSON, and any other value as it is."""
    body = encode_whole(value)
    if body is not None:
        return app.response_class(body, mimetype="application/json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return app.json.response(value)
    return value


def returned_none(name: str, file: str, kind: str = "A handler") -> TypeError:
    """Return the error for a function that returned ``None``."""
    return TypeError(
        f"{name} in {file} returned None. {kind} returns a response: a str, a dict or list "
        '(JSON), a Response, or "", 204 for an empty one.'
    )


async def await_result(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine."""
    return await coroutine
