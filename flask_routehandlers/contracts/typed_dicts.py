"""TypedDicts for pydantic on Python 3.11, which accepts only those of ``typing_extensions``.

Remove this module together with the support for Python 3.11.
"""

from __future__ import annotations

import sys
import types
import typing
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from typing_extensions import TypedDict

from .signature import is_typed_dict

#: For type checkers, which accept literals only.
make_typed_dict: Any = TypedDict

_rebuilt: dict[Any, Any] = {}


def rebuild(annotation: Any) -> Any:
    """Return a type in which every TypedDict is one that pydantic accepts.

    ``list[Item] | None`` keeps its form around another class ``Item``. On Python 3.12 and newer,
    and without a TypedDict of ``typing``, it is the same type.
    """
    if sys.version_info >= (3, 12):
        return annotation
    if is_typed_dict(annotation) and type(annotation).__module__ == "typing":
        return _rebuild_class(annotation)
    origin = get_origin(annotation)
    if origin is None or origin is Literal:
        return annotation
    arguments = get_args(annotation)
    if origin is Annotated:
        inner, *metadata = arguments
        return Annotated[(rebuild(inner), *metadata)]
    rebuilt = tuple(map(rebuild, arguments))
    if rebuilt == arguments:
        return annotation
    if origin is Union or origin is types.UnionType:
        return Union[rebuilt]  # noqa: UP007
    if len(rebuilt) == 1:
        return origin[rebuilt[0]]
    return origin[rebuilt]


def _rebuild_class(kind: Any) -> Any:
    """Return a TypedDict of ``typing_extensions`` with the same name, fields and configuration."""
    if kind not in _rebuilt:
        _rebuilt[kind] = kind  # one that refers to itself is left as it is, and refused
        hints = typing.get_type_hints(kind, include_extras=True)
        fields: dict[str, Any] = {}
        for name, hint in hints.items():
            if get_origin(hint) in (typing.Required, typing.NotRequired):
                hint = get_args(hint)[0]
            wrapper = typing.NotRequired if name in kind.__optional_keys__ else typing.Required
            fields[name] = wrapper[rebuild(hint)]
        rebuilt = make_typed_dict(kind.__name__, fields)
        for attribute in ("__module__", "__qualname__", "__doc__"):
            setattr(rebuilt, attribute, getattr(kind, attribute))
        config = getattr(kind, "__pydantic_config__", None)
        if config is not None:
            rebuilt.__pydantic_config__ = config
        _rebuilt[kind] = rebuilt
    return _rebuilt[kind]
