"""Compare JSON Schemas: which changes break those who send values, or those who read them.

A schema is a set of values. A change that makes the set smaller breaks who sends such values, one
that makes it larger breaks who reads them, and some do both. ``differences`` knows who does what
with a schema.

Limits, enumerations, required fields, unions and types are compared by the values that they
accept. A change of another keyword is taken to break both sides, unless the keyword is for
readers, such as ``description``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from typing import Any, NamedTuple

from .schemas import REFERENCE, resolve

Schema = Mapping[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_OTHERS = ("contentEncoding", "contentMediaType", "format", "multipleOf", "pattern", "uniqueItems")
_UNIONS = ("anyOf", "oneOf")

#: Fields of documents and schemas whose change breaks no program.
_TEXTS = {
    "$comment", "default", "deprecated", "description", "example", "examples", "externalDocs",
    "info", "openapi", "servers", "summary", "tags", "title",
}  # fmt: skip

#: Keywords that are compared in their own way; a discriminator follows its union.
_COMPARED = {
    *_LOWER, *_UPPER, *_OTHERS, *_UNIONS, "$ref", "additionalProperties", "allOf", "const",
    "discriminator", "enum", "items", "prefixItems", "properties", "required", "type",
}  # fmt: skip


class Change(NamedTuple):
    """A change of a schema.

    :param place: where in the value, ``.author.name``; empty for the whole value.
    :param what: what has changed.
    :param breaks_senders: whether values that were accepted may be refused now.
    :param breaks_readers: whether values may come now that did not come before.
    """

    place: str
    what: str
    breaks_senders: bool
    breaks_readers: bool


class SchemaComparison:
    """Compares schemas of an earlier and a later document.

    One object follows the references of one pair of schemas. It remembers the pairs of components
    that it has compared, so that schemas which refer to themselves come to an end.
    """

    def __init__(self, before: Schema, after: Schema) -> None:
        self._documents = before, after
        self._seen: set[tuple[str, str]] = set()

    def compare(self, before: Any, after: Any, place: str = "") -> Iterator[Change]:
        """Find the changes from one schema to another.

        A component of the same name on both sides is not followed: its changes are reported once
        for the document, not at each place that refers to it.

        :param place: where the schema is in the value, ``.author.name``.
        """
        old, new = _component(before), _component(after)
        if before == after or (old, new) in self._seen:
            return
        if before is False or after is False:
            what = "no longer allowed" if after is False else "allowed now"
            yield Change(place, what, after is False, before is False)
            return
        if old and old == new:
            yield from _compare_keywords(before, after, place)
            return
        before, after = _as_dict(before), _as_dict(after)
        if not (_is_union(before) or _is_union(after)):
            before, after = resolve(self._documents[0], before), resolve(self._documents[1], after)
        if old and new:
            self._seen.add((old, new))
            # Their titles are their names, which differ.
            before, after = {**before, "title": new}, {**after, "title": new}
        if _is_union(before) or _is_union(after):
            yield from self._compare_unions(before, after, place)
        else:
            yield from self._compare_plain(before, after, place)

    def _compare_unions(self, before: Schema, after: Schema, place: str) -> Iterator[Change]:
        """Compare the members of two unions; a schema that is not a union is one of one member.

        Members of the same kind are paired in their order, and what is left has been removed or
        added. So ``str`` to ``str | None`` is "null added", which breaks readers alone.
        """
        old, new = list(_variants(before)), list(_variants(after))
        for variant in list(old):
            for other in new:
                if _kind(variant) == _kind(other):
                    old.remove(variant)
                    new.remove(other)
                    yield from self.compare(variant, other, place)
                    break
        for variant in old:
            yield Change(place, f"{_kind(variant)} removed", True, False)
        for variant in new:
            yield Change(place, f"{_kind(variant)} added", False, True)
        yield from _compare_keywords(before, after, place)

    def _compare_plain(self, before: Schema, after: Schema, place: str) -> Iterator[Change]:
        """Compare two schemas that are not unions.

        Only one type is a part of another: each ``integer`` is a ``number``. Where the values of
        neither type contain those of the other, nothing else is compared.
        """
        old, new = before.get("type"), after.get("type")
        if old != new:
            is_wider = new is None or (old, new) == ("integer", "number")
            is_narrower = old is None or (old, new) == ("number", "integer")
            what = f"type changed from {old or 'any'} to {new or 'any'}"
            yield Change(place, what, not is_wider, not is_narrower)
            if not (is_wider or is_narrower):
                return
        yield from _compare_limits(before, after, place)
        yield from _compare_values(before, after, place)
        yield from self._compare_objects(before, after, place)
        for name, part in (("additionalProperties", f"{place}.*"), ("items", f"{place}[]")):
            yield from self.compare(before.get(name, True), after.get(name, True), part)
        for name in ("allOf", "prefixItems"):
            yield from self._compare_lists(name, before.get(name, []), after.get(name, []), place)
        yield from _compare_keywords(before, after, place)

    def _compare_lists(
        self, name: str, before: list[Any], after: list[Any], place: str
    ) -> Iterator[Change]:
        """Compare the values of a keyword which are lists of schemas."""
        if len(before) != len(after):
            yield Change(place, f"{name} changed", True, True)
            return
        for number, pair in enumerate(zip(before, after, strict=True)):
            part = place  # each schema of allOf is about the whole value
            if name == "prefixItems":
                part = f"{place}[{number}]"
            yield from self.compare(*pair, part)

    def _compare_objects(self, before: Schema, after: Schema, place: str) -> Iterator[Change]:
        """Compare the fields of two objects.

        A new field does not break readers, who are expected to ignore keys that they do not know.
        """
        old_fields, new_fields = _fields(before), _fields(after)
        for name in sorted(old_fields.keys() | new_fields.keys()):
            field = f"{place}.{name}"
            was_required = name in before.get("required", ())
            is_required = name in after.get("required", ())
            if name not in new_fields:
                yield Change(field, "removed", True, True)
            elif name not in old_fields:
                added = "added, and required" if is_required else "added"
                yield Change(field, added, is_required, False)
            else:
                if is_required != was_required:
                    word = "required" if is_required else "optional"
                    yield Change(field, f"is {word} now", is_required, was_required)
                yield from self.compare(old_fields[name], new_fields[name], field)


def _fields(schema: Schema) -> dict[str, Any]:
    """Return the schemas of the keys that an object may have, or must have."""
    others = schema.get("additionalProperties", True)
    return {**dict.fromkeys(schema.get("required", ()), others), **schema.get("properties", {})}


def _compare_limits(before: Schema, after: Schema, place: str) -> Iterator[Change]:
    """Compare numeric limits, and keywords such as ``pattern`` that cannot be ordered.

    A higher lower limit makes the set of values smaller, and so does a lower upper limit.
    """
    for name in (*_LOWER, *_UPPER, *_OTHERS):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if old is None:
            yield Change(place, f"{name} {json.dumps(new)} added", True, False)
        elif new is None:
            yield Change(place, f"{name} {json.dumps(old)} removed", False, True)
        else:
            is_narrower, is_wider = True, True
            if name not in _OTHERS:
                is_narrower = (new > old) == (name in _LOWER)
                is_wider = not is_narrower
            what = f"{name} changed from {json.dumps(old)} to {json.dumps(new)}"
            yield Change(place, what, is_narrower, is_wider)


def _compare_values(before: Schema, after: Schema, place: str) -> Iterator[Change]:
    """Compare the values of enumerations and constants."""
    old, new = _values(before), _values(after)
    if old is None and new is not None:
        yield Change(place, f"values limited to {json.dumps(new)[1:-1]}", True, False)
    elif new is None and old is not None:
        yield Change(place, f"values no longer limited to {json.dumps(old)[1:-1]}", False, True)
    elif old is not None and new is not None:
        for value in old:
            if value not in new:
                yield Change(place, f"value {json.dumps(value)} removed", True, False)
        for value in new:
            if value not in old:
                yield Change(place, f"value {json.dumps(value)} added", False, True)


def _compare_keywords(before: Schema, after: Schema, place: str) -> Iterator[Change]:
    """Compare the keywords that are not compared in their own way."""
    for name, is_breaking in find_changed(before, after, _COMPARED):
        yield Change(place, f"{name} changed", is_breaking, is_breaking)


def find_changed(before: Schema, after: Schema, skipped: Set[str]) -> Iterator[tuple[str, bool]]:
    """Return the fields that differ, each with whether that breaks programs.

    A change of a field that programs do not read, such as ``summary``, or of an extension
    (``x-...``) breaks nothing. That of any other field might, so it is breaking.

    :param skipped: fields that are compared elsewhere.
    """
    for field in sorted((before.keys() | after.keys()) - skipped):
        if before.get(field) != after.get(field):
            word = field.removeprefix("path ")  # of all operations of a path
            yield field, word not in _TEXTS and not word.startswith("x-")


def _values(schema: Schema) -> list[Any] | None:
    """Return the values that a schema lists, or ``None`` if it lists none."""
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _as_dict(schema: Any) -> Schema:
    """Return a schema as a mapping: ``True`` accepts everything, ``False`` nothing."""
    if isinstance(schema, Mapping):
        return schema
    return {"not": {}} if schema is False else {}


def _is_union(schema: Schema) -> bool:
    """Return whether a schema has alternatives: ``anyOf``, ``oneOf`` or a list of types."""
    return any(name in schema for name in _UNIONS) or isinstance(schema.get("type"), list)


def _variants(schema: Schema) -> Iterator[Schema]:
    """Return the schemas that a schema is a union of."""
    members = [member for union in _UNIONS for member in schema.get(union, ())]
    kinds = schema.get("type")
    if isinstance(kinds, list):
        members += [{**schema, "type": kind} for kind in kinds]
    if not members:
        yield schema
    for member in members:
        yield from _variants(_as_dict(member))


def _kind(schema: Schema) -> str:
    """Return a name for a variant of a union, by which it is found in another."""
    kind = _component(schema) or schema.get("type") or "any value"
    if kind == "object":
        return str(schema.get("title", kind))
    return str(kind)


def _component(schema: Any) -> str:
    """Return the name of the component that a schema refers to."""
    if not isinstance(schema, Mapping):
        return ""
    return str(schema.get("$ref", "")).removeprefix(REFERENCE)
