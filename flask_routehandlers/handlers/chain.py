"""Compose the middleware around a handler. Done once, at start-up.

A chain without async middleware is a chain of plain calls. Otherwise the part from the first
async function inwards runs in one event loop: sync functions in it run in the thread of the
request, and wait there while what they call goes on in the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from types import CoroutineType, GeneratorType
from typing import Any, NamedTuple

from flask import Flask, Request, Response, stream_with_context

from ..binding.model import Binding
from .errors import answer_error
from .results import complete, finish

_KIND = "A middleware"

#: Answers a request, given the values of its path parameters.
Call = Callable[[Request, dict[str, Any]], Response]

#: The same inside an event loop.
AsyncCall = Callable[[Request, dict[str, Any]], Coroutine[Any, Any, Response]]


class Link(NamedTuple):
    """One middleware function of a chain.

    :param file: the middleware file, relative to the root.
    :param name: the function's name in it: ``middleware``, ``middleware[1] (limit)``.
    :param binding: the plan of its call.
    """

    file: str
    name: str
    binding: Binding

    @property
    def awaits(self) -> bool:
        """Whether it awaits ``call_next()``."""
        return self.binding.is_async or self.binding.wraps_async

    def misuse(self, *, is_repeated: bool) -> Exception:
        """Return the error for a wrong call of ``call_next``."""
        if is_repeated:
            return RuntimeError(
                f"{self.name} in {self.file} called call_next() twice. "
                "A request is answered once: keep the response of the first call."
            )
        return TypeError(
            f"{self.name} in {self.file} passed call_next() an argument. "
            "It takes none: the next function gets the same request."
        )


def compose(app: Flask, links: Sequence[Link], answer: Call, answer_in_loop: AsyncCall) -> Call:
    """Return one function that runs a chain.

    Each middleware gets from ``call_next()`` what the client would get: an error that the app
    has an answer for arrives as that response.

    :param links: the middleware, outermost first; at least one.
    :param answer: the innermost ``call_next()``.
    :param answer_in_loop: the same for a chain with async middleware.
    """
    first_async = 0
    while first_async < len(links) and not links[first_async].awaits:
        first_async += 1
    if first_async < len(links):
        inner = answer_in_loop
        for link in reversed(links[first_async:]):
            if link.awaits:
                inner = _async_link(app, link, inner)
            else:
                inner = _sync_link_in_loop(app, link, inner)
        answer = _bridge(app, inner)
    for link in reversed(links[:first_async]):
        answer = _sync_link(app, link, answer)
    return answer


def _sync_link(app: Flask, link: Link, inner: Call, *, in_loop: bool = False) -> Call:
    file, name, binding = link
    function = binding.function
    is_usual = not binding.names and binding.extras == {"request", "call_next"}
    response_class = app.response_class

    def call(request: Request, values: dict[str, Any]) -> Response:
        is_called = False

        def call_next(*arguments: Any, **named: Any) -> Response:
            nonlocal is_called
            if is_called or arguments or named:
                raise link.misuse(is_repeated=is_called)
            is_called = True
            try:
                return inner(request, values)
            except Exception as error:
                return answer_error(app, request, error)

        if is_usual:
            result = function(request=request, call_next=call_next)
        else:
            given = binding.read_arguments(request, values)
            if "call_next" in binding.extras:
                given["call_next"] = call_next
            result = function(**given)
        if type(result) is response_class:
            return result
        # In a loop, a generator gets its context where the loop ends.
        if not in_loop or not isinstance(result, (GeneratorType, tuple)):
            result = finish(app, result, name, file, _KIND)
        return app.make_response(result)

    return call


def _async_link(app: Flask, link: Link, inner: AsyncCall) -> AsyncCall:
    file, name, binding = link
    function = binding.function
    if not binding.is_async:
        # A decorator around an async def may run it as Flask's ensure_sync does, which cannot
        # be done in the thread of the loop; or it returns the coroutine.
        function = in_thread(function)

    async def call(request: Request, values: dict[str, Any]) -> Response:
        is_called = False

        async def call_next(*arguments: Any, **named: Any) -> Response:
            nonlocal is_called
            if is_called or arguments or named:
                raise link.misuse(is_repeated=is_called)
            is_called = True
            try:
                return await inner(request, values)
            except Exception as error:
                # In the thread of the request, where the app's handlers run as well.
                return await in_thread(answer_error)(app, request, error)  # type: ignore[no-any-return]

        given = binding.read_arguments(request, values)
        if "call_next" in binding.extras:
            given["call_next"] = call_next
        result = await function(**given)
        if binding.wraps_async and isinstance(result, CoroutineType):
            result = await result
        if isinstance(result, CoroutineType):
            result.close()
            raise TypeError(f"{name} in {file} returned a coroutine. Write await call_next().")
        return app.make_response(complete(app, result, name, file, _KIND))

    return call


def _sync_link_in_loop(app: Flask, link: Link, inner: AsyncCall) -> AsyncCall:
    from asgiref.sync import async_to_sync

    def inner_in_loop(request: Request, values: dict[str, Any]) -> Response:
        # Made for each request: asgiref ties it to the event loop around it.
        return async_to_sync(inner)(request, values)

    return in_thread(_sync_link(app, link, inner_in_loop, in_loop=True))


def in_thread(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Let the event loop of a chain call a sync function in the thread of the request.

    Handlers and hooks run in that thread too, so all of them can use what is kept per thread,
    for example a connection of sqlite3.
    """
    from asgiref.sync import sync_to_async

    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except StopIteration as error:
            # A future refuses it, and the loop would wait forever.
            raise RuntimeError("StopIteration was raised by sync code in a chain") from error

    return sync_to_async(call, thread_sensitive=True)


def _bridge(app: Flask, inner: AsyncCall) -> Call:
    """Return a sync function that runs the rest of a chain in one event loop."""

    def call(request: Request, values: dict[str, Any]) -> Response:
        response: Response = app.ensure_sync(inner)(request, values)
        if isinstance(response.response, GeneratorType):
            # Not earlier: it is iterated outside the loop, where its context has to begin.
            response.response = stream_with_context(response.response)
        return response

    return call
