"""Work that is done once a response has been sent, and the threads that do it."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context, copy_context
from functools import partial
from logging import Logger
from threading import Condition, Lock, Thread
from typing import Any, ParamSpec, cast

from flask import (
    Flask,
    Response,
    copy_current_request_context,
    current_app,
    got_request_exception,
    has_request_context,
    request,
    request_finished,
    request_tearing_down,
)
from werkzeug.wsgi import ClosingIterator

from .._forks import renew_after_fork
from .modes import run_for
from .process import current_engine, process
from .settings import DRAIN, LIMIT, THREADS, read_setting

P = ParamSpec("P")

#: The key of ``environ`` that forbids :func:`after`: the file of a handler that runs once for many
#: requests.
STATIC_FILE = "flask_routehandlers.static_file"

#: Seconds after which a thread without work ends.
IDLE_SECONDS = 60.0

#: Seconds that the end of the process waits for responses whose callbacks are not pending yet.
RESPONSE_SECONDS = 1.0

_KEY = "flask_routehandlers.after"

_lock = Lock()


def after(function: Callable[P, object], /, *args: P.args, **kwargs: P.kwargs) -> None:
    """Call a function once the response of the current request has been sent.

    The function runs whatever the outcome of the request is, in a thread of this process, with
    the request, the session and a new application context. The functions of one request run one
    after the other. An exception is logged. What is not done when the process has ended is lost,
    so this does not replace a queue of tasks.

    :param function: a sync or an async function.
    :param args: its arguments. Pass keys of objects that belong to a session of a database.
    :raises RuntimeError: outside of a request, and in a static handler.
    """
    if not has_request_context():
        raise RuntimeError(
            "after() was called outside of a request. Call the function itself, or hand it to a "
            "thread or a queue of tasks."
        )
    environ = request.environ
    if STATIC_FILE in environ:
        raise RuntimeError(
            f"GET in {environ[STATIC_FILE]} is static: it runs once for many requests. "
            "Call after() in a middleware, which runs for each of them."
        )
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if _KEY not in environ:
        _connect(app)
        environ[_KEY] = _Callbacks(app)
    environ[_KEY].add(partial(function, *args, **kwargs))


def _connect(app: Flask) -> None:
    """Watch the requests of an app, beginning with the first one that calls :func:`after`."""
    with _lock:
        if _KEY not in app.extensions:
            values = [read_setting(app.config, name) for name in (THREADS, LIMIT, DRAIN)]
            app.extensions[_KEY] = Pool(app.logger, *values)
            request_finished.connect(_follow_response, app)
            request_tearing_down.connect(_follow_failure, app)


def _follow_response(app: Flask, response: Response, **_: Any) -> None:
    """Submit the callbacks of a request when its final response is closed.

    Flask sends the signal after the last function that may replace the response.
    """
    callbacks: _Callbacks | None = request.environ.get(_KEY)
    if callbacks is None or callbacks.has_response:
        return
    callbacks.has_response = True
    if app.testing:
        callbacks.run()
    elif response.direct_passthrough:
        # Werkzeug does not close the response around a file, but the file.
        body = cast(Iterable[bytes], response.response)
        response.response = ClosingIterator(body, callbacks.submit)
    else:
        response.call_on_close(callbacks.submit)


def _follow_failure(app: Flask, exc: BaseException | None = None, **_: Any) -> None:
    """Submit the callbacks of a request that has no response, or one that could not be made."""
    callbacks: _Callbacks | None = request.environ.get(_KEY)
    if callbacks is None or (callbacks.has_response and exc is None):
        return
    if app.testing and exc is None:
        callbacks.run()
    else:
        callbacks.submit()


class _Callbacks:
    """The callbacks of one request, which wait until its response has been sent.

    :param app: the app that answers it.
    :ivar has_response: whether the end of a response will submit them.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._pool: Pool = app.extensions[_KEY]
        self._waiting: list[Callable[[], None]] = []
        self._is_submitted = False
        self.has_response = False

    def add(self, function: partial[object]) -> None:
        """Add a call, with the context of the code that asks for it."""
        if inspect.iscoroutinefunction(function.func) and not self._app.testing:
            current_engine().keep_spare_thread()
        self._waiting.append(partial(copy_context().run, partial(self._call, function)))
        self._pool.expect(1)
        # A callback has called after(), or a task that outlives its response.
        if self._is_submitted:
            self.submit()

    def submit(self) -> None:
        """Run the callbacks in a thread, or here if too many are pending."""
        self._is_submitted = True
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._pool.submit(waiting)

    def run(self) -> None:
        """Run the callbacks here and raise their exceptions, as tests need it."""
        while self._waiting:
            self._pool.expect(-1)
            self._waiting.pop(0)()

    def _call(self, function: partial[object]) -> None:
        """Call a function with the request and a new app context, and log an exception.

        Functions for the end of a context get it first, as in any request, and may raise another.
        """
        is_raised, is_reported = not self._is_submitted, False

        @copy_current_request_context
        def call() -> None:
            nonlocal is_reported
            try:
                result = function()
                if inspect.iscoroutine(result):
                    run_for(self._app, result)
            except (Exception, SystemExit) as error:
                if not is_raised:
                    is_reported = True
                    self._report(function.func, error)
                raise

        try:
            # Otherwise the request would bring the old one, which has ended.
            with self._app.app_context():
                call()
        except (Exception, SystemExit) as error:
            if is_raised:
                raise
            if not is_reported:
                self._report(function.func, error)

    def _report(self, function: Callable[..., object], error: BaseException) -> None:
        name = getattr(function, "__qualname__", repr(function))
        self._app.logger.exception(
            "after() of %s %s: %s failed", request.method, request.path, name
        )
        got_request_exception.send(self._app, exception=error)

    def __del__(self) -> None:
        # Of a response that was never closed.
        self._pool.expect(-len(self._waiting))


class Pool:
    """A bounded queue of callbacks, and threads that start with the first one.

    :param logger: reports callbacks that are lost when the process ends.
    :param threads: how many run concurrently.
    :param limit: how many callbacks may be pending.
    :param drain_seconds: how long the end of the process waits for them.
    """

    def __init__(self, logger: Logger, threads: int, limit: int, drain_seconds: float) -> None:
        self._logger = logger
        self._threads = threads
        self._limit = limit
        self._drain_seconds = drain_seconds
        self._is_ending = False
        self.after_fork()
        renew_after_fork(self)
        process.add(self)

    def after_fork(self) -> None:
        """Begin again without callbacks: the parent runs those that it has."""
        self._changed = Condition()
        self._waiting: deque[Sequence[Callable[[], None]]] = deque()
        self._expected = 0
        self._pending = 0
        self._running = 0
        self._idle = 0

    def expect(self, count: int) -> None:
        """Wait for some more callbacks when the process ends, or, below zero, for some less.

        They will be submitted when their response has been sent. A client that has it may end
        the process before that.
        """
        with self._changed:
            self._expected += count
            self._changed.notify_all()

    def submit(self, callbacks: Sequence[Callable[[], None]]) -> None:
        """Run callbacks one after the other: soon in a thread, or here.

        They run here if too many are pending, and when the process ends.

        :param callbacks: functions that do not raise, which were expected.
        """
        with self._changed:
            is_accepted = not self._is_ending and self._pending + len(callbacks) <= self._limit
            if is_accepted and self._idle <= len(self._waiting):
                is_accepted = self._add_thread()
            self._expected -= len(callbacks)
            self._pending += len(callbacks)
            if is_accepted:
                self._waiting.append(callbacks)
            self._changed.notify_all()
        if not is_accepted:
            self._run(callbacks)

    def _run(self, callbacks: Sequence[Callable[[], None]]) -> None:
        for callback in callbacks:
            callback()
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()

    def _add_thread(self) -> bool:
        if self._running >= self._threads:
            return True
        try:
            Thread(target=Context().run, args=(self._work,), daemon=True).start()
        except RuntimeError:  # no thread can be started
            return self._running > 0
        self._running += 1
        return True

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                has_work = self._changed.wait_for(lambda: self._waiting, IDLE_SECONDS)
                self._idle -= 1
                if not has_work:
                    self._running -= 1
                    return
                callbacks = self._waiting.popleft()
            self._run(callbacks)

    def drain(self) -> None:
        """Accept nothing more, wait for what is pending, and report what is lost."""
        with self._changed:
            self._is_ending = True
            self._changed.wait_for(lambda: self._expected <= 0, RESPONSE_SECONDS)
            self._changed.wait_for(lambda: not self._pending, self._drain_seconds)
            if self._pending:
                self._logger.error(
                    "The process ends, and %d callbacks of after() are lost: "
                    "they did not end within %s seconds.",
                    self._pending,
                    self._drain_seconds,
                )
