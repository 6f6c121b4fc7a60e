"""The view that Flask stores for a route file: path first, method second."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from types import CoroutineType, ModuleType
from typing import Any, NoReturn

from flask import Flask, Request, Response, current_app, has_request_context, request
from flask.views import MethodView
from werkzeug.exceptions import MethodNotAllowed, NotFound

from ..errors import RouteHandlersError
from .binding import Binding
from .chain import Link, compose, in_thread
from .exports import Handler, allowed_methods
from .results import UNFINISHED, finish, nothing_returned

_current_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]
_current_app: Callable[[], Flask] = current_app._get_current_object  # type: ignore[attr-defined]


def is_rooted(path_info: str | None) -> bool:
    """Whether a path begins with one slash, or is empty, as that of an app's root can be."""
    return not path_info or (path_info[0] == "/" and path_info[1:2] != "/")


class Endpoint(functools.partial[Any]):
    """One route file as a view.

    It is shaped like what :meth:`flask.views.View.as_view` returns (``view_class``, ``methods``),
    and while a request of its own is served it has the identity of the handler that the method
    selects: ``__name__``, ``__module__`` and every attribute that a decorator has set. Extensions
    that look at ``app.view_functions[request.endpoint]`` see each handler as a view of its own.

    It is a :class:`functools.partial` of a plain function, so that neither calling it nor Flask's
    question on each request, whether it is a coroutine function, takes a way through Python.

    :param app: the app that serves it.
    :param endpoint: the endpoint's name, blueprint included.
    :param file: the route file, relative to the root.
    :param module: the loaded file.
    :param bindings: how each handler is called, by method.
    :param links: the middleware around the handlers, outermost first.
    """

    # Asked for by inspect on each request; found here, they take no way through __getattr__.
    __partialmethod__ = None
    _is_coroutine_mark = None

    def __new__(
        cls,
        app: Flask,
        endpoint: str,
        file: str,
        module: ModuleType,
        bindings: Mapping[str, Binding],
        links: Sequence[Link] = (),
    ) -> Endpoint:
        preprocessors = app.url_value_preprocessors
        response_class = app.response_class
        # The handlers that can be called with the values as they are.
        direct = {m: binding.function for m, binding in bindings.items() if binding.is_direct}
        if "GET" in direct and "HEAD" not in bindings:
            direct["HEAD"] = direct["GET"]

        def dispatch(**values: Any) -> Any:
            # The request itself: the proxy does not work in a thread that a handler starts.
            current = _current_request()
            # The rules answer clean paths only, but Werkzeug strips slashes before it matches.
            path = current.environ.get("PATH_INFO")
            if path != current.path and not is_rooted(path):
                raise NotFound
            function = direct.get(current.method)
            # A url_value_preprocessor may change the values: then each is given by name.
            if function is not None and not preprocessors:
                result = function(**values) if values else function()
            else:
                result = self._answer(current, values)
            if type(result) in UNFINISHED:
                return finish(self.app, result, self.method_of(current), self.file)
            return result

        def dispatch_through_chain(**values: Any) -> Any:
            current = _current_request()
            path = current.environ.get("PATH_INFO")
            if path != current.path and not is_rooted(path):
                raise NotFound
            return chain(current, values, [0])

        count = len(links)
        is_flasks = getattr(app.make_response, "__func__", None) is Flask.make_response

        # The same as the innermost call_next: handed on, each request would pay for the call.
        def answer(
            current: Request,
            values: dict[str, Any],
            passed: list[int],
            /,
            *args: Any,
            **named: Any,
        ) -> Response:
            if passed[0] != count or args or named:
                raise links[-1].misuse(again=passed[0] != count)
            passed[0] += 1
            function = direct.get(current.method)
            if function is not None and not preprocessors:
                result = function(**values)
            else:
                result = self._answer(current, values)
            if type(result) in UNFINISHED:
                result = finish(app, result, self.method_of(current), file)
            if type(result) is response_class:
                return result
            if type(result) is dict and is_flasks:
                # As make_response does, but for questions that Flask asks of the response again.
                return app.json.response(result)  # type: ignore[return-value]
            return app.make_response(result)

        self = super().__new__(cls, dispatch_through_chain if links else dispatch)
        if links:
            chain = compose(app, links, answer, self._answer_in_loop)
        return self

    # Not annotated in the class: its annotations would be taken for those of every view.
    def __init__(
        self,
        app: Flask,
        endpoint: str,
        file: str,
        module: ModuleType,
        bindings: Mapping[str, Binding],
        links: Sequence[Link] = (),
    ) -> None:
        self.app = app
        self.endpoint = endpoint
        self.file = file
        self.module = module
        self.bindings = bindings
        self.links = tuple(links)

    def _answer(self, current: Request, values: dict[str, Any]) -> Any:
        """What the handler of the method returns, or the answer of a route without one."""
        method = self.method_of(current)
        if method in self.bindings:
            binding = self.bindings[method]
            function = binding.function
            if binding.is_async:
                # Made anew for each request: asgiref ties it to the event loop around it.
                function = self.app.ensure_sync(function)
            result = function(**binding.arguments(current, values))
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

    async def _answer_in_loop(self, current: Request, values: dict[str, Any]) -> Response:
        method = self.method_of(current)
        binding = self.bindings.get(method)
        if binding and binding.is_async and current.method != "OPTIONS":
            result = await binding.function(**binding.arguments(current, values))
        else:
            # In the thread of the request, as without async middleware.
            result = await in_thread(self._answer)(current, values)
        if isinstance(result, CoroutineType):
            result = await result
        if result is None:
            raise nothing_returned(method, self.file)
        return self.app.make_response(result)

    def method_of(self, current: Request) -> str:
        """The method whose handler answers: GET's for HEAD, and a preflight's own for OPTIONS."""
        method = current.method
        if method in self.bindings:
            return method
        if method == "OPTIONS":
            # A handler answers its preflight itself if it says so, as flask-cors's decorator does.
            asked = current.headers.get("Access-Control-Request-Method", "")
            asked = "GET" if asked == "HEAD" and "HEAD" not in self.bindings else asked
            binding = self.bindings.get(asked)
            own = getattr(binding and binding.function, "provide_automatic_options", None)
            return asked if own is False else method
        return "GET" if method == "HEAD" else method

    def _selected(self) -> Handler | None:
        """The handler of the current request, if that is one of this endpoint's."""
        if not has_request_context() or request.endpoint != self.endpoint:
            return None
        if _current_app() is not self.app:
            return None
        binding = self.bindings.get(self.method_of(request))
        return binding and binding.function

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
        if selected is not None and name == "__wrapped__":
            return selected
        if selected is not None and hasattr(selected, name):
            return getattr(selected, name)
        if name == "__qualname__":
            return self.__name__
        if name == "__annotations__":
            return {}
        raise AttributeError(f"{self!r} has no attribute {name!r}")

    def __repr__(self) -> str:
        return f"<Endpoint {self.endpoint} from {self.file}>"

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that the file handles itself."""
        return tuple(self.bindings)

    @property
    def allowed(self) -> list[str]:
        """The methods that the route answers, sorted."""
        return allowed_methods(self.bindings)

    @functools.cached_property
    def view_class(self) -> type[MethodView]:
        """A :class:`~flask.views.MethodView` with the handlers as its methods."""
        methods = {method.lower(): self._as_method(method) for method in self.bindings}
        return type(
            self.file,
            (MethodView,),
            {
                **methods,
                "methods": set(self.bindings),
                "init_every_request": False,
                "__module__": self.module.__name__,
            },
        )

    def _as_method(self, name: str) -> Callable[..., Any]:
        binding = self.bindings[name]

        def method(view: MethodView, **values: Any) -> Any:
            result = binding.function(**binding.arguments(_current_request(), values))
            return finish(self.app, result, name, self.file)

        return functools.update_wrapper(method, binding.function)


def failed_view(file: str, error: RouteHandlersError) -> Callable[..., NoReturn]:
    """The view of a route that could not be made: each request shows the error again.

    :param file: the route file, relative to the root.
    """
    cause = error.__cause__
    traceback = cause.__traceback__ if cause else None

    def view(**values: Any) -> NoReturn:
        if not is_rooted(request.environ.get("PATH_INFO", "")):
            raise NotFound
        # Without the frames of earlier requests.
        raise error.with_traceback(None) from (cause and cause.with_traceback(traceback))

    view.__name__ = file
    view.error = error  # type: ignore[attr-defined]
    return view
