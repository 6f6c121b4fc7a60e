"""Find contracts that do not do what they seem to do.

A contract that cannot work stops the app from starting. These checks are about those that work,
but differently than a reader of the signature expects. Each is a
:data:`~.checks.HandlerCheck`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, get_args

from ...binding.calls import find_innermost
from ...binding.model import Binding
from ...contracts.markers import Marker
from ...contracts.outputs import is_written_by_library
from ...contracts.signature import (
    UnreadableError,
    evaluate,
    is_typed_dict,
    read_annotations,
    unalias,
)
from ...errors import Problem


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
            f"{method} annotates its answers as {error.annotation}, which cannot be "
            f"evaluated: {error.error}.",
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


def _holds_date(annotation: Any) -> bool:
    """Return whether a type is a date, or has one at any depth."""
    plain = unalias(annotation)
    if isinstance(plain, type) and issubclass(plain, date):
        return True
    parts = list(get_args(plain))
    if is_typed_dict(plain):
        parts += plain.__annotations__.values()
    return any(map(_holds_date, parts))
