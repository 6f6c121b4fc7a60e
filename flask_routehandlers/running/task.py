"""A coroutine whose steps run in the thread of its request."""

from __future__ import annotations

import asyncio
import sys
from asyncio.tasks import _register_task, _unregister_task
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import get_ident
from typing import Any

from .loop import Paused, SharedLoop
from .modes import CURRENT
from .queued import Call, DirectCall, DirectCaller, Waiter, stop_iteration


class Piece:
    """A piece of a stream, which a coroutine gives to the code that drives it."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def __await__(self) -> Generator[Piece, bool | None, bool | None]:
        return (yield self)


class RequestTask(asyncio.Future[Any], Waiter):
    """A task for asyncio, and for libraries that look at the current one.

    Its thread runs a step when it holds the baton of the loop, and waits between two steps
    without it. What the coroutine starts runs in the thread of the loop. It is not a subclass of
    :class:`asyncio.Task`, whose steps only the loop can run; it has the same methods, and the two
    private attributes that anyio reads.
    """

    _fut_waiter: asyncio.Future[Any] | None = None
    _must_cancel = False
    _message: Any = None
    _cancel_requests = 0
    _is_woken = False
    _is_suspended = False
    _is_registered = False
    _paused: Paused | None = None

    #: Made when the coroutine first waits: most do not.
    inbox: SimpleQueue[Call | None]

    def __init__(
        self,
        loop: SharedLoop,
        coroutine: Coroutine[Any, Any, Any],
        outer: RequestTask | None = None,
        is_abandoned: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(loop=loop)
        self._shared = loop
        self._coroutine = coroutine
        self._is_abandoned = is_abandoned
        self.outer = outer

    def drive(self, value: Any = None) -> Any:
        """Run the coroutine until it ends or emits a piece.

        :param value: for a coroutine that has emitted a piece: whether it is to end.
        :returns: its result, or the piece; :meth:`done` says which.
        """
        loop, coroutine = self._shared, self._coroutine
        error: BaseException | None = None
        step: Any = None
        token = CURRENT.set(self)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(*loop.hooks)
        try:
            while True:
                try:
                    loop.baton.take()
                    if self._must_cancel:
                        error = self._take_cancellation()
                    self._paused = loop.enter(self)
                    try:
                        step = coroutine.send(value) if error is None else coroutine.throw(error)
                        error = self._begin_wait(step)
                    except StopIteration as end:
                        self._end()
                        return end.value
                    except BaseException:
                        self._end(has_failed=True)
                        raise
                    finally:
                        loop.leave(self, self._paused)
                finally:
                    loop.baton.give()
                if isinstance(step, Piece):
                    return step.content
                value = None
                if error is None:
                    self._wait()
                    self._is_woken = False
                    self._fut_waiter = None
        finally:
            sys.set_asyncgen_hooks(*hooks)
            CURRENT.reset(token)
            # Both may refer to an exception, which refers to this frame.
            del error, step

    # In the thread of the request, with the baton.

    def _take_cancellation(self) -> asyncio.CancelledError:
        """Return the exception with which the next step begins."""
        self._must_cancel = False
        if self._message is None:
            return asyncio.CancelledError()
        return asyncio.CancelledError(self._message)

    def _begin_wait(self, step: Any) -> BaseException | None:
        """Arrange for the end of the wait that a coroutine asks for.

        :param step: a future, ``None`` for a round of the loop, or a :class:`Piece`.
        :returns: an exception with which the coroutine goes on if it asks for something else.
        """
        if not self._is_suspended:
            self._suspend()
        if isinstance(step, Piece):
            return None
        if not self._is_registered:
            self._is_registered = True
            _register_task(self)  # type: ignore[arg-type]
        if step is None:
            self._shared.call_soon(self._wake, context=self._shared.empty)
            return None
        if not getattr(step, "_asyncio_future_blocking", False):
            return RuntimeError(f"{self!r} got bad yield: {step!r}")
        if step.get_loop() is not self._shared:
            return RuntimeError(f"{self!r} got {step!r} attached to a different loop")
        step._asyncio_future_blocking = False
        step.add_done_callback(self._wake, context=self._shared.empty)
        self._fut_waiter = step
        if self._must_cancel and step.cancel(msg=self._message):
            self._must_cancel = False
        return None

    def _call(
        self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Call a sync function for the coroutine, without the baton and outside of the loop."""
        if not self._is_suspended:
            self._suspend()
        loop = self._shared
        before, self.serving = self.serving, DirectCall()
        loop.leave(self, self._paused)
        loop.baton.give()
        try:
            return function(*args, **kwargs)
        except StopIteration as error:
            raise stop_iteration() from error
        finally:
            loop.baton.take()
            self._paused = loop.enter(self)
            self.serving = before
            if self._must_cancel:
                raise self._take_cancellation()

    def _suspend(self) -> None:
        """Prepare for what other code may do while this coroutine does not run."""
        self._is_suspended = True
        self.thread = get_ident()
        if self.outer is None:
            self.inbox = SimpleQueue()
        else:
            self.inbox = self.outer.inbox

    def _end(self, *, has_failed: bool = False) -> None:
        """Mark the task as done, and pass on calls that it can no longer serve.

        It keeps neither the result nor the exception: contexts of other tasks may keep it.
        """
        if has_failed:
            super().cancel()
        else:
            super().set_result(None)
        if not self._is_suspended:
            return
        if self._is_registered:
            _unregister_task(self)  # type: ignore[arg-type]
        self._pass_on_calls(self._shared)
        if self._interrupt is not None:
            interrupt, self._interrupt = self._interrupt, None
            raise interrupt

    # In the thread of the request, without the baton.

    def _cancel_from_here(self) -> None:
        try:
            self._shared.baton.take()
            self.cancel()
            self._shared.wake()
        finally:
            self._shared.baton.give()

    # In the thread of the loop.

    def _wake(self, future: object = None) -> None:
        self._is_woken = True
        self.inbox.put(None)

    # What other code sees of a task.

    def direct_caller(self) -> DirectCaller | None:
        """Return the way to call a function, if the coroutine is the code that asks."""
        if asyncio.current_task() is self:  # type: ignore[comparison-overlap]
            return self._call
        return None

    async def emit(self, piece: Any) -> bool | None:
        """Give a piece to the thread, and stop until it comes back."""
        return await Piece(piece)

    def cancel(self, msg: Any | None = None) -> bool:
        """Cancel what the coroutine waits for, also a coroutine below a sync function."""
        if self.done():
            return False
        self._cancel_requests += 1
        self._message = msg
        waits_for: Any = self._fut_waiter
        if isinstance(self.serving, DirectCall):
            waits_for = self.serving.nested
        if waits_for is None or not waits_for.cancel(msg):
            self._must_cancel = True
        return True

    def cancelling(self) -> int:
        """Return how many cancellations have been asked for and not taken back."""
        return self._cancel_requests

    def uncancel(self) -> int:
        """Take one cancellation back."""
        if self._cancel_requests > 0:
            self._cancel_requests -= 1
            if self._cancel_requests == 0:
                self._must_cancel = False
        return self._cancel_requests

    def get_coro(self) -> Coroutine[Any, Any, Any]:
        """Return the coroutine."""
        return self._coroutine

    def get_context(self) -> Context:
        """Return a copy of the context of the thread: the coroutine runs in the original."""
        return copy_context()

    def get_name(self) -> str:
        """Return a name for debuggers."""
        return f"Request-{id(self):x}"
