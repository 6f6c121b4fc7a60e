"""Calls from async code to sync functions, which run in the thread of the request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, Protocol, TypeVar

from .modes import IN_ASGIREF

T = TypeVar("T")


class Runner(Protocol):
    """A coroutine of a request on the loop of the process.

    :ivar inbox: the queue on which the thread of the request waits: calls, and ``None`` to look
        around. Any thread may put an item.
    :ivar thread: the identity of that thread.
    :ivar serving: the call that the thread is busy with.
    :ivar outer: the coroutine that called the sync function that runs this one.
    """

    inbox: Any
    thread: int
    serving: Any
    outer: Any

    def drive(self, value: bool | None = None) -> Any:
        """Run the coroutine until it ends or emits a piece, in the thread of the request."""
        ...

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel the coroutine, in code of the loop."""
        ...

    def done(self) -> bool:
        """Return whether the coroutine has ended."""
        ...

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop of the process."""
        ...

    def steps_in_thread(self) -> bool:
        """Return whether this very coroutine runs in the thread of the request right now."""
        ...

    async def emit(self, piece: Any) -> bool | None:
        """Give a piece to the code that drives the coroutine, and stop until it comes back.

        :returns: whether the stream is to be closed.
        """
        ...


#: The coroutine of the request that this code belongs to.
CURRENT: ContextVar[Runner | None] = ContextVar("flask_routehandlers.running", default=None)


class Step:
    """A message from a coroutine to the code that drives it, sent with ``await``.

    :ivar nested: the task of a coroutine that a sync function runs meanwhile.
    """

    nested: Runner | None = None

    def __await__(self) -> Generator[Step, Any, Any]:
        return (yield self)


class DirectCall(Step):
    """A sync function to be called between two steps of the coroutine."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.run = partial(_call, function)


class Piece(Step):
    """A piece of a stream."""

    def __init__(self, content: Any) -> None:
        self.content = content


class Call:
    """A sync function that waits in the inbox of a request, for a task that awaits its result.

    :param function: a function without parameters.
    :ivar nested: the task of a coroutine that the function runs meanwhile.
    """

    nested: Runner | None = None

    def __init__(self, function: Callable[[], Any], loop: asyncio.AbstractEventLoop) -> None:
        self._function = function
        self._loop = loop
        self._context = copy_context()
        self._future: asyncio.Future[None] = loop.create_future()
        self._has_begun = False
        self._result: Any = None
        # Taken out when it is raised: with it, a failing request would be a cycle.
        self._error: BaseException | None = None

    def run(self) -> None:
        """Call the function, in the thread of the request."""
        self._has_begun = True
        if self._future.cancelled():
            return
        try:
            self._result = self._context.run(_call, self._function)
        except BaseException as error:
            self._error = error
        self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        if not self._future.done():
            self._future.set_result(None)

    async def result(self) -> Any:
        """Return the result of the function, or raise its exception.

        A function cannot be interrupted: a cancellation waits for the end of one that has begun.
        """
        try:
            # A cancellation ends this wait, but not the future.
            await asyncio.wait([self._future])
        except asyncio.CancelledError:
            if not self._has_begun:
                self._future.cancel()
            elif self.nested is not None:
                self.nested.cancel()
            while not self._future.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait([self._future])
            raise
        copy_back(self._context)
        error, self._error = self._error, None
        if error is None:
            return self._result
        try:
            raise error
        finally:
            del error


async def call_sync(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a sync function from async code, in the thread of the request.

    Handlers and hooks run in that thread too, so what they keep for each thread (a connection of
    sqlite3, a session) can be used in all of them. Other async code goes on meanwhile, but for
    the coroutine that handles the request. A function that is called by a task that outlives its
    request runs in another thread.
    """
    call = partial(function, *args, **kwargs)
    runner = CURRENT.get()
    loop = asyncio.get_running_loop()
    if runner is None or runner.get_loop() is not loop:
        return await _call_by_asgiref(call)
    if runner.steps_in_thread():
        return await DirectCall(call)  # type: ignore[no-any-return]
    waiting = Call(call, loop)
    if runner.done():
        loop.run_in_executor(None, waiting.run)
    else:
        runner.inbox.put(waiting)
    return await waiting.result()  # type: ignore[no-any-return]


async def _call_by_asgiref(function: Callable[[], T]) -> T:
    from asgiref.sync import sync_to_async

    def run() -> T:
        token = IN_ASGIREF.set(True)
        try:
            return _call(function)
        finally:
            IN_ASGIREF.reset(token)

    return await sync_to_async(run, thread_sensitive=True)()


def _call(function: Callable[[], T]) -> T:
    try:
        return function()
    except StopIteration as error:
        # Neither a future nor a coroutine can pass it on.
        raise RuntimeError(
            "A sync function that async code called raised StopIteration."
        ) from error


def copy_back(context: Any) -> None:
    """Set each variable of the current context to its value in another one."""
    for variable, value in context.items():
        if variable.get(None) is not value:
            variable.set(value)
