"""Read the handlers of a route file, and the functions of a middleware file, from its module.

Each kind of file has two functions: one returns what can be used, the other yields problems. They
agree on each value, so that a file with a problem can still be examined further.

A name is only suspicious where no other meaning is likely: a file may define and import whatever
it needs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

from ..errors import Problem

#: The methods that a route file can handle, sorted.
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")

#: Methods whose requests have no body.
WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")

#: Methods that HTTP servers and proxies handle themselves.
_NOT_HANDLED = ("CONNECT", "TRACE")

MIDDLEWARE = "middleware"
_MIDDLEWARE_FORM = (
    "def middleware(request, call_next), which returns call_next() or another response"
)

Handler = Callable[..., Any]


def read_handlers(module: ModuleType) -> dict[str, Handler]:
    """Return the handlers of a route file by method, in the order of :data:`METHODS`.

    Names that :func:`find_handler_problems` reports are left out.
    """
    names = vars(module)
    return {method: names[method] for method in _defined(module) if _is_handler(names[method])}


def _defined(module: ModuleType) -> list[str]:
    """Return the methods that a file has a name for, whatever the value is."""
    names = vars(module)
    return [method for method in METHODS if method in names]


@lru_cache(maxsize=256)
def allowed_methods(handled: tuple[str, ...], *, automatic_options: bool) -> tuple[str, ...]:
    """Return the methods that a route answers, sorted: one object for the same methods.

    :param handled: the methods that its file handles; ``GET`` implies ``HEAD``.
    :param automatic_options: whether ``OPTIONS`` is answered without a handler.
    """
    allowed = set(handled)
    if automatic_options:
        allowed.add("OPTIONS")
    if "GET" in allowed:
        allowed.add("HEAD")
    return tuple(sorted(allowed))


def find_handler_problems(file: str, module: ModuleType) -> Iterator[Problem]:
    """Check the exports of a route file.

    :param file: the file, relative to the root.
    :param module: the module that it has been loaded as.
    """
    names, defined = vars(module), _defined(module)
    for method in defined:
        if not _is_handler(names[method]):
            yield _not_a_handler(method, names[method]).at(file)
    for method in _NOT_HANDLED:
        if method not in names or not _is_handler(names[method]):
            continue
        if names[method].__module__ == module.__name__:
            yield Problem(
                f"The file defines {method}(), but a route file cannot handle {method}.",
                f"Remove or rename it. Every {method} request is answered with 405.",
                (file,),
            )
    yield from find_misplaced(file, module, "a route file")
    typos = list(_find_typos(module))
    for name, method in typos:
        yield Problem(
            f"The file defines {name}(), which is not a handler: "
            "a handler is named after an HTTP method, in upper case.",
            f"Did you mean {method}? Rename the function if it is a helper.",
            (file,),
        )
    if typos or defined:
        return
    if callable(names.get("default")):
        yield Problem(
            "The file has a default handler, which is not supported.",
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
    """Return whether a value is a handler: anything that can be called but a class."""
    if type(value) is FunctionType:  # the usual case, decided faster than by the checks below
        return True
    return callable(value) and not inspect.isclass(value)


def _not_a_handler(method: str, value: object) -> Problem:
    """Return the problem of a name of a method whose value is not a handler."""
    if inspect.isclass(value):
        return Problem(
            f"{method} is a class, but a handler is a function.",
            f"Write def {method}(), or assign an instance that can be called.",
        )
    return Problem(
        f"{method} is not callable. Its type is {type(value).__name__}.",
        f"Write def {method}(), or rename the variable.",
    )


def find_misplaced(
    file: str, module: ModuleType, kind: str, others: Collection[str] = ()
) -> Iterator[Problem]:
    """Find middleware and dependencies, which would never run.

    :param file: a route file or the ``__init__.py`` of a folder, relative to the root.
    :param kind: which of them it is, for the reason.
    :param others: names that the file may import from the modules of its folder.
    """
    for name in ("middleware", "dependencies"):
        if name not in vars(module) or name in others:
            continue
        if _is_misplaced(vars(module)[name], module):
            place = file.removesuffix(file.rpartition("/")[2]) + f"{name}.py"
            yield Problem(
                f"The file defines {name}, which has no effect in {kind}.",
                f"Move it to {place}, or rename it if it is something else.",
                (file,),
            )


def _is_misplaced(value: object, module: ModuleType) -> bool:
    """Return whether a value was probably meant to run for the routes of a folder.

    Such is what the file itself defines, a list of functions, and what takes ``call_next``. A
    function for other purposes can be imported under any name.
    """
    if isinstance(value, (list, tuple)):
        return any(map(callable, value))
    if not callable(value):
        return False
    if getattr(value, "__module__", None) == module.__name__:
        return True
    try:
        return "call_next" in inspect.signature(value).parameters
    except (TypeError, ValueError):  # some functions written in C
        return False


def _find_typos(module: ModuleType) -> Iterator[tuple[str, str]]:
    """Return functions of the file whose names look like a method's, each with the method.

    ``get`` is one unless there is a ``GET`` too, and ``PACTH`` looks like ``PATCH``. A function
    that is imported is not: ``from httpx import get`` is fine.
    """
    for name, value in vars(module).items():
        if not callable(value) or name in METHODS or inspect.isclass(value):
            continue
        if getattr(value, "__module__", None) != module.__name__:
            continue
        method = name.upper()
        if method in METHODS:
            if method not in vars(module):
                yield name, method
        elif name.isupper():
            for close in get_close_matches(name, METHODS, n=1, cutoff=0.75):
                yield name, close


def read_middleware(module: ModuleType) -> Mapping[str, Callable[..., Any]]:
    """Return the functions of a middleware file by their names for messages, outermost first.

    Values that :func:`find_middleware_problems` reports are left out.
    """
    value = vars(module).get(MIDDLEWARE)
    if isinstance(value, (list, tuple)):
        return {
            f"{MIDDLEWARE}[{number}] ({_name_of(function)})": function
            for number, function in enumerate(value)
            if _why_not_middleware(function) is None
        }
    if callable(value) and _why_not_middleware(value) is None:
        return {MIDDLEWARE: value}
    return {}


def find_middleware_problems(file: str, module: ModuleType) -> Iterator[Problem]:
    """Check the exports of a middleware file.

    A guard that is silently not there is the worst outcome, so that anything but middleware is
    refused: no value, an empty list, and a list with one value that cannot be called.

    :param file: the file, relative to the root.
    """
    if MIDDLEWARE not in vars(module):
        yield Problem("The file has no middleware.", f"{_suggest_middleware(module)}.", (file,))
        return
    value = vars(module)[MIDDLEWARE]
    if not isinstance(value, (list, tuple)):
        refusal = _why_not_middleware(value)
        if refusal:
            yield Problem(f"middleware is {refusal}.", f"Write {_MIDDLEWARE_FORM}.", (file,))
        return
    if not value:
        yield Problem(
            "middleware is an empty list, so nothing would run.",
            f"Add functions to it, write {_MIDDLEWARE_FORM}, or remove the file.",
            (file,),
        )
    for number, function in enumerate(value):
        refusal = _why_not_middleware(function)
        if refusal:
            yield Problem(
                f"middleware[{number}] is {refusal}.",
                f"List functions, each written as {_MIDDLEWARE_FORM}.",
                (file,),
            )


def _suggest_middleware(module: ModuleType) -> str:
    """Return a hint for a file without middleware: its nearly right name, if it has one."""
    names = [
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__
    ]
    close = get_close_matches(MIDDLEWARE, names, n=1, cutoff=0.75)
    if close:
        return f"Rename {close[0]} to middleware, or write {_MIDDLEWARE_FORM}"
    return f"Write {_MIDDLEWARE_FORM}"


def _why_not_middleware(value: object) -> str | None:
    """Return what a value is that is not a function, or ``None`` for one that can be called."""
    if inspect.isclass(value):
        return "a class, not a function"
    if not callable(value):
        return f"not callable: its type is {type(value).__name__}"
    if inspect.isasyncgenfunction(value):
        return "an async generator, not a function that returns a response"
    return None


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)
