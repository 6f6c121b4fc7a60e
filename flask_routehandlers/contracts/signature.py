"""Read the annotations of a function, each alone: one that cannot be read spoils no other."""

from __future__ import annotations

import builtins
import collections.abc
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import is_dataclass
from types import FunctionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from flask.typing import ResponseReturnValue, ResponseValue

from .markers import Marker, Scheme

#: The types of functions that yield, of which the first argument is what they yield.
STREAMS = (
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.Generator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
)

_UNION_ORIGINS = (Union, types.UnionType)


class UnreadableError(Exception):
    """An annotation that Python cannot evaluate.

    :param annotation: the annotation as it is written.
    :param error: the exception of its evaluation.
    """

    def __init__(self, annotation: str, error: Exception) -> None:
        self.annotation = annotation
        super().__init__(f"{annotation}, which cannot be evaluated: {error}")


def unwrap_callable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that a partial or another callable object calls."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    return type(function).__call__


def read_annotations(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of a function as they are written, strings included."""
    function = unwrap_callable(function)
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(function, format=Format.FORWARDREF)
    return dict(getattr(function, "__annotations__", None) or {})


def is_annotated(function: FunctionType) -> bool:
    """Return whether a function has an annotation, faster than by reading them."""
    if sys.version_info >= (3, 14):  # where looking at them evaluates them
        return bool(read_annotations(function))
    return bool(function.__annotations__)


def evaluate(annotation: Any, function: Callable[..., Any]) -> Any:
    """Return the value of an annotation, with its ``Annotated`` metadata.

    :param annotation: an annotation as :func:`read_annotations` returns it.
    :param function: the function that has it.
    :raises UnreadableError: for a name that does not exist at run time.
    """
    names = getattr(unwrap_callable(function), "__globals__", {})
    if isinstance(annotation, str) and annotation.isidentifier():  # as most strings are
        value = names.get(annotation, getattr(builtins, annotation, None))
        if isinstance(value, type):
            return value
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation
    try:
        if isinstance(annotation, str):
            annotation = eval(annotation, names)  # noqa: S307 (the source of the function)
        holder = types.SimpleNamespace(__annotations__={"it": _open(annotation)})
        return get_type_hints(holder, names, include_extras=True)["it"]
    except Exception as error:  # whatever the annotation raises
        raise UnreadableError(spell(annotation), error) from error


def read_annotation(function: Callable[..., Any], name: str, default: Any = Any) -> Any:
    """Return the value of one annotation, or a default if it is missing or cannot be evaluated.

    :param name: the name of the parameter, or ``return``.
    """
    try:
        return evaluate(read_annotations(function)[name], function)
    except (KeyError, UnreadableError):
        return default


def spell(annotation: Any) -> str:
    """Return an annotation as it is written."""
    inner, metadata = split_annotated(annotation)
    for item in metadata:
        if isinstance(item, Marker):
            return f"{item.name}[{spell(inner)}]"
    # A parametrized class such as list[str] passes for its class.
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return str(annotation)


def _open(annotation: Any) -> Any:
    """Return an annotation with ``Any`` in place of Flask's types for anything a view returns.

    They are large unions, with names that exist only for type checkers.
    """
    if get_origin(annotation) not in _UNION_ORIGINS:
        return annotation
    members = get_args(annotation)
    for anything in (ResponseReturnValue, ResponseValue):
        parts = get_args(anything)
        if set(parts) <= set(members):
            others = [member for member in members if member not in parts]
            return Union[(Any, *others)]
    return annotation


def split_annotated(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return an annotation without its outer ``Annotated``, and the metadata of that."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        return inner, tuple(metadata)
    return annotation, ()


def unalias(annotation: Any) -> Any:
    """Return the type that a ``NewType``, a ``type`` statement or ``Annotated`` stands for."""
    while not isinstance(annotation, type):
        inner, _ = split_annotated(annotation)
        for attribute in ("__supertype__", "__value__"):
            inner = getattr(inner, attribute, inner)
        if inner is annotation:
            break
        annotation = inner
    return annotation


def members_of(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, or the annotation itself. ``Annotated`` is looked through."""
    plain = unalias(annotation)
    if get_origin(plain) in _UNION_ORIGINS:
        return get_args(plain)
    return (annotation,)


def is_optional(annotation: Any) -> bool:
    """Return whether ``None`` is a member of an annotation."""
    return type(None) in members_of(annotation)


def has_inner_marker(annotation: Any) -> bool:
    """Return whether a marker is anywhere in an annotation."""
    inner, metadata = split_annotated(annotation)
    if any(isinstance(item, (Marker, Scheme)) for item in metadata):
        return True
    return any(has_inner_marker(argument) for argument in get_args(inner))


def kind_of(annotation: Any) -> Any:
    """Return the class of a type without its arguments, or ``Union`` and the like."""
    plain = unalias(annotation)
    return get_origin(plain) or plain


def parts_of(annotation: Any) -> Iterator[Any]:
    """Return a type and the types in it, at every depth.

    These are arguments, members, and the fields of TypedDicts and of standard dataclasses.
    """
    pending = [annotation]
    seen: dict[int, Any] = {}  # a type can refer to itself
    while pending:
        part = pending.pop()
        yield part
        plain, kind = unalias(part), kind_of(part)
        if id(plain) in seen:
            continue
        seen[id(plain)] = plain
        pending += get_args(plain)
        if is_typed_dict(kind) or (is_dataclass(kind) and not is_of_pydantic(kind)):
            with suppress(Exception):  # the library reports an unreadable field better
                pending += get_type_hints(kind, include_extras=True).values()


def is_record(kind: Any) -> bool:
    """Return whether a class is a model, a dataclass, a Struct or an attrs class."""
    return isinstance(kind, type) and (
        is_dataclass(kind)
        or is_of_pydantic(kind)
        or hasattr(kind, "__struct_fields__")
        or hasattr(kind, "__attrs_attrs__")
    )


def is_of_pydantic(kind: Any) -> bool:
    """Return whether a class is a model or a dataclass of pydantic."""
    return hasattr(kind, "__pydantic_validator__")


def is_structured(annotation: Any) -> bool:
    """Return whether values of a type have named fields.

    Such types are TypedDicts, the classes of :func:`is_record`, and unions of these. A
    ``pydantic.Json`` is a string.
    """
    if is_json_string(annotation):
        return False
    members = members_of(annotation)
    if members != (annotation,):
        return all(is_structured(member) for member in members if member is not type(None))
    kind = kind_of(annotation)
    if getattr(kind, "__pydantic_root_model__", False):
        return False
    return is_typed_dict(kind) or is_record(kind)


def is_json_string(annotation: Any) -> bool:
    """Return whether an annotation is ``pydantic.Json[T]``: a string that holds a document."""
    kinds = map(type, split_annotated(annotation)[1])
    return any((kind.__module__, kind.__name__) == ("pydantic.types", "Json") for kind in kinds)


def is_typed_dict(kind: Any) -> bool:
    """Return whether a class is a TypedDict, of ``typing`` or of ``typing_extensions``."""
    return isinstance(kind, type) and issubclass(kind, dict) and hasattr(kind, "__total__")


def holds_structured(annotation: Any) -> bool:
    """Return whether a structured type is anywhere in an annotation."""
    if is_structured(annotation):
        return True
    if is_json_string(annotation):
        return False
    return any(holds_structured(argument) for argument in get_args(unalias(annotation)))


def is_own_class(annotation: Any) -> bool:
    """Return whether an annotation is a class that is not one of Python's builtins."""
    return isinstance(annotation, type) and annotation.__module__ != "builtins"


def is_error_class(annotation: Any) -> bool:
    """Return whether an annotation is a class of exceptions."""
    return isinstance(annotation, type) and issubclass(annotation, BaseException)


def is_return_contract(annotation: Any) -> bool:
    """Return whether a return annotation promises anything about the answer.

    It does if it has a structured type, a ``Literal`` status or an error class.
    """
    for member in members_of(annotation):
        if is_error_class(member) or holds_structured(member):
            return True
        status = get_args(unalias(member))[1:2]
        if kind_of(member) is tuple and Literal in map(kind_of, status):
            return True
    return False
