"""Changes of schemas: which break those who send values, and which those who read them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from flask_routehandlers.openapi.schema_differences import SchemaComparison

NOTHING, SENDERS, READERS, BOTH = (False, False), (True, False), (False, True), (True, True)

A = {"$ref": "#/components/schemas/A"}
B = {"$ref": "#/components/schemas/B"}
INTEGER, NUMBER, STRING, NULL = ({"type": t} for t in ("integer", "number", "string", "null"))


def an_object(required=(), **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


#: A schema, what it becomes, the change, and whom it breaks; then whom the way back breaks.
CHANGES: list[tuple[Any, Any, str, tuple[bool, bool], str, tuple[bool, bool]]] = [
    (STRING, INTEGER, "type changed from string to integer", BOTH,
     "type changed from integer to string", BOTH),
    (INTEGER, NUMBER, "type changed from integer to number", READERS,
     "type changed from number to integer", SENDERS),
    ({}, STRING, "type changed from any to string", SENDERS,
     "type changed from string to any", READERS),
    (True, STRING, "type changed from any to string", SENDERS,
     "type changed from string to any", READERS),
    ({"minLength": 1}, {"minLength": 2}, "minLength changed from 1 to 2", SENDERS,
     "minLength changed from 2 to 1", READERS),
    ({"maximum": 1}, {"maximum": 2}, "maximum changed from 1 to 2", READERS,
     "maximum changed from 2 to 1", SENDERS),
    ({}, {"maxItems": 3}, "maxItems 3 added", SENDERS, "maxItems 3 removed", READERS),
    ({"pattern": "a"}, {"pattern": "b"}, 'pattern changed from "a" to "b"', BOTH,
     'pattern changed from "b" to "a"', BOTH),
    (STRING, {**STRING, "format": "date"}, 'format "date" added', SENDERS,
     'format "date" removed', READERS),
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, 'value "b" added', READERS,
     'value "b" removed', SENDERS),
    ({"const": 1}, {"enum": [1, 2]}, "value 2 added", READERS, "value 2 removed", SENDERS),
    (STRING, {**STRING, "enum": ["a", "b"]}, 'values limited to "a", "b"', SENDERS,
     'values no longer limited to "a", "b"', READERS),
    (an_object(), an_object(a=STRING), ".a added", NOTHING, ".a removed", BOTH),
    (an_object(), an_object(["a"], a=STRING), ".a added, and required", SENDERS,
     ".a removed", BOTH),
    (an_object(a=STRING), an_object(["a"], a=STRING), ".a is required now", SENDERS,
     ".a is optional now", READERS),
    (an_object(a=STRING), an_object(a=INTEGER), ".a type changed from string to integer", BOTH,
     ".a type changed from integer to string", BOTH),
    (an_object(a=an_object(b=STRING)), an_object(a=an_object(b=INTEGER)),
     ".a.b type changed from string to integer", BOTH,
     ".a.b type changed from integer to string", BOTH),
    ({"items": STRING}, {"items": INTEGER}, "[] type changed from string to integer", BOTH,
     "[] type changed from integer to string", BOTH),
    ({}, {"items": STRING}, "[] type changed from any to string", SENDERS,
     "[] type changed from string to any", READERS),
    ({"additionalProperties": STRING}, {"additionalProperties": INTEGER},
     ".* type changed from string to integer", BOTH,
     ".* type changed from integer to string", BOTH),
    ({}, {"additionalProperties": False}, ".* no longer allowed", SENDERS,
     ".* allowed now", READERS),
    ({}, {"additionalProperties": STRING}, ".* type changed from any to string", SENDERS,
     ".* type changed from string to any", READERS),
    ({"additionalProperties": STRING}, {"additionalProperties": False},
     ".* no longer allowed", SENDERS, ".* allowed now", READERS),
    ({"required": ["a"], "properties": {"a": {}}, "additionalProperties": False},
     {"required": ["a"], "additionalProperties": False}, ".a no longer allowed", SENDERS,
     ".a allowed now", READERS),
    ({"anyOf": [STRING, INTEGER]}, {"anyOf": [STRING, INTEGER, NULL]}, "null added", READERS,
     "null removed", SENDERS),
    (STRING, {"anyOf": [STRING, NULL]}, "null added", READERS, "null removed", SENDERS),
    (STRING, {"type": ["string", "null"]}, "null added", READERS, "null removed", SENDERS),
    (A, {"anyOf": [A, NULL]}, "null added", READERS, "null removed", SENDERS),
    ({"anyOf": [A, NULL]}, {"anyOf": [A, B, NULL]}, "B added", READERS, "B removed", SENDERS),
    ({"oneOf": [{**STRING, "maxLength": 1}, NULL]}, {"oneOf": [NULL, {**STRING, "maxLength": 2}]},
     "maxLength changed from 1 to 2", READERS, "maxLength changed from 2 to 1", SENDERS),
    ({"prefixItems": [STRING]}, {"prefixItems": [INTEGER]},
     "[0] type changed from string to integer", BOTH,
     "[0] type changed from integer to string", BOTH),
    ({"prefixItems": [STRING]}, {"prefixItems": [STRING, STRING]}, "prefixItems changed", BOTH,
     "prefixItems changed", BOTH),
    ({"allOf": [STRING]}, {"allOf": [INTEGER]}, "type changed from string to integer", BOTH,
     "type changed from integer to string", BOTH),
    (STRING, {**STRING, "title": "T"}, "title changed", NOTHING, "title changed", NOTHING),
    (STRING, {**STRING, "default": "x"}, "default changed", NOTHING, "default changed", NOTHING),
    (STRING, {**STRING, "x-a": 1}, "x-a changed", NOTHING, "x-a changed", NOTHING),
    ({**A, "default": 1}, {**A, "default": 2}, "default changed", NOTHING,
     "default changed", NOTHING),
    ({**A, "not": {}}, A, "not changed", BOTH, "not changed", BOTH),
    ({"anyOf": [A, NULL], "title": "T"}, {"anyOf": [A, NULL]}, "title changed", NOTHING,
     "title changed", NOTHING),
    ({"patternProperties": {}}, {}, "patternProperties changed", BOTH,
     "patternProperties changed", BOTH),
    (False, {}, "allowed now", READERS, "no longer allowed", SENDERS),
]  # fmt: skip


def compare(before, after, documents=({}, {})):
    return [
        (f"{change.place} {change.what}".lstrip(), (change.breaks_senders, change.breaks_readers))
        for change in SchemaComparison(*documents).compare(before, after)
    ]


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: row[2])
def test_a_change_breaks_one_side_or_both(row):
    before, after, change, breaks, back, breaks_back = row
    assert compare(before, after) == [(change, breaks)]
    assert compare(after, before) == [(back, breaks_back)]
    assert compare(before, before) == compare(after, after) == []


def components(**schemas):
    return {"components": {"schemas": schemas}}


def test_a_shared_component_is_left_to_the_caller():
    documents = components(A=STRING), components(A=INTEGER)
    assert compare({"items": A}, {"items": A, "title": "x"}, documents) == [
        ("title changed", NOTHING)
    ]
    assert compare({"items": A}, {"items": A}, documents) == []


def test_a_renamed_component_is_followed():
    documents = components(A=an_object(a=STRING, c=A)), components(B=an_object(a=INTEGER, c=B))
    assert compare(A, B, documents) == [(".a type changed from string to integer", BOTH)]


def test_an_inline_schema_can_be_a_component():
    assert compare(STRING, A, ({}, components(A=STRING))) == []
    assert compare(A, INTEGER, (components(A=STRING), {})) == [
        ("type changed from string to integer", BOTH)
    ]


KEYS = ("a", "b")
LIMITS = {
    "minimum": st.integers(0, 2),
    "maximum": st.integers(0, 2),
    "maxLength": st.integers(0, 2),
    "enum": st.lists(st.sampled_from(["", "x", 0, 1]), min_size=1, unique_by=repr),
    "type": st.sampled_from(["string", "integer", "number", "null", "object", "array"]),
}


def schemas():
    plain = st.fixed_dictionaries({}, optional=LIMITS)

    def deeper(inner):
        properties = st.dictionaries(st.sampled_from(KEYS), inner)
        an_object = st.builds(
            lambda fields, required, is_open: {
                "type": "object",
                "properties": fields,
                "required": sorted(required),
                **({} if is_open else {"additionalProperties": False}),
            },
            properties,
            st.sets(st.sampled_from(KEYS)),
            st.booleans(),
        )
        an_array = st.builds(lambda items: {"type": "array", "items": items}, inner)
        a_union = st.builds(lambda members: {"anyOf": members}, st.lists(inner, min_size=1))
        return st.one_of(an_object, an_array, a_union)

    return st.recursive(plain, deeper, max_leaves=4)


SCALARS = ["", "xx", 0, 2, 1.5, None]
VALUES = [
    *SCALARS,
    [],
    *([value] for value in SCALARS),
    {},
    *({key: value} for key in KEYS for value in (*SCALARS, {}, [])),
    *({"a": value, "b": other} for value in SCALARS for other in ("xx", 2)),
]


def accepted(schema):
    """Return the numbers of the values that a schema accepts."""
    validator = Draft202012Validator(schema)
    return {number for number, value in enumerate(VALUES) if validator.is_valid(value)}


def declared(schema):
    """Return the numbers of the values whose keys are declared: clients use no others."""
    text = repr(schema)
    return {
        number
        for number, value in enumerate(VALUES)
        if not isinstance(value, dict) or all(f"'{key}': " in text for key in value)
    }


@settings(max_examples=150)
@given(schemas(), schemas())
def test_a_change_that_breaks_is_never_missed(before, after):
    changes = list(SchemaComparison({}, {}).compare(before, after))
    old, new = accepted(before), accepted(after)
    lost, added = (old - new) & declared(before), (new - old) & declared(before)
    assert not lost or any(change.breaks_senders for change in changes)
    assert not added or any(change.breaks_readers for change in changes)


@settings(max_examples=50)
@given(schemas())
def test_a_schema_does_not_differ_from_itself(schema):
    assert list(SchemaComparison({}, {}).compare(schema, schema)) == []
