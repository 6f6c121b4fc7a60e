"""Patches: the name ``openapi`` of a file changes what the document says."""

from __future__ import annotations

import json

import pytest

from flask_routehandlers.openapi.patches import merge
from tests.openapi.support import DOCUMENT, DOCUMENT_FILE, HANDLER, PAGE, PAGE_FILE
from tests.support import bare_app, refused

# RFC 7396, appendix A.
EXAMPLES = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), EXAMPLES)
def test_a_merge_patch_is_that_of_the_rfc(target, patch, result):
    assert merge(target, patch) == result


FILES = {
    DOCUMENT_FILE: DOCUMENT,
    "middleware.py": """
openapi = {"summary": "outer", "x-outer": 1, "x-order": "outer"}
def middleware(call_next): return call_next()
""",
    "shop/middleware.py": """
openapi = {"summary": "inner", "x-inner": 2, "x-order": "inner", "tags": ["shop"]}
def middleware(call_next): return call_next()
""",
    "dependencies.py": """
openapi = {"db": {"x-order": "db", "x-db": 3}, "user": {"x-order": "user"}}
def db(): ...
def user(db): ...
""",
    "shop/items/route.py": """
openapi = {"x-file": 4, "deprecated": True, "POST": {"x-order": "method", "x-file": 5}}
def GET(user): ...
def POST(user): ...
def PUT(db): ...
def DELETE(): ...
""",
    "other/route.py": HANDLER,
}


def extensions(operation):
    return {name: operation[name] for name in operation if name.startswith("x-")}


def test_patches_are_applied_from_the_outside_in(describe):
    paths = describe(FILES)["paths"]
    item = paths["/api/shop/items"]
    common = {"x-outer": 1, "x-inner": 2, "x-file": 4}
    assert extensions(item["get"]) == {**common, "x-db": 3, "x-order": "user"}
    assert extensions(item["post"]) == {**common, "x-db": 3, "x-order": "method", "x-file": 5}
    assert extensions(item["put"]) == {**common, "x-db": 3, "x-order": "db"}
    assert extensions(item["delete"]) == {**common, "x-order": "inner"}
    assert {operation["summary"] for operation in item.values()} == {"inner"}
    assert {operation["deprecated"] for operation in item.values()} == {True}
    assert extensions(paths["/api/other"]["get"]) == {"x-outer": 1, "x-order": "outer"}


def test_a_patch_adds_to_what_is_derived(describe):
    code = """
openapi = {"GET": {
    "description": "More.",
    "responses": {"404": None, "200": {"description": "Yes."}, "418": {"description": "No."}},
    "parameters": [{"name": "q", "in": "query", "schema": {"type": "string"}}],
}}
def GET(id, a: Query[int]) -> dict[str, int]:
    "Say it."
"""
    operation = describe({"x/[id]/route.py": code})["paths"]["/api/x/{id}"]["get"]
    assert operation["summary"] == "Say it"
    assert operation["description"] == "More."
    assert sorted(operation["responses"]) == ["200", "418", "422"]
    assert operation["responses"]["200"]["description"] == "Yes."
    assert list(operation["responses"]["200"]["content"]) == ["application/json"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["q"]


HIDING = {
    "route file": {"a/b/route.py": f"openapi = False\n{HANDLER}"},
    "method": {"a/b/route.py": f'openapi = {{"GET": False}}\n{HANDLER}'},
    "middleware": {
        "a/middleware.py": "openapi = False\ndef middleware(call_next): return call_next()",
        "a/b/route.py": HANDLER,
    },
    "dependency": {
        "a/dependencies.py": 'openapi = {"secret": False}\ndef secret(): ...',
        "a/b/route.py": "def GET(secret): ...",
    },
}


@pytest.mark.parametrize("place", HIDING)
def test_false_hides_operations(describe, place):
    document = describe({**HIDING[place], "c/route.py": HANDLER})
    assert list(document["paths"]) == ["/api/c"]
    assert document["tags"] == [{"name": "c"}]


def test_one_method_can_be_hidden(describe):
    code = 'openapi = {"POST": False}\ndef GET(): ...\ndef POST(): ...'
    assert list(describe({"x/route.py": code})["paths"]["/api/x"]) == ["get"]


def test_the_document_has_the_last_word(describe):
    document = describe(
        {
            DOCUMENT_FILE: DOCUMENT
            + """
openapi = {
    "info": {"title": "Shop", "version": "2.1", "contact": {"name": "Us"}},
    "servers": [{"url": "https://shop.test"}],
    "tags": [{"name": "x", "description": "Things."}],
    "externalDocs": {"url": "https://docs.test"},
    "paths": {"/api/x": {"get": {"summary": "Last"}}, "/legacy": {"get": {
        "responses": {"200": {"description": "Yes."}}, "tags": ["old"]}}},
    "webhooks": {"sold": {"post": {"responses": {"200": {"description": "Thanks."}}}}},
    "components": {
        "schemas": {"Event": {"type": "object"}, "Article": {"description": "Patched."}},
        "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": "s"}},
    },
    "x-logo": "y",
}
""",
            "x/route.py": "class Article(BaseModel):\n    a: int\n"
            "openapi = {'summary': 'First'}\ndef GET() -> Article: ...",
        }
    )
    assert document["info"] == {"title": "Shop", "version": "2.1", "contact": {"name": "Us"}}
    assert document["servers"] == [{"url": "https://shop.test"}]
    assert document["tags"] == [{"name": "x", "description": "Things."}]
    assert document["paths"]["/api/x"]["get"]["summary"] == "Last"
    assert "/legacy" in document["paths"]
    assert list(document["components"]["schemas"]) == ["Article", "Event"]
    assert document["components"]["schemas"]["Article"]["description"] == "Patched."
    assert document["components"]["schemas"]["Article"]["required"] == ["a"]
    assert "session" in document["components"]["securitySchemes"]
    assert document["x-logo"] == "y"


def test_the_document_can_remove_things(describe):
    patch = 'openapi = {"components": None, "security": None, "paths": {"/api/x": None}}'
    document = describe({DOCUMENT_FILE: DOCUMENT + patch, "x/route.py": HANDLER})
    assert "components" not in document
    assert document["paths"] == {}


def test_own_files_are_not_in_the_document(describe):
    patch = 'openapi = {"x-a": 1}\n'
    document = describe({PAGE_FILE: patch + PAGE, "x/route.py": HANDLER})
    assert list(document["paths"]) == ["/api/x"]


NOT_A_DICT = "Use dict, list, str, int, float, bool and None."

MIDDLEWARE = "def middleware(call_next): return call_next()\n"

TYPES = "Write it so, or None to remove it."

OTHERS = ' The names of other fields start with "x-".'

OPERATION = (
    "Use one of these: callbacks, deprecated, description, externalDocs, operationId, "
    "parameters, requestBody, responses, security, servers, summary, tags."
)

#: The file, its patch, and the reason and the hint.
REFUSED = [
    (
        "x/route.py",
        '"hidden"',
        "openapi must be a dict, not str.",
        'Write openapi = {"tags": ["shop"]}, or openapi = False to hide the route.',
    ),
    (
        "x/route.py",
        "None",
        "openapi must be a dict, not None.",
        'Write openapi = {"tags": ["shop"]}, or openapi = False to hide the route.',
    ),
    (
        "middleware.py",
        "[]",
        "openapi must be a dict, not list.",
        'Write openapi = {"tags": ["admin"]}, or openapi = False to hide everything below.',
    ),
    (
        "dependencies.py",
        "False",
        "openapi must be a dict, not False.",
        'Write openapi = {"user": {"security": [{"session": []}]}}.',
    ),
    (
        DOCUMENT_FILE,
        "False",
        "openapi must be a dict, not False.",
        'Write openapi = {"info": {"title": "Shop", "version": "1.0"}}.',
    ),
    (
        "x/route.py",
        '{"x-a": {1}}',
        "openapi cannot be written as JSON: Object of type set is not JSON serializable.",
        NOT_A_DICT,
    ),
    (
        "x/route.py",
        '{"responses": {404: {"description": "No."}}}',
        'openapi["responses"] has the key 404, which is not a string.',
        'Write "404".',
    ),
    (
        "x/route.py",
        '{"parameters": [{"x": {None: 1}}]}',
        'openapi["parameters"]["x"] has the key None, which is not a string.',
        'Write "None".',
    ),
    (
        "x/route.py",
        '{"sumary": "x"}',
        'openapi has "sumary", which is not a field of an operation in OpenAPI.',
        f'Did you mean "summary"?{OTHERS}',
    ),
    (
        "x/route.py",
        '{"Q": "x"}',
        'openapi has "Q", which is not a field of an operation in OpenAPI.',
        f"{OPERATION}{OTHERS}",
    ),
    (
        "middleware.py",
        '{"GET": {}}',
        'openapi has "GET", which is not a field of an operation in OpenAPI.',
        f"{OPERATION}{OTHERS}",
    ),
    (
        "x/route.py",
        '{"POST": {}}',
        'openapi["POST"] is about POST, which the file does not define.',
        "Use one of these: GET.",
    ),
    (
        "x/route.py",
        '{"get": {}}',
        'openapi["get"] is about get, which the file does not define.',
        'Did you mean "GET"?',
    ),
    (
        "x/route.py",
        '{"GET": "hidden"}',
        'openapi["GET"] must be a dict, not str.',
        'Write "GET": {"summary": "..."}, or "GET": False to hide it.',
    ),
    (
        "x/route.py",
        '{"GET": {"GET": {}}}',
        'openapi["GET"] has "GET", which is not a field of an operation in OpenAPI.',
        f"{OPERATION}{OTHERS}",
    ),
    (
        "dependencies.py",
        '{"usr": {}}',
        'openapi["usr"] is about usr, which the file does not define.',
        'Did you mean "user"?',
    ),
    (
        "dependencies.py",
        '{"user": None}',
        'openapi["user"] must be a dict, not None.',
        'Write "user": {"summary": "..."}, or "user": False to hide it.',
    ),
    (
        DOCUMENT_FILE,
        '{"title": "Shop"}',
        'openapi has "title", which is not a field of a document in OpenAPI.',
        "Use one of these: components, externalDocs, info, jsonSchemaDialect, openapi, paths, "
        f"security, servers, tags, webhooks.{OTHERS}",
    ),
    ("x/route.py", '{"summary": 3}', 'openapi["summary"] must be a string.', TYPES),
    ("x/route.py", '{"deprecated": "yes"}', 'openapi["deprecated"] must be True or False.', TYPES),
    ("x/route.py", '{"tags": "shop"}', 'openapi["tags"] must be a list of strings.', TYPES),
    ("x/route.py", '{"tags": ["shop", 1]}', 'openapi["tags"] must be a list of strings.', TYPES),
    (
        "x/route.py",
        '{"GET": {"tags": 1}}',
        'openapi["GET"]["tags"] must be a list of strings.',
        TYPES,
    ),
    (
        "x/route.py",
        '{"security": {"session": []}}',
        'openapi["security"] must be a list of dicts such as {"session": []}.',
        TYPES,
    ),
    (
        "middleware.py",
        '{"security": ["session"]}',
        'openapi["security"] must be a list of dicts such as {"session": []}.',
        TYPES,
    ),
    (
        "dependencies.py",
        '{"user": {"security": [{"session": "read"}]}}',
        'openapi["user"]["security"] must be a list of dicts such as {"session": []}.',
        TYPES,
    ),
    (
        "x/route.py",
        '{"responses": {"200": "OK"}}',
        'openapi["responses"] must be a dict of dicts.',
        TYPES,
    ),
    ("x/route.py", '{"parameters": {}}', 'openapi["parameters"] must be a list of dicts.', TYPES),
    ("x/route.py", '{"requestBody": []}', 'openapi["requestBody"] must be a dict.', TYPES),
    (DOCUMENT_FILE, '{"info": "Shop"}', 'openapi["info"] must be a dict.', TYPES),
    (DOCUMENT_FILE, '{"paths": []}', 'openapi["paths"] must be a dict of path items.', TYPES),
    (
        DOCUMENT_FILE,
        '{"paths": {"/api/x": {"get": False}}}',
        'openapi["paths"] must be a dict of path items.',
        TYPES,
    ),
    (
        DOCUMENT_FILE,
        '{"components": {"schemas": []}}',
        'openapi["components"] must be a dict of dicts.',
        TYPES,
    ),
    (
        DOCUMENT_FILE,
        '{"servers": ["https://x.test"]}',
        'openapi["servers"] must be a list of dicts.',
        TYPES,
    ),
]

BELOW = {
    "x/route.py": HANDLER,
    "middleware.py": MIDDLEWARE,
    "dependencies.py": "def user(): ...\n",
    DOCUMENT_FILE: DOCUMENT,
}


@pytest.mark.parametrize(("file", "patch", "reason", "hint"), REFUSED)
def test_a_patch_of_another_form_is_refused(refusal, file, patch, reason, hint):
    code = f"{BELOW[file]}\nopenapi = {patch}"
    assert refusal({**BELOW, file: code}) == [(reason, hint, (file,))]


def test_a_number_that_json_lacks_is_refused(refusal):
    [(reason, hint, _)] = refusal({"x/route.py": f'openapi = {{"x-a": float("nan")}}\n{HANDLER}'})
    with pytest.raises(ValueError, match="float") as caught:  # Python versions word it differently
        json.dumps(float("nan"), allow_nan=False)
    assert reason == f"openapi cannot be written as JSON: {caught.value}."
    assert hint == NOT_A_DICT


#: The file, and the patch of a hint or of a suggestion in one.
FOLLOWED = [
    ("x/route.py", '{"tags": ["shop"]}'),
    ("x/route.py", "False"),
    ("middleware.py", '{"tags": ["admin"]}'),
    ("middleware.py", "False"),
    ("dependencies.py", '{"user": {"security": [{"session": []}]}}'),
    (DOCUMENT_FILE, '{"info": {"title": "Shop", "version": "1.0"}}'),
    ("x/route.py", '{"responses": {"404": {"description": "No."}}}'),
    ("x/route.py", '{"summary": "x", "x-sumary": "x"}'),
    ("x/route.py", '{"GET": {"summary": "..."}}'),
    ("x/route.py", '{"GET": False}'),
    ("dependencies.py", '{"user": {"summary": "..."}}'),
    ("dependencies.py", '{"user": False}'),
    ("x/route.py", '{"summary": None, "tags": None, "security": None, "responses": {}}'),
    (DOCUMENT_FILE, '{"components": {"schemas": None}, "paths": {"/x": {"get": None}}}'),
]


@pytest.mark.parametrize(("file", "patch"), FOLLOWED)
def test_a_hint_leads_to_a_document(make, file, patch):
    app = make({**BELOW, file: f"{BELOW[file]}\nopenapi = {patch}"})
    assert app.test_client().get("/api/openapi.json").status_code == 200


def test_all_problems_of_patches_are_reported(refusal):
    problems = refusal(
        {
            **BELOW,
            "x/route.py": f'{HANDLER}\nopenapi = {{"sumary": "", "GET": 3, "tags": 3}}',
            "middleware.py": f"{MIDDLEWARE}\nopenapi = 3",
        }
    )
    assert len(problems) == 4


def test_a_patch_is_checked_without_a_document(tree):
    [problem] = refused(bare_app(tree({"x/route.py": f"{HANDLER}\nopenapi = 3"})))
    assert problem.reason == "openapi must be a dict, not int."
