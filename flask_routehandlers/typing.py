"""Types for what users write in route files and middleware files."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

from flask import Request, Response
from flask.typing import ResponseReturnValue

#: What ``params`` is: every path parameter with its value, a ``str`` unless the folder names a
#: converter, a ``list[str]`` for a catch-all.
RouteParams: TypeAlias = dict[str, Any]

#: What ``call_next`` is in a ``def middleware``: called once, without arguments.
CallNext: TypeAlias = Callable[[], Response]

#: What ``call_next`` is in an ``async def middleware``: called once, and awaited.
AsyncCallNext: TypeAlias = Callable[[], Awaitable[Response]]


class Handler(Protocol):
    """Any handler: a function of any parameters that returns what a Flask view may return.

    For decorators, which take one and give one. What a handler has for parameters is checked
    when the app starts: only its folder says which there can be.
    """

    def __call__(
        self, /, *args: Any, **kwargs: Any
    ) -> ResponseReturnValue | Awaitable[ResponseReturnValue]: ...


class Middleware(Protocol):
    """A middleware of the usual form, for functions that make one.

    The arguments are passed by name, so their order is free. A ``def middleware`` with other
    parameters is as good; it only is no :class:`Middleware`.
    """

    def __call__(self, *, request: Request, call_next: CallNext) -> ResponseReturnValue: ...


class AsyncMiddleware(Protocol):
    """The same for an ``async def``, which awaits ``call_next()``."""

    def __call__(
        self, *, request: Request, call_next: AsyncCallNext
    ) -> Awaitable[ResponseReturnValue]: ...
