"""Keep dependencies open while a response streams."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Request, Response, stream_with_context

from .cleanup import Cleanup

#: Statuses of responses whose bodies are never sent.
_WITHOUT_BODY = (204, 304)

#: Cleans up, given the failure that ended the stream, and returns the failure that counts.
CleanUp = Callable[[list[Cleanup], BaseException | None], BaseException | None]


def is_stream(response: Response, request: Request) -> bool:
    """Return whether the body of a response is still to be made when it is returned."""
    if request.method == "HEAD" or response.status_code in _WITHOUT_BODY:
        return False
    return response.is_streamed or response.direct_passthrough


class KeptBody:
    """The body of a response whose dependencies live until it is closed.

    It replaces the body, since Werkzeug calls no callbacks of ``call_on_close()`` for files. It
    cleans up as well when it is thrown away, because a middleware has replaced the response or
    the client has gone.

    :param chunks: the body.
    :param cleanups: the dependencies that have yielded.
    :param clean_up: cleans up after them.
    """

    def __init__(self, chunks: Iterable[Any], cleanups: list[Cleanup], clean_up: CleanUp) -> None:
        self._chunks = chunks
        self._iterator = iter(chunks)
        self._cleanups = cleanups
        self._clean_up = clean_up
        # A stream that is closed before its end has failed.
        self._failure: BaseException | None = GeneratorExit()
        self._context: Any = None
        self._is_closed = False

    def keep_context(self) -> None:
        """Hold the context of the request, which the clean-up needs, until it is closed."""
        if not self._is_closed:
            self._context = stream_with_context(iter(()))

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._iterator)
        except StopIteration:
            self._failure = None
            raise
        except BaseException as error:
            self._failure = error
            raise

    def close(self) -> None:
        """Close the chunks, clean up, and leave the context.

        :raises Exception: what a dependency raises.
        """
        if self._is_closed:
            return
        self._is_closed = True
        failure = self._failure
        try:
            try:
                close = getattr(self._chunks, "close", None)
                if close is not None:
                    close()
            except BaseException as error:
                failure = error
            failure = self._clean_up(self._cleanups, failure)
        finally:
            if self._context is not None:
                self._context.close()
        if failure is not None and failure is not self._failure:
            raise failure

    def __del__(self) -> None:
        try:
            self.close()
        except BaseException:
            logging.getLogger(__name__).exception("A dependency failed after a stream")
