"""Instances of classes with named fields, whichever library they belong to.

A class is recognized by an attribute that its library gives it: neither has to be imported, or
installed, to look.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping
from typing import Any


def take_apart(value: Any) -> Any:
    """Return a value with dicts in place of instances and mappings, at every depth.

    ``[Item(name="a")]`` is ``[{"name": "a"}]``. It is for values that a library does not look
    into: pydantic takes an instance of a model as valid, and msgspec knows no classes of others.
    """
    kind = type(value)
    if getattr(kind, "__pydantic_root_model__", False):
        return take_apart(value.root)
    fields = _fields_of(value)
    if fields is not None:
        return {name: take_apart(field) for name, field in fields.items()}
    if kind in (list, tuple, set, frozenset, collections.deque):
        return list(map(take_apart, value))
    return value


def _fields_of(value: Any) -> dict[Any, Any] | None:
    """Return the fields of an instance or a mapping, else ``None``."""
    kind = type(value)
    if isinstance(value, Mapping) or hasattr(kind, "model_fields"):
        return dict(value)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.init]
    elif hasattr(kind, "__struct_fields__"):
        names = list(kind.__struct_fields__)
    elif hasattr(kind, "__attrs_attrs__"):
        names = [attribute.name for attribute in kind.__attrs_attrs__]
    else:
        return None
    # One that was made without its __init__ may lack some.
    return {name: getattr(value, name) for name in names if hasattr(value, name)}


def encode_whole(value: Any) -> bytes | None:
    """Return an instance of a library's class as JSON with all of its fields.

    :returns: ``None`` for anything else.
    """
    kind = type(value)
    if hasattr(kind, "__struct_fields__") or hasattr(kind, "__attrs_attrs__"):
        try:
            import msgspec
        except ImportError:  # an attrs class: Flask explains what a view can return
            return None
        return msgspec.json.encode(value)
    if hasattr(kind, "__pydantic_serializer__"):
        from pydantic_core import to_json

        return to_json(value, by_alias=True)
    return None
