"""Async generators as bodies of responses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from flask import has_request_context, request, stream_with_context

from .calls import CURRENT, Runner
from .connections import watch
from .process import current_engine


def stream(generator: AsyncGenerator[Any, None]) -> Iterator[Any]:
    """Return a body that runs an async generator in the thread that sends the response.

    One task runs the whole generator, so that ``async with`` may span a ``yield``. It goes on when
    the piece before has been sent, and is closed when the client has gone. In a request the body
    keeps the context of the request.

    :param generator: what calling an ``async def`` with ``yield`` returns.
    """
    if not has_request_context():
        return StreamBody(generator, {})
    return stream_with_context(StreamBody(generator, request.environ))


class StreamBody:
    """An async generator as an iterator of WSGI, for one response.

    :param generator: the generator; nothing of it runs before the first piece is asked for.
    :param environ: the request's, which may have the connection to the client.
    """

    def __init__(self, generator: AsyncGenerator[Any, None], environ: dict[str, Any]) -> None:
        self._generator = generator
        self._environ = environ
        self._task: Runner | None = None
        self._is_gone = False
        self._is_over = False

    def __iter__(self) -> StreamBody:
        return self

    def __next__(self) -> Any:
        if self._is_over:
            raise StopIteration
        if self._task is None:
            self._task = self._start()
        piece = self._drive(self._task)
        if self._is_over:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Close the generator, and wait for its clean-up."""
        if self._task is not None and not self._is_over:
            self._drive(self._task, closes=True)
        self._is_over = True

    def _start(self) -> Runner:
        is_gone = watch(self._environ)
        if is_gone is None:
            return current_engine().task(_pump(self._generator))

        def is_abandoned() -> bool:
            self._is_gone = is_gone()
            return self._is_gone

        return current_engine().task(_pump(self._generator), is_abandoned)

    def _drive(self, task: Runner, *, closes: bool | None = None) -> Any:
        self._is_over = True
        try:
            piece = task.drive(closes)
        except asyncio.CancelledError:
            if self._is_gone:
                return None
            raise
        self._is_over = task.done()
        return piece


async def _pump(generator: AsyncGenerator[Any, None]) -> None:
    """Emit what a generator yields, until it ends or the stream is closed.

    The coroutine of the one task in which all of the generator runs.
    """
    runner = CURRENT.get()
    assert runner is not None
    step = generator.__anext__()
    while True:
        try:
            piece = await step
        except StopAsyncIteration:
            return
        try:
            closes = await runner.emit(piece)
        except asyncio.CancelledError as error:
            # As a timeout around a yield does: the generator has to see it.
            step = generator.athrow(error)
            continue
        if closes:
            await _close(generator)
            return
        step = generator.__anext__()


async def _close(generator: AsyncGenerator[Any, None]) -> None:
    """Cancel a generator at its ``yield``, and wait for its clean-up.

    Closing it would raise ``GeneratorExit``, which a task group around the ``yield`` takes for the
    failure of a task.
    """
    try:
        await generator.athrow(asyncio.CancelledError())
    except (asyncio.CancelledError, StopAsyncIteration):
        return
    # It has caught the cancellation, and yielded once more.
    await generator.aclose()
