"""The event loop of this process: how it starts, and the way coroutines run on it."""

from __future__ import annotations

import asyncio
import sys
from asyncio.events import _get_running_loop
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from functools import partial
from queue import Empty, SimpleQueue
from threading import Event, Thread, get_ident
from typing import Any

from .calls import CURRENT, Runner
from .hop import HopTask
from .loop import CAN_SHARE, CLEAN_UP_SECONDS, SharedLoop, end_tasks, run_until_stopped
from .task import RequestTask


class Engine:
    """The event loop of a process, in a thread that ends with the process.

    In this class coroutines run in the thread of the loop, and the threads of their requests wait.

    :param loop: a new loop that nothing runs.
    """

    #: For modules that do not import asyncio.
    cancelled_error = asyncio.CancelledError

    _spare: ThreadPoolExecutor | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ended: Any = None
        self._new_task: Callable[..., Runner] = self._new_hop_task
        self._start_thread(partial(Context().run, self._serve))

    def _start_thread(self, function: Callable[[], object]) -> None:
        Thread(target=function, name="route-handlers-loop", daemon=True).start()

    def _serve(self) -> None:
        self._run_loop()
        self._ended.put(None)

    def _run_loop(self) -> None:
        run_until_stopped(self._loop)

    def _new_inbox(self) -> Any:
        return SimpleQueue()

    def _new_hop_task(
        self,
        coroutine: Coroutine[Any, Any, Any],
        outer: Any,
        is_abandoned: Callable[[], bool] | None,
    ) -> Runner:
        inbox = outer.inbox if outer else self._new_inbox()
        return HopTask(coroutine, self._loop, inbox, outer, is_abandoned)

    def task(
        self,
        coroutine: Coroutine[Any, Any, Any],
        is_abandoned: Callable[[], bool] | None = None,
    ) -> Runner:
        """Return a task for a coroutine, to be driven by this thread.

        :param coroutine: what calling an ``async def`` returns.
        :param is_abandoned: asked about once a second while it waits: whether to cancel it.
        :raises RuntimeError: in code that the loop runs, which would wait for itself.
        """
        if _get_running_loop() is self._loop:
            coroutine.close()
            raise RuntimeError(
                "run_async() was called by async code of the same event loop, which cannot wait "
                "for itself. Await the coroutine, or call the function around it with "
                "await asyncio.to_thread(...)."
            )
        outer = CURRENT.get()
        if outer is not None and (outer.serving is None or outer.thread != get_ident()):
            outer = None
        return self._new_task(coroutine, outer, is_abandoned)

    def keep_spare_thread(self) -> None:
        """Have a thread ready for calls of :func:`asyncio.to_thread` when the process ends.

        Since Python 3.12 no thread can start any more by then, and looking up the address of a
        host takes one.
        """
        if self._spare is None:
            self._spare = ThreadPoolExecutor(1)
            self._spare.submit(int).result()

    def use_spare_thread(self) -> None:
        """Run what needs a thread in the spare one from now on, one call at a time."""
        if self._spare is not None:
            self._loop.call_soon_threadsafe(self._loop.set_default_executor, self._spare)

    def close(self) -> None:
        """Cancel all tasks, let them clean up, and stop the loop."""
        cleaned_up = self._new_inbox()
        self._ended = self._new_inbox()
        ending = asyncio.run_coroutine_threadsafe(end_tasks(self._loop), self._loop)
        ending.add_done_callback(lambda _: cleaned_up.put(None))
        # A step that blocks the loop does not keep the process from ending.
        with suppress(Empty):
            cleaned_up.get(timeout=CLEAN_UP_SECONDS + 1)
        self._loop.call_soon_threadsafe(self._loop.stop)
        with suppress(Empty):
            self._ended.get(timeout=1)
            self._loop.close()


class SharedEngine(Engine):
    """The engine of systems where threads can share a loop.

    The thread of a request runs the steps of its coroutine, the thread of the loop all others.
    """

    _loop: SharedLoop

    def __init__(self) -> None:
        self._started = Event()
        super().__init__(SharedLoop())
        self._new_task = partial(RequestTask, self._loop)
        self._started.wait()

    def _run_loop(self) -> None:
        self._loop.serve(self._started)


def start_engine() -> Engine:
    """Start the engine for this system, and for what has been patched in it.

    Call it in an empty context: what the loop keeps would keep the first request otherwise.
    """
    patches = sys.modules.get("gevent.monkey")
    if patches is not None and patches.is_module_patched("threading"):
        from .greenlets import GreenletEngine

        return GreenletEngine()
    if CAN_SHARE:
        return SharedEngine()
    return Engine(asyncio.new_event_loop())
