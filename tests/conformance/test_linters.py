"""Linters find no errors in the documents."""

from __future__ import annotations

from tests.conformance.support import run


def test_the_specification_is_followed(document):
    assert run(["openapi-spec-validator", document], document.parent).stdout == f"{document}: OK\n"


def test_redocly_finds_no_errors(document):
    done = run(["redocly", "lint", document], document.parent)
    assert "Your API description is valid." in done.stdout + done.stderr


def test_redocly_finds_an_error(document_of):
    """The test above would fail if there was one."""
    document = document_of("library")
    file = document.parent / "wrong.json"
    file.write_text(document.read_text("utf-8").replace('"operationId":', '"operation":', 1))
    run(["redocly", "lint", file], document.parent, expected=1)


def test_spectral_finds_no_errors(document):
    (document.parent / ".spectral.yaml").write_text("extends: ['spectral:oas']\n")
    done = run(["spectral", "lint", document], document.parent)
    assert "(0 errors," in done.stdout or "No results with a severity" in done.stdout


def test_spectral_finds_an_error(document_of):
    document = document_of("library")
    (document.parent / ".spectral.yaml").write_text("extends: ['spectral:oas']\n")
    file = document.parent / "wrong.json"
    file.write_text(document.read_text("utf-8").replace('"in": "path"', '"in": "nowhere"'))
    run(["spectral", "lint", file], document.parent, expected=1)
