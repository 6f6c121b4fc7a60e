"""Compose middleware around what answers a route. Done once, at start-up.

A chain without async middleware is a chain of plain calls. Otherwise the part from the first
async one inwards runs in one event loop: sync functions in it run in the thread of the request,
and wait there while what they call goes on in the loop.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from types import CoroutineType, GeneratorType
from typing import Any, NamedTuple

from flask import Flask, Request, Response, stream_with_context

from .binding import Binding
from .results import finish, nothing_returned

_KIND = "A middleware"

#: Answers a request with what a Flask view may return.
Call = Callable[[Request, dict[str, Any]], Any]

#: The same inside an event loop.
AsyncCall = Callable[[Request, dict[str, Any]], Coroutine[Any, Any, Response]]

#: The same in a chain; the list has one number, how many steps the request has passed.
Step = Callable[[Request, dict[str, Any], list[int]], Response]


class Link(NamedTuple):
    """One middleware function of a chain.

    :param file: the middleware file, relative to the root.
    :param name: what the function is called in it: ``middleware``, ``middleware[1] (limit)``.
    :param binding: how it is called.
    """

    file: str
    name: str
    binding: Binding

    @property
    def awaits(self) -> bool:
        """Whether it awaits ``call_next()``."""
        return self.binding.is_async or self.binding.wraps_async

    def misuse(self, *, again: bool) -> Exception:
        """The error for a wrong call of ``call_next``."""
        if again:
            return RuntimeError(
                f"{self.name} in {self.file} called call_next() twice. "
                "A request is answered once: keep the response of the first call."
            )
        return TypeError(
            f"{self.name} in {self.file} gave call_next() an argument. "
            "It takes none: what is below sees the same request."
        )


def compose(app: Flask, links: Sequence[Link], answer: Step, in_loop: AsyncCall) -> Step:
    """One function that runs a chain, given that the request has passed ``[0]`` of its steps.

    :param links: the middleware, outermost first; at least one.
    :param answer: the innermost ``call_next()``.
    :param in_loop: what answers instead in a chain with async middleware.
    """
    outer = 0
    while outer < len(links) and not links[outer].awaits:
        outer += 1
    if outer < len(links):
        inner = in_loop
        for link in reversed(links[outer:]):
            in_loop_link = _async_link if link.awaits else _sync_in_loop
            inner = in_loop_link(app, link, inner)
        answer = _once(links[outer - 1], outer, _bridge(app, inner))
    return _sync_chain(app, links[:outer], answer)


def _sync_chain(app: Flask, links: Sequence[Link], answer: Step, *, in_loop: bool = False) -> Step:
    """The steps of a request through sync middleware, each of which is the ``call_next`` of the
    middleware above it: beside the middleware itself there is one frame for each."""
    # The first step is nobody's call_next, and nobody can misuse it.
    for number in reversed(range(len(links))):
        answer = _step(app, links[number], answer, number, links[number - 1], in_loop=in_loop)
    return answer


def _step(
    app: Flask, link: Link, following: Step, number: int, above: Link, *, in_loop: bool
) -> Step:
    file, name, binding = link
    function = binding.function
    is_plain = not binding.names and binding.extras == {"request", "call_next"}
    response_class = app.response_class

    def call_next(
        request: Request,
        values: dict[str, Any],
        passed: list[int],
        /,
        *arguments: Any,
        **named: Any,
    ) -> Response:
        if passed[0] != number or arguments or named:
            raise above.misuse(again=passed[0] != number)
        passed[0] += 1
        below = partial(following, request, values, passed)
        if is_plain:
            result = function(request=request, call_next=below)
        else:
            given = binding.arguments(request, values)
            if "call_next" in binding.extras:
                given["call_next"] = below
            result = function(**given)
        if type(result) is response_class:
            return result
        # In a loop a generator gets its context where the loop ends.
        if not in_loop or not isinstance(result, (GeneratorType, tuple)):
            result = finish(app, result, name, file, _KIND)
        return app.make_response(result)

    return call_next


def _once(above: Link, number: int, answer: Call) -> Step:
    """The call_next of a link that runs something else than another link."""

    def call_next(
        request: Request,
        values: dict[str, Any],
        passed: list[int],
        /,
        *arguments: Any,
        **named: Any,
    ) -> Response:
        if passed[0] != number or arguments or named:
            raise above.misuse(again=passed[0] != number)
        passed[0] += 1
        return answer(request, values)  # type: ignore[no-any-return]

    return call_next


def _async_link(app: Flask, link: Link, inner: AsyncCall) -> AsyncCall:
    file, name, binding = link
    # What wraps an async def may await it in its own way, as Flask's ensure_sync does, for which
    # the thread of the loop is the wrong one; or it hands on the coroutine.
    function = binding.function if binding.is_async else in_thread(binding.function)

    async def run(request: Request, values: dict[str, Any]) -> Response:
        passed = False

        async def call_next(*arguments: Any, **named: Any) -> Response:
            nonlocal passed
            if passed or arguments or named:
                raise link.misuse(again=passed)
            passed = True
            return await inner(request, values)

        arguments = binding.arguments(request, values)
        if "call_next" in binding.extras:
            arguments["call_next"] = call_next
        result = await function(**arguments)
        if binding.wraps_async and isinstance(result, CoroutineType):
            result = await result
        if result is None:
            raise nothing_returned(name, file, _KIND)
        if isinstance(result, CoroutineType):
            result.close()
            raise TypeError(f"{name} in {file} returned a coroutine. Write await call_next().")
        return app.make_response(result)

    return run


def _sync_in_loop(app: Flask, link: Link, inner: AsyncCall) -> AsyncCall:
    from asgiref.sync import async_to_sync

    def inner_in_loop(request: Request, values: dict[str, Any]) -> Response:
        # Made anew for each request: asgiref ties it to the event loop around it.
        return async_to_sync(inner)(request, values)

    run = in_thread(_sync_chain(app, [link], _once(link, 1, inner_in_loop), in_loop=True))

    async def run_in_thread(request: Request, values: dict[str, Any]) -> Response:
        return await run(request, values, [0])  # type: ignore[no-any-return]

    return run_in_thread


def in_thread(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Let the event loop of a chain call a sync function in the thread of the request.

    Handlers and hooks run there too: what they keep per thread (a connection of sqlite3, say) can
    be used in all of them.
    """
    from asgiref.sync import sync_to_async

    def run(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except StopIteration as error:
            # A future refuses it, and would leave the loop waiting.
            raise RuntimeError("StopIteration was raised by sync code in a chain") from error

    return sync_to_async(run, thread_sensitive=True)


def _bridge(app: Flask, inner: AsyncCall) -> Call:
    def run(request: Request, values: dict[str, Any]) -> Response:
        response: Response = app.ensure_sync(inner)(request, values)
        if isinstance(response.response, GeneratorType):
            # Only here: it is iterated outside the loop, and a context is left where it began.
            response.response = stream_with_context(response.response)
        return response

    return run
