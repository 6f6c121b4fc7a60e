"""Compare the annotations of a handler with the values from the path, once, at start-up.

The folder decides which type a value has: ``[id]`` passes a ``str``, ``[id=int]`` an ``int``. An
annotation that no such value satisfies is a mistake that a test with a real request would find
late, and a type checker never. What cannot be read or judged is accepted.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ..contracts.signature import read_annotations
from ..errors import Problem
from ..routing.converters import LIST_OF_STR


class PathParameter(NamedTuple):
    """A parameter of a path.

    :param folder: the folder that it is in, or the URL prefix or subdomain.
    :param type: the type of its values, or ``None`` for a converter that does not declare one.
    """

    folder: str
    type: object | None


def find_contradictions(
    name: str, function: Callable[..., Any], parameters: Mapping[str, PathParameter]
) -> Iterator[Problem]:
    """Find annotations that no value from the path can satisfy.

    :param name: the function's name in its file.
    :param function: a handler without decorators: a decorator may convert.
    """
    if not parameters:
        return
    annotated: Any = function
    if not inspect.isroutine(function):
        annotated = type(function).__call__
    if not read_annotations(annotated):
        return
    try:
        annotations = typing.get_type_hints(annotated)
    except Exception:  # names that only a type checker can resolve
        return
    for parameter, (folder, kind) in parameters.items():
        annotation = annotations.get(parameter, Any)
        if kind is not None and not accepts(annotation, kind):
            yield _contradiction(name, parameter, annotation, folder, kind)


def _contradiction(
    name: str, parameter: str, annotation: object, folder: str, kind: object
) -> Problem:
    """Return the problem of an annotation; its hint is the folder for the type, if possible."""
    wanted, actual = spell(annotation), spell(kind)
    hint = f"Write {parameter}: {actual}."
    if kind is str and wanted in ("int", "float", "UUID"):
        converted = folder.replace(f"[{parameter}]", f"[{parameter}={wanted.lower()}]")
        if converted != folder:
            hint = f"Rename the folder to {converted}, or write {parameter}: str."
    place = "the folder"
    if "<" in folder:
        place = "the subdomain"
        if folder.startswith("/"):
            place = "the url_prefix"
    return Problem(
        f"{name} annotates {parameter} as {wanted}, but {place} {folder} passes "
        f"{_with_article(actual)}.",
        hint,
    )


def spell(annotation: object) -> str:
    """Return a type as it is written."""
    # A parametrized class such as list[str] passes for its class.
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__name__
    return str(annotation)


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def accepts(annotation: Any, kind: Any) -> bool:
    """Return whether a value of a type satisfies an annotation.

    :param annotation: anything that can follow the colon of an argument.
    :param kind: ``str``, ``int``, ``float``, ``UUID`` or :data:`LIST_OF_STR`.
    """
    if annotation is Any:  # a class since Python 3.11
        return True
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return accepts(arguments[0], kind)
    if origin is typing.Union or origin is types.UnionType:
        return any(accepts(member, kind) for member in arguments)
    plain = typing.get_origin(kind) or kind
    if origin is typing.Literal:
        return any(isinstance(value, plain) for value in arguments)
    for attribute in ("__supertype__", "__value__"):  # NewType, and a type statement
        if hasattr(annotation, attribute):
            return accepts(getattr(annotation, attribute), kind)
    if kind == LIST_OF_STR and isinstance(origin, type):
        return _is_subclass(list, origin) and all(accepts(a, str) for a in arguments)
    if isinstance(origin or annotation, type):
        is_widened = annotation in (float, complex) and plain in (int, float)
        return is_widened or _is_subclass(plain, origin or annotation)
    return True  # a type variable, or what only a type checker understands


def _is_subclass(kind: type, annotation: type) -> bool:
    """Return whether a class is one that an annotation names, as far as that can be asked."""
    try:
        return issubclass(kind, annotation)
    except TypeError:  # a protocol that cannot be checked
        return True
