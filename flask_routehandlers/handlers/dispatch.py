"""Select and call the handler of a route file by the method of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CoroutineType
from typing import Any

from flask import Flask, Request, Response, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from ..binding.model import Binding
from .chain import Call, in_thread
from .exports import allowed_methods
from .results import FINISHED, await_result, complete, finish

current_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]


def is_rooted(path_info: str | None) -> bool:
    """Return whether a path begins with exactly one slash, or is empty as an app's root can be."""
    return not path_info or (path_info[0] == "/" and path_info[1:2] != "/")


def call_handler(app: Flask, binding: Binding, current: Request, values: dict[str, Any]) -> Any:
    """Call a handler, and write its result as its return annotation declares.

    :param values: the values of the path parameters.
    """
    function, writer = binding.function, binding.writer
    if binding.is_async:
        # Made for each request: asgiref ties it to the event loop around it.
        function = app.ensure_sync(function)
    arguments = binding.read_arguments(current, values)
    if writer is None:
        return function(**arguments)
    with writer.checking_errors():
        result = function(**arguments)
        if isinstance(result, CoroutineType):
            result = app.ensure_sync(await_result)(result)
        return writer.write(result)


async def await_handler(binding: Binding, current: Request, values: dict[str, Any]) -> Any:
    """Call an async handler in an event loop, and write its result."""
    arguments = binding.read_arguments(current, values)
    if binding.writer is None:
        return await binding.function(**arguments)
    with binding.writer.checking_errors():
        return binding.writer.write(await binding.function(**arguments))


class Dispatcher:
    """The handlers of one route file, by method.

    :param app: the app that serves it.
    :param file: the route file, relative to the root.
    :param bindings: the plan of each handler's call, by method.
    """

    def __init__(self, app: Flask, file: str, bindings: Mapping[str, Binding]) -> None:
        self.app = app
        self.file = file
        self.bindings = bindings
        #: The methods that the route answers, sorted.
        self.allowed = allowed_methods(bindings)
        #: The handlers that are called with the values of the path as they are.
        self.direct = {
            method: binding.function for method, binding in bindings.items() if binding.is_direct
        }
        if "GET" in self.direct and "HEAD" not in bindings:
            self.direct["HEAD"] = self.direct["GET"]

    def method_of(self, current: Request) -> str:
        """Return the method whose handler answers a request.

        GET's handler answers HEAD. A handler answers its own preflight request if it says so
        with ``provide_automatic_options = False``, as flask-cors's decorator does.
        """
        method = current.method
        if method in self.bindings:
            return method
        if method == "HEAD":
            return "GET"
        if method == "OPTIONS":
            asked = current.headers.get("Access-Control-Request-Method", "")
            if asked == "HEAD" and "HEAD" not in self.bindings:
                asked = "GET"
            handler = self.handler(asked)
            if getattr(handler, "provide_automatic_options", None) is False:
                return asked
        return method

    def handler(self, method: str) -> Callable[..., Any] | None:
        """Return the handler of a method, including its decorators."""
        binding = self.bindings.get(method)
        return binding and binding.function

    def answer(self, current: Request, values: dict[str, Any]) -> Any:
        """Return the result of the handler, or the answer of a route without one.

        :param values: the values of the path parameters.
        :raises ~werkzeug.exceptions.MethodNotAllowed: for a method that the file lacks.
        """
        method = self.method_of(current)
        if method in self.bindings:
            result = call_handler(self.app, self.bindings[method], current, values)
            if current.method != "OPTIONS" or method == "OPTIONS":
                return result
            response = self.app.make_response(finish(self.app, result, method, self.file))
        elif current.method == "OPTIONS":
            response = self.app.response_class(status=204)
            response.headers.pop("Content-Type", None)
        else:
            raise MethodNotAllowed(valid_methods=self.allowed)
        response.headers["Allow"] = ", ".join(self.allowed)
        return response

    async def answer_in_loop(self, current: Request, values: dict[str, Any]) -> Response:
        """Return the same as a response, inside the event loop of a chain."""
        method = self.method_of(current)
        binding = self.bindings.get(method)
        if binding and binding.is_async and current.method != "OPTIONS":
            result = await await_handler(binding, current, values)
        else:
            # In the thread of the request, as without async middleware.
            result = await in_thread(self.answer)(current, values)
        if isinstance(result, CoroutineType):
            result = await result
        return self.app.make_response(complete(self.app, result, method, self.file))

    def as_view(self) -> Callable[..., Any]:
        """Return the view of a route without middleware."""
        app, file, direct = self.app, self.file, self.direct
        preprocessors = app.url_value_preprocessors

        def dispatch(**values: Any) -> Any:
            # The request itself: the proxy does not work in a thread that a handler starts.
            current = current_request()
            # The rules match clean paths only, but Werkzeug strips slashes before it matches.
            path = current.environ.get("PATH_INFO")
            if path != current.path and not is_rooted(path):
                raise NotFound
            function = direct.get(current.method)
            # A url_value_preprocessor may change the values: then each is passed by name.
            if function is not None and not preprocessors:
                result = function(**values) if values else function()
            else:
                result = self.answer(current, values)
            if type(result) in FINISHED:
                return result
            return finish(app, result, self.method_of(current), file)

        return dispatch

    def as_innermost(self) -> Call:
        """Return the function that answers at the end of a chain of middleware."""
        app, file, direct = self.app, self.file, self.direct
        preprocessors = app.url_value_preprocessors
        response_class = app.response_class
        makes_responses_as_flask = getattr(app.make_response, "__func__", None) is (
            Flask.make_response
        )

        def answer(current: Request, values: dict[str, Any]) -> Response:
            function = direct.get(current.method)
            if function is not None and not preprocessors:
                result = function(**values)
            else:
                result = self.answer(current, values)
            if type(result) is response_class:
                return result
            if type(result) is dict and makes_responses_as_flask:
                # As make_response does, without its further checks of the response.
                return app.json.response(result)  # type: ignore[return-value]
            if type(result) not in FINISHED:
                result = finish(app, result, self.method_of(current), file)
            return app.make_response(result)

        return answer


def through_chain(chain: Call) -> Callable[..., Any]:
    """Return the view of a route with middleware."""

    def dispatch_through_chain(**values: Any) -> Any:
        current = current_request()
        path = current.environ.get("PATH_INFO")
        if path != current.path and not is_rooted(path):
            raise NotFound
        return chain(current, values)

    return dispatch_through_chain
