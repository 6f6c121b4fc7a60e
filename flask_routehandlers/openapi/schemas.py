"""JSON Schemas of all types of a document, and the names of their components.

The library of each type makes its schema (see ``contracts.libraries``), for all types of a library
in one call: it then knows which classes have one name, and gives them different keys. Here these
keys become short names, references become those of OpenAPI, and types that no library has a schema
for get the empty one, which accepts any value.

A type can have two schemas: ``validation`` is the one for requests, where a field with a default
may be absent, and ``serialization`` the one for responses. msgspec has one for both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from ..contracts.libraries import Library, RefusedTypeError, choose_library
from .problems import PROBLEM, describe_invalid

Mode = Literal["validation", "serialization"]
Schema = dict[str, Any]

#: The beginning of references, as libraries make them and in the document.
_DEFINITION = "#/$defs/"
REFERENCE = "#/components/schemas/"

#: The schemas of some types, and the definitions that they refer to.
_Batch = tuple[Sequence[tuple[Any, Mode]], Sequence[Schema], dict[str, Schema]]


class Schemas:
    """The schemas of types, made all at once, so that types of one name are distinct.

    :param types: the types, each with its mode: input or output.
    """

    def __init__(self, types: Iterable[tuple[Any, Mode]]) -> None:
        # A type is known by its identity, so it has to live as long as this object.
        self._types: dict[tuple[int, Mode], Any] = {
            (id(annotation), mode): annotation for annotation, mode in types
        }
        self._schemas: dict[tuple[int, Mode], Schema] = {}
        definitions: dict[str, Schema] = {}
        for group, schemas, batch_definitions in self._make_batches():
            _add(definitions, schemas, batch_definitions)
            for (annotation, mode), schema in zip(group, schemas, strict=True):
                self._schemas[id(annotation), mode] = schema
        names = shorten(definitions)
        for schema in (*definitions.values(), *self._schemas.values()):
            _rename(schema, names, REFERENCE)
        #: The components by name.
        self.components = {names[key]: schema for key, schema in definitions.items()}
        #: References to the schemas of errors.
        self.problem = self._add("Problem", PROBLEM)
        self.invalid = self._add("InvalidRequest", describe_invalid(self.problem))

    def _make_batches(self) -> Iterator[_Batch]:
        """Return the schemas of the types that belong to a library, for each library."""
        groups: dict[Library, list[tuple[Any, Mode]]] = {}
        for (_, mode), annotation in self._types.items():
            try:
                library = choose_library(annotation)
            except RefusedTypeError:
                continue
            groups.setdefault(library, []).append((annotation, mode))
        for library, group in groups.items():
            yield from _make_batches(library, group)

    def of(self, annotation: Any, mode: Mode) -> Schema:
        """Return the schema of a type, empty if it has none.

        It is a copy: a parameter moves its description out of its schema.

        :param annotation: one of the types that this object was made of, the same object.
        """
        return dict(self._schemas.get((id(annotation), mode), {}))

    def _add(self, name: str, schema: Schema) -> Schema:
        """Add a component, with another name if a type has its name.

        :returns: a reference to it.
        """
        while name in self.components:
            name += "Details"
        self.components[name] = schema
        return {"$ref": REFERENCE + name}

    def resolve(self, schema: Schema) -> Schema:
        """Return the component that a schema refers to, or the schema itself."""
        reference = schema.get("$ref")
        if reference is None:
            return schema
        return self.resolve(self.components[reference.removeprefix(REFERENCE)])


def _make_batches(library: Library, group: Sequence[tuple[Any, Mode]]) -> Iterator[_Batch]:
    """Make the schemas of types of one library: together, without those that have none.

    msgspec cannot name some generic classes of one name: then each type is a batch.

    :param group: the types, each with its mode.
    """
    batch = _make_batch(library, group)
    if batch is None:
        group = [each for each in group if _make_batch(library, [each])]
        batch = _make_batch(library, group)
    if batch is not None:
        yield batch
        return
    for each in group:
        batch = _make_batch(library, [each])
        assert batch is not None
        yield batch


def _make_batch(library: Library, group: Sequence[tuple[Any, Mode]]) -> _Batch | None:
    """Return the schemas of types, or ``None`` if the library cannot make that of each.

    A type of a user can raise anything here, since its own methods take part in it.
    """
    try:
        schemas, definitions = library.make_schemas(group)
    except Exception:
        return None
    return group, schemas, definitions


def _add(
    definitions: dict[str, Schema], schemas: Iterable[Schema], others: Mapping[str, Schema]
) -> None:
    """Add the definitions of a batch, with other keys if one of them is another type's.

    :param definitions: those of earlier batches, which are changed in place.
    :param schemas: the schemas of the batch, whose references are changed in place.
    :param others: the definitions of the batch.
    """
    renamed = {key: key for key in others}
    while any(definitions.get(renamed[key], others[key]) != others[key] for key in others):
        renamed = {key: f"{new}_" for key, new in renamed.items()}
    for schema in (*schemas, *others.values()):
        _rename(schema, renamed, _DEFINITION)
    definitions |= {renamed[key]: schema for key, schema in others.items()}


def shorten(keys: Iterable[str]) -> dict[str, str]:
    """Return a short name for each key: the last parts that distinguish it from the others.

    ``app--api--articles--route--Author`` and ``app--api--users--route--Author`` are
    ``articles.Author`` and ``users.Author``. Names end up in generated clients, so they say
    nothing of a module that is not needed.
    """
    candidates = {key: _find_candidates(key) for key in keys}
    counts = Counter(name for names in candidates.values() for name in names)
    chosen: dict[str, str] = {}  # the key of each name
    for key, names in candidates.items():
        unique = [name for name in names if counts[name] == 1]
        name = [*unique, names[-1]][0]
        while name in chosen:
            name += "_"
        chosen[name] = key
    return {key: name for name, key in chosen.items()}


def _find_candidates(key: str) -> list[str]:
    """Return the names of a type from the shortest: without packages, with the last of them.

    ``app--api--users--route--Author`` gives ``Author``, ``users.Author``, ``api.users.Author``...;
    ``route`` is left out, since every route file has that name.
    """
    # Of msgspec, a key has dots between its parts; of pydantic it is made in contracts.
    *packages, name = (re.sub("_{2,}", "_", part) for part in re.split(r"--|\.", key))
    # The arguments of a generic class had brackets around them.
    names = [re.sub(r"_(?=-|$)", "", name).lstrip("_")]
    for package in reversed(packages):
        if package != "route":
            names.append(f"{package.strip('_')}.{names[-1]}")
    return names


def _rename(node: Any, names: Mapping[str, str], prefix: str) -> None:
    """Rename the references in a schema, in place.

    :param names: the new names by the old ones.
    :param prefix: what comes before a name, ``#/components/schemas/``.
    """
    if isinstance(node, list):
        for item in node:
            _rename(item, names, prefix)
    elif isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, str) and value.startswith(_DEFINITION):
                node[key] = prefix + names[value.removeprefix(_DEFINITION)]
            else:
                _rename(value, names, prefix)


def without_null(schema: Schema) -> Schema:
    """Return a copy of a schema without ``null``, which a query or a header cannot send."""
    plain = dict(schema)
    if "default" in plain and plain["default"] is None:
        del plain["default"]
    if None in plain.get("enum", ()):
        plain["enum"] = [value for value in plain["enum"] if value is not None]
    if "anyOf" in plain:
        members = [member for member in plain.pop("anyOf") if member != {"type": "null"}]
        if len(members) == 1:
            return {**members[0], **plain}
        plain["anyOf"] = members
    return plain


def find_references(document: Any, part: Any) -> set[str]:
    """Return the references in a part of a document, and in the components that they lead to."""
    found: set[str] = set()
    pending = [part]
    while pending:
        node = pending.pop()
        if isinstance(node, Mapping):
            pending += node.values()
        elif isinstance(node, list):
            pending += node
        elif isinstance(node, str) and node.startswith("#/components/") and node not in found:
            found.add(node)
            pending.append(_look_up(document, node))
    return found


def resolve(document: Any, node: Any) -> Any:
    """Return a part of a document, with what it refers to in place of a reference.

    Fields next to ``$ref`` are added to what it leads to. A component that does not exist is an
    empty dict.
    """
    if not isinstance(node, Mapping) or "$ref" not in node:
        return node
    others = {key: value for key, value in node.items() if key != "$ref"}
    return {**resolve(document, _look_up(document, node["$ref"])), **others}


def _look_up(document: Any, reference: str) -> Any:
    """Return what a reference leads to: a JSON Pointer (RFC 6901), with ``~1`` for a slash."""
    target = document
    for key in reference.removeprefix("#/").split("/"):
        target = target.get(key.replace("~1", "/").replace("~0", "~"), {})
    return target
