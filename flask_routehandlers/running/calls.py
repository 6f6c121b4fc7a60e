"""Calls from async code to sync functions, which run in the thread of the request.

It can be imported without :mod:`asyncio`, for apps without async code.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextvars import Context, ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

#: Calls a function with a tuple and a dictionary of arguments.
DirectCaller = Callable[[Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


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

    def direct_caller(self) -> DirectCaller | None:
        """Return the way to call a sync function at once.

        :returns: ``None`` unless this very coroutine runs in the thread of the request right now.
        """
        ...

    async def emit(self, piece: Any) -> bool | None:
        """Give a piece to the code that drives the coroutine, and stop until it comes back.

        :returns: whether the stream is to be closed.
        """
        ...


#: The coroutine of the request that this code belongs to.
CURRENT: ContextVar[Runner | None] = ContextVar("flask_routehandlers.running", default=None)


class DirectCall:
    """A call of a sync function by the coroutine of a request itself.

    :ivar nested: the task of a coroutine that the function runs meanwhile.
    """

    nested: Runner | None = None


class Piece:
    """A piece of a stream, which a coroutine gives to the code that drives it.

    :param content: the piece.
    """

    def __init__(self, content: Any) -> None:
        self.content = content

    def __await__(self) -> Generator[Piece, bool | None, bool | None]:
        return (yield self)


async def call_sync(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a sync function from async code, in the thread of the request.

    Handlers and hooks run in that thread too, so what they keep for each thread (a connection of
    sqlite3, a session) can be used in all of them. Other async code goes on meanwhile, but for
    the coroutine that handles the request. A function that is called by a task that outlives its
    request runs in another thread.
    """
    runner = CURRENT.get()
    call = None
    if runner is not None:
        call = runner.direct_caller()
    if call is not None:
        return call(function, args, kwargs)  # type: ignore[no-any-return]
    from .queued import call_from_task

    return await call_from_task(runner, partial(function, *args, **kwargs))


def stop_iteration() -> RuntimeError:
    """Return the error for an exception that neither a future nor a coroutine can pass on."""
    return RuntimeError("A sync function that async code called raised StopIteration.")


def copy_back(context: Context) -> None:
    """Set each variable of the current context to its value in another one."""
    for variable, value in context.items():
        if variable.get(None) is not value:
            variable.set(value)
