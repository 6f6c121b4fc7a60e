"""Run the dependencies that a request asks for, each once, and clean up after them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from types import CoroutineType
from typing import Any

from flask import Flask, Request, Response
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from ..binding.model import Binding
from ..contracts.invalid import InvalidRequest, InvalidValue
from ..running.calls import call_sync
from ..running.modes import run_for
from .cleanup import Cleanup, clean_up, clean_up_async, is_failure
from .model import Dependency, Plan
from .streams import KeptBody, is_stream

Arguments = dict[str, Any]


class Resolution:
    """The dependencies of one request.

    :param app: the app that answers it.
    :param request: the request.
    :param values: the values of the path parameters.
    """

    __slots__ = ("app", "caught", "request", "results", "streams", "values")

    def __init__(self, app: Flask, request: Request, values: dict[str, Any]) -> None:
        self.app = app
        self.request = request
        self.values = values
        #: The values of the dependencies that have run.
        self.results: dict[Dependency, Any] = {}
        #: The last exception that a ``call_next()`` has turned into a response.
        self.caught: Exception | None = None
        #: Bodies that dependencies wait for.
        self.streams: list[KeptBody] = []

    def keep_open(self, response: Response, cleanups: list[Cleanup]) -> None:
        """Clean up when the body of a response is closed."""
        app = self.app

        def finish(cleanups: list[Cleanup], failure: BaseException | None) -> BaseException | None:
            if any(cleanup.is_async for cleanup in cleanups):
                return run_for(app, clean_up_async(cleanups, failure))
            return clean_up(cleanups, failure)

        body = KeptBody(response.response, cleanups, finish)
        response.response = body
        self.streams.append(body)

    def keep_streams(self) -> None:
        """Hold the context of the request for the streams. Call it outside of an event loop."""
        while self.streams:
            self.streams.pop().keep_context()

    def authenticate(self, plan: Plan, binding: Binding) -> Arguments:
        """Read every credential that a function and its dependencies need.

        :returns: the arguments of the function so far.
        :raises ~werkzeug.exceptions.Unauthorized: without one that is needed.
        """
        for credential in plan.credentials:
            credential.read(self.request, {})
        arguments = binding.arguments(self.request, self.values)
        if binding.inputs is not None:
            binding.inputs.authenticate(self.request, arguments)
        return arguments

    def prepare(self, dependency: Dependency, errors: list[InvalidValue]) -> Arguments | None:
        """Return the arguments of a dependency.

        :param errors: collects the inputs that are not valid.
        :returns: ``None`` if an input, or a dependency that it asks for, is missing. The others
            run all the same, so that a 401, 403 or 404 of theirs comes first.
        """
        results = self.results
        arguments = dependency.binding.arguments(self.request, self.values)
        for argument, asked in dependency.asks.items():
            if asked not in results:
                return None
            arguments[argument] = results[asked]
        inputs = dependency.binding.inputs
        if inputs is not None:
            count = len(errors)
            inputs.authenticate(self.request, arguments)
            inputs.collect(self.request, arguments, errors)
            if len(errors) > count:
                return None
        return arguments

    def accept(self, dependency: Dependency, value: Any) -> None:
        """Keep the value of a dependency.

        :raises ~werkzeug.exceptions.HTTPException: the value, if it is one: an error must not
            pass for a value. A response answers the request, as ``abort()`` with it would.
        :raises TypeError: for ``None``, unless the annotation has it.
        """
        if value is None and not dependency.allows_none:
            raise TypeError(
                f"{dependency.name} in {dependency.file} returned None, which its annotation "
                "does not have. Return a value or an error, or add | None."
            )
        if isinstance(value, HTTPException):
            raise value
        if isinstance(value, WerkzeugResponse):
            raise HTTPException(response=value)
        self.results[dependency] = value

    def complete(
        self, plan: Plan, binding: Binding, arguments: Arguments, errors: list[InvalidValue]
    ) -> Arguments:
        """Add the inputs of a function, and its dependencies, to its arguments.

        :raises InvalidRequest: with every value that is not valid.
        """
        if binding.inputs is not None:
            binding.inputs.collect(self.request, arguments, errors)
        if errors:
            raise InvalidRequest(errors)
        for argument, dependency in plan.asks.items():
            arguments[argument] = self.results[dependency]
        return arguments


def run(
    state: Resolution, plan: Plan, binding: Binding, answer: Callable[[Arguments], Response]
) -> Response:
    """Run a function with its dependencies, and clean up after those that ran for it.

    :param answer: calls the function, and returns its response.
    :raises Exception: what it raises, or what a dependency raises in its place.
    """
    cleanups: list[Cleanup] = []
    try:
        arguments = state.authenticate(plan, binding)
        errors: list[InvalidValue] = []
        for dependency in plan.order:
            if dependency not in state.results:
                prepared = state.prepare(dependency, errors)
                if prepared is not None:
                    value = _start(dependency, prepared, cleanups)
                    if isinstance(value, CoroutineType):
                        value = run_for(state.app, value)
                    state.accept(dependency, value)
        response = answer(state.complete(plan, binding, arguments, errors))
    except BaseException as error:
        failure = clean_up(cleanups, error if is_failure(error) else None)
        if failure is None or failure is error:
            raise
        raise failure from failure.__cause__
    if cleanups and is_stream(response, state.request):
        state.keep_open(response, cleanups)
        state.keep_streams()
    elif cleanups:
        caught = state.caught if is_failure(state.caught) else None
        failure = clean_up(cleanups, caught)
        if failure is not None and failure is not caught:
            raise failure
    return response


async def run_async(
    state: Resolution,
    plan: Plan,
    binding: Binding,
    answer: Callable[[Arguments], Awaitable[Response]],
) -> Response:
    """Do the same in an event loop. Sync dependencies run in the thread of the request."""
    cleanups: list[Cleanup] = []
    try:
        arguments = state.authenticate(plan, binding)
        errors: list[InvalidValue] = []
        for dependency in plan.order:
            if dependency not in state.results:
                prepared = state.prepare(dependency, errors)
                if prepared is not None:
                    value = await _start_async(dependency, prepared, cleanups)
                    state.accept(dependency, value)
        response = await answer(state.complete(plan, binding, arguments, errors))
    except BaseException as error:
        failure = await clean_up_async(cleanups, error if is_failure(error) else None)
        if failure is None or failure is error:
            raise
        raise failure from failure.__cause__
    if cleanups and is_stream(response, state.request):
        state.keep_open(response, cleanups)
    elif cleanups:
        caught = state.caught if is_failure(state.caught) else None
        failure = await clean_up_async(cleanups, caught)
        if failure is not None and failure is not caught:
            raise failure
    return response


def _start(dependency: Dependency, arguments: Arguments, cleanups: list[Cleanup]) -> Any:
    """Call a dependency, and return its value, or its coroutine."""
    value = dependency.binding.function(**arguments)
    if not dependency.is_generator:
        return value
    cleanup = Cleanup(dependency, value)
    try:
        value = next(cleanup.generator)
    except StopIteration:
        raise _yielded_nothing(dependency) from None
    cleanups.append(cleanup)
    return value


async def _start_async(
    dependency: Dependency, arguments: Arguments, cleanups: list[Cleanup]
) -> Any:
    """Call a dependency in an event loop, and return its value."""
    function = dependency.binding.function
    if dependency.binding.is_async:
        return await function(**arguments)
    if not inspect.isasyncgenfunction(inspect.unwrap(function)):
        value = await call_sync(_start, dependency, arguments, cleanups)
        # A decorator around an async def may return its coroutine.
        return await value if isinstance(value, CoroutineType) else value
    cleanup = Cleanup(dependency, function(**arguments))
    try:
        value = await anext(cleanup.generator)
    except StopAsyncIteration:
        raise _yielded_nothing(dependency) from None
    cleanups.append(cleanup)
    return value


def _yielded_nothing(dependency: Dependency) -> RuntimeError:
    return RuntimeError(
        f"{dependency.name} in {dependency.file} yielded nothing. Yield the value once, or raise "
        "an error."
    )
