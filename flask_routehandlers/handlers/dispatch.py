"""Select and call the handler of a route file by the method of a request.

A handler is called in one of three ways, which is chosen at start-up, so that a request pays for
nothing that its handler does not use. A *direct* one names the path parameters and at most
``request``: Flask's values are its arguments. A *planned* one asks for dependencies, which run
before it and are cleaned up after it. For any other, ``params`` or values of a contract are read
first.

Methods without a handler get the same answer in each case: HEAD that of GET, OPTIONS 204, and all
others 405, these two with ``Allow``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import CoroutineType
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from ..binding.model import Binding
from ..dependencies.model import Call as ValuesCall
from ..dependencies.model import Plan, Values
from ..dependencies.resolving import make_values, run, run_in_loop
from ..running.modes import call_sync, run_for
from .chain import Call, bridge
from .exports import allowed_methods
from .link import Link
from .responses import MakeResponse, response_maker
from .results import PLAIN, complete, make_response, respond

#: One object for all routes without dependencies.
_NO_CALLS: Mapping[str, Call] = {}

current_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]


def is_rooted(path_info: str | None) -> bool:
    """Return whether a path begins with exactly one slash, or is empty as an app's root can be.

    ``//a/b`` is not clean, but Werkzeug strips slashes before it matches, so that a rule matches
    it.

    :param path_info: ``PATH_INFO`` of the WSGI environment.
    """
    return not path_info or (path_info[0] == "/" and path_info[1:2] != "/")


class Dispatcher:
    """The handlers of one route file, by method.

    :param app: the app that serves it.
    :param file: the route file, relative to the root.
    :param handlers: the handlers by method.
    :param make_plain: makes responses of plain results, by default a new function.
    """

    __slots__ = (
        "allowed",
        "app",
        "asking",
        "direct",
        "file",
        "handlers",
        "make_plain",
        "planned",
        "preprocessors",
    )

    def __init__(
        self,
        app: Flask,
        file: str,
        handlers: Mapping[str, Link],
        make_plain: MakeResponse | None = None,
    ) -> None:
        self.app = app
        self.file = file
        self.handlers = handlers
        self.make_plain = make_plain or response_maker(app)
        #: The functions of Flask that may change the values of a path.
        self.preprocessors = app.url_value_preprocessors
        #: The methods that the route answers, sorted.
        self.allowed = allowed_methods(
            tuple(handlers), automatic_options=app.config["PROVIDE_AUTOMATIC_OPTIONS"]
        )
        #: The handlers that are called with the values of the path as they are.
        self.direct: dict[str, Callable[..., Any]] = {}
        # The handlers that ask for dependencies, with all that runs before and after them.
        planned: dict[str, Call] = {}
        asking = set()
        for method, handler in handlers.items():
            binding = handler.binding
            if binding.is_direct:
                self.direct[method] = binding.function
                if binding.is_async:
                    self.direct[method] = _as_sync(app, binding)
                if binding.extras:
                    asking.add(method)
            if handler.plan is not None:
                planned[method] = self._plan(handler, handler.plan)
        if "HEAD" not in handlers:
            for calls in (self.direct, planned):
                if "GET" in calls:
                    calls["HEAD"] = calls["GET"]
            if "GET" in asking:
                asking.add("HEAD")
        self.planned: Mapping[str, Call] = planned or _NO_CALLS
        #: The methods of the direct ones that get the request in addition.
        self.asking: Collection[str] = asking or ()  # an empty set has 200 bytes

    def method_of(self, current: Request) -> str:
        """Return the method whose handler answers a request.

        GET's handler answers HEAD. A handler answers its own preflight request if it says so
        with ``provide_automatic_options = False``, as flask-cors's decorator does.
        """
        method = current.method
        if method in self.handlers:
            return method
        if method == "HEAD":
            return "GET"
        if method == "OPTIONS":
            asked = current.headers.get("Access-Control-Request-Method", "")
            if asked == "HEAD" and "HEAD" not in self.handlers:
                asked = "GET"
            function = self.function_of(asked)
            if getattr(function, "provide_automatic_options", None) is False:
                return asked
        return method

    def function_of(self, method: str) -> Callable[..., Any] | None:
        """Return the handler of a method, including its decorators."""
        handler = self.handlers.get(method)
        return handler and handler.binding.function

    def answer(self, current: Request, values: dict[str, Any], state: Values | None = None) -> Any:
        """Return the result of the handler, or the answer of a route without one.

        :param values: the values of the path parameters.
        :param state: the dependencies that have run, if middleware has asked for some.
        :raises ~werkzeug.exceptions.MethodNotAllowed: for a method that the file lacks.
        """
        method = current.method
        if method not in self.handlers:
            method = self.method_of(current)
        handler = self.handlers.get(method)
        if handler is not None:
            binding = handler.binding
            if handler.plan or binding.writer or binding.is_async:
                result = self.call(handler, current, values, state)
            else:
                result = binding.function(**binding.read_arguments(current, values))
            if current.method != "OPTIONS" or method == "OPTIONS":
                return result
            response = respond(self.app, result, handler)
        else:
            response = self._answer_without_handler(current)
        response.headers["Allow"] = ", ".join(self.allowed)
        return response

    def _answer_without_handler(self, current: Request) -> Response:
        """Return the automatic answer of OPTIONS: 204 without a body or its type.

        :raises ~werkzeug.exceptions.MethodNotAllowed: for any other method.
        """
        if current.method != "OPTIONS" or "OPTIONS" not in self.allowed:
            raise MethodNotAllowed(valid_methods=self.allowed)
        response = self.app.response_class(status=204)
        response.headers.pop("Content-Type", None)
        return response

    def call(
        self, handler: Link, current: Request, values: dict[str, Any], state: Values | None = None
    ) -> Any:
        """Call a handler, and write its result as its return annotation declares.

        :returns: a response if it asks for dependencies, which are cleaned up already; otherwise
            the result as it is.
        """
        if handler.plan is not None:
            return self.planned[handler.name](current, values, state)
        binding = handler.binding
        arguments = binding.read_arguments(current, values)
        return self._invoke(binding, partial(binding.function, **arguments))

    def _plan(self, handler: Link, plan: Plan) -> Call:
        """Return the function that calls a handler after its dependencies."""
        app, make_plain, binding = self.app, self.make_plain, handler.binding
        is_usual = not (binding.writer or binding.is_async)

        def answer(call: ValuesCall, values: Values) -> Response:
            result = call(values) if is_usual else self._invoke(binding, partial(call, values))
            if type(result) in PLAIN:
                return make_plain(result)
            return respond(app, result, handler)

        def call(current: Request, values: dict[str, Any], state: Values | None) -> Response:
            return run(plan, answer, state or make_values(current, values))

        async def answer_in_loop(
            current: Request, values: dict[str, Any], state: Values | None
        ) -> Response:
            return await self._answer_in_loop(handler, current, values, state)

        bridged = bridge(app, answer_in_loop)

        def call_in_loop(
            current: Request, values: dict[str, Any], state: Values | None
        ) -> Response:
            return bridged(current, values, state or make_values(current, values))

        return call_in_loop if binding.is_async or plan.run.is_async else call

    def _invoke(self, binding: Binding, call: Callable[[], Any]) -> Any:
        """Call a handler in a plain thread, wait for it, and write its result.

        :param binding: the plan of the call.
        :param call: the handler with its arguments.
        """
        writer = binding.writer
        try:
            result = call()
            if isinstance(result, CoroutineType):
                result = run_for(self.app, result)
            return result if writer is None else writer.write(result)
        except HTTPException as error:
            if writer is not None:
                writer.check_error(error)
            raise

    async def answer_any_in_loop(
        self, current: Request, values: dict[str, Any], state: Values | None
    ) -> Response:
        """Return the response of any handler, inside the event loop of a chain."""
        method = self.method_of(current)
        if method not in self.handlers or current.method == "OPTIONS":
            return await call_sync(self._make_answer, current, values, state)
        return await self._answer_in_loop(self.handlers[method], current, values, state)

    async def _answer_in_loop(
        self, handler: Link, current: Request, values: dict[str, Any], state: Values | None
    ) -> Response:
        """Return the response of a handler inside an event loop, after its dependencies."""
        binding, plan = handler.binding, handler.plan

        async def answer(call: ValuesCall, values: Values) -> Response:
            return self.respond(await self._await(binding, partial(call, values)), handler)

        if plan is not None and state is not None:
            return await run_in_loop(plan, answer, state)
        call = partial(binding.function, **binding.read_arguments(current, values))
        return self.respond(await self._await(binding, call), handler)

    def respond(self, result: Any, handler: Link) -> Response:
        """Return the response of a result that has been awaited."""
        if type(result) in PLAIN:
            return self.make_plain(result)
        if type(result) is Response:
            return result
        return make_response(self.app, complete(self.app, result, handler), handler)

    def _make_answer(
        self, current: Request, values: dict[str, Any], state: Values | None
    ) -> Response:
        """Return the answer to OPTIONS, or to a method without a handler, as a response."""
        return self.app.make_response(self.answer(current, values, state))

    async def _await(self, binding: Binding, call: Callable[[], Any]) -> Any:
        """Call a handler in an event loop; a sync one runs in the thread of the request."""
        writer = binding.writer
        try:
            result = call() if binding.is_async else await call_sync(call)
            if isinstance(result, CoroutineType):
                result = await result
            return result if writer is None else writer.write(result)
        except HTTPException as error:
            if writer is not None:
                writer.check_error(error)
            raise


def _as_sync(app: Flask, binding: Binding) -> Callable[..., Any]:
    """Return a function that calls an async handler, and waits for its result."""
    function = binding.function

    def call(**values: Any) -> Any:
        result = function(**values)
        if isinstance(result, CoroutineType):
            return run_for(app, result)
        return result

    return call
