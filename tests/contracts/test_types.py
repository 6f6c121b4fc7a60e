"""Random types: what a type accepts is accepted, and pointers lead to what it refuses."""

from __future__ import annotations

from json import dumps
from random import Random
from urllib.parse import unquote

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_routehandlers.contracts.typed_dicts import rebuild
from tests.contracts.support import KINDS, OF_MSGSPEC, declare, one_route

#: Types with values of their own; strings that a query can have come first.
LEAVES = {
    "int": ["7", "-1", 7],
    "float": ["1.5", 1.5, 2],
    "bool": ["true", True],
    "str": ["x", ""],
    "date": ["2026-01-02", "2026-13-01"],
    "UUID": ["12345678-1234-1234-1234-1234567890ab"],
    "Decimal": ["1.50", 3],
    "Literal['a', 'b']": ["a", "c"],
    "Literal[1, 2]": ["1", 1, 3],
    "Size": ["small", "tiny"],
    "int | None": ["3", 3, None],
    "list[int]": ["3", [3], [3, "x"], []],
    "tuple[str, ...]": ["x", ["x", "y"], ["x", 3]],
    "set[int]": ["3", [3, 4]],
}

#: Types of values that are no strings.
DEEP = {
    "dict[str, int]": [{"a": 1}, {"a": "x", "b~/": "x"}],
    "Inner": [{"name": "x", "tags": []}, {"name": 1}, {"name": "x", "tags": [1, "y"]}],
    "list[Inner]": [[{"name": "x", "tags": ["y"]}], [{"tags": "x"}]],
    "dict[str, list[Inner]]": [{"k": [{"name": "x", "tags": []}]}, {"k e y": [{"name": "x"}, {}]}],
    "tuple[int, Inner]": [[1, {"name": "x", "tags": []}], ["x", {}]],
    "Inner | None": [None, {"name": "x", "tags": ["y"]}, {"name": None}],
    "Any": [None, {"a": [1]}],
}

anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.floats(-1e9, 1e9)),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)

SIZE = "class Size(Enum):\n    SMALL = 'small'\n"


def random_types(kind, pool, count):
    """Return the code of some types, and the types of the fields of each."""
    rng = Random(f"{kind} {len(pool)}")
    code = SIZE + declare(kind, "Inner", name="str", tags="list[str]")
    types = {}
    for number in range(count):
        names = rng.sample(sorted(pool), 4)
        fields = {f"f{place}": annotation for place, annotation in enumerate(names)}
        types[f"T{number}"] = fields
        code += declare(kind, f"T{number}", **fields)
    return code, types


def values_of(pool, fields):
    """Return a strategy for objects that fit a type, or nearly do."""
    keys = {
        name: st.one_of(*map(st.just, pool[annotation]), *map(st.just, pool[annotation]), anything)
        for name, annotation in fields.items()
    }
    return st.fixed_dictionaries({}, optional={**keys, "other": anything}) | st.fixed_dictionaries(
        keys
    )


def accepts_json(kind, type_, data):
    try:
        if kind in OF_MSGSPEC:
            msgspec.json.decode(data, type=type_)
        else:
            pydantic.TypeAdapter(rebuild(type_)).validate_json(data, strict=True)
    except (msgspec.ValidationError, pydantic.ValidationError):
        return False
    return True


def check_pointer(error, data):
    """Follow a pointer into the data that was sent; only what is missing is not there."""
    steps = [unquote(step) for step in error["pointer"].split("/")[1:]]
    for number, step in enumerate(steps, start=1):
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(data, list):
            data = data[int(step)]
        elif number == len(steps) and error["code"] == "missing":
            assert step not in data
        else:
            data = data[step]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a client of an app with handlers for random types, the types and their fields."""
    apps = {}

    def make(kind, pool, marker):
        if (kind, marker) not in apps:
            code, types = random_types(kind, pool, len(METHODS))
            for method, name in zip(METHODS, types, strict=True):
                code += f"def {method}(value: {marker}[{name}]): return 'accepted'\n"
            app = one_route(tmp_path_factory.mktemp("types"), code, TESTING=True)
            [route] = app.extensions["routehandlers"]["api"].routes
            apps[kind, marker] = app.test_client(), vars(route.view.module), types
        return apps[kind, marker]

    return make


METHODS = ("POST", "PUT", "PATCH")

each_kind = pytest.mark.parametrize("kind", KINDS)
each_method = pytest.mark.parametrize("number", range(len(METHODS)))


def check_bodies(made, kind, number, examples):
    client, names, types = made(kind, {**LEAVES, **DEEP}, "Body")

    @settings(max_examples=examples)
    @given(values_of({**LEAVES, **DEEP}, types[f"T{number}"]) | anything)
    def check(value):
        data = dumps(value)
        response = client.open(
            "/api/x", method=METHODS[number], data=data, content_type="application/json"
        )
        if accepts_json(kind, names[f"T{number}"], data.encode()):
            assert response.text == "accepted"
            return
        assert response.status_code == 422
        for error in response.json["errors"]:
            check_pointer(error, value)

    check()


@each_kind
@each_method
def test_bodies_of_random_types(made, kind, number):
    check_bodies(made, kind, number, examples=20)


@pytest.mark.soak
@each_kind
@each_method
def test_many_bodies_of_random_types(made, kind, number):
    check_bodies(made, kind, number, examples=1000)


def check_queries(made, kind, number, examples):
    pool = {name: [v for v in values if isinstance(v, str)] for name, values in LEAVES.items()}
    client, names, types = made(kind, pool, "Query")
    fields = types[f"T{number}"]
    strings = {key: st.sampled_from(pool[field]) | st.text() for key, field in fields.items()}

    @settings(max_examples=examples)
    @given(st.fixed_dictionaries(strings) | st.fixed_dictionaries({}, optional=strings))
    def check(sent):
        response = client.open("/api/x", method=METHODS[number], query_string=sent)
        read = {
            key: [value] if fields[key].startswith(("list", "tuple", "set")) else value
            for key, value in sent.items()
        }
        if accepts_strings(kind, names[f"T{number}"], fields, read):
            assert response.text == "accepted"
            return
        assert response.status_code == 422
        for error in response.json["errors"]:
            assert error["in"] == "query"
            check_pointer(error, read)

    check()


def accepts_strings(kind, type_, fields, read):
    numbers = {key for key, field in fields.items() if field == "Literal[1, 2]"}
    read = {k: int(v) if k in numbers and v in ("1", "2") else v for k, v in read.items()}
    try:
        if kind in OF_MSGSPEC:
            msgspec.convert(read, type_, strict=False)
        else:
            pydantic.TypeAdapter(rebuild(type_)).validate_python(read)
    except (msgspec.ValidationError, pydantic.ValidationError):
        return False
    return True


@each_kind
@each_method
def test_queries_of_random_types(made, kind, number):
    check_queries(made, kind, number, examples=15)


@pytest.mark.soak
@each_kind
@each_method
def test_many_queries_of_random_types(made, kind, number):
    check_queries(made, kind, number, examples=1000)
