"""Data that a document describes is accepted and what it does not is refused; answers fit too."""

from __future__ import annotations

import math
from importlib.metadata import version
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.contracts.support import declare, each_kind, limited
from tests.openapi.support import document_of, documented

#: Types whose schema says all that is accepted. That of a date, for example, names its format,
#: which a validator need not know.
TYPES = (
    "int",
    "float",
    "bool",
    "str",
    "Small",
    "Title",
    "Size",
    "Literal['a', 2]",
    "int | None",
    "list[Small]",
    "tuple[str, ...]",
    "dict[str, bool]",
    "Inner",
    "list[Inner]",
    "Inner | None",
    "Title | int",
)

METHODS = ("POST", "PUT", "PATCH")

anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.floats(-1e9, 1e9)),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


def random_handlers(kind):
    """Return the code of handlers that answer what they receive, each of another type."""
    rng = Random(kind)
    # Flask's JSON provider, which writes a TypedDict, knows no enumerations.
    types = [name for name in TYPES if (kind, name) != ("TypedDict", "Size")]
    if kind in ("Struct", "attrs") and version("msgspec") < "0.20":
        types.remove("Literal['a', 2]")  # it has no schema there
    code = limited(kind) + "class Size(Enum):\n    SMALL = 'small'\n    LARGE = 'large'\n"
    code += declare(kind, "Inner", name="Title", tags="list[str]")
    for number, method in enumerate(METHODS):
        fields = {f"f{place}": name for place, name in enumerate(rng.sample(types, 5))}
        code += declare(kind, f"T{number}", **fields)
        code += f"def {method}(value: Body[T{number}]) -> T{number}: return value\n"
    return code


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the client of an app for a kind of type, and its document. Each is made once."""
    apps = {}

    def make(kind):
        if kind not in apps:
            files = {"x/route.py": random_handlers(kind)}
            app = documented(tmp_path_factory.mktemp("types"), files)
            apps[kind] = app.test_client(), document_of(app)
        return apps[kind]

    return make


def values_of(schema, components):
    """Return a strategy for the values that a schema describes."""

    def of(schema):
        return values_of(schema, components)

    if "$ref" in schema:
        return of(components[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return st.one_of(*map(of, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema["type"] == "object" and "properties" in schema:
        fields = {name: of(each) for name, each in schema["properties"].items()}
        required = {name: fields.pop(name) for name in schema.get("required", ())}
        return st.fixed_dictionaries(required, optional={**fields, "another": anything})
    if schema["type"] == "object":
        return st.dictionaries(st.text(max_size=3), of(schema["additionalProperties"]), max_size=3)
    if schema["type"] == "array":
        return st.lists(of(schema["items"]), max_size=3)
    return {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": st.integers(schema.get("minimum"), schema.get("maximum")),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "string": st.text(min_size=schema.get("minLength", 0), max_size=5),
    }[schema["type"]]


@st.composite
def nearly(draw, value):
    """Return a value with a part that is replaced by another, or missing."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        rest = {name: each for name, each in value.items() if name != key}
        if not draw(st.integers(0, 4)):
            return rest
        return {**rest, key: draw(nearly(value[key]))}
    if isinstance(value, list) and value and draw(st.booleans()):
        place = draw(st.integers(0, len(value) - 1))
        return [*value[:place], draw(nearly(value[place])), *value[place + 1 :]]
    return draw(anything)


def is_plain(value):
    """Return whether a value is spelled in JSON as its type is.

    JSON Schema calls 4.0 an integer, and has no largest one.
    """
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, float):
        return math.isfinite(value) and not value.is_integer()
    return not isinstance(value, int) or abs(value) < 2**63


def check(made, kind, method, examples):
    client, document = made(kind)
    operation = document["paths"]["/api/x"][method.lower()]

    def in_document(content):
        [media_type] = content.values()
        return {**media_type["schema"], "components": document["components"]}

    schema = in_document(operation["requestBody"]["content"])
    accepted = Draft202012Validator(schema)
    values = values_of(schema, document["components"]["schemas"])

    @settings(max_examples=examples)
    @given(values | values.flatmap(nearly))
    def check_value(value):
        assume(is_plain(value))
        response = client.open("/api/x", method=method, json=value)
        assert (response.status_code == 200) == accepted.is_valid(value), response.text
        content = operation["responses"][str(response.status_code)]["content"]
        Draft202012Validator(in_document(content)).validate(response.json)

    check_value()


@each_kind
@pytest.mark.parametrize("method", METHODS)
def test_bodies_are_what_the_document_says(made, kind, method):
    check(made, kind, method, examples=25)


@pytest.mark.soak
@each_kind
@pytest.mark.parametrize("method", METHODS)
def test_many_bodies_are_what_the_document_says(made, kind, method):
    check(made, kind, method, examples=1000)
