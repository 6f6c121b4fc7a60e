"""Cross between sync and async code: run coroutines, and call sync functions from them.

A coroutine runs on the event loop of this process, or in the way of the app. Nothing here imports
:mod:`asyncio`, for apps without async code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from flask import Flask

from .process import current_engine
from .settings import ASYNC

if TYPE_CHECKING:
    from .hop import HopTask
    from .task import RequestTask

P = ParamSpec("P")
T = TypeVar("T")

#: A coroutine of a request on the loop of the process.
Runner: TypeAlias = "RequestTask | HopTask"

#: That of the request that this code belongs to.
CURRENT: ContextVar[Runner | None] = ContextVar("flask_routehandlers.running", default=None)

#: Whether this code was called from a loop of asgiref's, by :func:`call_sync`.
IN_ASGIREF: ContextVar[bool] = ContextVar("flask_routehandlers.in_asgiref", default=False)


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the event loop of this process, and wait for its result.

    Its own steps run in this thread, as those of an async handler do. The loop goes on after it:
    tasks that the coroutine has started live on, and clients and pools can be shared with all
    other async code of the process.

    :raises RuntimeError: in async code of the same loop; or if the coroutine was cancelled.
    """
    engine = current_engine()
    task = engine.task(coroutine)
    call = task.outer and task.outer.serving
    if call is not None:
        call.nested = task
    try:
        return task.drive()  # type: ignore[no-any-return]
    except engine.cancelled_error as error:
        if call is not None:
            raise
        # It is not an Exception, and would end the worker of some servers.
        raise RuntimeError("The coroutine was cancelled.") from error
    finally:
        if call is not None:
            call.nested = None


def async_to_sync(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Return a sync function that runs an async one with :func:`run_async`.

    With ``app.async_to_sync = async_to_sync`` Flask's own async views, hooks and error handlers
    share the event loop with the handlers of the tree.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return run_async(function(*args, **kwargs))

    return run


def run_for(app: Flask, coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine of a request, in the way that the app and its server need."""
    if keeps_loop(app):
        return run_async(coroutine)
    if IN_ASGIREF.get():
        from asgiref.sync import async_to_sync as run_in_same_loop

        return run_in_same_loop(_wait)(coroutine)
    return app.ensure_sync(_wait)(coroutine)  # type: ignore[no-any-return]


def keeps_loop(app: Flask) -> bool:
    """Return whether async code of an app runs on the event loop of this process.

    It runs in Flask's way, on another loop for each call, with ``ROUTE_HANDLERS_ASYNC = "flask"``,
    if the app overrides ``ensure_sync`` or ``async_to_sync``, below asgiref's ``WsgiToAsgi``
    (where Flask uses the loop of the server), and below eventlet.
    """
    if app.config.get(ASYNC) == "flask":
        return False
    # Asked for each request, so without methods that are bound for it.
    kind, own = type(app), app.__dict__
    if kind.ensure_sync is not Flask.ensure_sync or "ensure_sync" in own:
        return False
    to_sync = own.get("async_to_sync", kind.async_to_sync)
    if to_sync is not Flask.async_to_sync and to_sync is not async_to_sync:
        return False
    modules = sys.modules
    if "asgiref.sync" in modules and _is_below_asgiref(modules["asgiref.sync"]):
        return False
    if "eventlet.patcher" in modules:
        return not modules["eventlet.patcher"].is_monkey_patched("thread")
    return True


def _is_below_asgiref(asgiref: Any) -> bool:
    # asgiref leaves the attribute in the thread when a loop has ended.
    loop = getattr(asgiref.SyncToAsync.threadlocal, "main_event_loop", None)
    return loop is not None and loop.is_running()


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


async def _wait(coroutine: Coroutine[Any, Any, T]) -> T:
    return await coroutine
