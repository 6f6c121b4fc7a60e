"""Compose the middleware around a handler. Done once, at start-up.

A chain without async functions is a chain of plain calls. Otherwise the part from the first async
middleware inwards is one coroutine: sync functions in it run in the thread of the request, and
wait there while what they call goes on in the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from types import CoroutineType, GeneratorType
from typing import Any

from flask import Flask, Request, Response, stream_with_context

from ..dependencies.model import Call as ValuesCall
from ..dependencies.model import Values
from ..dependencies.resolving import keep_streams, note_failure, run, run_in_loop
from ..running.modes import call_sync, run_for
from .errors import answer_error
from .link import Link
from .results import AsyncBody, complete, make_response, respond

#: Answers a request, given the values of its path parameters, and its dependencies if any
#: function of the route asks for some.
Call = Callable[[Request, dict[str, Any], Values | None], Response]

#: The same inside an event loop.
AsyncCall = Callable[[Request, dict[str, Any], Values | None], Coroutine[Any, Any, Response]]


def compose(app: Flask, links: Sequence[Link], answer: Call, answer_in_loop: AsyncCall) -> Call:
    """Return one function that runs a chain.

    Each middleware gets from ``call_next()`` what the client would get: an error that the app
    has an answer for arrives as that response.

    :param links: the middleware, outermost first; at least one.
    :param answer: the innermost ``call_next()``.
    :param answer_in_loop: the same for a chain with async middleware.
    """
    first_async = 0
    while first_async < len(links) and not links[first_async].needs_loop:
        first_async += 1
    if first_async < len(links):
        inner = answer_in_loop
        for link in reversed(links[first_async:]):
            inner = _loop_link(app, link, inner)
        answer = bridge(app, inner)
    for link in reversed(links[:first_async]):
        answer = _sync_link(app, link, answer)
    return answer


def _sync_link(app: Flask, link: Link, inner: Call) -> Call:
    """Return a link that is called as a plain function."""
    binding, plan = link.binding, link.plan
    function = binding.function
    is_usual = (
        not binding.names
        and binding.extras == {"request", "call_next"}
        and binding.inputs is None
        and plan is None
    )
    takes_call_next = "call_next" in binding.extras
    response_class = app.response_class

    def answer(call: ValuesCall, values: Values) -> Response:
        return respond(app, call(values), link)

    def call(request: Request, values: dict[str, Any], state: Values | None) -> Response:
        is_called = False

        def call_next(*arguments: Any, **named: Any) -> Response:
            nonlocal is_called
            if is_called or arguments or named:
                link.check_call(is_called, arguments, named)
            is_called = True
            try:
                return inner(request, values, state)
            except Exception as error:
                response = answer_error(app, request, error)
                if response is None:
                    raise
                if state is not None:
                    note_failure(state, error)
                return response

        if plan is not None and state is not None:
            state["call_next"] = call_next
            return run(plan, answer, state)
        if is_usual:
            result = function(request=request, call_next=call_next)
        else:
            arguments = binding.read_arguments(request, values)
            if takes_call_next:
                arguments["call_next"] = call_next
            result = function(**arguments)
        if type(result) is response_class:
            return result
        return respond(app, result, link)

    return call


def _loop_link(app: Flask, link: Link, inner: AsyncCall) -> AsyncCall:
    """Return a link that runs in an event loop."""
    file, name, binding, plan = link
    function, awaits = binding.function, binding.awaits
    takes_call_next = "call_next" in binding.extras
    takes_nothing_else = not binding.names and binding.extras == {"call_next"}
    takes_nothing_else = takes_nothing_else and binding.inputs is None

    def respond(result: Any) -> Response:
        if type(result) is Response:
            return result
        if isinstance(result, CoroutineType):
            result.close()
            raise TypeError(f"{name} in {file} returned a coroutine. Write await call_next().")
        return make_response(app, complete(app, result, link), link)

    async def answer(call: ValuesCall, values: Values) -> Response:
        if binding.is_async:
            result = await call(values)
        else:
            # Including a decorator around an async def: it may run it as Flask does.
            result = await call_sync(call, values)
        if binding.wraps_async and isinstance(result, CoroutineType):
            result = await result
        return respond(result)

    async def call(request: Request, values: dict[str, Any], state: Values | None) -> Response:
        is_called = False

        async def call_next(*arguments: Any, **named: Any) -> Response:
            nonlocal is_called
            if is_called or arguments or named:
                link.check_call(is_called, arguments, named)
            is_called = True
            try:
                return await inner(request, values, state)
            except Exception as error:
                # In the thread of the request, where the app's handlers run as well.
                response = await call_sync(answer_error, app, request, error)
                if response is None:
                    raise
                if state is not None:
                    note_failure(state, error)
                return response

        def call_next_sync(*arguments: Any, **named: Any) -> Response:
            return run_for(app, call_next(*arguments, **named))

        following = call_next if awaits else call_next_sync
        if plan is not None and state is not None:
            state["call_next"] = following
            return await run_in_loop(plan, answer, state)
        arguments: dict[str, Any] = {}
        if not takes_nothing_else:
            arguments = binding.read_arguments(request, values)
        if takes_call_next:
            arguments["call_next"] = following
        if not binding.is_async:
            return await answer(lambda arguments: function(**arguments), arguments)
        # Not through answer(): one coroutine less for each request.
        return respond(await function(**arguments))

    return call


def bridge(app: Flask, inner: AsyncCall) -> Call:
    """Return a sync function that runs a coroutine function for a request.

    :func:`compose` puts one of these into a chain at most: crossing from a thread to a loop and
        back is what async costs.
    """

    def call(request: Request, values: dict[str, Any], state: Values | None) -> Response:
        try:
            response = run_for(app, inner(request, values, state))
        finally:
            if state is not None:
                keep_streams(state)
        if isinstance(response.response, (GeneratorType, AsyncBody)):
            # Not earlier: it is iterated outside the loop, where its context has to begin.
            response.response = stream_with_context(response.response)
        return response

    return call
