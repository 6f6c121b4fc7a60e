"""Find the arguments of a function that a client sends: those with a marker.

``page: Query[int] = 1`` is an :class:`Argument`. Any other parameter is left to ``binding``: it is
a path parameter, a dependency, or keeps its default. Annotations are evaluated one by one, so that
one which only type checkers can read does not matter unless it may have a marker.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Annotated, Any, NamedTuple, TypeVar

from ..errors import ProblemError
from .markers import Marker, Place, Scheme
from .signature import (
    UnreadableError,
    evaluate,
    has_inner_marker,
    is_optional,
    is_return_contract,
    members_of,
    read_annotations,
    split_annotated,
)

#: The name of a marker in an annotation that cannot be evaluated.
_MARKER_NAME = re.compile(r"\b(Query|Header|Cookie|Form|Body|Bearer)\b")


class ContractError(ProblemError):
    """A signature that cannot be a contract."""


class Argument(NamedTuple):
    """An argument with a marker.

    :param function: the name of its function in the file, for errors.
    :param name: its name.
    :param marker: its marker or scheme.
    :param annotation: its type, without the marker.
    :param default: its default, or ``inspect.Parameter.empty``.
    """

    function: str
    name: str
    marker: Marker | Scheme
    annotation: Any
    default: Any

    @property
    def place(self) -> Place | None:
        """The part of the request that it is in; ``None`` for a credential."""
        return self.marker.place if isinstance(self.marker, Marker) else None

    @property
    def has_default(self) -> bool:
        """``True`` if the request may lack it."""
        return self.default is not inspect.Parameter.empty


def find_arguments(
    name: str, function: Callable[..., Any], parameters: Mapping[str, inspect.Parameter]
) -> dict[str, Argument]:
    """Return the arguments of a function that have a marker, by name.

    :param name: the function's name in its file, for errors.
    :param parameters: the function's own parameters.
    :raises ContractError: for a marker that is not used as it must be.
    """
    arguments = {}
    for parameter, annotation in read_annotations(function).items():
        if parameter not in parameters:
            continue
        try:
            annotation = evaluate(annotation, function)
        except UnreadableError as error:
            if has_inner_marker(annotation) or _MARKER_NAME.search(error.annotation):
                raise _unreadable(name, parameter, error) from error
            continue
        argument = _make_argument(name, parameter, annotation, parameters[parameter].default)
        if argument is not None:
            arguments[parameter] = argument
    return arguments


def find_return_contract(name: str, function: Callable[..., Any], *, is_required: bool) -> Any:
    """Return the return annotation of a handler, or ``None`` if it declares nothing.

    :param name: the function's name in its file, for errors.
    :param function: the handler without its decorators.
    :param is_required: whether the annotation has to be readable.
    :raises ContractError: for one that cannot be evaluated.
    """
    annotation = read_annotations(function).get("return")
    if annotation is None:
        return None
    try:
        annotation = evaluate(annotation, function)
    except UnreadableError as error:
        if is_required:
            raise _unreadable(name, "its answers", error) from error
        return None
    if is_return_contract(annotation):
        return annotation
    return None


def _unreadable(name: str, what: str, error: UnreadableError) -> ContractError:
    """Return the error for an annotation that cannot be evaluated and may be a contract.

    :param what: the argument, or the answers.
    """
    return ContractError(
        f"{name} annotates {what} as {error}.",
        "Import its names at run time, not only for type checkers.",
    )


def _make_argument(function: str, name: str, annotation: Any, default: Any) -> Argument | None:
    """Return an argument with a marker, or ``None`` for one without.

    :raises ContractError: for a marker that is not used as it must be.
    """
    if not has_inner_marker(annotation):
        return None
    inner, metadata = split_annotated(annotation)
    markers = [item for item in metadata if isinstance(item, (Marker, Scheme))]
    if not markers and is_optional(annotation):  # a credential such as Bearer | None
        first, *rest = [member for member in members_of(annotation) if member is not NoneType]
        inner, metadata = split_annotated(first)
        markers = [item for item in metadata if isinstance(item, Scheme) and not rest]
        if markers and default is inspect.Parameter.empty:
            raise ContractError(
                f"{function} asks for the optional credential {name}, which has no default.",
                f"Write {name}: ... | None = None.",
            )
    if len(markers) > 1:
        raise ContractError(
            f"{function} has two markers on {name}.",
            "Use one: a value comes from one part of the request.",
        )
    if not markers or has_inner_marker(inner):
        raise ContractError(
            f"{function} has a marker inside the annotation of {name}.",
            "Put it outside, as in page: Query[int | None] = None.",
        )
    [marker] = markers
    if isinstance(marker, Marker):
        if isinstance(inner, TypeVar):
            raise ContractError(
                f"{function} annotates {name} as {marker.name} without a type.",
                f"Write {name}: {marker.name}[str], or another type.",
            )
        others = tuple(item for item in metadata if item is not marker)
        if others:
            inner = Annotated[(inner, *others)]
    return Argument(function, name, marker, inner, default)
