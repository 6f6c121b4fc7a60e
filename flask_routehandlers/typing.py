"""Types for route files and middleware files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

from flask import Request, Response
from flask.typing import ResponseReturnValue

#: The type of ``params``: every path parameter with its value, a ``str`` unless the folder names
#: a converter, a ``list[str]`` for a catch-all.
RouteParams: TypeAlias = dict[str, Any]

#: The type of ``call_next`` in a ``def middleware``: called once, without arguments.
CallNext: TypeAlias = Callable[[], Response]

#: The type of ``call_next`` in an ``async def middleware``: called once, and awaited.
AsyncCallNext: TypeAlias = Callable[[], Awaitable[Response]]


class Handler(Protocol):
    """Any handler, for decorators, which take a handler and return one.

    The parameters of a handler are checked when the app starts, because they depend on its
    folder. It returns what a Flask view may return, or what its return annotation declares.
    """

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any: ...


class Middleware(Protocol):
    """A middleware with the usual parameters, for functions that return one.

    The arguments are passed by name, so their order is free. A ``def middleware`` with other
    parameters works as well, but is not a :class:`Middleware`.
    """

    def __call__(self, *, request: Request, call_next: CallNext) -> ResponseReturnValue: ...


class AsyncMiddleware(Protocol):
    """The same for an ``async def``, which awaits ``call_next()``."""

    def __call__(
        self, *, request: Request, call_next: AsyncCallNext
    ) -> Awaitable[ResponseReturnValue]: ...
