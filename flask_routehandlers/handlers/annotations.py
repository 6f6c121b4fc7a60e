"""Hold a handler's annotations against what the path gives. Decided once, at start-up."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..routing.converters import LIST_OF_STR


def find_contradictions(
    function: Callable[..., Any], parameters: Mapping[str, tuple[str, object]]
) -> Iterator[tuple[str, str]]:
    """Annotations that no value from the path can satisfy.

    :param function: a handler that no decorator wraps: a decorator may convert.
    :param parameters: for each name the folder that it is in, and the type of its values
        (``None`` when a converter does not tell).
    :returns: for each contradiction what is said, and what to write instead.
    """
    if not parameters:
        return
    annotated: Any = function if inspect.isroutine(function) else type(function).__call__
    if not getattr(annotated, "__annotations__", None):
        return
    try:
        annotations = typing.get_type_hints(annotated)
    except Exception:  # names that only a type checker can resolve
        return
    for parameter, (folder, given) in parameters.items():
        annotation = annotations.get(parameter, Any)
        if given is None or accepts(annotation, given):
            continue
        shown = _shown(annotation)
        hint = f"Write {parameter}: {_shown(given)}"
        if given is str and shown in ("int", "float", "UUID"):
            converter = folder.replace(f"[{parameter}]", f"[{parameter}={shown.lower()}]")
            if converter != folder:
                hint = f"Rename the folder to {converter}, or write {parameter}: str"
        yield f"says {parameter}: {shown}, but {folder} gives {_shown(given)}.", f"{hint}."


def _shown(annotation: object) -> str:
    # A parametrised class such as list[str] passes for its class.
    plain = isinstance(annotation, type) and not typing.get_args(annotation)
    return annotation.__name__ if plain else str(annotation)  # type: ignore[attr-defined]


def accepts(annotation: Any, given: Any) -> bool:
    """Whether a value of the type ``given`` can be what an annotation says.

    :param annotation: anything that can stand behind a colon.
    :param given: ``str``, ``int``, ``float``, ``UUID`` or :data:`LIST_OF_STR`.
    """
    if annotation is Any:  # a class since Python 3.11
        return True
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return accepts(arguments[0], given)
    if origin is typing.Union or origin is types.UnionType:
        return any(accepts(member, given) for member in arguments)
    if origin is typing.Literal:
        return any(isinstance(value, typing.get_origin(given) or given) for value in arguments)
    for behind in ("__supertype__", "__value__"):  # NewType, and a type statement
        if hasattr(annotation, behind):
            return accepts(getattr(annotation, behind), given)
    if given == LIST_OF_STR and isinstance(origin, type):
        return _is_kind_of(list, origin) and all(accepts(a, str) for a in arguments)
    if isinstance(origin or annotation, type):
        plain = typing.get_origin(given) or given
        wider = annotation in (float, complex) and plain in (int, float)
        return wider or _is_kind_of(plain, origin or annotation)
    return True  # a type variable, what only a type checker understands


def _is_kind_of(given: type, annotation: type) -> bool:
    try:
        return issubclass(given, annotation)
    except TypeError:  # a protocol that cannot be asked
        return True
