"""Read the middleware functions of a middleware file from its module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from ..errors import Problem

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
        yield Problem((file,), "The file has no middleware.", f"{guess} {_FORM}.")
        return
    value = names[NAME]
    if not isinstance(value, (list, tuple)):
        refused = _refuse(value)
        if refused:
            yield Problem((file,), f"middleware is {refused}.", f"Write {_FORM}.")
        return
    if not value:
        yield Problem(
            (file,),
            "middleware is an empty list, so nothing would run.",
            f"Put functions into it, write {_FORM}, or remove the file.",
        )
    for number, function in enumerate(value):
        refused = _refuse(function)
        if refused:
            yield Problem(
                (file,),
                f"middleware[{number}] is {refused}.",
                f"Put functions into the list, each written as {_FORM}.",
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
