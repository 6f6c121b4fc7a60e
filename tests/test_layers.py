"""The order of the package: imports go down its layers only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import flask_routehandlers

#: From the top down. A folder is a layer, and so is each module next to the folders.
LAYERS = [
    "__init__",
    "cli",
    "testing",
    "extension",
    "refusal",
    "problem_details",
    "revalidation",
    "build",
    "openapi",
    "routes",
    "scopes",
    "mount",
    "reloader",
    "caching",
    "handlers",
    "dependencies",
    "binding",
    "contracts",
    "routing",
    "importing",
    "running",
    "tree",
    "typing",
    "_forks",
    "errors",
]

#: Layers that know nothing but Python.
PURE = ["importing", "tree", "_forks", "errors"]

#: The private names of Werkzeug's routing that the package uses.
PRIVATE = {
    "_build", "_build_unknown", "_compile_builder", "_converters", "_matcher", "_parse_rule",
    "_parts", "_trace", "RulePart", "StateMachineMatcher", "Weighting",
}  # fmt: skip

FOLDER = Path(flask_routehandlers.__file__).parent
FILES = sorted(path.relative_to(FOLDER) for path in FOLDER.rglob("*.py"))


def layer_of(file: Path) -> str:
    return file.parts[0].removesuffix(".py")


def imports(file: Path) -> Iterator[tuple[str, ...]]:
    """What a file imports: the parts of absolute names; the package itself is left out."""
    package = file.parent.parts
    for node in ast.walk(ast.parse((FOLDER / file).read_bytes())):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield tuple((node.module or "").split("."))
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1]
            base = (*above, *(node.module or "").split(".")) if node.module else above
            yield from (("flask_routehandlers", *base, alias.name) for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_imports_go_down(file):
    layer = layer_of(file)
    for package, *rest in imports(file):
        if package == "flask_routehandlers":
            assert LAYERS.index(rest[0]) >= LAYERS.index(layer)
        elif layer in PURE:
            assert package in sys.stdlib_module_names


@pytest.mark.parametrize("file", FILES, ids=str)
def test_private_names_of_werkzeug_stay_in_routing(file):
    nodes = list(ast.walk(ast.parse((FOLDER / file).read_bytes())))
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    used |= {node.name for node in nodes if isinstance(node, ast.alias)}
    assert layer_of(file) == "routing" or not used & PRIVATE
