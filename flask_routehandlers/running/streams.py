"""Async generators as bodies of responses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from typing import Any

from .modes import CURRENT, Runner
from .process import current_engine

#: Keys of environ with the socket of the connection.
_SOCKETS = ("gunicorn.socket", "werkzeug.socket")


class StreamBody:
    """An async generator as an iterator of WSGI, for one response.

    One task runs the whole generator, in the thread that sends the response, so that
    ``async with`` may span a ``yield``. It goes on when the piece before has been sent, and is
    closed when the client has gone.

    :param generator: the generator; nothing of it runs before the first piece is asked for.
    :param environ: the request's, which may have the connection to the client.
    """

    def __init__(self, generator: AsyncGenerator[Any, None], environ: dict[str, Any]) -> None:
        self._generator = generator
        self._is_gone = watch(environ)
        self._task: Runner | None = None
        self._is_over = False

    def __iter__(self) -> StreamBody:
        return self

    def __next__(self) -> Any:
        if self._is_over:
            raise StopIteration
        if self._task is None:
            self._task = current_engine().task(_pump(self._generator), self._is_gone)
        piece = self._drive(self._task)
        if self._is_over:
            raise StopIteration
        return piece

    def close(self) -> None:
        """Close the generator, and wait for its clean-up."""
        if self._task is not None and not self._is_over:
            self._drive(self._task, closes=True)
        self._is_over = True

    def _drive(self, task: Runner, *, closes: bool | None = None) -> Any:
        self._is_over = True
        try:
            piece = task.drive(closes)
        except asyncio.CancelledError:
            if self._is_gone is not None and self._is_gone():
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


def watch(environ: dict[str, Any]) -> Callable[[], bool] | None:
    """Return a function that returns whether the client has closed its connection.

    :returns: ``None`` if the server does not show it: waitress does with
        ``channel_request_lookahead``, gunicorn with sync and gthread workers, and Werkzeug's
        development server, but no server with TLS.
    """
    is_disconnected: Callable[[], bool] | None = environ.get("waitress.client_disconnected")
    if is_disconnected is not None:
        return is_disconnected
    for key in _SOCKETS:
        connection = environ.get(key)
        # Sockets of TLS and of gevent cannot be asked.
        if type(connection) is socket.socket and hasattr(socket, "MSG_DONTWAIT"):
            return lambda: _is_closed(connection)
    return None


def _is_closed(connection: socket.socket) -> bool:
    """Look for the end of what a client sends, and take nothing out of it."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
