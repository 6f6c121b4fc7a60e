"""The view that Flask stores for a route file: path first, method second."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from types import CodeType, FunctionType, GeneratorType, ModuleType
from typing import Any, ClassVar, NoReturn

from flask import Flask, Request, has_request_context, request, stream_with_context
from flask.views import MethodView
from werkzeug.exceptions import MethodNotAllowed, NotFound

from .binding import Bound, Call
from .errors import RouteImportError
from .handlers import Handler, allowed_methods
from .paths import is_clean

_current_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]


def _prototype(**values: Any) -> Any:
    """The signature of every endpoint: all path parameters by name."""


class Endpoint:
    """One route file as a view.

    It is shaped like what :meth:`flask.views.View.as_view` returns (``view_class``, ``methods``),
    and while a request of its own is served it has the identity of the handler that the method
    selects: ``__name__``, ``__module__`` and every attribute that a decorator has set. Extensions
    that look at ``app.view_functions[request.endpoint]`` see each handler as a view of its own.

    :param app: the app that serves it.
    :param name: the endpoint's name, blueprint included.
    :param file: the route file, relative to the root.
    :param module: the loaded file.
    :param handlers: the handlers by method.
    :param calls: how each handler is called.
    :param parameters: the names of the path parameters.
    """

    # For every request Flask asks whether the view is a coroutine function. Passing for a
    # function answers from these, and spares the request a walk through the dynamic identity.
    __class__ = FunctionType  # type: ignore[assignment]
    __code__: ClassVar[CodeType] = _prototype.__code__
    __defaults__ = None
    __kwdefaults__ = None
    __annotations__: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]
    __partialmethod__ = None
    _is_coroutine_mark = None
    _is_coroutine_marker = None
    _is_coroutine = None

    def __init__(
        self,
        app: Flask,
        name: str,
        file: str,
        module: ModuleType,
        handlers: Mapping[str, Handler],
        calls: Mapping[str, Bound],
        parameters: Collection[str],
    ) -> None:
        self.app = app
        self.endpoint = name
        self.file = file
        self.module = module
        self.handlers = dict(handlers)
        self.allowed = allowed_methods(self.handlers)
        self.calls: dict[str, Call] = {}
        direct: dict[str, Handler] = {}
        for method, bound in calls.items():
            if inspect.iscoroutinefunction(handlers[method]):
                self.calls[method] = _in_event_loop(app, bound.call)
            else:
                self.calls[method] = bound.call
                if bound.function is not None:
                    direct[method] = bound.function
        if "HEAD" not in handlers:
            for table in (self.calls, direct):
                if "GET" in table:
                    table["HEAD"] = table["GET"]
        self._direct = direct, len(parameters)

    def __call__(self, /, **values: Any) -> Any:
        # The request itself: the proxy does not work in a thread that a handler starts.
        # A request spends 35 us in Flask, so each 0.3 us counts here: most paths are seen to be
        # clean without a call, most handlers are called with the values as they are.
        current = _current_request()
        path = current.environ.get("PATH_INFO", "")
        if not (
            path.isascii()
            and path.isprintable()
            and path[:1] == "/"
            and "//" not in path
            and "/." not in path
            and "\\" not in path
        ) and not is_clean(path):
            raise NotFound
        direct, count = self._direct
        method = current.method
        function = direct.get(method)
        # A url_value_preprocessor may have changed the values: then each is given by name.
        if function is not None and len(values) == count:
            result = function(**values)
        elif method in self.calls:
            result = self.calls[method](current, values)
        else:
            return self._answer_without_handler(current, values)
        if result is None:
            raise TypeError(
                f"{method} in {self.file} returned None. A handler returns a response: "
                'a str, a dict or list (JSON), a Response, or "", 204 for none.'
            )
        if type(result) is GeneratorType:
            return stream_with_context(result)
        return result

    def _answer_without_handler(self, current: Request, values: dict[str, Any]) -> Any:
        if current.method != "OPTIONS":
            raise MethodNotAllowed(valid_methods=self.allowed)
        method = self._own_preflight(current)
        if method is None:
            response = self.app.response_class(status=204)
            response.headers.pop("Content-Type", None)
        else:
            response = self.app.make_response(self.calls[method](current, values))
        response.headers["Allow"] = ", ".join(self.allowed)
        return response

    def _own_preflight(self, current: Request) -> str | None:
        """The method whose handler answers OPTIONS itself, as flask-cors's decorator does."""
        method = current.headers.get("Access-Control-Request-Method", "")
        method = "GET" if method == "HEAD" and "HEAD" not in self.handlers else method
        answers = getattr(self.handlers.get(method), "provide_automatic_options", None) is False
        return method if answers else None

    def _selected(self) -> Handler | None:
        """The handler of the current request, if that is one of this endpoint's."""
        if not has_request_context() or request.endpoint != self.endpoint:
            return None
        method = request.method
        if method == "HEAD" and "HEAD" not in self.handlers:
            method = "GET"
        elif method == "OPTIONS" and "OPTIONS" not in self.handlers:
            method = self._own_preflight(request) or method
        return self.handlers.get(method)

    @property
    def __name__(self) -> str:
        selected = self._selected()
        return self.endpoint if selected is None else getattr(selected, "__name__", self.endpoint)

    @property
    def __module__(self) -> str:  # type: ignore[override]
        selected = self._selected()
        name = self.module.__name__
        return name if selected is None else getattr(selected, "__module__", name)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        selected = self._selected()
        return self.module.__doc__ if selected is None else selected.__doc__

    def __getattr__(self, name: str) -> Any:
        selected = self._selected()
        if selected is not None:
            return getattr(selected, name)
        raise AttributeError(f"{self!r} has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__} {self.endpoint} from {self.file}>"

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the file handles itself."""
        return tuple(self.handlers)

    @functools.cached_property
    def view_class(self) -> type[MethodView]:
        """A :class:`~flask.views.MethodView` with the handlers as its methods."""
        methods = {
            method.lower(): _as_method(handler, self.calls[method])
            for method, handler in self.handlers.items()
        }
        return type(
            self.file,
            (MethodView,),
            {**methods, "init_every_request": False, "__module__": self.module.__name__},
        )


def _in_event_loop(app: Flask, call: Call) -> Call:
    async def awaited(current: Request, values: dict[str, Any]) -> Any:
        return await call(current, values)

    def call_async(current: Request, values: dict[str, Any]) -> Any:
        # Made anew for each request: asgiref ties it to the event loop around it.
        return app.ensure_sync(awaited)(current, values)

    return call_async


def _as_method(handler: Handler, call: Call) -> Callable[..., Any]:
    def method(self: MethodView, **values: Any) -> Any:
        return call(_current_request(), values)

    return functools.update_wrapper(method, handler)


def failed_view(error: RouteImportError) -> Callable[..., NoReturn]:
    """The view of a file that could not be imported: each request shows the error again."""
    cause = error.__cause__
    traceback = cause.__traceback__ if cause else None

    def view(**values: Any) -> NoReturn:
        failure = RouteImportError(error.file, cause or error)
        # Without the frames of earlier requests.
        raise failure from (cause.with_traceback(traceback) if cause else None)

    view.__name__ = error.file
    return view
