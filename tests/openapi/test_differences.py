"""Differences between documents, one line for each, and whether it breaks clients."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_routehandlers.openapi.differences import find_differences
from tests.openapi.support import DOCUMENT, DOCUMENT_FILE, document_of, documented

SHOP = """
class Item(BaseModel):
    "An item."
    name: Annotated[str, Field(max_length=20)]
    size: int = 3
class Page(BaseModel):
    items: list[Item]
class Location(TypedDict):
    Location: str
class Sold(Conflict):
    "It is sold."
def GET(limit: Query[int] = 3, colour: Query[Literal["red", "blue"]] = "red") -> Page:
    "List items."
def POST(item: Body[Item], token: Bearer) -> tuple[Item, Literal[201], Location] | Sold:
    "Add one."
def PUT(name: Form[str], size: Form[int] = 3) -> NoContent: ...
"""


@pytest.fixture
def differences(make):
    """Return what changes in the document of a route file by replacements in its code."""

    def compare(*replacements, document=DOCUMENT, after=DOCUMENT, code=SHOP):
        changed = code
        for old, new in replacements:
            assert old in changed
            changed = changed.replace(old, new)
        before = document_of(make({"items/route.py": code, DOCUMENT_FILE: document}))
        later = document_of(make({"items/route.py": changed, DOCUMENT_FILE: after}))
        before["info"] = later["info"] = {"title": "Shop", "version": "1"}
        return [str(difference) for difference in find_differences(before, later)]

    return compare


GET, POST, PUT = (f"{method} /api/items: " for method in ("GET", "POST", "PUT"))

#: What is replaced in the code, the differences, and those of the way back.
CHANGES = {
    "a handler": (
        ("def PUT(name: Form[str], size: Form[int] = 3) -> NoContent: ...", ""),
        ["breaking: PUT /api/items: removed"],
        ["compatible: PUT /api/items: added"],
    ),
    "a status": (
        ("Literal[201]", "Literal[202]"),
        [f"breaking: {POST}response 201 removed", f"compatible: {POST}response 202 added"],
        [f"compatible: {POST}response 201 added", f"breaking: {POST}response 202 removed"],
    ),
    "an error": (
        (" | Sold", ""),
        [f"compatible: {POST}response 409 removed"],
        [f"compatible: {POST}response 409 added"],
    ),
    "a parameter": (
        ("limit: Query[int] = 3, ", ""),
        [f"breaking: {GET}query parameter limit removed"],
        [f"compatible: {GET}query parameter limit added"],
    ),
    "a required parameter": (
        ("limit: Query[int] = 3", "limit: Query[int] = 3, page: Header[str]"),
        None,
        None,
    ),
    "a parameter that is required": (
        ("limit: Query[int] = 3", "limit: Query[int]"),
        [
            f"breaking: {GET}query parameter limit is required now",
            f"compatible: {GET}query parameter limit: default changed",
        ],
        [
            f"compatible: {GET}query parameter limit is optional now",
            f"compatible: {GET}query parameter limit: default changed",
        ],
    ),
    "the type of a parameter": (
        ("limit: Query[int]", "limit: Query[float]"),
        [f"compatible: {GET}query parameter limit: type changed from integer to number"],
        [f"breaking: {GET}query parameter limit: type changed from number to integer"],
    ),
    "the values of a parameter": (
        ('Literal["red", "blue"]', 'Literal["red", "blue", "green"]'),
        [f'compatible: {GET}query parameter colour: value "green" added'],
        [f'breaking: {GET}query parameter colour: value "green" removed'],
    ),
    "a name": (
        ("Item", "Thing"),
        [
            "breaking: schema Item: removed",
            "compatible: schema Thing: added",
        ],
        None,
    ),
    "the type of a field": (
        ("size: int = 3", "size: str = 'x'"),
        ["breaking: schema Item.size: type changed from integer to string"],
        None,
    ),
    "a limit of a field": (
        ("max_length=20", "max_length=30"),
        ["breaking: schema Item.name: maxLength changed from 20 to 30"],
        ["breaking: schema Item.name: maxLength changed from 30 to 20"],
    ),
    "a field": (
        ("size: int = 3", "size: int = 3\n    colour: str = 'x'"),
        ["compatible: schema Item.colour: added"],
        ["breaking: schema Item.colour: removed"],
    ),
    "a header": (
        ("Location: str", "Location: str\n    Link: str"),
        [f"compatible: {POST}response 201, header Link added"],
        [f"breaking: {POST}response 201, header Link removed"],
    ),
    "a header that is not always sent": (
        ("Location: str", "Location: NotRequired[str]"),
        [f"breaking: {POST}response 201, header Location is not always sent now"],
        [f"compatible: {POST}response 201, header Location is always sent now"],
    ),
    "the type of a header": (
        ("Location: str", "Location: int"),
        [f"breaking: {POST}response 201, header Location: type changed from string to integer"],
        None,
    ),
    "security": (
        (", token: Bearer", ", token: Bearer | None = None"),
        [f"compatible: {POST}security changed"],
        [f"breaking: {POST}security changed"],
    ),
    "a summary": (
        ("List items", "Show items"),
        [f"compatible: {GET}summary changed"],
        [f"compatible: {GET}summary changed"],
    ),
    "a docstring of a type": (
        ("An item.", "One item."),
        ["compatible: schema Item: description changed"],
        None,
    ),
    "a docstring of an error": (
        ("It is sold.", "Nothing left."),
        [f"compatible: {POST}response 409: description changed"],
        None,
    ),
    "a form": (
        ("name: Form[str]", "name: Form[int]"),
        [
            f"breaking: {PUT}request body, application/x-www-form-urlencoded at .name: "
            "type changed from string to integer"
        ],
        None,
    ),
    "a media type": (
        ("size: Form[int] = 3", "size: Form[FileStorage | None] = None"),
        [
            f"breaking: {PUT}request body, application/x-www-form-urlencoded removed",
            f"compatible: {PUT}request body, multipart/form-data added",
        ],
        None,
    ),
    "an operationId": (
        ("class Page", 'openapi = {"GET": {"operationId": "all"}}\nclass Page'),
        [f"breaking: {GET}operationId changed from getItems to all"],
        [f"breaking: {GET}operationId changed from all to getItems"],
    ),
    "another field": (
        ("class Page", 'openapi = {"GET": {"deprecated": True, "x-a": 1}}\nclass Page'),
        [f"compatible: {GET}deprecated changed", f"compatible: {GET}x-a changed"],
        None,
    ),
    "callbacks": (
        ("class Page", 'openapi = {"GET": {"callbacks": {"a": {}}}}\nclass Page'),
        [f"breaking: {GET}callbacks changed"],
        None,
    ),
}


@pytest.mark.ci
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found(differences, change):
    replacement, expected, back = CHANGES[change]
    if expected is not None:
        assert differences(replacement) == expected
    if back is not None:
        changed = SHOP.replace(*replacement)
        assert differences((changed, SHOP), code=changed) == back


DOCUMENT_CHANGES = {
    'openapi = {"info": {"title": "Other"}}': [],
    'openapi = {"servers": [{"url": "https://shop.test"}]}': [],
    'openapi = {"tags": []}': ["compatible: document: tags changed"],
    'openapi = {"openapi": "3.1.0"}': ["compatible: document: openapi changed"],
    'openapi = {"externalDocs": {"url": "https://shop.test"}}': [
        "compatible: document: externalDocs changed"
    ],
    'openapi = {"x-a": 1}': ["compatible: document: x-a changed"],
    'openapi = {"webhooks": {"sold": {}}}': ["breaking: document: webhooks changed"],
    'openapi = {"security": [{"bearer": []}]}': [
        f"breaking: {GET}security changed",
        f"breaking: {PUT}security changed",
    ],
    'openapi = {"components": {"securitySchemes": {"bearer": {"bearerFormat": "JWT"}}}}': [
        "breaking: securityScheme bearer: bearerFormat changed"
    ],
    'openapi = {"components": {"securitySchemes": {"bearer": {"description": "A token."}}}}': [
        "compatible: securityScheme bearer: description changed"
    ],
    'openapi = {"components": {"schemas": {"Event": {}}}}': ["compatible: schema Event: added"],
    'openapi = {"components": {"responses": {"E": {"description": ""}}}}': [
        "compatible: response E: added"
    ],
    'openapi = {"paths": {"/api/items": {"summary": "Items"}}}': [
        f"compatible: {GET}path summary changed",
        f"compatible: {POST}path summary changed",
        f"compatible: {PUT}path summary changed",
    ],
}


@pytest.mark.parametrize("patch", DOCUMENT_CHANGES)
def test_a_change_of_the_document_is_found(differences, patch):
    assert differences(after=f"{DOCUMENT}\n{patch}") == DOCUMENT_CHANGES[patch]


def test_a_change_of_info_is_found(make):
    title = f'{DOCUMENT}\nopenapi = {{"info": {{"title": "Shop"}}}}'
    before, after = (document_of(make({DOCUMENT_FILE: code})) for code in (DOCUMENT, title))
    assert [str(difference) for difference in find_differences(before, after)] == [
        "compatible: document: info changed"
    ]


A = {"$ref": "#/components/schemas/A"}
TEXT = {"type": "object", "properties": {"x": {"type": "string", "minLength": 1}}}
LONGER = {"type": "object", "properties": {"x": {"type": "string", "minLength": 2}}}


def a_document(schema, sent=None, read=None, **components):
    """Return a document with a component A, what it is sent in, and what it is read in."""
    operation = {"responses": {}}
    if sent:
        operation["requestBody"] = {"content": {"application/json": {"schema": sent}}}
    if read:
        content = {"application/json": {"schema": read}}
        operation["responses"] = {"200": {"description": "", "content": content}}
    return {
        "paths": {"/": {"post": operation}},
        "components": {"schemas": {"A": schema, **components}},
    }


WRAPPED = {"type": "array", "items": {"$ref": "#/components/schemas/B"}}
B = {"type": "object", "properties": {"a": A}}

ROLES = {
    "sent": ({"sent": A}, True, False),
    "read": ({"read": A}, False, True),
    "both": ({"sent": A, "read": A}, True, True),
    "neither": ({}, True, True),
    "sent below another": ({"sent": WRAPPED, "B": B}, True, False),
    "read below another": ({"read": WRAPPED, "B": B}, False, True),
    "read in a circle": ({"read": A, "B": B}, False, True),
}


@pytest.mark.parametrize("role", ROLES)
def test_who_uses_a_schema_decides(role):
    places, breaks_narrower, breaks_wider = ROLES[role]
    before, after = a_document(TEXT, **places), a_document(LONGER, **places)
    [narrower], [wider] = find_differences(before, after), find_differences(after, before)
    assert str(narrower).endswith(": schema A.x: minLength changed from 1 to 2")
    assert (narrower.is_breaking, wider.is_breaking) == (breaks_narrower, breaks_wider)


def test_a_body_may_come_and_go():
    with_body, without = a_document(TEXT, sent=A), a_document(TEXT)
    required = copy.deepcopy(with_body)
    required["paths"]["/"]["post"]["requestBody"]["required"] = True
    pairs = [
        (without, with_body),
        (with_body, without),
        (without, required),
        (with_body, required),
    ]
    assert [[str(each) for each in find_differences(*pair)] for pair in pairs] == [
        ["compatible: POST /: request body added"],
        ["breaking: POST /: request body removed"],
        ["breaking: POST /: request body added, and required"],
        ["breaking: POST /: request body is required now"],
    ]


def test_references_of_other_tools_are_followed():
    inline = {
        "paths": {
            "/": {
                "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
                "get": {"responses": {"200": {"description": "Yes.", "content": {}}}},
            }
        }
    }
    referring = copy.deepcopy(inline)
    path = referring["paths"]["/"]
    referring["components"] = {
        "parameters": {"q/~": path["parameters"][0]},
        "responses": {"yes": path["get"]["responses"]["200"]},
    }
    path["parameters"] = [{"$ref": "#/components/parameters/q~1~0"}]
    path["get"]["responses"]["200"] = {"$ref": "#/components/responses/yes"}
    assert [str(each) for each in find_differences(inline, referring)] == [
        "compatible: parameter q/~: added",
        "compatible: response yes: added",
    ]


def test_security_that_is_weaker_is_compatible():
    def secured(*alternatives):
        return {"paths": {"/": {"get": {"security": list(alternatives)}}}}

    both, one, other, public = {"a": [], "b": []}, {"a": []}, {"b": []}, {}
    rows = [
        ([both], [one], False),
        ([one], [both], True),
        ([one], [one, other], False),
        ([one, other], [one], True),
        ([one], [public, one], False),
        ([public, one], [one], True),
        ([], [one], True),
        ([one], [], False),
    ]
    for before, after, is_breaking in rows:
        [difference] = find_differences(secured(*before), secured(*after))
        assert difference.change == "security changed"
        assert difference.is_breaking == is_breaking


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    files = {"items/route.py": SHOP, "items/[id=int]/route.py": "def DELETE(id) -> NoContent: ..."}
    return document_of(documented(tmp_path_factory.mktemp("shop"), files))


def leaves(node, *keys):
    """Yield the keys that lead to each value in a document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, *keys, key)
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from leaves(value, *keys, number)
    else:
        yield keys


def changed(document, keys, removes):
    """Return a document with another value of the same type in one place, or without it."""
    later = copy.deepcopy(document)
    part = later
    for key in keys[:-1]:
        part = part[key]
    if removes:
        del part[keys[-1]]
    elif isinstance(part[keys[-1]], bool):
        part[keys[-1]] = not part[keys[-1]]
    elif isinstance(part[keys[-1]], int):
        part[keys[-1]] += 1
    else:
        part[keys[-1]] += "x"
    return later


@settings(max_examples=200)
@given(data=st.data())
def test_no_difference_is_missed(shop, data):
    vital = ("$ref", "name", "in")  # a document without them is not one
    places = [keys for keys in leaves(shop) if keys[0] != "servers" and keys[-1] not in vital]
    later = changed(shop, data.draw(st.sampled_from(places)), data.draw(st.booleans()))
    assert list(find_differences(shop, later)) != []


def test_a_document_does_not_differ_from_itself(shop):
    assert list(find_differences(shop, json.loads(json.dumps(shop)))) == []
    assert list(find_differences(shop, {**shop, "servers": [{"url": "/x"}]})) == []
