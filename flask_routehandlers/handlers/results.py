"""Turn the result of a handler or a middleware into something that Flask accepts from a view.

Anything that Flask accepts stays as it is. In addition, a model, a Struct or a dataclass is
written as JSON, an async generator streams, and a coroutine is awaited. ``None``, which is mostly
a forgotten ``return``, is refused with the names of the function and its file, which Flask's own
error lacks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from flask import Flask, Response, request, stream_with_context
from werkzeug.exceptions import HTTPException

from ..contracts.instances import encode_whole
from ..running.modes import run_for
from .link import Link
from .responses import note_handler

#: Types of results that need no more than a response around them.
PLAIN = frozenset({dict, list, str, bytes})


class AsyncBody:
    """An async generator as the body of a response."""

    def __init__(self, generator: AsyncGeneratorType[Any, Any]) -> None:
        from ..running.streams import StreamBody

        self._body = StreamBody(generator, request.environ)
        self.close = self._body.close

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._body)


def finish(app: Flask, result: Any, link: Link) -> Any:
    """Await a coroutine, and let a generator keep its request context while it streams.

    A generator keeps the context also as the body of a tuple with a status and headers.

    :param result: the return value of the function.
    :param link: the function, for errors.
    :raises TypeError: for ``None``.
    :raises ~werkzeug.exceptions.HTTPException: the result, if it is one.
    """
    if isinstance(result, Response):
        return result
    if isinstance(result, CoroutineType):
        result = run_for(app, result)
    result = complete(app, result, link)
    body, *rest = result if isinstance(result, tuple) and result else (result,)
    if isinstance(body, (GeneratorType, AsyncBody)):
        body = stream_with_context(body)
        return (body, *rest) if rest else body
    return result


def complete(app: Flask, result: Any, link: Link) -> Any:
    """Write instances of models and dataclasses, and raise what cannot be returned.

    An exception that is returned counts as raised: type checkers allow it, and otherwise it
    would pass for a response.

    :raises TypeError: for ``None``.
    :raises ~werkzeug.exceptions.HTTPException: the result, if it is one.
    """
    if result is None:
        raise _invalid_result(result, link)
    if isinstance(result, HTTPException):
        raise result
    if isinstance(result, tuple) and result:
        return _complete_body(app, result[0]), *result[1:]
    return _complete_body(app, result)


def _complete_body(app: Flask, body: Any) -> Any:
    """Return a body in a form that Flask accepts.

    An instance of a model or a dataclass is written as JSON with all of its fields, and an async
    generator becomes an iterator.
    """
    if isinstance(body, AsyncGeneratorType):
        return AsyncBody(body)
    encoded = encode_whole(body)
    if encoded is not None:
        return app.response_class(encoded, mimetype="application/json")
    if dataclasses.is_dataclass(body) and not isinstance(body, type):
        return app.json.response(body)
    return body


def respond(app: Flask, result: Any, link: Link) -> Response:
    """Finish a result, and return it as a response.

    :raises TypeError: for anything that is not a response.
    """
    return make_response(app, finish(app, result, link), link)


def make_response(app: Flask, result: Any, link: Link) -> Response:
    """Return a complete result as a response.

    :raises TypeError: for what Flask does not accept from a view. Flask's own error names neither
        the function nor the file.
    """
    try:
        return app.make_response(result)
    except TypeError as error:
        body = result
        if isinstance(result, tuple) and result:
            body = result[0]
        if isinstance(body, (dict, list)):  # something in it is not JSON
            note_handler(error, link.name, link.file)
            raise
        raise _invalid_result(result, link) from error


def _invalid_result(result: Any, link: Link) -> TypeError:
    """Return the error for a function that returned something other than a response."""
    body, place = result, ""
    if isinstance(result, tuple) and result:
        body, place = result[0], " in a tuple"
    returned = f"a value of the type {type(body).__name__}{place}"
    if body is None:
        returned = f"None{place}"
    elif place and type(body) in PLAIN | {Response}:
        returned = f"a tuple of {len(result)}"
    return TypeError(
        f"{link.name} in {link.file} returned {returned}. {link.kind} returns a response: a str, "
        'a dict or list (JSON), a Response, or "", 204 for an empty one.'
    )
