"""Refuse arguments that no request can provide, and those that nothing would set.

A handler that asks for something unknown would fail at each request, and an argument that is only
left at its default may be a guard that is missing. Both stop the start, with a hint at what was
probably meant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from inspect import Parameter
from typing import Any

from ..contracts.signature import (
    is_own_class,
    is_structured,
    members_of,
    read_annotation,
    read_annotations,
    spell,
)
from ..tree.spelling import RESERVED_NAMES
from .annotations import PathParameter
from .model import DEPENDENCY, BindingError, Kind

#: The parameters of a function by name, as :func:`inspect.signature` returns them.
Signature = Mapping[str, Parameter]

BY_KEYWORD = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def check_marked(
    name: str,
    marked: Collection[str],
    parameters: Mapping[str, PathParameter],
    visible: Collection[str],
    kind: Kind,
) -> None:
    """Refuse a marker on an argument that has another meaning, or that nothing reads.

    :param marked: the names of the arguments with a marker.
    :param parameters: the path parameters.
    :param visible: the dependencies that it can ask for.
    :raises BindingError: for the first such argument.
    """
    for argument in marked:
        hint = "Remove the marker, or rename the argument."
        if argument in parameters:
            meaning = "a parameter of the path"
        elif argument in visible:
            meaning = "which is a dependency"
        elif argument in RESERVED_NAMES:
            meaning, hint = "a reserved name", "Rename the argument."
        elif not kind.has_markers:
            meaning, hint = "but it sees the path only", "Remove the argument."
        else:
            continue
        raise BindingError(f"{name} has a marker on {argument}, {meaning}.", hint)


def check_required(
    name: str,
    function: Callable[..., Any],
    signature: Signature,
    available: Collection[str],
    below: Mapping[str, str],
    imported: Mapping[str, str],
    kind: Kind,
) -> None:
    """Refuse parameters without a default that no request can provide.

    :param signature: the parameters without a marker.
    :param available: the names of everything that it can ask for.
    :param below: the path parameters of deeper folders, each with such a folder.
    :param imported: the functions that a ``dependencies.py`` imports only, each with the file.
    :raises BindingError: for the first such parameter.
    """
    for parameter in signature.values():
        if parameter.default is not Parameter.empty:
            continue
        if parameter.kind is Parameter.POSITIONAL_ONLY:
            raise BindingError(
                f"{name} has the positional-only parameter {parameter.name!r}, "
                "but arguments are passed by name.",
                "Remove the / from its signature.",
            )
        asked = parameter.name
        if parameter.kind not in BY_KEYWORD or asked in available:
            continue
        if asked in below:
            raise BindingError(
                f"{name} asks for {asked!r}, a parameter of the deeper folder {below[asked]}: "
                "not every request here has it.",
                f"Move it to a {kind.file} in that folder, or read params.get({asked!r}).",
            )
        if asked in imported:
            raise BindingError(
                f"{name} asks for {asked!r}, which {imported[asked]} imports. "
                "Only functions that it defines are dependencies.",
                f"List the names that it offers: __all__ = [{asked!r}, ...].",
            )
        hint = _suggest(name, function, asked, available, kind)
        raise BindingError(f"{name} asks for {asked!r}, which is not in the path.", hint)


def check_defaults(
    name: str, function: Callable[..., Any], signature: Signature, visible: Mapping[str, Any]
) -> None:
    """Refuse a default where a dependency is meant: a guard would be missing in silence.

    It is meant if the name is that of a dependency or nearly so, or if the annotation is the type
    of one.

    :param visible: the types of the dependencies that it can ask for, by name.
    :raises BindingError: for the first such parameter.
    """
    for parameter in signature.values():
        if parameter.default is Parameter.empty or not visible:
            continue
        if parameter.name in visible:
            raise BindingError(
                f"{name} gives {parameter.name} a default, but it is a dependency.",
                "Remove the default. Tests can pass the argument, or use override().",
            )
        other = "Rename the argument otherwise."
        meant = get_close_matches(parameter.name, visible, n=1, cutoff=0.8)
        if not meant:
            other = "Remove the annotation otherwise."
            annotation = read_annotation(function, parameter.name, None)
            kinds = {kind for kind in members_of(annotation) if is_own_class(kind)}
            meant = [n for n, kind in visible.items() if kinds.intersection(members_of(kind))]
        if meant:
            raise BindingError(
                f"{name} has the argument {parameter.name} with a default, which nothing sets.",
                f"Did you mean the dependency {meant[0]}? {other}",
            )


def _suggest(
    name: str, function: Callable[..., Any], asked: str, available: Collection[str], kind: Kind
) -> str:
    """Return what to write in place of a parameter that nothing provides."""
    others = [other for other in available if other != name]  # it cannot ask for itself
    *first, listed = map(repr, others)
    if first:
        listed = f"{', '.join(first)} and {listed}"
    hint = f"It can ask for {listed}. Any other parameter needs a default."
    close = get_close_matches(asked, others, n=1, cutoff=0.6)
    if close:
        hint = f"Did you mean {close[0]!r}? {hint}"
    elif asked not in RESERVED_NAMES and kind.has_markers:
        marker = "Query"
        if kind.has_body and is_structured(read_annotation(function, asked)):
            marker = "Body"
        written = spell(read_annotations(function).get(asked, str))
        hint += (
            f" For a value from the client, write {asked}: {marker}[{written}]. "
            f"For any other, define {asked}() in a dependencies.py of this folder or above."
        )
    if kind is DEPENDENCY:
        hint += f" If {name} is not a dependency, begin its name with an underscore."
    return hint
