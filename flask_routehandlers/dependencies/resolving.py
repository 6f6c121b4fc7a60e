"""Run the dependencies that a request asks for, each once, and clean up after them.

A function of the chain that asks for some is called by :func:`run`, or by :func:`run_in_loop` if
any of them is async. The order is fixed: every credential, then each dependency that has no value
yet with its inputs, then the inputs of the function itself, the function, the clean-up. Invalid
inputs are collected until the function would be called, so that a 401, 403 or 404 of a dependency
comes before a 422.

What is raised decides how dependencies end. A failure is thrown in at their ``yield``; an answer,
also one that ``abort()`` made of a redirect, lets them go on after it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable, Coroutine
from types import AsyncGeneratorType, CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Request, Response, current_app
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as WerkzeugResponse

from ..contracts.invalid import InvalidRequest, InvalidValue
from ..running.modes import call_sync, run_for
from .cleanup import Cleanup, clean_up, clean_up_in_loop
from .model import Call, Dependency, Plan, Run, Values
from .streams import KeptBody, is_stream

if TYPE_CHECKING:
    from ..contracts.inputs import Inputs

T = TypeVar("T")


class _Nothing:
    """The value of a generator that has ended without a ``yield``."""


_NOTHING = _Nothing()


#: Types of values that are, collected as they come: to look here is faster than to compare.
_ordinary: set[type] = set()
_MANY_TYPES = 1000


#: The key in the values of a request for the last failure that a ``call_next()`` has turned into
#: a response.
CAUGHT = object()

#: The same for the bodies that dependencies wait for, made in an event loop.
_STREAMS = object()


def make_values(request: Request, parameters: dict[str, Any]) -> Values:
    """Return the values of a request for which no dependency has run yet."""
    return {**parameters, "request": request, "params": parameters}


def note_failure(values: Values, error: Exception) -> None:
    """Remember an exception that ``call_next()`` has turned into a response."""
    failure = _as_failure(error)
    if failure is not None:
        values[CAUGHT] = failure


def keep_streams(values: Values) -> None:
    """Hold the context of the request for the streams. Call it outside of an event loop."""
    for body in values.pop(_STREAMS, ()):
        body.keep_context()


def run(plan: Plan, answer: Callable[[Call, Values], Response], values: Values) -> Response:
    """Run a function after its dependencies, and clean up after those that ran for it.

    :param answer: makes a response with a call of the function.
    :param values: those of the request; the values of the dependencies are added.
    :raises Exception: what it raises, or what a dependency raises in its place.
    """
    current = plan.run
    if current.is_async:
        return _run_bridged(plan, answer, values)
    cleanups: list[Cleanup] = []
    try:
        for credential in current.credentials:
            credential.read(values["request"], {})
        errors: list[InvalidValue] = []
        for identity, call, inputs, is_generator, dependency in current.steps:
            if identity in values:
                continue
            if inputs is None and not errors:
                value = call(values)
            else:
                completed = _read_inputs(values, dependency, inputs, errors)
                if completed is None:
                    continue
                value = call(completed)
            if is_generator:
                cleanups.append((dependency, value))
                value = next(value, _NOTHING)
            if type(value) not in _ordinary:
                value = _check(dependency, value)
            values[identity] = value
        if errors or current.inputs is not None:
            response = answer(current.call, _complete(values, current, errors))
        else:
            response = answer(current.call, values)
    except BaseException as error:
        if cleanups:
            stream = _find_stream(values, error)
            if stream is not None:
                _keep_open(values, stream, cleanups).keep_context()
            else:
                _raise_new(clean_up(cleanups, _as_failure(error)), error)
        raise
    if cleanups:
        if type(response.response) is not list and is_stream(response, values["request"]):
            _keep_open(values, response, cleanups).keep_context()
        else:
            # Not in a variable: the traceback of what was caught refers to this frame.
            _raise_new(clean_up(cleanups, values.get(CAUGHT)), values.get(CAUGHT))
    return response


async def run_in_loop(
    plan: Plan, answer: Callable[[Call, Values], Awaitable[Response]], values: Values
) -> Response:
    """Do the same in an event loop. Sync dependencies run in the thread of the request."""
    current = plan.run
    cleanups: list[Cleanup] = []
    try:
        for credential in current.credentials:
            credential.read(values["request"], {})
        errors: list[InvalidValue] = []
        for identity, _, inputs, _, dependency in current.steps:
            if identity in values:
                continue
            completed: Values | None = values
            if errors or inputs is not None:
                completed = _read_inputs(values, dependency, inputs, errors)
            if completed is None:
                continue
            value = await _begin_in_loop(dependency, completed, cleanups)
            values[identity] = _check(dependency, value)
        if errors or current.inputs is not None:
            response = await answer(current.call, _complete(values, current, errors))
        else:
            response = await answer(current.call, values)
    except BaseException as error:
        if cleanups:
            stream = _find_stream(values, error)
            if stream is not None:
                values.setdefault(_STREAMS, []).append(_keep_open(values, stream, cleanups))
            else:
                _raise_new(await clean_up_in_loop(cleanups, _as_failure(error)), error)
        raise
    if cleanups:
        if is_stream(response, values["request"]):
            values.setdefault(_STREAMS, []).append(_keep_open(values, response, cleanups))
        else:
            _raise_new(await clean_up_in_loop(cleanups, values.get(CAUGHT)), values.get(CAUGHT))
    return response


def _run_bridged(
    plan: Plan, answer: Callable[[Call, Values], Response], values: Values
) -> Response:
    """Do the same where a test has put an async dependency in the place of a sync one."""

    async def answer_in_loop(call: Call, values: Values) -> Response:
        return await call_sync(answer, call, values)

    try:
        return _wait_for(run_in_loop(plan, answer_in_loop, values))
    finally:
        keep_streams(values)


def _wait_for(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine, from sync code."""
    return run_for(current_app._get_current_object(), coroutine)  # type: ignore[attr-defined]


def _begin(dependency: Dependency, values: Values, cleanups: list[Cleanup]) -> Any:
    """Call a dependency, and return its value, a coroutine, or an async generator."""
    value = dependency.call(values)
    if dependency.is_generator:
        cleanups.append((dependency, value))
        if not inspect.isasyncgen(value):
            value = next(value, _NOTHING)
    return value


async def _begin_in_loop(dependency: Dependency, values: Values, cleanups: list[Cleanup]) -> Any:
    """Do the same in an event loop, and wait for the value."""
    if dependency.is_async and not dependency.binding.wraps_async:
        value = _begin(dependency, values, cleanups)
    else:
        value = await call_sync(_begin, dependency, values, cleanups)
    if dependency.is_generator and inspect.isasyncgen(value):
        return await _first_of(value)
    if isinstance(value, CoroutineType):
        return await value
    return value


async def _first_of(generator: AsyncGeneratorType[Any, Any]) -> Any:
    """Return what an async generator yields, without the loop's knowledge of it.

    A loop closes its generators when it ends. Flask's way ends it with the request, but a stream
    needs its dependencies longer.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        first = anext(generator, _NOTHING)
    finally:
        sys.set_asyncgen_hooks(*hooks)
    return await first


def _read_inputs(
    values: Values, dependency: Dependency, inputs: Inputs | None, errors: list[InvalidValue]
) -> Values | None:
    """Return the values for a call of a dependency, its inputs included.

    :param errors: collects the inputs that are not valid.
    :returns: ``None`` if an input, or a dependency that it asks for, is missing. The others run
        all the same, so that a 401, 403 or 404 of theirs comes first.
    """
    if any(asked.identity not in values for asked in dependency.asks.values()):
        return None
    if inputs is None:
        return values
    sent: dict[str, Any] = {}
    count = len(errors)
    inputs.collect(values["request"], sent, errors)
    if len(errors) > count:
        return None
    return values | sent


def _complete(values: Values, current: Run, errors: list[InvalidValue]) -> Values:
    """Return the values for a call of a function, its own inputs included.

    :raises InvalidRequest: with every value that is not valid.
    """
    sent: dict[str, Any] = {}
    if current.inputs is not None:
        current.inputs.collect(values["request"], sent, errors)
    if errors:
        raise InvalidRequest(errors)
    return values | sent


def _check(dependency: Dependency, value: Any) -> Any:
    """Return the value of a dependency.

    :raises ~werkzeug.exceptions.HTTPException: the value, if it is one: an error must not pass
        for a value. A response answers the request, as ``abort()`` with it would.
    :raises TypeError: for ``None``, unless the annotation has it.
    :raises RuntimeError: for a generator without a ``yield``.
    """
    if isinstance(value, CoroutineType):
        # Of a decorator that hides its async function.
        value = _wait_for(value)
    if value is None and not dependency.allows_none:
        raise TypeError(
            f"{dependency.name} in {dependency.file} returned None, which its annotation "
            "does not have. Return a value or an error, or add | None."
        )
    if isinstance(value, HTTPException):
        raise value
    if isinstance(value, WerkzeugResponse):
        raise HTTPException(response=value)
    if value is _NOTHING:
        raise RuntimeError(
            f"{dependency.name} in {dependency.file} yielded nothing. Yield the value once, or "
            "raise an error."
        )
    if value is not None and len(_ordinary) < _MANY_TYPES:
        _ordinary.add(type(value))
    return value


def _find_stream(values: Values, error: BaseException) -> Response | None:
    """Return the response of an ``abort()`` that is not a failure, if it streams."""
    response: Any = getattr(error, "response", None)
    if response is None or _as_failure(error) is not None:
        return None
    return response if is_stream(response, values["request"]) else None


def _keep_open(values: Values, response: Response, cleanups: list[Cleanup]) -> KeptBody:
    """Clean up when the body of a response ends."""
    body = KeptBody(response.response, cleanups, values.get(CAUGHT))
    response.response = body
    return body


def _as_failure(error: BaseException | None) -> BaseException | None:
    """Return an exception if it undoes what a dependency has begun.

    ``abort()`` with a response below 400, for example a redirect, does not.
    """
    if not isinstance(error, HTTPException):
        return error
    status = error.code
    if isinstance(error.response, WerkzeugResponse):
        status = error.response.status_code
    return error if status is None or status >= 400 else None


def _raise_new(failure: BaseException | None, known: BaseException | None) -> None:
    """Raise what a dependency has raised in the place of a failure that is known."""
    try:
        if failure is not None and failure is not known:
            raise failure
    finally:
        # The traceback refers to this frame: with them, a failing request would be a cycle.
        del failure, known
