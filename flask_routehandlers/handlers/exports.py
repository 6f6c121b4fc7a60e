"""Read the handlers of a route file, and the functions of a middleware file, from its module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
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
                f"The file defines {method}(), which is never called: no handler answers it.",
                "Remove it, or give it another name; every request of this method is 405.",
                (file,),
            )
    misspelt = list(_misspelt(module))
    for name, method in misspelt:
        yield Problem(
            f"The file defines {name}(), which is no handler: "
            "a handler has the name of an HTTP method in upper case.",
            f"Did you mean {method}? Give a helper another name.",
            (file,),
        )
    if misspelt or any(method in names for method in METHODS):
        return
    if callable(names.get("default")):
        yield Problem(
            "The file has a default handler, and there is no such thing here.",
            "Define one function for each method, for example def GET().",
            (file,),
        )
    else:
        yield Problem(
            "The file has no handler.",
            f"Define one of {', '.join(METHODS)}, for example def GET().",
            (file,),
        )


def _is_handler(value: object) -> bool:
    if type(value) is FunctionType:  # told sooner than by the questions below
        return not value.__code__.co_flags & inspect.CO_ASYNC_GENERATOR
    return callable(value) and not inspect.isclass(value) and not inspect.isasyncgenfunction(value)


def _no_handler(file: str, method: str, value: object) -> Problem:
    if inspect.isclass(value):
        return Problem(
            f"{method} is a class; a handler is a function.",
            f"Write def {method}(), or assign an instance that can be called.",
            (file,),
        )
    if inspect.isasyncgenfunction(value):
        return Problem(
            f"{method} is an async generator, which WSGI cannot stream.",
            f"Write it as a generator: def {method}() with yield.",
            (file,),
        )
    return Problem(
        f"{method} is not callable: it is {_a(type(value).__name__)}.",
        f"Write def {method}(), or give the name to something else.",
        (file,),
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


NAME = "middleware"

_FORM = "def middleware(request, call_next), which returns call_next() or an answer of its own"


def read_middleware(module: ModuleType) -> Mapping[str, Callable[..., Any]]:
    """The functions of a middleware file, outermost first, by what they are called in it.

    What :func:`find_middleware_problems` complains about is left out.
    """
    value = vars(module).get(NAME)
    if not isinstance(value, (list, tuple)):
        return {NAME: value} if callable(value) and _refuse(value) is None else {}
    return {
        f"{NAME}[{number}] ({_called(function)})": function
        for number, function in enumerate(value)
        if _refuse(function) is None
    }


def find_middleware_problems(file: str, module: ModuleType) -> Iterator[Problem]:
    """Check what a middleware file exports.

    :param file: the file, relative to the root.
    """
    names = vars(module)
    if NAME not in names:
        own = [n for n, v in names.items() if getattr(v, "__module__", "") == module.__name__]
        close = get_close_matches(NAME, own, n=1, cutoff=0.75)
        guess = f"Rename {close[0]} to middleware, or write" if close else "Write"
        yield Problem("The file has no middleware.", f"{guess} {_FORM}.", (file,))
        return
    value = names[NAME]
    if not isinstance(value, (list, tuple)):
        refused = _refuse(value)
        if refused:
            yield Problem(f"middleware is {refused}.", f"Write {_FORM}.", (file,))
        return
    if not value:
        yield Problem(
            "middleware is an empty list, so nothing would run.",
            f"Put functions into it, write {_FORM}, or remove the file.",
            (file,),
        )
    for number, function in enumerate(value):
        refused = _refuse(function)
        if refused:
            yield Problem(
                f"middleware[{number}] is {refused}.",
                f"Put functions into the list, each written as {_FORM}.",
                (file,),
            )


def _refuse(value: object) -> str | None:
    """What a value is that is no function, or ``None`` for one that can be called."""
    if inspect.isclass(value):
        return "a class, not a function"
    if not callable(value):
        return f"not callable: its type is {type(value).__name__}"
    if inspect.isasyncgenfunction(value):
        return "an async generator, which WSGI cannot stream"
    return None


def _called(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)
