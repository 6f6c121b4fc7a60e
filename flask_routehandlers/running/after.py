"""Work that is done once a response has been sent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from contextvars import copy_context
from functools import partial
from threading import Lock
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

from .modes import run_for
from .pool import Pool
from .process import current_engine
from .settings import DRAIN, LIMIT, THREADS, read_setting

P = ParamSpec("P")

#: The key of ``environ`` that forbids :func:`after`: the file of a handler that runs once for many
#: requests.
STATIC_FILE = "flask_routehandlers.static_file"

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
        self._waiting.append(partial(copy_context().run, self._call, function))
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
