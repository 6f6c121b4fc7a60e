"""Find handlers that do not do what their names, parameters or docstrings suggest.

All checks are warnings about code that runs. Each is a :data:`~.checks.Check`.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator
from datetime import date, time
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin
from uuid import UUID

from flask import Flask

from ...binding.model import Binding
from ...contracts.signature import (
    UnreadableError,
    evaluate,
    has_inner_marker,
    members_of,
    read_annotations,
    unalias,
)
from ...errors import Problem
from ...handlers.endpoint import Endpoint
from ...mount import Mount

#: Names of other frameworks' handlers for WebSockets.
_SOCKETS = {"WEBSOCKET", "UPGRADE", "SOCKET"}

_PLAIN = (str, int, float, UUID, date, time, Decimal, enum.Enum)
_SEQUENCES = (list, tuple, set, frozenset)


def find_undocumented(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find handlers without a docstring."""
    for file, method, binding in handlers_of(mount):
        if not inspect.getdoc(binding.function):
            yield Problem(
                f"{method} has no docstring.",
                "Write what it does in its first line.",
                (file,),
                "warning",
            )


def find_fixed_parameters(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find parameters that look like input of a client, which cannot set them.

    ``def GET(page: int = 1)`` reads the query in FastAPI; here a parameter without a marker keeps
    its default. One that a decorator wraps is left alone, since the decorator may pass another
    value.
    """
    for file, method, binding in handlers_of(mount):
        function = binding.function
        if hasattr(function, "__wrapped__") or not _has_defaults(function):
            continue
        for parameter in inspect.signature(function).parameters.values():
            annotation = _read_annotation(function, parameter)
            if parameter.name not in (*binding.names, *binding.extras) and _is_plain(annotation):
                kind = inspect.formatannotation(annotation)
                marked = f"{parameter.name}: Query[{kind}] = {parameter.default!r}"
                yield Problem(
                    f"{method} has the parameter {parameter}, which no client can set.",
                    f"Write {marked} if it should come from the query: "
                    "from flask_routehandlers import Query.",
                    (file,),
                    "warning",
                )


def find_sockets(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find functions that are named like handlers for WebSockets in other frameworks."""
    for route in mount.routes:
        if isinstance(route.view, Endpoint):
            names = vars(route.view.module)
            for name in sorted(names.keys() & _SOCKETS):
                if inspect.isroutine(names[name]):
                    yield Problem(
                        f"It defines {name}(), which is never called: WSGI has no WebSockets.",
                        "Remove it. An extension such as Flask-Sock adds rules for WebSockets.",
                        (route.file.file,),
                        "warning",
                    )


def handlers_of(mount: Mount) -> Iterator[tuple[str, str, Binding]]:
    """Yield the file, the method and the binding of each handler."""
    for route in mount.routes:
        for method, handler in route.handlers.items():
            yield route.file.file, method, handler.binding


def _has_defaults(function: Callable[..., Any]) -> bool:
    """Return whether a parameter has a default. Most have none, and signatures are slow."""
    return bool(
        getattr(function, "__defaults__", None) or getattr(function, "__kwdefaults__", None)
    )


def _read_annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    """Return the annotation of a parameter with a default, or the type of this default."""
    if parameter.default is inspect.Parameter.empty:
        return None
    annotation = read_annotations(function).get(parameter.name, type(parameter.default))
    try:
        return evaluate(annotation, function)
    except UnreadableError:
        return None


def _is_plain(annotation: Any) -> bool:
    """Return whether an annotation is of values that a query can have, and has no marker."""
    if has_inner_marker(annotation):
        return False
    members = [unalias(member) for member in members_of(annotation)]
    members = [member for member in members if member is not type(None)]
    return bool(members) and all(map(_is_plain_member, members))


def _is_plain_member(member: Any) -> bool:
    """Return whether a type is one that a string can be converted to, or a sequence of these."""
    origin = get_origin(member)
    if origin in _SEQUENCES:
        return all(argument is ... or _is_plain(argument) for argument in get_args(member))
    return origin is Literal or (isinstance(member, type) and issubclass(member, _PLAIN))
