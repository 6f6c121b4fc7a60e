"""``flask route-handlers check``: what it finds in documents."""

from __future__ import annotations

import pytest

from flask_routehandlers.cli.check.checks import check_mount
from flask_routehandlers.mount import mounts_of
from flask_routehandlers.openapi import validation
from tests.openapi.support import DOCUMENT, DOCUMENT_FILE

INFO = '\nopenapi = {"info": {"title": "Shop", "version": "1.0"}}\n'

HANDLER = "def GET() -> str: ...\n"

FILES = {DOCUMENT_FILE: DOCUMENT + INFO, "x/route.py": HANDLER}


@pytest.fixture
def findings(make):
    """Return the findings in files: severity, reason, hint and files of each."""

    def find(files):
        app = make({**FILES, **files})
        [mount] = mounts_of(app)
        report = check_mount(app, mount)
        return [(each.severity, each.reason, each.hint, each.files) for each in report.findings]

    return find


def test_a_sound_document_has_no_findings(findings):
    assert findings({}) == []


NAMES = {
    "": "The document has no title and no version but the default.",
    '{"info": {"title": "Shop"}}': "The document has no version but the default.",
    '{"info": {"version": "1"}}': "The document has no title but the default.",
    '{"info": {"title": "", "version": "1"}}': "The document has no title but the default.",
}


@pytest.mark.parametrize("patch", NAMES)
def test_a_document_should_have_a_name(findings, patch):
    code = f"{DOCUMENT}\nopenapi = {patch}" if patch else DOCUMENT
    hint = 'Write openapi = {"info": {"title": "Shop", "version": "1.0"}}.'
    assert ("warning", NAMES[patch], hint, (DOCUMENT_FILE,)) in findings({DOCUMENT_FILE: code})


def test_query_is_not_described(findings):
    assert findings({"y/route.py": "def QUERY() -> str: ..."}) == [
        (
            "warning",
            "OpenAPI 3.1 cannot describe QUERY, so the document leaves it out.",
            "Describe it in a docstring or in info.description, or answer POST too.",
            ("y/route.py",),
        )
    ]


MIDDLEWARE = "def middleware(call_next): return call_next()\n"

SECURITY = '{"security": [{"session": []}]}'

UNKNOWN = {
    "middleware.py": (MIDDLEWARE + f"openapi = {SECURITY}", 'openapi["security"]'),
    "x/route.py": (f'{HANDLER}openapi = {{"GET": {SECURITY}}}', 'openapi["GET"]["security"]'),
    "x/dependencies.py": (
        f'openapi = {{"user": {SECURITY}}}\ndef user() -> str: ...',
        'openapi["user"]["security"]',
    ),
    DOCUMENT_FILE: (
        f'{DOCUMENT}{INFO}openapi["security"] = [{{"session": []}}]',
        'openapi["security"]',
    ),
}

HINT = (
    f'Declare it in {DOCUMENT_FILE}: openapi = {{"components": {{"securitySchemes": '
    '{"session": {...}}}}.'
)


@pytest.mark.parametrize("file", UNKNOWN)
def test_an_unknown_scheme_is_an_error(findings, file):
    code, place = UNKNOWN[file]
    files = {"x/route.py": "def GET(user) -> str: ...", file: code}
    if file != "x/dependencies.py":
        files = {file: code}
    reason = f"{place} names session, which is not a security scheme of the document."
    assert findings(files) == [("error", reason, HINT, (file,))]


def test_a_declared_scheme_is_known(findings):
    declared = """
openapi["components"] = {"securitySchemes": {
    "session": {"type": "apiKey", "in": "cookie", "name": "session"}}}
"""
    files = {file: code for file, (code, _) in UNKNOWN.items() if file != DOCUMENT_FILE}
    files["x/route.py"] = f"openapi = {SECURITY}\ndef GET(user, token: Bearer) -> str: ..."
    assert findings({**files, DOCUMENT_FILE: f"{DOCUMENT}{INFO}{declared}"}) == []


INVALID = {
    "x/route.py": (
        f'{HANDLER}openapi = {{"responses": {{"200": {{"description": 3}}}}}}',
        'openapi["responses"]["200"]["description"] makes the document invalid: '
        "3 is not of type 'string'.",
    ),
    "middleware.py": (
        f'{MIDDLEWARE}openapi = {{"externalDocs": {{"description": "x"}}}}',
        "openapi[\"externalDocs\"] makes the document invalid: 'url' is a required property.",
    ),
    "x/dependencies.py": (
        'openapi = {"user": {"parameters": [{"name": "a"}]}}\ndef user() -> str: ...',
        'openapi["user"]["parameters"]["0"] makes the document invalid: '
        "'in' is a required property.",
    ),
    DOCUMENT_FILE: (
        f'{DOCUMENT}{INFO}openapi["tags"] = [{{"description": "x"}}]',
        'openapi["tags"]["0"] makes the document invalid: \'name\' is a required property.',
    ),
}


@pytest.mark.parametrize("file", INVALID)
def test_an_invalid_document_is_an_error(findings, file):
    code, reason = INVALID[file]
    files = {"x/route.py": "def GET(user) -> str: ...", file: code}
    if file != "x/dependencies.py":
        files = {file: code}
    found = findings(files)
    # The validator quotes names as whichever library it uses does.
    found = [(severity, text.replace('"', "'"), *rest) for severity, text, *rest in found]
    reason = reason.replace('"', "'")
    assert ("error", reason, "Write it as OpenAPI 3.1 defines it.", (file,)) in found
    assert {each[3] for each in found} == {(file,)}


def test_documents_are_validated_if_it_is_possible(findings, monkeypatch):
    monkeypatch.setattr(validation, "find_spec", lambda name: None)
    assert findings({file: code for file, (code, _) in INVALID.items() if "x/" not in file}) == []


def test_a_long_reason_is_cut(findings):
    code = f'{HANDLER}openapi = {{"responses": {{"200": {{"description": ["{"x " * 999}"]}}}}}}'
    [(_, reason, _, _)] = findings({"x/route.py": code})
    assert reason.endswith("x [...].")
    assert len(reason) < 300
