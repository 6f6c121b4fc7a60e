"""Fixtures for the tests of documents."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.contracts.support import IMPORTS
from tests.openapi.support import DOCUMENT, DOCUMENT_FILE, document_of, documented
from tests.support import bare_app, refused


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Flask]:
    """Return an app with a document, for the arguments of :func:`documented`."""
    numbers = count()

    def make_app(files: dict[str, str], **config: Any) -> Flask:
        return documented(tmp_path / f"p{next(numbers)}", files, **config)

    return make_app


@pytest.fixture
def describe(make: Callable[..., Flask]) -> Callable[..., dict[str, Any]]:
    """Return the document of files below ``app/api``, which has to be valid."""

    def describe_files(files: dict[str, str], **config: Any) -> dict[str, Any]:
        return document_of(make(files, **config))

    return describe_files


@pytest.fixture
def operation(describe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """Return the operation of a single handler, at ``/api/x``."""

    def describe_handler(code: str, **config: Any) -> dict[str, Any]:
        document = describe({"x/route.py": code}, **config)
        [item] = document["paths"].values()
        [operation] = item.values()
        return operation

    return describe_handler


@pytest.fixture
def refusal(tree: Callable[..., Path]) -> Callable[..., list[tuple[str, str, tuple[str, ...]]]]:
    """Return why files with a document are refused: each reason with its hint and its files."""

    def refuse(files: dict[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
        files = {DOCUMENT_FILE: DOCUMENT, **files}
        contents = {name: IMPORTS + code for name, code in files.items()}
        problems = refused(bare_app(tree(contents)))
        return [(problem.reason, problem.hint, problem.files) for problem in problems]

    return refuse
