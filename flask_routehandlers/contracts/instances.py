"""Instances of classes with named fields, whichever library they belong to."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def fields_of(value: Any) -> dict[str, Any] | None:
    """Return the fields of a model, dataclass, Struct or attrs instance, else ``None``."""
    kind = type(value)
    if hasattr(kind, "model_fields"):
        return dict(value)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif hasattr(kind, "__struct_fields__"):
        names = list(kind.__struct_fields__)
    elif hasattr(kind, "__attrs_attrs__"):
        names = [attribute.name for attribute in kind.__attrs_attrs__]
    else:
        return None
    return {name: getattr(value, name) for name in names}


def take_apart(value: Any) -> Any:
    """Return a value with dicts in place of instances, at every depth."""
    if getattr(type(value), "__pydantic_root_model__", False):
        return take_apart(value.root)
    fields = fields_of(value)
    if fields is None and isinstance(value, Mapping):
        fields = dict(value)
    if fields is not None:
        return {name: take_apart(field) for name, field in fields.items()}
    if type(value) in (list, tuple):
        return type(value)(map(take_apart, value))
    return value


def encode_whole(value: Any) -> bytes | None:
    """Return an instance of a library, or a list of them, as JSON with all of its fields.

    :returns: ``None`` for anything else.
    """
    first = value
    if type(value) is list and value:
        first = value[0]
    kind = type(first)
    if hasattr(kind, "__struct_fields__") or hasattr(kind, "__attrs_attrs__"):
        import msgspec

        return msgspec.json.encode(value)
    if hasattr(kind, "__pydantic_serializer__"):
        from pydantic_core import to_json

        return to_json(value, by_alias=True)
    return None
