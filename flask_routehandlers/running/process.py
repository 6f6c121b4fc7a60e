"""The event loop of this process: it starts with the first async call, and ends with the process.

At the end the callbacks of :func:`after` come first, then the loop.
"""

from __future__ import annotations

import atexit
import sys
import threading
from contextvars import Context
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakSet

from .._forks import renew_after_fork

if TYPE_CHECKING:
    from .after import Pool
    from .engine import Engine


class Process:
    """The engine of this process, if it has one, and the pools of its apps."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        # A loop shares its selector with the parent process, so none is ever closed in a child.
        self._inherited: list[Engine] = []
        self._pools: WeakSet[Pool] = WeakSet()
        self._lock = Lock()
        self._is_prepared = False
        renew_after_fork(self)
        atexit.register(self._end)

    def after_fork(self) -> None:
        self._lock = Lock()
        if self.engine is not None:
            self._inherited.append(self.engine)
            self.engine = None

    def start(self) -> Engine:
        """Start the engine, unless another thread has."""
        from .engine import start_engine

        with self._lock:
            if self.engine is None:
                # In an empty context: the loop would keep the first request alive otherwise.
                self.engine = Context().run(start_engine)
                self._prepare()
            return self.engine

    def add(self, pool: Pool) -> None:
        """Drain a pool when the process ends, if it lives as long."""
        self._pools.add(pool)
        self._prepare()

    def _prepare(self) -> None:
        """Have the process drained while executors still take work.

        That is earlier than what :mod:`atexit` calls, and the only time in a child of
        :mod:`multiprocessing` that was forked, as the workers of granian are. Python has no
        public function for it.
        """
        # It ends all executors with the same function, which calls the newest first.
        import concurrent.futures.thread  # noqa: F401

        register = getattr(threading, "_register_atexit", None)
        if register is not None and not self._is_prepared:
            self._is_prepared = True
            register(self._end_early)

    def _end_early(self) -> None:
        self._drain()
        multiprocessing = sys.modules.get("multiprocessing.process")
        if multiprocessing is not None and multiprocessing.parent_process() is not None:
            self._close()
        # Elsewhere threads that the process waits for may use the loop until they end.

    def _end(self) -> None:
        self._drain()
        self._close()

    def _drain(self) -> None:
        if self.engine is not None:
            self.engine.use_spare_thread()
        for pool in list(self._pools):
            pool.drain()

    def _close(self) -> None:
        with self._lock:
            engine, self.engine = self.engine, None
        if engine is not None:
            engine.close()


process = Process()


def current_engine() -> Engine:
    """Return the engine of this process, and start it if it has none."""
    return process.engine or process.start()
