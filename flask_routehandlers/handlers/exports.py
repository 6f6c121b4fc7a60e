"""Read the handlers of a route file from its module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from types import FunctionType, ModuleType
from typing import Any

from ..errors import Problem

#: The methods that a route file can handle, sorted.
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")

#: Methods that HTTP servers and proxies keep to themselves.
_NOT_HANDLED = ("CONNECT", "TRACE")

Handler = Callable[..., Any]


def read_handlers(module: ModuleType) -> dict[str, Handler]:
    """The handlers of a route file by method, in the order of :data:`METHODS`.

    Names that :func:`find_handler_problems` complains about are left out.
    """
    names = vars(module)
    return {method: names[method] for method in METHODS if _is_handler(names.get(method))}


def allowed_methods(handled: Iterable[str]) -> list[str]:
    """The methods that a route answers, sorted: ``HEAD`` too with ``GET``, ``OPTIONS`` always."""
    allowed = {*handled, "OPTIONS"}
    if "GET" in allowed:
        allowed.add("HEAD")
    return sorted(allowed)


def find_handler_problems(file: str, module: ModuleType) -> Iterator[Problem]:
    """Check what a route file exports.

    :param file: the file, relative to the root.
    """
    names = vars(module)
    for method in METHODS:
        if method in names and not _is_handler(names[method]):
            yield _no_handler(file, method, names[method])
    for method in _NOT_HANDLED:
        if _is_handler(names.get(method)) and names[method].__module__ == module.__name__:
            yield Problem(
                (file,),
                f"The file defines {method}(), which is never called: no handler answers it.",
                "Remove it, or give it another name; every request of this method is 405.",
            )
    misspelt = list(_misspelt(module))
    for name, method in misspelt:
        yield Problem(
            (file,),
            f"The file defines {name}(), which is no handler: "
            "a handler has the name of an HTTP method in upper case.",
            f"Did you mean {method}? Give a helper another name.",
        )
    if misspelt or any(method in names for method in METHODS):
        return
    if callable(names.get("default")):
        yield Problem(
            (file,),
            "The file has a default handler, and there is no such thing here.",
            "Define one function for each method, for example def GET().",
        )
    else:
        yield Problem(
            (file,),
            "The file has no handler.",
            f"Define one of {', '.join(METHODS)}, for example def GET().",
        )


def _is_handler(value: object) -> bool:
    if type(value) is FunctionType:  # told sooner than by the questions below
        return not value.__code__.co_flags & inspect.CO_ASYNC_GENERATOR
    return callable(value) and not inspect.isclass(value) and not inspect.isasyncgenfunction(value)


def _no_handler(file: str, method: str, value: object) -> Problem:
    if inspect.isclass(value):
        return Problem(
            (file,),
            f"{method} is a class; a handler is a function.",
            f"Write def {method}(), or assign an instance that can be called.",
        )
    if inspect.isasyncgenfunction(value):
        return Problem(
            (file,),
            f"{method} is an async generator, which WSGI cannot stream.",
            f"Write it as a generator: def {method}() with yield.",
        )
    return Problem(
        (file,),
        f"{method} is not callable: it is {_a(type(value).__name__)}.",
        f"Write def {method}(), or give the name to something else.",
    )


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _misspelt(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Functions defined in the file whose names look like a method's, each with the method."""
    for name, value in vars(module).items():
        if name in METHODS or not callable(value):
            continue
        if getattr(value, "__module__", None) != module.__name__ or inspect.isclass(value):
            continue
        method = name.upper()
        if method in METHODS:
            if method not in vars(module):
                yield name, method
        elif name.isupper():
            for close in get_close_matches(name, METHODS, n=1, cutoff=0.75):
                yield name, close
