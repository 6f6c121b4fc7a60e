"""The view that Flask stores for a route file: path first, method second."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine, Mapping
from types import CoroutineType, GeneratorType, ModuleType, NoneType
from typing import Any, NoReturn

from flask import Flask, Request, current_app, has_request_context, request, stream_with_context
from flask.views import MethodView
from werkzeug.exceptions import MethodNotAllowed, NotFound

from .binding import Binding
from .errors import RouteImportError
from .handlers import Handler, allowed_methods

_current_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]
_current_app: Callable[[], Flask] = current_app._get_current_object  # type: ignore[attr-defined]

#: Return values of a handler that are no response yet.
_UNFINISHED = frozenset({NoneType, GeneratorType, CoroutineType})


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
    :param count: the number of path parameters.
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
        count: int,
    ) -> Endpoint:
        direct = {m: binding.function for m, binding in bindings.items() if binding.is_direct}
        if "GET" in direct and "HEAD" not in bindings:
            direct["HEAD"] = direct["GET"]

        def dispatch(**values: Any) -> Any:
            # The request itself: the proxy does not work in a thread that a handler starts.
            current = _current_request()
            path = current.environ.get("PATH_INFO", "")
            # The rules answer clean paths only, but Werkzeug strips slashes before it matches.
            if (path[1:2] == "/" or path[:1] != "/") and path:
                raise NotFound
            function = direct.get(current.method)
            # A url_value_preprocessor may have changed the values: then each is given by name.
            if function is not None and len(values) == count:
                result = function(**values)
            else:
                result = self._answer(current, values)
            return self._finish(result, current) if type(result) in _UNFINISHED else result

        self = super().__new__(cls, dispatch)
        return self

    # Not annotated in the class: its annotations would be taken for those of every view.
    def __init__(
        self,
        app: Flask,
        endpoint: str,
        file: str,
        module: ModuleType,
        bindings: Mapping[str, Binding],
        count: int,
    ) -> None:
        self.app = app
        self.endpoint = endpoint
        self.file = file
        self.module = module
        self.bindings = bindings

    def _answer(self, current: Request, values: dict[str, Any]) -> Any:
        method = self._method_of(current)
        if method in self.bindings:
            result = self.bindings[method].call(current, values)
            if current.method != "OPTIONS" or method == "OPTIONS":
                return result
            response = self.app.make_response(self._finish(result, current))
        elif current.method == "OPTIONS":
            response = self.app.response_class(status=204)
            response.headers.pop("Content-Type", None)
        else:
            raise MethodNotAllowed(valid_methods=self.allowed)
        response.headers["Allow"] = ", ".join(self.allowed)
        return response

    def _method_of(self, current: Request) -> str:
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

    def _finish(self, result: Any, current: Request) -> Any:
        if isinstance(result, CoroutineType):
            result = self.app.ensure_sync(_awaited)(result)
        if isinstance(result, GeneratorType):
            return stream_with_context(result)
        if result is None:
            raise TypeError(
                f"{current.method} in {self.file} returned None. A handler returns a response: "
                'a str, a dict or list (JSON), a Response, or "", 204 for none.'
            )
        return result

    def _selected(self) -> Handler | None:
        """The handler of the current request, if that is one of this endpoint's."""
        if not has_request_context() or request.endpoint != self.endpoint:
            return None
        if _current_app() is not self.app:
            return None
        binding = self.bindings.get(self._method_of(request))
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
            current = _current_request()
            return self._finish(binding.call(current, values), current)

        return functools.update_wrapper(method, binding.function)


async def _awaited(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await coroutine


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
