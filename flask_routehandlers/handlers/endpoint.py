"""The view that Flask stores for a route file."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NoReturn

from flask import Flask, current_app, has_request_context, request
from flask.views import MethodView
from werkzeug.exceptions import NotFound

from ..errors import RouteHandlersError
from .chain import compose
from .dispatch import Dispatcher, current_request, is_rooted
from .exports import Handler
from .link import Link
from .results import finish
from .views import innermost, innermost_in_loop, through_chain

_current_app: Callable[[], Flask] = current_app._get_current_object  # type: ignore[attr-defined]

#: Makes the view of a route file from its handlers.
MakeView = Callable[[Dispatcher], Callable[..., Any]]


class Endpoint(functools.partial[Any]):
    """One route file as a view.

    It is shaped like a view that :meth:`flask.views.View.as_view` returns (``view_class``,
    ``methods``). While it serves a request, it has the identity of the handler that the method
    selects: ``__name__``, ``__module__`` and every attribute that a decorator has set.
    Extensions that look at ``app.view_functions[request.endpoint]`` see each handler as a separate
    view.

    It is a :class:`functools.partial` of a plain function, so that neither calling it nor
    Flask's check on each request, whether it is a coroutine function, runs Python code.

    :param view: the function that answers its requests.
    :param dispatcher: the handlers of the file.
    :param endpoint: the endpoint's name, including the blueprint.
    :param module: the loaded file.
    :param links: the middleware around the handlers, outermost first.
    """

    # The dict of a partial is made when it is first used, and has more than 100 bytes.
    __slots__ = ("dispatcher", "endpoint", "links", "module")

    # inspect asks for these on each request; found here, they never reach __getattr__.
    __partialmethod__ = None
    _is_coroutine_mark = None

    def __new__(cls, view: Callable[..., Any], *_: object) -> Endpoint:
        return super().__new__(cls, view)

    # Not annotated in the class: its annotations would pass for those of every view.
    def __init__(
        self,
        view: Callable[..., Any],
        dispatcher: Dispatcher,
        endpoint: str,
        module: ModuleType,
        links: Sequence[Link],
    ) -> None:
        self.dispatcher = dispatcher
        self.endpoint = endpoint
        self.module = module
        self.links = tuple(links)

    def _selected(self) -> Handler | None:
        """Return the handler of the current request, if this endpoint serves it."""
        if not has_request_context() or request.endpoint != self.endpoint:
            return None
        if _current_app() is not self.dispatcher.app:
            return None
        return self.dispatcher.function_of(self.dispatcher.method_of(request))

    @property
    def __name__(self) -> str:
        selected = self._selected()
        if selected is None:
            return self.endpoint
        return getattr(selected, "__name__", self.endpoint)

    @property
    def __module__(self) -> str:  # type: ignore[override]
        selected = self._selected()
        if selected is None:
            return self.module.__name__
        return getattr(selected, "__module__", self.module.__name__)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        selected = self._selected()
        if selected is None:
            return self.module.__doc__
        return selected.__doc__

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
        return f"<Endpoint {self.endpoint} from {self.dispatcher.file}>"

    @property
    def methods(self) -> set[str]:
        """The methods that the file handles itself."""
        return set(self.dispatcher.handlers)

    @functools.cached_property
    def view_class(self) -> type[MethodView]:
        """A :class:`~flask.views.MethodView` with the handlers as its methods."""
        names = {
            "methods": self.methods,
            "init_every_request": False,
            "__module__": self.module.__name__,
        }
        handlers = self.dispatcher.handlers.values()
        methods = {handler.name.lower(): self._as_method(handler) for handler in handlers}
        return type(self.dispatcher.file, (MethodView,), names | methods)

    def _as_method(self, handler: Link) -> Callable[..., Any]:
        dispatcher = self.dispatcher

        def method(view: MethodView, **values: Any) -> Any:
            result = dispatcher.call(handler, current_request(), values)
            return finish(dispatcher.app, result, handler)

        return functools.update_wrapper(method, handler.binding.function)


def make_endpoint(
    dispatcher: Dispatcher,
    endpoint: str,
    module: ModuleType,
    links: Sequence[Link],
    make_view: MakeView,
) -> Endpoint:
    """Return the view of a route file.

    :param make_view: makes the function that answers, for a file without middleware.
    """
    if links:
        answer = innermost(dispatcher)
        in_loop = innermost_in_loop(dispatcher)
        chain = compose(dispatcher.app, links, answer, in_loop)
        functions = [*links, *dispatcher.handlers.values()]
        has_dependencies = any(link.plan is not None for link in functions)
        view = through_chain(dispatcher.app, chain, has_dependencies=has_dependencies)
    else:
        view = make_view(dispatcher)
    return Endpoint(_named(view, module, endpoint), dispatcher, endpoint, module, links)


def _named(view: Callable[..., Any], module: ModuleType, endpoint: str) -> Callable[..., Any]:
    """Name a function after its route, for tools that look at the function of a partial."""
    view.__module__ = module.__name__
    view.__name__ = view.__qualname__ = endpoint
    return view


def failed_view(file: str, error: RouteHandlersError) -> Callable[..., NoReturn]:
    """Return the view of a route that could not be made: each request raises the error again.

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
