"""The order of the package: imports go down its layers only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import flask_routehandlers

#: Each module of the package with its layer.
LAYERS = {
    # Words: no Flask, no files.
    "errors": 0,
    "segments": 0,
    "grammar": 0,
    # The tree on disk, and its import: no Flask.
    "tree": 1,
    "discovery": 1,
    "conflicts": 1,
    "finders": 1,
    "naming": 1,
    "modules": 1,
    # One route file as a view.
    "forks": 2,
    "typing": 2,
    "annotations": 2,
    "handlers": 2,
    "middleware": 2,
    "binding": 2,
    "responses": 2,
    "chains": 2,
    "config": 2,
    "caching": 2,
    "caching.settings": 2,
    "caching.entries": 2,
    "caching.keys": 2,
    "caching.stores": 2,
    "caching.memory": 2,
    "caching.lru": 2,
    "caching.connections": 2,
    "caching.scripts": 2,
    "caching.redis": 2,
    "caching.breaker": 2,
    "caching.fallback": 2,
    "caching.workers": 2,
    "caching.leases": 2,
    "caching.coordinator": 2,
    "caching.policy": 2,
    "caching.sealed": 2,
    "caching.bodies": 2,
    "caching.params": 2,
    "caching.replies": 2,
    "caching.static": 2,
    "caching.cache": 2,
    "views": 2,
    # The app: Werkzeug's rules, and the extension object.
    "converters": 3,
    "rules": 3,
    "prefixes": 3,
    "places": 3,
    "routes": 3,
    "clashes": 3,
    "mounts": 3,
    "problem_details": 3,
    "suggestions": 3,
    "processes": 3,
    "refusals": 3,
    "reloader": 3,
    "extension": 3,
    "revalidation": 3,
    # The edge: what reads a mounted tree, and commands.
    "explain": 4,
    "reachability": 4,
    "distributions": 4,
    "strays": 4,
    "checking": 4,
    "sources": 4,
    "scaffolding": 4,
    "file_names": 4,
    "manifest": 4,
    "replacing": 4,
    "rendering": 4,
    "exporting": 4,
    "warming": 4,
    "cli": 4,
    "cli.counting": 4,
    "cli.loading": 4,
    "cli.check": 4,
    "cli.match": 4,
    "cli.new": 4,
    "cli.typecheck": 4,
    "typechecking": 4,
    "cli.export": 4,
    "cli.progress": 4,
    "cli.revalidate": 4,
    "cli.warm": 4,
    # What users import.
    "__init__": 5,
}
#: What may use private names of Werkzeug's routing.
RULES = {"rules", "prefixes", "places"}
#: What reads and writes files, or could.
FILES = {"glob", "io", "os", "pathlib", "shutil", "tempfile"}
PACKAGE = flask_routehandlers.__name__
FOLDER = Path(flask_routehandlers.__file__).parent
SOURCES = {
    # A package inside goes by its name, the package itself by that of its file.
    ".".join(path.relative_to(FOLDER).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
        path.read_bytes()
    )
    for path in FOLDER.rglob("*.py")
}
#: The packages inside the package.
FOLDERS = {".".join(path.parent.relative_to(FOLDER).parts) for path in FOLDER.rglob("__init__.py")}


def imported(module: str) -> Iterator[str]:
    """What a module imports, wherever in it: dotted names of modules, or of what is in them."""
    for node in ast.walk(SOURCES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [PACKAGE, *module.split(".")]
            names += ["__init__"] * (module in FOLDERS)
            above = names[: -node.level] if node.level else []
            base = ".".join([*above, node.module] if node.module else above)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def imported_modules(module: str) -> set[str]:
    """The modules of the package that a module imports."""
    found = set()
    for name in imported(module):
        package, _, inside = name.partition(".")
        if package == PACKAGE:
            parent = inside.rpartition(".")[0]
            found.add(next((m for m in (inside, parent) if m in SOURCES), "__init__"))
    return found


def packages(module: str) -> set[str]:
    """The packages of others, and the modules of Python, that a module imports."""
    return {name.partition(".")[0] for name in imported(module)} - {PACKAGE}


def test_every_module_has_a_layer():
    assert set(SOURCES) == set(LAYERS)


@pytest.mark.parametrize("module", LAYERS)
def test_a_module_imports_from_its_own_layer_and_those_below(module):
    above = {name for name in imported_modules(module) if LAYERS[name] > LAYERS[module]}
    assert above == set()


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: imported_modules(module) for module in SOURCES}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("errors") < order.index("extension") < order.index("__init__")


@pytest.mark.parametrize("module", [module for module, layer in LAYERS.items() if layer < 2])
def test_the_two_lowest_layers_know_no_flask(module):
    assert packages(module) - sys.stdlib_module_names == set()


@pytest.mark.parametrize("module", [module for module, layer in LAYERS.items() if layer == 0])
def test_the_lowest_layer_knows_no_files(module):
    assert packages(module) & FILES == set()


@pytest.mark.parametrize("module", sorted(set(LAYERS) - RULES))
def test_only_what_is_about_rules_uses_private_names_of_werkzeugs_routing(module):
    private = {"_parts", "_trace", "_converters", "_build", "_build_unknown", "_compile_builder",
               "_parse_rule", "RulePart", "Weighting"}  # fmt: skip
    used = {
        node.attr if isinstance(node, ast.Attribute) else node.name
        for node in ast.walk(SOURCES[module])
        if isinstance(node, ast.Attribute | ast.alias)
    }
    assert used & private == set()
