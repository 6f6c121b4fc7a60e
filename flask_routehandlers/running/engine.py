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

from .hop import HopTask
from .loop import CAN_SHARE, SharedLoop
from .modes import CURRENT, Runner
from .task import RequestTask

#: Seconds that tasks have for their clean-up when the process ends.
CLEAN_UP_SECONDS = 5.0


class Engine:
    """The event loop of a process, in a thread that ends with the process.

    In this class coroutines run in the thread of the loop, and the threads of their requests wait.

    :param loop: a new loop that nothing runs.
    """

    #: For modules that do not import asyncio.
    cancelled_error = asyncio.CancelledError

    #: The class of the queue on which the thread of a request waits.
    inbox_class: type[Any] = SimpleQueue

    _spare: ThreadPoolExecutor | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._ended: Any = None
        self._new_task: Callable[..., Runner] = partial(HopTask, loop, self.inbox_class)
        self._start_thread(partial(Context().run, self._serve))

    def _start_thread(self, function: Callable[[], object]) -> None:
        Thread(target=function, name="route-handlers-loop", daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                self._loop.run_forever()
                break
            except (SystemExit, KeyboardInterrupt):
                # asyncio lets them end the loop if a task raises one.
                continue
        self._ended.put(None)

    def task(
        self,
        coroutine: Coroutine[Any, Any, Any],
        is_abandoned: Callable[[], bool] | None = None,
    ) -> Runner:
        """Return a task for a coroutine, to be driven by this thread.

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
        self._ended = self.inbox_class()
        asyncio.run_coroutine_threadsafe(self._end_tasks(), self._loop)
        # A step that blocks the loop does not keep the process from ending.
        with suppress(Empty):
            self._ended.get(timeout=CLEAN_UP_SECONDS + 2)
            self._loop.close()

    async def _end_tasks(self) -> None:
        """Cancel all other tasks, give them time to clean up, and stop the loop.

        Executors are left alone: Python has ended them by then.
        """
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=CLEAN_UP_SECONDS)
            await self._loop.shutdown_asyncgens()
        finally:
            # A task may have cancelled all others, this one too.
            self._loop.stop()


class SharedEngine(Engine):
    """The engine of systems where threads can share a loop.

    The thread of a request runs the steps of its coroutine, the thread of the loop all others.
    """

    def __init__(self) -> None:
        loop, started = SharedLoop(), Event()
        loop.call_soon(started.set)
        super().__init__(loop)
        self._new_task = partial(RequestTask, loop)
        started.wait()


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
