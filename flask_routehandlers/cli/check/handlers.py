"""Find handlers that do not do what their names, signatures or docstrings suggest.

A contract that cannot work stops the app from starting. These checks are about code that runs, but
differently than a reader expects. All but that of sockets are of the form
:data:`~.checks.HandlerCheck`.
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

from ...binding.calls import find_innermost
from ...binding.model import Binding
from ...contracts.markers import Marker
from ...contracts.outputs import is_written_by_library
from ...contracts.signature import (
    UnreadableError,
    evaluate,
    has_inner_marker,
    is_typed_dict,
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


def find_sockets(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find functions that are named like handlers for WebSockets in other frameworks."""
    for route in mount.routes:
        if not isinstance(route.view, Endpoint):
            continue
        names = vars(route.view.module)
        for name in sorted(names.keys() & _SOCKETS):
            if inspect.isroutine(names[name]):
                yield Problem(
                    f"It defines {name}(), which is never called: WSGI has no WebSockets.",
                    "Remove it. An extension such as Flask-Sock adds rules for WebSockets.",
                    (route.file.file,),
                )


def find_undocumented(method: str, binding: Binding) -> Iterator[Problem]:
    """Find handlers without a docstring."""
    if not inspect.getdoc(binding.function):
        yield Problem(f"{method} has no docstring.", "Write what it does in its first line.")


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


def find_decorated(method: str, binding: Binding) -> Iterator[Problem]:
    """Find decorators that run after the values of a request are read.

    A decorator such as ``@login_required`` is a guard in plain Flask. Here it wraps the handler,
    whose arguments are read before it is called, so that a client without a login gets 422 for its
    body, or starts a dependency.
    """
    reads = binding.inputs is not None or binding.dependencies
    if reads and hasattr(binding.function, "__wrapped__"):
        yield Problem(
            f"{method} has a decorator, which runs after the values of the request are read.",
            "If it guards the handler, write it as a middleware: that runs before.",
        )


def find_unread_answers(method: str, binding: Binding) -> Iterator[Problem]:
    """Find return annotations that cannot be evaluated, so that they declare nothing.

    Mostly their names are imported below ``if TYPE_CHECKING``.
    """
    function = find_innermost(binding.function)
    try:
        evaluate(read_annotations(function).get("return"), function)
    except UnreadableError as error:
        yield Problem(
            f"{method} annotates its answers as {error}.",
            "Import its names at run time if it should declare them.",
        )


def find_unchecked_answers(method: str, binding: Binding) -> Iterator[Problem]:
    """Find declared answers that no library writes."""
    if binding.writer is not None and binding.writer.lacks_library:
        yield Problem(
            f"{method} declares its answers, but neither pydantic nor msgspec is installed: "
            "fields that are not declared are not left out.",
            "Install one of them, or remove the return annotation.",
        )


def find_unannotated(method: str, binding: Binding) -> Iterator[Problem]:
    """Find handlers without a return annotation."""
    function = find_innermost(binding.function)
    if "return" not in read_annotations(function):
        yield Problem(
            f"{method} has no return annotation.",
            "Write what it answers, for example -> list[Article] | NotFound.",
        )


def find_http_dates(method: str, binding: Binding) -> Iterator[Problem]:
    """Find dates in a TypedDict, which Flask writes as in HTTP headers.

    Flask's JSON provider does so for compatibility. A library that writes models uses ISO 8601.
    """
    answers = binding.writer.outputs.answers if binding.writer else ()
    for answer in answers:
        if not is_written_by_library(answer.annotation) and _holds_date(answer.annotation):
            yield Problem(
                f"{method} answers with a date in a TypedDict, which Flask writes as in an "
                "HTTP header: Fri, 02 Jan 2026 00:00:00 GMT.",
                "Return a model or a dataclass for 2026-01-02T00:00:00.",
            )


def find_bodies_of_delete(method: str, binding: Binding) -> Iterator[Problem]:
    """Find a DELETE that reads a body, which has no defined meaning (RFC 9110, section 9.3.5)."""
    if method != "DELETE" or binding.inputs is None:
        return
    for argument in binding.inputs.arguments:
        marker = argument.marker
        if isinstance(marker, Marker) and marker.place in ("body", "form"):
            yield Problem(
                f"DELETE has a {marker.name}, which some clients and proxies do not send.",
                "Use Query, or POST to another URL.",
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


def _holds_date(annotation: Any) -> bool:
    """Return whether a type is a date, or has one at any depth."""
    plain = unalias(annotation)
    if isinstance(plain, type) and issubclass(plain, date):
        return True
    parts = list(get_args(plain))
    if is_typed_dict(plain):
        parts += plain.__annotations__.values()
    return any(map(_holds_date, parts))
