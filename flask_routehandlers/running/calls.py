"""Calls from async code to sync functions, which run in the thread of the request.

It can be imported without :mod:`asyncio`, for apps without async code.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from .hop import HopTask
    from .task import RequestTask

T = TypeVar("T")

#: A coroutine of a request on the loop of the process.
Runner: TypeAlias = "RequestTask | HopTask"

#: That of the request that this code belongs to.
CURRENT: ContextVar[Runner | None] = ContextVar("flask_routehandlers.running", default=None)


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
