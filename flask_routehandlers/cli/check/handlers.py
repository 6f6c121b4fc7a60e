"""Find handlers that do not do what their names, parameters or docstrings suggest.

All are about code that runs.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator
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


def find_undocumented(method: str, binding: Binding) -> Iterator[Problem]:
    """Find handlers without a docstring."""
    if not inspect.getdoc(binding.function):
        yield Problem(
            f"{method} has no docstring.",
            "Write what it does in its first line.",
        )


def find_fixed_parameters(method: str, binding: Binding) -> Iterator[Problem]:
    """Find parameters that look like input of a client, which cannot set them.

    ``def GET(page: int = 1)`` reads the query in FastAPI; here a parameter without a marker keeps
    its default. One that a decorator wraps is left alone, since the decorator may pass another
    value.
    """
    function = binding.function
    defaults = getattr(function, "__defaults__", None) or getattr(function, "__kwdefaults__", None)
    if not defaults or hasattr(function, "__wrapped__"):
        return
    annotations, known = read_annotations(function), {*binding.names, *binding.extras}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.default is inspect.Parameter.empty or name in known:
            continue
        try:
            annotation = evaluate(annotations.get(name, type(parameter.default)), function)
        except UnreadableError:
            continue
        if _is_plain(annotation):
            marked = f"{name}: Query[{inspect.formatannotation(annotation)}]"
            yield Problem(
                f"{method} has the parameter {parameter}, which no client can set.",
                f"Write {marked} = {parameter.default!r} if it should come from the query: "
                "from flask_routehandlers import Query.",
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
                    )


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
