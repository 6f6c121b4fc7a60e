"""Compare two OpenAPI documents, and tell which differences break clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .schema_differences import SchemaComparison

Part = Mapping[str, Any]

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")

#: What people read and programs do not.
_TEXTS = ("summary", "description", "tags", "externalDocs", "deprecated")


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between two documents.

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
    """Find the differences between two documents. Their ``servers`` may differ."""
    for name in ("openapi", "info", "tags", "externalDocs"):
        if before.get(name) != after.get(name):
            yield Difference("document", f"{name} changed", False)
    operations = _operations_of(before), _operations_of(after)
    for place in sorted(operations[0].keys() | operations[1].keys()):
        if place not in operations[1]:
            yield Difference(place, "removed", True)
        elif place not in operations[0]:
            yield Difference(place, "added", False)
        else:
            comparison = _Comparison(place, before, after)
            yield from comparison.compare(operations[0][place], operations[1][place])
    yield from _compare_components(before, after)


def _operations_of(document: Part) -> dict[str, Part]:
    """Return the operations of a document, each with the parameters of its path."""
    operations: dict[str, Part] = {}
    for path, item in document.get("paths", {}).items():
        for method in _METHODS:
            if method in item:
                parameters = [*item.get("parameters", ()), *item[method].get("parameters", ())]
                operation = {"security": document.get("security", []), **item[method]}
                operations[f"{method.upper()} {path}"] = {**operation, "parameters": parameters}
    return operations


def _compare_components(before: Part, after: Part) -> Iterator[Difference]:
    """Compare the names of components, which are names in generated clients too."""
    parts = before.get("components", {}), after.get("components", {})
    for kind in sorted(parts[0].keys() | parts[1].keys()):
        names = parts[0].get(kind, {}), parts[1].get(kind, {})
        for name in sorted(names[0].keys() | names[1].keys()):
            place = f"components/{kind}/{name}"
            if name not in names[1]:
                yield Difference(place, "removed", True)
            elif name not in names[0]:
                yield Difference(place, "added", False)
            elif kind != "schemas" and names[0][name] != names[1][name]:
                yield Difference(place, "changed", True)
            elif kind == "schemas" and _texts_differ(names[0][name], names[1][name]):
                yield Difference(place, "description changed", False)


def _texts_differ(before: Part, after: Part) -> bool:
    return any(before.get(name) != after.get(name) for name in ("title", "description"))


class _Comparison:
    """Compares an operation in two documents."""

    def __init__(self, place: str, before: Part, after: Part) -> None:
        self._place = place
        self._documents = before, after

    def _make(self, change: str, *, is_breaking: bool) -> Difference:
        return Difference(self._place, change, is_breaking)

    def compare(self, before: Part, after: Part) -> Iterator[Difference]:
        if before.get("operationId") != after.get("operationId"):
            change = f"operationId {before.get('operationId')} is {after.get('operationId')} now"
            yield self._make(change, is_breaking=True)
        for name in _TEXTS:
            if before.get(name) != after.get(name):
                yield self._make(f"{name} changed", is_breaking=False)
        yield from self._compare_parameters(before, after)
        yield from self._compare_bodies(before.get("requestBody"), after.get("requestBody"))
        yield from self._compare_responses(before.get("responses", {}), after.get("responses", {}))
        if before.get("security") != after.get("security"):
            is_breaking = not _accepts(after.get("security", []), before.get("security", []))
            yield self._make("security changed", is_breaking=is_breaking)
        for name in sorted((before.keys() | after.keys()) - _COMPARED):
            if before.get(name) != after.get(name):
                yield self._make(f"{name} changed", is_breaking=False)

    def _compare_parameters(self, before: Part, after: Part) -> Iterator[Difference]:
        parameters = [
            {f"{each['in']} parameter {each['name']}": each for each in operation["parameters"]}
            for operation in (before, after)
        ]
        for name in sorted(parameters[0].keys() | parameters[1].keys()):
            old, new = (found.get(name) for found in parameters)
            if new is None:
                yield self._make(f"{name} removed", is_breaking=True)
            elif old is None:
                is_required = new.get("required", False)
                added = "required " if is_required else ""
                yield self._make(f"{added}{name} added", is_breaking=is_required)
            else:
                yield from self._compare_required(name, old, new)
                yield from self._compare_schemas(
                    name, old.get("schema", {}), new.get("schema", {}), is_input=True
                )
                if old.get("description") != new.get("description"):
                    yield self._make(f"{name}: description changed", is_breaking=False)

    def _compare_required(self, name: str, before: Part, after: Part) -> Iterator[Difference]:
        if before.get("required", False) != after.get("required", False):
            is_required = after.get("required", False)
            word = "required" if is_required else "optional"
            yield self._make(f"{name} is {word} now", is_breaking=is_required)

    def _compare_bodies(self, before: Part | None, after: Part | None) -> Iterator[Difference]:
        if before is None and after is None:
            return
        if after is None:
            yield self._make("request body removed", is_breaking=True)
        elif before is None:
            is_required = after.get("required", False)
            yield self._make("request body added", is_breaking=is_required)
        else:
            yield from self._compare_required("request body", before, after)
            yield from self._compare_content("request body", before, after, is_input=True)

    def _compare_responses(self, before: Part, after: Part) -> Iterator[Difference]:
        for status in sorted(before.keys() | after.keys()):
            name = f"response {status}"
            if status not in after:
                yield self._make(f"{name} removed", is_breaking=status.startswith(("2", "3")))
            elif status not in before:
                yield self._make(f"{name} added", is_breaking=False)
            else:
                old, new = before[status], after[status]
                yield from self._compare_content(name, old, new, is_input=False)
                yield from self._compare_headers(name, old, new)
                if old.get("description") != new.get("description"):
                    yield self._make(f"{name}: description changed", is_breaking=False)

    def _compare_headers(self, name: str, before: Part, after: Part) -> Iterator[Difference]:
        headers = before.get("headers", {}), after.get("headers", {})
        for header in sorted(headers[0].keys() | headers[1].keys()):
            place = f"{name}, header {header}"
            if header not in headers[1]:
                yield self._make(f"{place} removed", is_breaking=True)
            elif header not in headers[0]:
                yield self._make(f"{place} added", is_breaking=False)
            else:
                old, new = (found[header].get("schema", {}) for found in headers)
                yield from self._compare_schemas(place, old, new, is_input=False)

    def _compare_content(
        self, name: str, before: Part, after: Part, *, is_input: bool
    ) -> Iterator[Difference]:
        contents = before.get("content", {}), after.get("content", {})
        for media_type in sorted(contents[0].keys() | contents[1].keys()):
            place = f"{name}, {media_type}"
            if media_type not in contents[1]:
                yield self._make(f"{place} removed", is_breaking=True)
            elif media_type not in contents[0]:
                yield self._make(f"{place} added", is_breaking=False)
            else:
                old, new = (found[media_type].get("schema", {}) for found in contents)
                yield from self._compare_schemas(place, old, new, is_input=is_input)

    def _compare_schemas(
        self, name: str, before: Any, after: Any, *, is_input: bool
    ) -> Iterator[Difference]:
        comparison = SchemaComparison(*self._documents, is_input=is_input)
        for change, is_breaking in comparison.compare(before, after):
            yield self._make(f"{name}{change}", is_breaking=is_breaking)


_COMPARED = {"operationId", *_TEXTS, "parameters", "requestBody", "responses", "security"}


def _accepts(after: list[Part], before: list[Part]) -> bool:
    """Return whether every client of one list of alternatives fulfils another list."""
    return all(
        any(set(wanted) <= set(given) for wanted in after or [{}]) for given in before or [{}]
    )
