"""Compare JSON Schemas: what values are no longer accepted, or can come now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

#: A change, and whether it breaks clients.
Change = tuple[str, bool]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_OTHERS = ("const", "contentEncoding", "format", "multipleOf", "pattern", "uniqueItems")
_UNIONS = ("anyOf", "oneOf")


class SchemaComparison:
    """Compares schemas of two documents.

    :param before: the earlier document.
    :param after: the later document.
    :param is_input: whether clients send the values. Then a narrower schema breaks them; if they
        receive the values, a wider one does.
    """

    def __init__(self, before: Any, after: Any, *, is_input: bool) -> None:
        self._documents = before, after
        self._is_input = is_input
        self._seen: set[tuple[str, str]] = set()

    def compare(self, before: Any, after: Any, place: str = "") -> Iterator[Change]:
        """Find the changes from one schema to another.

        :param place: where the value is in the whole, ``.article.title``.
        """
        pair = json.dumps(before, sort_keys=True), json.dumps(after, sort_keys=True)
        if pair in self._seen:
            return
        self._seen.add(pair)
        variants = self._variants(before, 0), self._variants(after, 1)
        if len(variants[0]) == len(variants[1]) == 1:
            yield from self._compare_plain(variants[0][0], variants[1][0], place)
        else:
            yield from self._compare_unions(*variants, place)

    def _resolve(self, schema: Any, number: int) -> Mapping[str, Any]:
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref", "")
        if not reference.startswith("#/"):
            return schema
        found: Any = self._documents[number]
        for part in reference[2:].split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return self._resolve(found, number)

    def _variants(self, schema: Any, number: int) -> list[Mapping[str, Any]]:
        """Return the schemas that a schema is a union of."""
        schema = self._resolve(schema, number)
        members = [member for union in _UNIONS for member in schema.get(union, ())]
        types = schema.get("type")
        if isinstance(types, list):
            members += [{**schema, "type": kind} for kind in types]
        if not members:
            return [schema]
        return [variant for member in members for variant in self._variants(member, number)]

    def _compare_unions(
        self, before: list[Mapping[str, Any]], after: list[Mapping[str, Any]], place: str
    ) -> Iterator[Change]:
        old = [variant for variant in before if variant not in after]
        new = [variant for variant in after if variant not in before]
        for variant in list(old):
            same = next((each for each in new if _kind(each) == _kind(variant)), None)
            if same is not None:
                old.remove(variant)
                new.remove(same)
                yield from self._compare_plain(variant, same, place)
        for variant in old:
            yield f"{place}: {_kind(variant)} removed", self._is_input
        for variant in new:
            yield f"{place}: {_kind(variant)} added", not self._is_input

    def _compare_plain(
        self, before: Mapping[str, Any], after: Mapping[str, Any], place: str
    ) -> Iterator[Change]:
        types = before.get("type"), after.get("type")
        if types[0] != types[1]:
            wider = (types[1] is None) or types == ("integer", "number")
            narrower = (types[0] is None) or types == ("number", "integer")
            is_safe = wider if self._is_input else narrower
            yield f"{place}: type {types[0] or 'any'} is {types[1] or 'any'} now", not is_safe
            return
        yield from self._compare_limits(before, after, place)
        yield from self._compare_values(before, after, place)
        yield from self._compare_objects(before, after, place)
        if "items" in before or "items" in after:
            yield from self.compare(before.get("items", {}), after.get("items", {}), f"{place}[]")
        if before.get("default") != after.get("default"):
            yield f"{place}: default changed", False

    def _compare_limits(
        self, before: Mapping[str, Any], after: Mapping[str, Any], place: str
    ) -> Iterator[Change]:
        for name in (*_LOWER, *_UPPER, *_OTHERS):
            old, new = before.get(name), after.get(name)
            if old == new:
                continue
            if old is None or new is None or name in _OTHERS:
                is_narrower, is_wider = new is not None, old is not None
            else:
                is_narrower = (new > old) == (name in _LOWER)
                is_wider = not is_narrower
            is_breaking = is_narrower if self._is_input else is_wider
            yield f"{place}: {name} {_spell(old)} is {_spell(new)} now", is_breaking

    def _compare_values(
        self, before: Mapping[str, Any], after: Mapping[str, Any], place: str
    ) -> Iterator[Change]:
        old, new = before.get("enum"), after.get("enum")
        if old == new:
            return
        if old is None or new is None:
            change = f"{place}: enum {'added' if old is None else 'removed'}"
            yield change, (old is None) == self._is_input
            return
        for value in old:
            if value not in new:
                yield f"{place}: value {json.dumps(value)} removed", self._is_input
        for value in new:
            if value not in old:
                yield f"{place}: value {json.dumps(value)} added", not self._is_input

    def _compare_objects(
        self, before: Mapping[str, Any], after: Mapping[str, Any], place: str
    ) -> Iterator[Change]:
        fields = before.get("properties", {}), after.get("properties", {})
        required = before.get("required", ()), after.get("required", ())
        for name in sorted(fields[0].keys() | fields[1].keys()):
            field = f"{place}.{name}"
            if name not in fields[1]:
                yield f"{field} removed", True
            elif name not in fields[0]:
                yield f"{field} added", self._is_input and name in required[1]
            else:
                if (name in required[0]) != (name in required[1]):
                    is_required = name in required[1]
                    word = "required" if is_required else "optional"
                    yield f"{field} is {word} now", is_required == self._is_input
                yield from self.compare(fields[0][name], fields[1][name], field)
        others = before.get("additionalProperties"), after.get("additionalProperties")
        if others[0] != others[1]:
            if isinstance(others[0], Mapping) and isinstance(others[1], Mapping):
                yield from self.compare(*others, f"{place}.*")
            else:
                yield f"{place}: other keys are handled differently now", True


def _kind(schema: Mapping[str, Any]) -> str:
    """Return a name for a variant of a union."""
    return str(schema.get("title") or schema.get("type") or "any value")


def _spell(value: Any) -> str:
    return "none" if value is None else json.dumps(value)
