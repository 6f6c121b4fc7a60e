"""Calls of sync functions by tasks that do not run in the thread of the request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

from .calls import Runner, copy_back, stop_iteration
from .modes import IN_ASGIREF

T = TypeVar("T")


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


async def call_from_task(runner: Runner | None, function: Callable[[], T]) -> T:
    """Call a function in the thread of a request, or in another one if the request is over.

    :param runner: the coroutine of the request that the task belongs to, if there is one.
    :param function: a function without parameters.
    """
    loop = asyncio.get_running_loop()
    if runner is None or runner.get_loop() is not loop:
        return await _call_by_asgiref(function)
    call = Call(function, loop)
    if runner.done():
        loop.run_in_executor(None, call.run)
    else:
        runner.inbox.put(call)
    return await call.result()  # type: ignore[no-any-return]


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
        raise stop_iteration() from error
