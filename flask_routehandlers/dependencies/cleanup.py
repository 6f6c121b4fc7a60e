"""Clean up after dependencies that yield, at the end of a link of the chain."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ..running.calls import call_sync
from .model import Dependency


class Cleanup(NamedTuple):
    """A dependency that has yielded its value.

    :param dependency: the dependency.
    :param generator: its generator, sync or async, which waits at the ``yield``.
    """

    dependency: Dependency
    generator: Any

    @property
    def is_async(self) -> bool:
        """Whether its generator is async."""
        return inspect.isasyncgen(self.generator)

    def finish(self, error: BaseException | None) -> None:
        """Resume a sync generator, and see it end.

        :param error: the failure that is thrown in at the ``yield``, if there was one.
        :raises BaseException: what the generator raises.
        """
        try:
            if error is None:
                next(self.generator)
            else:
                self.generator.throw(error)
        except StopIteration:
            return
        self.generator.close()
        raise self._yielded_twice()

    async def finish_async(self, error: BaseException | None) -> None:
        """Resume an async generator, and see it end."""
        try:
            if error is None:
                await anext(self.generator)
            else:
                await self.generator.athrow(error)
        except StopAsyncIteration:
            return
        await self.generator.aclose()
        raise self._yielded_twice()

    def _yielded_twice(self) -> RuntimeError:
        return RuntimeError(
            f"{self.dependency.name} in {self.dependency.file} yielded twice. A dependency yields "
            "its value once; what follows the yield cleans up."
        )


def is_failure(error: BaseException | None) -> bool:
    """Return whether an exception undoes what a dependency has begun.

    ``abort()`` with a response below 400, for example a redirect, does not.
    """
    if not isinstance(error, HTTPException):
        return error is not None
    status = error.code
    if isinstance(error.response, Response):
        status = error.response.status_code
    return status is None or status >= 400


def clean_up(cleanups: list[Cleanup], error: BaseException | None) -> BaseException | None:
    """Let dependencies clean up, the last one first. Each does, whatever the others raise.

    :param cleanups: those that have yielded; the list is empty afterwards.
    :param error: the failure to throw in at the ``yield``, if there was one. A dependency cannot
        swallow it.
    :returns: the failure that counts now: the same, or what a dependency raised in its place.
    """
    while cleanups:
        try:
            cleanups.pop().finish(error)
        except BaseException as raised:
            error = raised
    return error


async def clean_up_async(
    cleanups: list[Cleanup], error: BaseException | None
) -> BaseException | None:
    """Do the same in an event loop. Sync generators run in the thread of the request."""
    while cleanups:
        cleanup = cleanups.pop()
        try:
            if cleanup.is_async:
                await cleanup.finish_async(error)
            else:
                await call_sync(cleanup.finish, error)
        except BaseException as raised:
            error = raised
    return error
