"""Read the keys of a structured type from its JSON Schema, which follows every alias."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

JsonSchema = dict[str, Any]

_UNIONS = ("anyOf", "oneOf", "allOf")


class Field(NamedTuple):
    """A field of an object.

    :param key: its key.
    :param is_list: whether its values are lists.
    :param is_object: whether its values are objects only.
    :param accepts_empty: whether an empty string is a value of it.
    :param constants: its values, where it lists them.
    """

    key: str
    is_list: bool
    is_object: bool
    accepts_empty: bool
    constants: list[Any]


def read_fields(schema: JsonSchema, definitions: JsonSchema) -> tuple[list[Field], bool]:
    """Return the fields of an object, and whether its type cares for other keys.

    It does if it refuses or collects them; otherwise they are ignored.

    :param schema: the schema of one type, or of a union of types.
    :param definitions: what its references lead to.
    """
    properties: JsonSchema = {}
    cares = False
    for variant in _variants(schema, definitions):
        properties |= variant.get("properties", {})
        cares = cares or "additionalProperties" in variant
    fields = []
    for key, value in properties.items():
        variants = _variants(value, definitions)
        types = set().union(*map(_types_of, variants))
        fields.append(
            Field(
                key,
                "array" in types,
                types - {"null"} == {"object"},
                any(_accepts_empty(variant, types) for variant in variants),
                list(_constants_of(variants, definitions)),
            )
        )
    return fields, cares


def _variants(schema: JsonSchema, definitions: JsonSchema) -> list[JsonSchema]:
    """Return the schemas that a schema is a union of, without references."""
    if "$ref" in schema:
        return _variants(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    variants = []
    for union in _UNIONS:
        for member in schema.get(union, ()):
            variants += _variants(member, definitions)
    return variants or [schema]


def _constants_of(variants: list[JsonSchema], definitions: JsonSchema) -> Iterator[Any]:
    """Return the values of enumerations and constants, in lists too."""
    for variant in variants:
        if "items" in variant:
            yield from _constants_of(_variants(variant["items"], definitions), definitions)
        yield from variant.get("enum", ())
        if "const" in variant:
            yield variant["const"]


def _types_of(schema: JsonSchema) -> set[str]:
    """Return the JSON types of a value; an empty string stands for any."""
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return set(kind)
    return {kind}


def _accepts_empty(schema: JsonSchema, types: set[str]) -> bool:
    """Return whether an empty string is a value of a field.

    :param schema: one of the schemas that its schema is a union of.
    :param types: the JSON types of all of these.
    """
    if "enum" in schema:
        return "" in schema["enum"]
    if "const" in schema:
        return bool(schema["const"] == "")
    kinds = _types_of(schema)
    if "string" not in kinds:
        return "" in kinds
    # A decimal number is a number or a string; a date and the like has a format.
    is_other = "number" in types or not {"format", "contentEncoding"}.isdisjoint(schema)
    return not (is_other or "contentMediaType" in schema)
