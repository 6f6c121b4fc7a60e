"""JSON Schemas of all types of a document and of errors, and the names of their components.

The library of each type makes its schema (see ``contracts.libraries``), for all types of a library
in one call: it then knows which classes have one name, and gives them different keys. Here these
keys become short names, references become those of OpenAPI, and types that no library has a schema
for get the empty one, which accepts any value.

A type can have two schemas: ``validation`` is the one for requests, where a field with a default
may be absent, and ``serialization`` the one for responses. msgspec has one for both.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple, get_args

from ..contracts.libraries import Library, RefusedTypeError, choose_library
from ..contracts.markers import Place

Mode = Literal["validation", "serialization"]
Schema = dict[str, Any]

#: The beginning of references, as libraries make them and in the document.
_DEFINITION = "#/$defs/"
REFERENCE = "#/components/schemas/"

_URI = {"type": "string", "format": "uri-reference"}
_STRING = {"type": "string"}

#: The schema of problem details (RFC 9457, section 3.1), as ``problem_details`` sends them. An app
#: adds members to the object, so other keys are allowed.
_PROBLEM: Schema = {
    "title": "Problem",
    "description": "An error (RFC 9457).",
    "type": "object",
    "properties": {
        "type": _URI,
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": _STRING,
        "instance": _URI,
    },
    "required": ["type", "title", "status"],
}


class _Batch(NamedTuple):
    """Some types with their schemas, and the definitions that these refer to."""

    types: Sequence[tuple[Any, Mode]]
    schemas: Sequence[Schema]
    definitions: Mapping[str, Schema]


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
        groups: dict[Library, list[tuple[Any, Mode]]] = defaultdict(list)
        for (_, mode), annotation in self._types.items():
            with suppress(RefusedTypeError):
                groups[choose_library(annotation)].append((annotation, mode))
        definitions: dict[str, Schema] = {}
        for batch in (batch for each in groups.items() for batch in _make_batches(*each)):
            _add_batch(definitions, batch)
            for (annotation, mode), schema in zip(batch.types, batch.schemas, strict=True):
                self._schemas[id(annotation), mode] = schema
        names = shorten(definitions)
        _rename([*definitions.values(), *self._schemas.values()], names, REFERENCE)
        #: The components by name.
        self.components = {names[key]: schema for key, schema in definitions.items()}
        #: References to the schemas of errors.
        self.problem = self._add("Problem", _PROBLEM)
        self.invalid = self._add("InvalidRequest", _describe_invalid(self.problem))

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

    def resolve(self, schema: Schema) -> Any:
        """Return the component that a schema refers to, or the schema itself."""
        return resolve({"components": {"schemas": self.components}}, schema)


def _make_batches(library: Library, group: Sequence[tuple[Any, Mode]]) -> list[_Batch]:
    """Make the schemas of types of one library: together, without those that have none.

    msgspec cannot name some generic classes of one name: then each type is a batch.
    """
    together = _make_batch(library, group)
    if together is not None:
        return [together]
    single = [_make_batch(library, [each]) for each in group]
    batches = [batch for batch in single if batch is not None]
    together = _make_batch(library, [batch.types[0] for batch in batches])
    return batches if together is None else [together]


def _make_batch(library: Library, group: Sequence[tuple[Any, Mode]]) -> _Batch | None:
    """Return the schemas of types, or ``None`` if the library cannot make that of each.

    A type of a user can raise anything here, since its own methods take part in it.
    """
    try:
        return _Batch(group, *library.make_schemas(group))
    except Exception:
        return None


def _add_batch(definitions: dict[str, Schema], batch: _Batch) -> None:
    """Add the definitions of a batch, with other keys if one of them is another type's.

    :param definitions: those of earlier batches, which are changed in place, as are the references
        of the batch.
    """
    others = batch.definitions
    renamed = {key: key for key in others}
    while any(definitions.get(renamed[key], others[key]) != others[key] for key in others):
        renamed = {key: f"{new}_" for key, new in renamed.items()}
    _rename([*batch.schemas, *others.values()], renamed, _DEFINITION)
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
    """Rename the references in schemas, in place.

    :param prefix: what comes before the new names, ``#/components/schemas/``.
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


def _describe_invalid(problem: Schema) -> Schema:
    """Return the schema of the error for values that are not valid.

    One item of ``errors`` is, for example, ``{"in": "query", "pointer": "#/limit", "detail":
    "...", "code": "..."}``.

    :param problem: a reference to the schema of any error.
    """
    properties = {
        "in": {"type": "string", "enum": list(get_args(Place))},
        "pointer": _URI,
        "detail": _STRING,
        "code": _STRING,
    }
    item = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "title": "InvalidRequest",
        "description": "An error for values in a request that are missing or not valid.",
        "allOf": [problem],
        "type": "object",
        "properties": {"errors": {"type": "array", "items": item}},
        "required": ["errors"],
    }


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
