"""JSON Schemas of all types of a document, and the names of their components."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from ..contracts.libraries import Library, RefusedTypeError, choose_library

Mode = Literal["validation", "serialization"]
Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/"


class Schemas:
    """The schemas of types, made all at once, so that types of one name are told apart.

    :param types: the types, each with its mode: input or output.
    """

    def __init__(self, types: Iterable[tuple[Any, Mode]]) -> None:
        self.components: dict[str, Schema] = {}
        self._schemas: dict[tuple[int, Mode], Schema] = {}
        # A type is known by its identity, so it has to live as long as this object.
        self._types = list(types)
        by_library: dict[int, tuple[Library, list[tuple[Any, Mode]]]] = {}
        for annotation, mode in self._types:
            try:
                library = choose_library(annotation)
            except RefusedTypeError:
                continue
            by_library.setdefault(id(library), (library, []))[1].append((annotation, mode))
        definitions: dict[str, Schema] = {}
        for library, group in by_library.values():
            self._add(library, group, definitions)
        names = shorten(definitions)
        self.components = {names[key]: schema for key, schema in definitions.items()}
        for schema in (*self.components.values(), *self._schemas.values()):
            _rename(schema, names)

    def _add(
        self, library: Library, group: list[tuple[Any, Mode]], definitions: dict[str, Schema]
    ) -> None:
        try:
            schemas, found = library.make_schemas(group)
        except Exception:
            group = [each for each in group if _has_schema(library, each)]
            schemas, found = library.make_schemas(group)
        renamed = {key: _unused(key, definitions) for key in found}
        for key, schema in found.items():
            definitions[renamed[key]] = schema
        for schema in (*schemas, *found.values()):
            _rename(schema, renamed, "#/$defs/", "#/$defs/")
        for (annotation, mode), schema in zip(group, schemas, strict=True):
            self._schemas[id(annotation), mode] = schema

    def of(self, annotation: Any, mode: Mode) -> Schema:
        """Return the schema of a type, empty if it has none."""
        return self._schemas.get((id(annotation), mode), {})

    def resolve(self, schema: Schema) -> Schema:
        """Return the component that a schema refers to, or the schema itself."""
        reference = schema.get("$ref")
        if reference is None:
            return schema
        return self.resolve(self.components[reference.removeprefix(_REFERENCE)])


def _has_schema(library: Library, each: tuple[Any, Mode]) -> bool:
    """Return whether a type has a JSON Schema: a type of the user's own may have none."""
    try:
        library.make_schemas([each])
    except Exception:
        return False
    return True


def _unused(key: str, taken: Mapping[str, Schema]) -> str:
    """Return a key that no other library has taken."""
    while key in taken:
        key += "_"
    return key


def shorten(keys: Iterable[str]) -> dict[str, str]:
    """Return a short name for each key: the last parts that tell it from the others.

    ``app__articles__Author`` and ``app__users__Author`` are ``articles.Author`` and
    ``users.Author``.
    """
    parts = {key: _split(key) for key in keys}
    taken = Counter(
        ".".join(own[-count:]) for own in parts.values() for count in range(1, len(own) + 1)
    )
    names: dict[str, str] = {}
    for key, own in parts.items():
        candidates = [".".join(own[-count:]) for count in range(1, len(own) + 1)]
        names[key] = next((name for name in candidates if taken[name] == 1), candidates[-1])
    return names


def _split(key: str) -> list[str]:
    """Return the packages of a type without those of the tree, then its name."""
    parts = re.split("__+", key.strip("_"))
    # Of a generic type, the parts after the first are its arguments.
    first = next((n for n, part in enumerate(parts) if part[:1].isupper()), len(parts) - 1)
    modules = [part.strip("_") for part in parts[:first] if part != "route"]
    return [*modules, "_".join(parts[first:])]


def _rename(
    node: Any,
    names: Mapping[str, str],
    before: str = "#/$defs/",
    after: str = _REFERENCE,
) -> None:
    """Rename the references in a schema, in place."""
    if isinstance(node, list):
        for item in node:
            _rename(item, names, before, after)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and value.startswith(before):
                name = value.removeprefix(before)
                node[key] = after + names.get(name, name)
            else:
                _rename(value, names, before, after)


def without_null(schema: Schema) -> Schema:
    """Return a schema without ``null``, which a query or a header cannot send."""
    members = schema.get("anyOf")
    if members is None:
        return schema
    others = [member for member in members if member != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(others) == 1:
        return {**others[0], **rest}
    return {"anyOf": others, **rest}
