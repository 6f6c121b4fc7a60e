"""Compare the annotations of a handler with the values from the path, once, at start-up.

The folder decides which type a value has: ``[id]`` passes a ``str``, ``[id=int]`` an ``int``. An
annotation that no such value satisfies is a mistake that a test with a real request would find
late, and a type checker never. What cannot be read or judged is accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

from ..contracts.signature import members_of, read_annotation, spell, split_annotated, unalias
from ..routing.converters import LIST_OF_STR
from .model import BindingError


class PathParameter(NamedTuple):
    """A parameter of a path.

    :param folder: the folder that it is in, or the URL prefix or subdomain.
    :param type: the type of its values, or ``None`` for a converter that does not declare one.
    """

    folder: str
    type: object | None


def check_types(
    name: str, function: Callable[..., Any], parameters: Mapping[str, PathParameter]
) -> None:
    """Refuse an annotation that no value from the path can satisfy.

    :param name: the function's name in its file.
    :param function: a handler without decorators: a decorator may convert.
    :raises BindingError: for the first such annotation. The hint is the folder for the type, if
        possible.
    """
    for parameter, (folder, kind) in parameters.items():
        annotation, _ = split_annotated(read_annotation(function, parameter))
        if kind is None or accepts(annotation, kind):
            continue
        wanted, actual = spell(annotation), spell(kind)
        hint = f"Write {parameter}: {actual}."
        if kind is str and wanted in ("int", "float", "UUID"):
            converted = folder.replace(f"[{parameter}]", f"[{parameter}={wanted.lower()}]")
            if converted != folder:
                hint = f"Rename the folder to {converted}, or write {parameter}: str."
        place = "the folder"
        if "<" in folder:
            place = "the url_prefix" if folder.startswith("/") else "the subdomain"
        article = "an" if actual[0] in "aeiou" else "a"
        raise BindingError(
            f"{name} annotates {parameter} as {wanted}, but {place} {folder} passes {article} "
            f"{actual}.",
            hint,
        )


def accepts(annotation: Any, kind: Any) -> bool:
    """Return whether a value of a type satisfies an annotation.

    :param annotation: anything that can follow the colon of an argument.
    :param kind: ``str``, ``int``, ``float``, ``UUID`` or :data:`LIST_OF_STR`.
    """
    members = members_of(annotation)
    if members != (annotation,):
        return any(accepts(member, kind) for member in members)
    plain, passed = unalias(annotation), get_origin(kind) or kind
    origin, arguments = get_origin(plain), get_args(plain)
    if plain is Any:  # a class since Python 3.11
        return True
    if origin is Literal:
        return any(isinstance(value, passed) for value in arguments)
    if kind == LIST_OF_STR and isinstance(origin, type):
        return _is_subclass(list, origin) and all(accepts(a, str) for a in arguments)
    if isinstance(origin or plain, type):
        is_widened = plain in (float, complex) and passed in (int, float)
        return is_widened or _is_subclass(passed, origin or plain)
    return True  # a type variable, or what only a type checker understands


def _is_subclass(kind: type, annotation: type) -> bool:
    """Return whether a class is one that an annotation names, as far as that can be asked."""
    try:
        return issubclass(kind, annotation)
    except TypeError:  # a protocol that cannot be checked
        return True
