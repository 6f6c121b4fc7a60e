"""Compare two OpenAPI documents, and find which differences break clients.

This is for ``flask route-handlers openapi --check``: the earlier document is in a file, which
anyone may have edited, and need not have been made by this package. Both are read as JSON.

The rule for "breaking" is one question: can a program that was made for the earlier document fail?
It sends parameters and bodies and reads responses, so that a new required field breaks it in a
body, and a removed one in a response. A schema in ``components`` can be in both, and is then
judged by both uses.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from .operations import METHODS
from .schema_differences import Change, SchemaComparison, find_changed
from .schemas import REFERENCE, find_references, resolve

Part = Mapping[str, Any]

#: Who uses a schema, seen from the client.
Role = Literal["sends", "reads"]

_ROLES: tuple[Role, ...] = ("sends", "reads")

#: The name of a response that clients do not depend on: an error.
_ERROR = re.compile(r"response (?![23])\w+")


class Difference(NamedTuple):
    """A difference between two documents.

    As a string it is a line of output: ``breaking: GET /api/articles: query parameter limit
    removed``.

    :param place: the operation, ``GET /api/articles``, or another part of the document.
    :param change: what has changed.
    :param is_breaking: whether programs that were made for the earlier document can fail.
    """

    place: str
    change: str
    is_breaking: bool

    def __str__(self) -> str:
        kind = "breaking" if self.is_breaking else "compatible"
        return f"{kind}: {self.place}: {self.change}"


def find_differences(before: Part, after: Part) -> Iterator[Difference]:
    """Find the differences between two documents. Their ``servers`` may differ.

    :param before: the earlier document, an OpenAPI Object.
    :param after: the later document.
    """
    skipped = {"components", "paths", "security", "servers"}
    yield from _compare_fields("document", "", before, after, skipped)
    comparison = _Comparison(before, after)
    yield from comparison.compare_operations()
    yield from comparison.compare_components()


class _Comparison:
    """Compares the operations and the components of two documents.

    A schema that both documents have is compared once, not in each operation that refers to it.
    """

    def __init__(self, before: Part, after: Part) -> None:
        self._documents = before, after
        self._operations = _operations_of(before), _operations_of(after)

    def compare_operations(self) -> Iterator[Difference]:
        """Compare the operations of both documents.

        The name of an operation is the name of a function in generated clients, so a change breaks
        them.
        """
        for place, before, after in _pair(*self._operations):
            if before is None or after is None:
                yield Difference(place, "removed" if after is None else "added", after is None)
                continue
            old, new = before.get("operationId"), after.get("operationId")
            if old != new:
                yield Difference(place, f"operationId changed from {old} to {new}", True)
            for role in _ROLES:
                yield from self._compare_parts(place, before[role], after[role], role)
            if before["security"] != after["security"]:
                is_breaking = not _fulfils(before["security"], after["security"])
                yield Difference(place, "security changed", is_breaking)
            skipped = {"operationId", "security", *_ROLES}
            yield from _compare_fields(place, "", before, after, skipped)

    def _compare_parts(
        self, place: str, before: Part, after: Part, role: Role
    ) -> Iterator[Difference]:
        """Compare parameters, bodies, responses, media types or headers by their names."""
        for name, old, new in _pair(before, after):
            old, new = resolve(self._documents[0], old), resolve(self._documents[1], new)
            if new is None:
                yield Difference(place, f"{name} removed", not _ERROR.fullmatch(name))
            elif old is None:
                is_required = role == "sends" and new.get("required", False)
                word = "added, and required" if is_required else "added"
                yield Difference(place, f"{name} {word}", is_required)
            else:
                yield from self._compare_part(place, name, old, new, role)

    def _compare_part(
        self, place: str, name: str, before: Part, after: Part, role: Role
    ) -> Iterator[Difference]:
        """Compare two Parameter, Request Body, Response, Media Type or Header Objects.

        A header that is not always sent now breaks who reads it, a parameter that is required now
        who sends it.
        """
        is_required = after.get("required", False)
        if before.get("required", False) != is_required:
            word = "required" if is_required else "optional"
            if role == "reads":
                word = "always sent" if is_required else "not always sent"
            yield Difference(place, f"{name} is {word} now", is_required == (role == "sends"))
        for change in self._compare_schemas(before.get("schema", {}), after.get("schema", {})):
            part = name
            if change.place:
                part = f"{name} at {change.place}"
            yield Difference(place, f"{part}: {change.what}", _breaks(change, [role]))
        parts = _parts_of(name, before), _parts_of(name, after)
        yield from self._compare_parts(place, *parts, role)
        skipped = {"content", "headers", "required", "schema"}
        yield from _compare_fields(place, name, before, after, skipped)

    def compare_components(self) -> Iterator[Difference]:
        """Compare the components, whose names are names in generated clients too.

        A schema without a use in both documents is judged as if it was sent and read.
        """
        uses = {role: self._find_uses(role) for role in _ROLES}
        kinds = [document.get("components", {}) for document in self._documents]
        for kind in sorted(kinds[0].keys() | kinds[1].keys()):
            for name, old, new in _pair(kinds[0].get(kind, {}), kinds[1].get(kind, {})):
                place = f"{kind.removesuffix('s')} {name}"
                if old is None or new is None:
                    yield Difference(place, "removed" if new is None else "added", new is None)
                elif kind == "schemas":
                    roles: list[Role] = [role for role in _ROLES if REFERENCE + name in uses[role]]
                    for change in self._compare_schemas(old, new):
                        where, is_breaking = place + change.place, _breaks(change, roles or _ROLES)
                        yield Difference(where, change.what, is_breaking)
                else:
                    yield from _compare_fields(place, "", old, new, set())

    def _compare_schemas(self, before: Any, after: Any) -> Iterable[Change]:
        """Return the changes of a schema, each once."""
        return dict.fromkeys(SchemaComparison(*self._documents).compare(before, after))

    def _find_uses(self, role: Role) -> set[str]:
        """Return the references that the operations of both documents have in a role."""
        uses = []
        for document, operations in zip(self._documents, self._operations, strict=True):
            parts = [operation[role] for operation in operations.values()]
            uses.append(find_references(document, parts))
        return uses[0] & uses[1]


def _pair(before: Part, after: Part) -> Iterator[tuple[str, Any, Any]]:
    """Return each key of two mappings with both of its values, ``None`` for one that is absent."""
    for key in sorted(before.keys() | after.keys()):
        yield key, before.get(key), after.get(key)


def _parts_of(name: str, part: Part) -> dict[str, Any]:
    """Return the media types and headers of a part, by their names in the output."""
    parts = {f"{name}, {media_type}": each for media_type, each in part.get("content", {}).items()}
    for header, each in part.get("headers", {}).items():
        parts[f"{name}, header {header}"] = each
    return parts


def _breaks(change: Change, roles: Collection[Role]) -> bool:
    """Return whether a change of a schema breaks one of those who use it."""
    return (change.breaks_senders and "sends" in roles) or (
        change.breaks_readers and "reads" in roles
    )


def _operations_of(document: Part) -> dict[str, dict[str, Any]]:
    """Return the operations of a document, each with what it has from its path.

    The result is by method and path, ``GET /api/articles``. Instead of parameters, body and
    responses an operation has two dicts of these by their names in the output: ``sends`` for
    ``query parameter limit`` and ``request body``, ``reads`` for ``response 200``. Parameters of
    the operation replace those of its path (OpenAPI 3.1, Operation Object). Other fields of the
    path get names such as ``path summary``.
    """
    operations: dict[str, dict[str, Any]] = {}
    for path, item in document.get("paths", {}).items():
        for method in item.keys() & set(METHODS):
            operation = {"security": document.get("security", []), **item[method]}
            sends = {}
            for each in (*item.get("parameters", ()), *operation.pop("parameters", ())):
                parameter = resolve(document, each)
                sends[f"{parameter['in']} parameter {parameter['name']}"] = parameter
            if "requestBody" in operation:
                sends["request body"] = operation.pop("requestBody")
            responses = operation.pop("responses", {}).items()
            operation["sends"] = sends
            operation["reads"] = {f"response {status}": each for status, each in responses}
            for name in item.keys() - {*METHODS, "parameters"}:
                operation[f"path {name}"] = item[name]
            operations[f"{method.upper()} {path}"] = operation
    return operations


def _compare_fields(
    place: str, name: str, before: Part, after: Part, skipped: set[str]
) -> Iterator[Difference]:
    """Compare the fields that are not compared in their own way.

    :param skipped: the fields that are.
    """
    for field, is_breaking in find_changed(before, after, skipped):
        part = field
        if name:
            part = f"{name}: {field}"
        yield Difference(place, f"{part} changed", is_breaking)


def _fulfils(before: list[Part], after: list[Part]) -> bool:
    """Return whether every client of some alternatives fulfils one of others.

    An empty list is the same as an alternative that requires nothing. ``[{"key": []}]`` to
    ``[{"key": []}, {"bearer": []}]`` is fulfilled, the reverse is not. Scopes are not compared.
    """
    for sent in before or [{}]:
        if not any(set(required) <= set(sent) for required in after or [{}]):
            return False
    return True
