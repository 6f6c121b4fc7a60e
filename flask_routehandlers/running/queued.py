"""Calls of sync functions by async code, and the thread of a request, which serves them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from queue import Empty
from typing import Any, TypeVar

from .modes import IN_ASGIREF, Runner

T = TypeVar("T")

#: Calls a function with a tuple and a dictionary of arguments.
DirectCaller = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]

#: Seconds between two looks at the connection of a stream that has nothing to send.
LOOK_SECONDS = 1.0


class DirectCall:
    """A call of a sync function by the coroutine of a request itself.

    :ivar nested: the task of a coroutine that the function runs meanwhile.
    """

    nested: Runner | None = None


class Call:
    """A sync function that waits in the inbox of a request, for a task that awaits its result.

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


class Waiter:
    """The thread of a request that waits for its coroutine, and serves calls meanwhile.

    It is the base of the tasks that such threads drive.

    :ivar inbox: the queue on which the thread waits: calls, and ``None`` to look around. Any
        thread may put an item.
    :ivar thread: the identity of the thread.
    :ivar serving: the call that the thread is busy with.
    :ivar outer: the task of the same thread that called the sync function that runs this one.
        They share an inbox, so that no call waits for the other one's end.
    """

    inbox: Any
    thread = 0
    serving: DirectCall | Call | None = None
    outer: Any

    _is_abandoned: Callable[[], bool] | None
    _is_woken: bool
    _interrupt: BaseException | None = None

    def direct_caller(self) -> DirectCaller | None:
        """Return the way to call a sync function at once.

        :returns: ``None`` unless this very coroutine runs in the thread of the request right now.
        """
        return None

    def _wait(self) -> None:
        """Wait until the coroutine wakes the thread, and serve calls of other tasks meanwhile.

        An exception that a signal handler raises cancels the coroutine, and is to be raised again
        when that has cleaned up. A second one is raised at once.
        """
        timeout = None
        if self._is_abandoned is not None:
            timeout = LOOK_SECONDS
        while not self._is_woken:
            try:
                call = self.inbox.get(timeout=timeout)
            except Empty:
                if self._is_abandoned is not None and self._is_abandoned():
                    timeout = None
                    self._cancel_from_here()
            except BaseException as interrupt:  # raised by a signal handler
                if self._interrupt is not None:
                    raise
                self._interrupt = interrupt
                self._cancel_from_here()
            else:
                if call is not None:
                    self._serve(call)

    def _serve(self, call: Call) -> None:
        before, self.serving = self.serving, call
        try:
            call.run()
        finally:
            self.serving = before

    def _cancel_from_here(self) -> None:
        """Cancel the coroutine, in the thread of the request."""
        raise NotImplementedError

    def _pass_on_calls(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let other threads serve what tasks that outlive the coroutine have called."""
        while self.outer is None and not self.inbox.empty():
            call = self.inbox.get()
            if call is not None:
                loop.call_soon_threadsafe(loop.run_in_executor, None, call.run)


async def call_from_task(runner: Runner | None, function: Callable[[], T]) -> T:
    """Call a function in the thread of a request, or in another one if the request is over.

    :param runner: the coroutine of the request that the task belongs to, if there is one.
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


def stop_iteration() -> RuntimeError:
    """Return the error for an exception that neither a future nor a coroutine can pass on."""
    return RuntimeError("A sync function that async code called raised StopIteration.")


def copy_back(context: Context) -> None:
    """Set each variable of the current context to its value in another one."""
    for variable, value in context.items():
        if variable.get(None) is not value:
            variable.set(value)
