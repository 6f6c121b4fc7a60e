"""Compare the type of a dependency with the annotation of an argument that it is.

A dependency and its argument are linked by name alone, which no type checker sees. So a
contradiction is refused at start-up, but only one that is certain: between two classes of which
neither is a subclass of the other. Errors in a return annotation are raised and not passed on:
``User | Unauthorized`` is a ``User`` for whoever asks.
"""

from __future__ import annotations

import inspect
import types
import typing
from abc import ABCMeta
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args, get_origin

from ..contracts.signature import (
    STREAMS,
    is_error_class,
    is_typed_dict,
    members_of,
    read_annotation,
    unalias,
)


def type_of(function: Callable[..., Any]) -> Any:
    """Return the type of the values of a dependency, ``Any`` if it is not known.

    It is the return annotation without error classes, or, of a generator, what it yields.
    """
    members = [member for member in _read_members(function) if not is_error_class(member)]
    if not members:
        return Any
    return typing.Union[tuple(members)]  # noqa: UP007 (how many is not known)


def errors_of(function: Callable[..., Any]) -> list[Any]:
    """Return the error classes in the annotation of a dependency."""
    return [member for member in _read_members(function) if is_error_class(member)]


def allows_none(function: Callable[..., Any]) -> bool:
    """Return whether a dependency may return ``None``: its annotation has it, or is not known."""
    for member in map(unalias, _read_members(function)):
        if member in (Any, object, None, types.NoneType) or isinstance(member, typing.TypeVar):
            return True
        if get_origin(member) is Literal and None in get_args(member):
            return True
    return False


def _read_members(function: Callable[..., Any]) -> list[Any]:
    """Return the members of the annotation of a dependency, ``Any`` if it cannot be read."""
    innermost = inspect.unwrap(function)
    annotation = read_annotation(innermost, "return")
    if inspect.isgeneratorfunction(innermost) or inspect.isasyncgenfunction(innermost):
        plain = unalias(annotation)
        if get_origin(plain) not in STREAMS or not get_args(plain):
            return [Any]
        annotation = get_args(plain)[0]
    return list(_flatten(annotation))


def _flatten(annotation: Any) -> Iterator[Any]:
    """Return the members of a union, of those inside it too."""
    members = members_of(annotation)
    if members == (annotation,):
        yield annotation
    else:
        for member in members:
            yield from _flatten(member)


def fits(actual: Any, wanted: Any) -> bool:
    """Return whether a value of one type may be what another annotation asks for.

    Only nominal classes are compared: of unions, any pair has to fit.
    """
    wanted_classes = _classes(wanted)
    return any(_fits(kind, other) for kind in _classes(actual) for other in wanted_classes)


def _classes(annotation: Any) -> list[Any]:
    """Return the classes of a union, ``None`` only if it is the only one: it fits nothing else."""
    members = [unalias(member) for member in _flatten(annotation)]
    kinds = [get_origin(member) or member for member in members if member is not None]
    return [kind for kind in kinds if kind is not types.NoneType] or [types.NoneType]


def _fits(actual: Any, wanted: Any) -> bool:
    """Return whether a value of one class may be an instance of another.

    An ``int`` passes for a ``float``, as it does for type checkers (PEP 484).
    """
    if not _is_nominal(actual) or not _is_nominal(wanted):
        return True
    if issubclass(actual, wanted) or issubclass(wanted, actual):
        return True
    return issubclass(actual, int) and wanted in (float, complex)


def _is_nominal(kind: Any) -> bool:
    """Return whether the instances of a type are those of its class and its subclasses alone.

    A protocol or an abstract class accepts others, so that nothing can be said about it.
    """
    if not isinstance(kind, type) or kind in (Any, object):
        return False
    return not (
        inspect.isabstract(kind)
        or type(kind) is ABCMeta
        or getattr(kind, "_is_protocol", False)
        or is_typed_dict(kind)
    )
