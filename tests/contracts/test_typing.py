"""Type checkers accept right handlers with contracts, and refuse wrong ones.

``tests/samples/typing/contracts-*`` have both; a wrong line names the rules that it breaks.
"""

from __future__ import annotations

import shutil

import pytest

from tests.test_typing import (
    SAMPLES,
    expected,
    found_by_mypy,
    found_by_pyright,
    needs_mypy,
    needs_pyright,
    typecheck,
)

pytestmark = pytest.mark.ci


@pytest.fixture(params=["correct", "mistakes"])
def sample(request, tmp_path):
    return shutil.copytree(SAMPLES / f"contracts-{request.param}", tmp_path / request.param)


@needs_mypy
def test_mypy_checks_contracts(sample):
    _, output, errors = typecheck(sample, "--root", "app")
    assert errors == ""
    assert "Found" in output or "Success" in output
    assert found_by_mypy(output) == expected(sample, "mypy")


@needs_pyright
def test_pyright_checks_contracts(sample):
    assert found_by_pyright(sample, ["."]) == expected(sample, "pyright")


def test_a_status_a_body_and_a_query_are_mistakes():
    assert len(expected(SAMPLES / "contracts-mistakes", "mypy")) >= 6
