"""The functions that a request runs through, with their files and lines.

``match`` and ``list`` show them. The order is that of a request: for each middleware, from the
outermost in, its new dependencies and itself, then those of the handler, then the handler. Editors
do not know the link between an argument and its dependency; the lines here are a substitute.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..dependencies.model import Dependency
from ..errors import shown_path
from ..handlers.link import Link
from ..mount import Mount, Route


@dataclass(frozen=True, slots=True)
class Step:
    """A function that a request runs through.

    :param kind: ``dependency``, ``middleware`` or ``handler``.
    :param file: the file that offers it, relative to the root.
    :param line: the line of its definition, if it is defined in that file.
    :param name: its name in the file: ``GET``, ``middleware[1] (limit)``.
    :param asks: the dependencies that it asks for itself.
    """

    kind: str
    file: str
    line: int | None
    name: str
    asks: tuple[str, ...] = ()

    def place(self, root: str) -> str:
        """Return file and line, as users can open them."""
        path = shown_path(os.path.join(root, self.file))
        return path if self.line is None else f"{path}:{self.line}"


def find_steps(mount: Mount, route: Route, method: str) -> Iterator[Step]:
    """Yield what runs for a method, in the order in which it begins.

    :param method: the method of a handler, or another one for the middleware alone.
    """

    def make(kind: str, function: Link | Dependency) -> Step:
        file, binding = function.file, function.binding
        line = _line_of(binding.function, os.path.join(mount.root, file))
        return Step(kind, file, line, function.name, binding.dependencies)

    known: set[object] = set()
    handler = route.handlers.get(method)
    for link in _chain_of(route, method):
        kind = "middleware"
        if link is handler:
            kind = "handler"
            if route.static is not None and method == "GET":
                known.clear()  # it is run as a separate request, which shares no dependencies
        for dependency in link.dependencies:
            if dependency.identity not in known:
                known.add(dependency.identity)
                yield make("dependency", dependency)
        yield make(kind, link)


def find_dependencies(route: Route, method: str) -> Iterator[Dependency]:
    """Yield the dependencies that run for a handler: its own, and those of its middleware."""
    for link in _chain_of(route, method):
        yield from link.dependencies


def _chain_of(route: Route, method: str) -> Iterator[Link]:
    """Yield the middleware of a route, then the handler of a method, if there is one."""
    yield from route.links
    if method in route.handlers:
        yield route.handlers[method]


def _line_of(function: Callable[..., Any], path: str) -> int | None:
    """Return the line of a function's definition, if that is in a file."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or os.path.realpath(code.co_filename) != os.path.realpath(path):
        return None
    line: int = code.co_firstlineno
    return line
