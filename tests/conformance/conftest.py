"""Fixtures for the tests with other people's tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.support import APPS, Served, serve, write_document


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and deselect them unless their marker is asked for."""
    found = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in found:
        item.add_marker("conformance")
    if "conformance" not in config.getoption("markexpr"):
        items[:] = [item for item in items if item not in found]
        config.hook.pytest_deselected(items=found)


@pytest.fixture(scope="session", params=APPS)
def name(request: pytest.FixtureRequest) -> str:
    """Return the name of each app."""
    return str(request.param)


@pytest.fixture(scope="session")
def document_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the file of the document of an app. Each is written once."""
    files: dict[str, Path] = {}

    def find_document(name: str) -> Path:
        if name not in files:
            files[name] = write_document(name, tmp_path_factory.mktemp(name))
        return files[name]

    return find_document


@pytest.fixture(scope="session")
def document(name: str, document_of: Callable[[str], Path]) -> Path:
    """Return the file of the document of each app."""
    return document_of(name)


@pytest.fixture(scope="session")
def served(name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve each app."""
    with serve(name, tmp_path_factory.mktemp(name)) as server:
        yield server
