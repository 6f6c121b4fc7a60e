"""Functions of random trees do what a script says: each step is logged, and may fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import redirect
from werkzeug.exceptions import Conflict, HTTPException

from tests.dependencies.support import log

#: What happens at a step of the current request: a kind of failure, or something that the
#: function does in its own way.
SCRIPT: dict[str, str] = {}

#: Kinds of failures, with their statuses.
STATUSES = {"plain": 500, "http": 409, "handled": 418, "redirect": 302}

FAILURES = tuple(STATUSES)


class PlainError(Exception):
    """An exception that nothing handles."""


class HandledError(Exception):
    """An exception that the app has a handler for."""


def make_failure(kind: str, label: str) -> Exception:
    """Return an exception that is logged as a label."""
    failures = {"plain": PlainError, "handled": HandledError, "http": Conflict}
    if kind == "redirect":
        failure: Exception = HTTPException(response=redirect("/elsewhere"))
    else:
        failure = failures[kind]()
    failure.label = label  # type: ignore[attr-defined]
    failure.kind = kind  # type: ignore[attr-defined]
    return failure


def act(step: str, detail: str = "") -> Exception | None:
    """Log a step, and fail if the script says so.

    :returns: a failure that is to be returned, not raised.
    """
    log(f"{step} {detail}".strip())
    action = SCRIPT.get(step, "")
    if action in FAILURES:
        raise make_failure(action, step)
    if action.startswith("return "):
        return make_failure(action.removeprefix("return "), step)
    return None


@dataclass(frozen=True)
class Function:
    """A function of a random tree.

    :param name: its name, with its folder: ``1.a``, ``m0``.
    :param asks: the dependencies that it names, in order.
    :param is_async: whether it is an ``async def``.
    :param is_generator: whether it yields.
    """

    name: str
    asks: tuple[str, ...]
    is_async: bool = False
    is_generator: bool = False

    def _define(self, function: str, *extras: str) -> str:
        define = "async def" if self.is_async else "def"
        return f"{define} {function}({', '.join([*self.asks, *extras])}):\n"

    def as_dependency(self) -> str:
        """Return its code in a ``dependencies.py``."""
        define = self._define(self.name.partition(".")[2])
        wait = "    await asyncio.sleep(0)\n" if self.is_async else ""
        begin = f"    failure = act('{self.name} begin')\n{wait}"
        if not self.is_generator:
            return f"{define}{begin}    return failure or '{self.name}'\n"
        return f"""{define}{begin}
    try:
        yield failure or '{self.name}'
    {wait}
        act('{self.name} commit')
    except BaseException as error:
        act('{self.name} rollback', error.label)
        if SCRIPT.get('{self.name} swallows') is None:
            raise
    finally:
        act('{self.name} end')
"""

    def as_middleware(self) -> str:
        """Return its code in a ``middleware.py``."""
        call = "await call_next()" if self.is_async else "call_next()"
        return f"""{self._define(self.name, "call_next")}
    act('{self.name} before')
    if SCRIPT.get('{self.name} answers') == 'early':
        return 'early', 203
    response = {call}
    act('{self.name} after', response.status_code)
    if SCRIPT.get('{self.name} answers') == 'late':
        return 'late', 202
    return response
"""

    def as_handler(self) -> str:
        """Return its code in a ``route.py``."""
        return f"""{self._define("GET")}
    failure = act('GET')
    if failure is None and SCRIPT.get('GET answers') == 'conflict':
        return 'conflict', 409
    return failure or 'fine'
"""


@dataclass(frozen=True)
class Tree:
    """A random tree: folders inside each other, with a route file in the last one.

    :param dependencies: those of each folder, by name.
    :param middleware: that of each folder.
    """

    dependencies: Sequence[dict[str, Function]]
    middleware: Sequence[Sequence[Function]]
    handler: Function

    def find(self, name: str, folder: int) -> Function:
        """Return the dependency that a name means in a folder."""
        while name not in self.dependencies[folder]:
            folder -= 1
        return self.dependencies[folder][name]

    def files(self) -> dict[str, str]:
        """Return its files."""
        head = "import asyncio\nfrom tests.dependencies.acting import SCRIPT, act\n"
        files = {}
        for number, dependencies in enumerate(self.dependencies):
            place = "".join(f"f{n}/" for n in range(number))
            codes = [function.as_dependency() for function in dependencies.values()]
            if codes:
                files[f"{place}dependencies.py"] = head + "\n".join(codes)
            codes = [function.as_middleware() for function in self.middleware[number]]
            if codes:
                names = ", ".join(function.name for function in self.middleware[number])
                files[f"{place}middleware.py"] = (
                    f"{head}{chr(10).join(codes)}\nmiddleware = [{names}]"
                )
        files[f"{place}route.py"] = head + self.handler.as_handler()
        return files
