"""Clean up after dependencies that have yielded, at the end of a link of the chain."""

from __future__ import annotations

import inspect
from typing import Any

from ..running.modes import call_sync
from .model import Dependency

#: A dependency that has begun, and its generator, sync or async, which waits at the ``yield``.
Cleanup = tuple[Dependency, Any]

_ENDED = object()


def clean_up(cleanups: list[Cleanup], error: BaseException | None) -> BaseException | None:
    """Let dependencies clean up, the last one first. Each does, whatever the others raise.

    :param cleanups: those that have begun; the list is empty afterwards.
    :param error: the failure to throw in at the ``yield``, if there was one. A dependency cannot
        swallow it.
    :returns: the failure that counts now: the same, or what a dependency raised in its place.
    """
    try:
        while cleanups:
            dependency, generator = cleanups.pop()
            try:
                _finish(dependency, generator, error)
            except BaseException as raised:
                error = raised
        return error
    finally:
        # Its traceback refers to this frame: with it, a failing request would be a cycle.
        del error


async def clean_up_in_loop(
    cleanups: list[Cleanup], error: BaseException | None
) -> BaseException | None:
    """Do the same in an event loop. Sync generators run in the thread of the request."""
    try:
        while cleanups:
            dependency, generator = cleanups.pop()
            try:
                if inspect.isasyncgen(generator):
                    await _finish_async(dependency, generator, error)
                else:
                    await call_sync(_finish, dependency, generator, error)
            except BaseException as raised:
                error = raised
        return error
    finally:
        del error


def _finish(dependency: Dependency, generator: Any, error: BaseException | None) -> None:
    """Resume a generator, and see it end.

    :raises BaseException: what it raises instead of the error.
    """
    if error is None:
        if next(generator, _ENDED) is not _ENDED:
            generator.close()
            raise _yielded_twice(dependency)
        return
    traceback = error.__traceback__
    try:
        generator.throw(error)
    except StopIteration:
        return
    except BaseException as raised:
        if raised is not error:
            raise
        # As if it had not been in the generator.
        error.__traceback__ = traceback
        return
    finally:
        del error, traceback
    generator.close()
    raise _yielded_twice(dependency)


async def _finish_async(
    dependency: Dependency, generator: Any, error: BaseException | None
) -> None:
    """Do the same with an async generator."""
    if generator.ag_frame is None:
        return  # it ended before its yield, and athrow() would say nothing
    if error is None:
        if await anext(generator, _ENDED) is not _ENDED:
            await generator.aclose()
            raise _yielded_twice(dependency)
        return
    traceback = error.__traceback__
    try:
        await generator.athrow(error)
    except StopAsyncIteration:
        return
    except BaseException as raised:
        if raised is not error:
            raise
        error.__traceback__ = traceback
        return
    finally:
        del error, traceback
    await generator.aclose()
    raise _yielded_twice(dependency)


def _yielded_twice(dependency: Dependency) -> RuntimeError:
    """Return the error for a generator that goes on after it should have ended."""
    return RuntimeError(
        f"{dependency.name} in {dependency.file} yielded twice. A dependency yields its value "
        "once; what follows the yield cleans up."
    )
