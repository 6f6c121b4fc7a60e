"""The body of a response: read as a whole, or passed on while it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain

from flask import Response

from .sandbox import Sealed


def read_body(response: Response, sealed: Sealed, limit: int) -> bytes | None:
    """Take the whole body of a response into memory, if it is no longer than some bytes.

    :param sealed: the contexts of the handler that made it, which still hold.
    :returns: ``None`` for a longer one, which goes on in these contexts, and ends them.
    :raises Exception: what a stream raises.
    """
    iterable = response.response
    chunks = iter(response.iter_encoded())
    read: Callable[[], bytes | None] = partial(next, chunks, None)
    begun: list[bytes] = []
    size = 0
    is_read = False
    try:
        if not response.is_streamed or (response.content_length or 0) <= limit:
            while size <= limit and (chunk := sealed.run(read)) is not None:
                begun.append(chunk)
                size += len(chunk)
            is_read = size <= limit
    except BaseException:
        sealed.run(response.close)
        raise
    response.direct_passthrough = False
    if not is_read:
        response.response = _Rest(chain(begun, chunks), iterable, sealed)
        return None
    _close(iterable, sealed)
    body = b"".join(begun)
    response.response = [body]
    return body


class _Rest:
    """The chunks of a body, each made in the contexts of its handler."""

    def __init__(self, chunks: Iterator[bytes], iterable: object, sealed: Sealed) -> None:
        self._chunks = chunks
        self._iterable = iterable
        self._sealed = sealed
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk: bytes | None = None
        if self._is_open:
            chunk = self._sealed.run(next, self._chunks, None)
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Called by the server, also when the client has gone before the last chunk."""
        if self._is_open:
            self._is_open = False
            try:
                _close(self._iterable, self._sealed)
            finally:
                self._sealed.pop()


def _close(iterable: object, sealed: Sealed) -> None:
    close = getattr(iterable, "close", None)
    if close is not None:
        sealed.run(close)
