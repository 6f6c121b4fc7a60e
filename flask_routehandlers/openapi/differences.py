"""Compare two OpenAPI documents, and find which differences break clients.

This is for ``flask route-handlers openapi --check``: the earlier document is in a file, which
anyone may have edited, and need not have been made by this package. Both are read as JSON.

The rule for "breaking" is one question: can a program that was made for the earlier document fail?
It sends parameters and bodies and reads responses, so that a new required field breaks it in a
body, and a removed one in a response. A schema in ``components`` can be in both, and is then
judged by both uses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .operations import METHODS
from .schema_differences import TEXTS, Change, SchemaComparison, resolve

Part = Mapping[str, Any]

#: Who uses a schema, seen from the client.
Role = Literal["sends", "reads"]


@dataclass(frozen=True, slots=True)
class Difference:
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
    yield from _Comparison(before, after).compare()


class _Comparison:
    """Compares two documents.

    Operations are compared before components, since they show who uses which schema. A schema that
    both documents have is compared once at the end, not in each operation that refers to it.
    """

    def __init__(self, before: Part, after: Part) -> None:
        self._documents = before, after
        #: Who uses the components that both documents use.
        self._roles: dict[str, set[Role]] = defaultdict(set)

    def compare(self) -> Iterator[Difference]:
        """Find the differences of the documents themselves, of operations, and of components."""
        before, after = self._documents
        skipped = {"components", "paths", "security", "servers"}
        yield from _compare_others("document", "", before, after, skipped)
        operations = _operations_of(before), _operations_of(after)
        for place in sorted(operations[0].keys() | operations[1].keys()):
            if place not in operations[1]:
                yield Difference(place, "removed", True)
            elif place not in operations[0]:
                yield Difference(place, "added", False)
            else:
                old, new = operations[0][place], operations[1][place]
                yield from self._compare_operations(place, old, new)
        yield from self._compare_components()

    def _pair(self, before: Any, after: Any) -> tuple[Any, Any]:
        """Return two parts without references."""
        return resolve(self._documents[0], before), resolve(self._documents[1], after)

    def _compare_operations(self, place: str, before: Part, after: Part) -> Iterator[Difference]:
        """Compare two operations as :func:`_operations_of` returns them.

        The name of an operation is the name of a function in generated clients, so a change breaks
        them.
        """
        old, new = before.get("operationId"), after.get("operationId")
        if old != new:
            yield Difference(place, f"operationId changed from {old} to {new}", True)
        yield from self._compare_parameters(place, before["parameters"], after["parameters"])
        yield from self._compare_bodies(place, before.get("requestBody"), after.get("requestBody"))
        yield from self._compare_responses(place, before["responses"], after["responses"])
        if before["security"] != after["security"]:
            is_breaking = not _fulfils(before["security"], after["security"])
            yield Difference(place, "security changed", is_breaking)
        skipped = {"operationId", "parameters", "requestBody", "responses", "security"}
        yield from _compare_others(place, "", before, after, skipped)

    def _compare_parameters(self, place: str, before: Part, after: Part) -> Iterator[Difference]:
        """Compare the parameters of an operation, by their place and name."""
        for name in sorted(before.keys() | after.keys()):
            old, new = before.get(name), after.get(name)
            if new is None:
                yield Difference(place, f"{name} removed", True)
            elif old is None:
                is_required = new.get("required", False)
                word = "added, and required" if is_required else "added"
                yield Difference(place, f"{name} {word}", is_required)
            else:
                yield from _compare_required(place, name, old, new)
                yield from self._compare_schemas(place, name, old, new, "sends")
                skipped = {"name", "in", "required", "schema"}
                yield from _compare_others(place, name, old, new, skipped)

    def _compare_bodies(
        self, place: str, before: Part | None, after: Part | None
    ) -> Iterator[Difference]:
        """Compare the request bodies of an operation; ``None`` is an operation without one."""
        name = "request body"
        if before is not None and after is None:
            yield Difference(place, f"{name} removed", True)
        elif before is None and after is not None:
            is_required = after.get("required", False)
            word = "added, and required" if is_required else "added"
            yield Difference(place, f"{name} {word}", is_required)
        elif before is not None and after is not None:
            yield from _compare_required(place, name, before, after)
            yield from self._compare_contents(place, name, before, after, "sends")
            yield from _compare_others(place, name, before, after, {"content", "required"})

    def _compare_responses(self, place: str, before: Part, after: Part) -> Iterator[Difference]:
        """Compare the responses of an operation.

        Only the removal of a success or a redirection breaks clients: they do not depend on an
        error.
        """
        for status in sorted(before.keys() | after.keys()):
            name = f"response {status}"
            old, new = self._pair(before.get(status), after.get(status))
            if new is None:
                yield Difference(place, f"{name} removed", status.startswith(("2", "3")))
            elif old is None:
                yield Difference(place, f"{name} added", False)
            else:
                yield from self._compare_contents(place, name, old, new, "reads")
                yield from self._compare_headers(place, name, old, new)
                yield from _compare_others(place, name, old, new, {"content", "headers"})

    def _compare_headers(
        self, place: str, name: str, before: Part, after: Part
    ) -> Iterator[Difference]:
        """Compare the headers of a response. One that is no longer always sent breaks clients.

        :param name: the response, for output: ``response 200``.
        """
        headers = before.get("headers", {}), after.get("headers", {})
        for header in sorted(headers[0].keys() | headers[1].keys()):
            label = f"{name}, header {header}"
            old, new = self._pair(headers[0].get(header), headers[1].get(header))
            if new is None:
                yield Difference(place, f"{label} removed", True)
            elif old is None:
                yield Difference(place, f"{label} added", False)
            else:
                if old.get("required", False) != new.get("required", False):
                    is_required = new.get("required", False)
                    word = "always sent" if is_required else "not always sent"
                    yield Difference(place, f"{label} is {word} now", not is_required)
                yield from self._compare_schemas(place, label, old, new, "reads")
                yield from _compare_others(place, label, old, new, {"schema", "required"})

    def _compare_contents(
        self, place: str, name: str, before: Part, after: Part, role: Role
    ) -> Iterator[Difference]:
        """Compare the media types of a body, and the schemas of those that both have.

        :param name: the body, for output: ``request body`` or ``response 200``.
        """
        contents = before.get("content", {}), after.get("content", {})
        for media_type in sorted(contents[0].keys() | contents[1].keys()):
            label = f"{name}, {media_type}"
            if media_type not in contents[1]:
                yield Difference(place, f"{label} removed", True)
            elif media_type not in contents[0]:
                yield Difference(place, f"{label} added", False)
            else:
                old, new = contents[0][media_type], contents[1][media_type]
                yield from self._compare_schemas(place, label, old, new, role)
                yield from _compare_others(place, label, old, new, {"schema"})

    def _compare_schemas(
        self, place: str, name: str, before: Part, after: Part, role: Role
    ) -> Iterator[Difference]:
        """Compare the schemas of two Parameter, Header or Media Type Objects."""
        comparison = SchemaComparison(*self._documents)
        changes = comparison.compare(before.get("schema", {}), after.get("schema", {}))
        for change in dict.fromkeys(changes):
            part = name
            if change.place:
                part = f"{name} at {change.place}"
            yield Difference(place, f"{part}: {change.what}", _breaks(change, {role}))
        for component in comparison.shared:
            self._roles[component].add(role)

    def _compare_components(self) -> Iterator[Difference]:
        """Compare the components, whose names are names in generated clients too."""
        parts = [document.get("components", {}) for document in self._documents]
        for kind in sorted(parts[0].keys() | parts[1].keys()):
            old, new = parts[0].get(kind, {}), parts[1].get(kind, {})
            for name in sorted(old.keys() | new.keys()):
                place = f"{kind.removesuffix('s')} {name}"
                if name not in new:
                    yield Difference(place, "removed", True)
                elif name not in old:
                    yield Difference(place, "added", False)
                elif kind != "schemas":
                    yield from _compare_others(place, "", old[name], new[name], set())
        yield from self._compare_shared(parts[0].get("schemas", {}), parts[1].get("schemas", {}))

    def _compare_shared(self, before: Part, after: Part) -> Iterator[Difference]:
        """Compare the schemas that both documents have, each once.

        A schema is used as those are that refer to it, so the roles spread along references until
        none is added. A schema that no operation uses gets both roles.

        :param before: the schemas of the earlier document by name.
        :param after: those of the later one.
        """
        changes: dict[str, dict[Change, None]] = {}
        references: dict[str, set[str]] = {}
        for name in sorted(before.keys() & after.keys()):
            comparison = SchemaComparison(*self._documents)
            changes[name] = dict.fromkeys(comparison.compare(before[name], after[name]))
            references[name] = comparison.shared
        pending = list(self._roles)
        while pending:
            name = pending.pop()
            for reference in references.get(name, ()):
                if not self._roles[name] <= self._roles[reference]:
                    self._roles[reference] |= self._roles[name]
                    pending.append(reference)
        for name, changes_of_schema in changes.items():
            roles = self._roles[name] or {"sends", "reads"}
            for change in changes_of_schema:
                place = f"schema {name}{change.place}"
                yield Difference(place, change.what, _breaks(change, roles))


def _breaks(change: Change, roles: set[Role]) -> bool:
    """Return whether a change of a schema breaks one of those who use it."""
    return (change.breaks_senders and "sends" in roles) or (
        change.breaks_readers and "reads" in roles
    )


def _operations_of(document: Part) -> dict[str, dict[str, Any]]:
    """Return the operations of a document, each with what it has from its path.

    The result is by method and path, ``GET /api/articles``. Its parameters are a dict by place and
    name, ``query parameter limit``, without references; those of the operation replace those of
    its path (OpenAPI 3.1, Operation Object). Other fields of the path get names such as ``path
    summary``. The keys ``parameters``, ``requestBody``, ``responses`` and ``security`` are always
    there.
    """
    operations: dict[str, dict[str, Any]] = {}
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            operation = {"responses": {}, "security": document.get("security", []), **item[method]}
            parameters = {}
            for each in (*item.get("parameters", ()), *item[method].get("parameters", ())):
                parameter = resolve(document, each)
                parameters[f"{parameter['in']} parameter {parameter['name']}"] = parameter
            operation["parameters"] = parameters
            operation["requestBody"] = resolve(document, item[method].get("requestBody"))
            for name in item.keys() - {*METHODS, "parameters"}:
                operation[f"path {name}"] = item[name]
            operations[f"{method.upper()} {path}"] = operation
    return operations


def _compare_required(place: str, name: str, before: Part, after: Part) -> Iterator[Difference]:
    """Compare whether a client has to send something."""
    is_required = after.get("required", False)
    if before.get("required", False) != is_required:
        word = "required" if is_required else "optional"
        yield Difference(place, f"{name} is {word} now", is_required)


def _compare_others(
    place: str, name: str, before: Part, after: Part, skipped: set[str]
) -> Iterator[Difference]:
    """Compare the fields that are not compared in their own way.

    A change of a field that programs do not read, such as ``summary`` or ``info``, or of an
    extension (``x-...``) breaks nothing. That of any other field might, so it is breaking.

    :param skipped: the fields that are compared elsewhere.
    """
    for field in sorted((before.keys() | after.keys()) - skipped):
        if before.get(field) != after.get(field):
            word = field.removeprefix("path ")
            is_text = word in (*TEXTS, "info", "openapi", "servers") or word.startswith("x-")
            part = field
            if name:
                part = f"{name}: {field}"
            yield Difference(place, f"{part} changed", not is_text)


def _fulfils(before: list[Part], after: list[Part]) -> bool:
    """Return whether every client of some alternatives fulfils one of others.

    An empty list is the same as an alternative that requires nothing. ``[{"key": []}]`` to
    ``[{"key": []}, {"bearer": []}]`` is fulfilled, the reverse is not. Scopes are not compared.
    """
    for sent in before or [{}]:
        if not any(set(required) <= set(sent) for required in after or [{}]):
            return False
    return True
