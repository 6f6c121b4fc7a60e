"""Keep dependencies open while a response streams."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from flask import Flask, Request, Response, current_app, stream_with_context

from ..running.modes import run_for
from .cleanup import Cleanup, clean_up, clean_up_in_loop

#: Statuses of responses whose bodies are never sent.
_WITHOUT_BODY = (204, 304)


def is_stream(response: Response, request: Request) -> bool:
    """Return whether the body of a response is still to be made when it is returned."""
    if request.method == "HEAD" or response.status_code in _WITHOUT_BODY:
        return False
    return response.is_streamed or response.direct_passthrough


class KeptBody:
    """The body of a response whose dependencies live until it ends.

    It replaces the body, since Werkzeug calls no callbacks of ``call_on_close()`` for files. They
    clean up before the server ends the response, so that a failure of theirs breaks the
    connection. They do as well when the body is closed before its end, or thrown away because a
    middleware has replaced the response: nothing that it holds refers to it.

    :param cleanups: the dependencies that have begun.
    :param failure: the failure to throw in at the end, if there was one already.
    """

    def __init__(
        self, chunks: Iterable[Any], cleanups: list[Cleanup], failure: BaseException | None
    ) -> None:
        self._chunks = chunks
        self._iterator = iter(chunks)
        self._has_begun = False
        self._failures = [failure]
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        self._ending: Iterator[Any] | None = _clean_up(app, cleanups, self._failures)

    def keep_context(self) -> None:
        """Hold the context of the request, which the clean-up needs."""
        if self._ending is not None:
            self._ending = stream_with_context(self._ending)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self._has_begun = True
        try:
            return next(self._iterator)
        except StopIteration:
            self._end(None)
            raise
        except BaseException as error:
            self._end(error)
            raise

    def close(self) -> None:
        """Close the body, and clean up if it has not ended.

        :raises Exception: what the body or a dependency raises.
        """
        try:
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()
        except BaseException as error:
            self._end(error)
            raise
        # What has not begun was not needed; the answer itself is as good as any.
        self._end(GeneratorExit() if self._has_begun else None)

    def _end(self, failure: BaseException | None) -> None:
        """Clean up, unless that is done.

        :param failure: what has ended the body before its end.
        """
        ending, self._ending = self._ending, None
        if ending is not None:
            self._failures.append(failure)
            for _ in ending:
                pass

    def __del__(self) -> None:
        # What it raises is logged already.
        with suppress(BaseException):
            self.close()


def _clean_up(
    app: Flask, cleanups: list[Cleanup], failures: list[BaseException | None]
) -> Iterator[Any]:
    """Clean up dependencies, with the first failure thrown in.

    It is a generator only so that :func:`flask.stream_with_context` can hold the context of the
    request for it. It yields nothing.
    """
    failure: BaseException | None = None
    known = failures[0] or failures[-1]
    failures.clear()
    try:
        if any(inspect.isasyncgen(generator) for _, generator in cleanups):
            failure = run_for(app, clean_up_in_loop(cleanups, known))
        else:
            failure = clean_up(cleanups, known)
        if failure is not None and failure is not known:
            raise failure
    except BaseException:
        # No error handler of the app can answer any more.
        app.log_exception(sys.exc_info())
        raise
    finally:
        # The traceback refers to this frame.
        del failure, known
    yield from ()
