"""The functions that answer requests for a route: its view, or the end of its chain.

Each is a closure over what :class:`~.dispatch.Dispatcher` has decided at start-up, since a local
name costs a request less than an attribute. A direct handler is called at once, and a planned one
with its dependencies; everything else is left to the dispatcher.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CoroutineType
from typing import Any

from flask import Flask, Request, Response
from werkzeug.exceptions import NotFound

from ..dependencies.model import Values
from ..dependencies.resolving import make_values
from ..running.modes import call_sync
from .chain import AsyncCall, Call
from .dispatch import Dispatcher, current_request, is_rooted
from .results import PLAIN, respond


def plain_view(dispatcher: Dispatcher) -> Callable[..., Any]:
    """Return the view of a route without middleware."""
    # No more variables than this one: each is one more object for each route.
    direct = dispatcher.direct

    def dispatch(**values: Any) -> Any:
        # The request itself: the proxy does not work in a thread that a handler starts.
        current = current_request()
        # The rules match clean paths only, but Werkzeug strips slashes before it matches.
        path = current.environ.get("PATH_INFO")
        if path != current.path and not is_rooted(path):
            raise NotFound
        function = direct.get(current.method)
        # A url_value_preprocessor may change the values: then each is passed by name.
        if function is not None and not dispatcher.preprocessors:
            if current.method in dispatcher.asking:
                values["request"] = current
            result = function(**values) if values else function()
        elif current.method in dispatcher.planned:
            return dispatcher.planned[current.method](current, values, None)
        else:
            result = dispatcher.answer(current, values)
        if type(result) in PLAIN:
            return dispatcher.make_plain(result)
        if isinstance(result, Response):
            return result
        handler = dispatcher.handlers[dispatcher.method_of(current)]
        return respond(dispatcher.app, result, handler)

    return dispatch


def innermost(dispatcher: Dispatcher) -> Call:
    """Return the function that answers at the end of a chain of middleware."""
    app, handlers = dispatcher.app, dispatcher.handlers
    direct, planned = dispatcher.direct, dispatcher.planned
    asking, make_plain = dispatcher.asking, dispatcher.make_plain
    preprocessors = dispatcher.preprocessors
    response_class = app.response_class

    def answer(current: Request, values: dict[str, Any], state: Values | None) -> Response:
        function = direct.get(current.method)
        if function is not None and not preprocessors:
            if current.method in asking:
                values = {**values, "request": current}
            result = function(**values)
        elif current.method in planned:
            return planned[current.method](current, values, state)
        else:
            result = dispatcher.answer(current, values, state)
        if type(result) in PLAIN:
            return make_plain(result)
        if isinstance(result, response_class):
            return result
        return respond(app, result, handlers[dispatcher.method_of(current)])

    return answer


def innermost_in_loop(dispatcher: Dispatcher) -> AsyncCall:
    """Return the function that answers at the end of a chain with async middleware.

    A sync handler runs in the thread of the request.
    """
    handlers, direct = dispatcher.handlers, dispatcher.direct
    asking, make_plain = dispatcher.asking, dispatcher.make_plain
    preprocessors = dispatcher.preprocessors

    async def answer(current: Request, values: dict[str, Any], state: Values | None) -> Response:
        method = current.method
        if method not in direct or method not in handlers or preprocessors:
            return await dispatcher.answer_any_in_loop(current, values, state)
        handler = handlers[method]
        binding = handler.binding
        if method in asking:
            values = {**values, "request": current}
        if binding.is_async:
            result = await binding.function(**values)
        else:
            result = await call_sync(binding.function, **values)
            if isinstance(result, CoroutineType):
                result = await result
        if type(result) in PLAIN:
            return make_plain(result)
        return dispatcher.respond(result, handler)

    return answer


def through_chain(app: Flask, chain: Call, *, has_dependencies: bool) -> Callable[..., Any]:
    """Return the view of a route with middleware.

    :param has_dependencies: whether any function of the route asks for some.
    """

    def dispatch_through_chain(**values: Any) -> Any:
        current = current_request()
        path = current.environ.get("PATH_INFO")
        if path != current.path and not is_rooted(path):
            raise NotFound
        if not has_dependencies:
            return chain(current, values, None)
        state = make_values(current, values)
        try:
            return chain(current, values, state)
        finally:
            # It refers to functions and tracebacks that refer to it.
            state.clear()

    return dispatch_through_chain
