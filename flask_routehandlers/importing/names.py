"""Choose the name under which Python imports a root. Nothing is executed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from threading import Lock

from ..errors import Problem
from .finders import install, module_part, tree_finder

#: Real path of a folder -> the module name that this process uses for it. The first name stays:
#: a second one would execute every file below again.
_names: dict[str, str] = {}

#: The same the other way round: one name is never that of two folders.
_owners: dict[str, str] = {}
_names_lock = Lock()


class _ShadowedError(Exception):
    """A module hides a folder on the way to the root. It carries the problem to report."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def name_root(root: str, import_name: str, root_path: str) -> str | Problem:
    """Choose the module name of a root.

    In this order: the name that the process knows it by; its place in the app's own package; its
    place below the deepest ``sys.path`` entry from which it can really be imported; a made-up
    package for the app's folder.

    :param root: the absolute path of the root.
    :param import_name: the app's ``import_name``.
    :param root_path: the app's ``root_path``.
    :returns: the dotted name, or the problem that keeps the root from having one.
    """
    root = os.path.realpath(root)
    with _names_lock:
        try:
            name = next(
                name
                for name in _possible_names(root, import_name, os.path.realpath(root_path))
                if name and _owners.get(name, root) == root
            )
        except _ShadowedError as error:
            return error.problem
        _names[root] = name
        _owners[name] = root
    install(name)
    return name


def _possible_names(root: str, import_name: str, root_path: str) -> Iterator[str | None]:
    yield _known_name(root)
    yield _name_in_package(root, import_name)
    yield _name_on_path(root)
    yield _made_up_name(root, root_path)
    yield _made_up_name(root, root)


def _known_name(root: str) -> str | None:
    folder = root
    below: list[str] = []
    while True:
        if folder in _names:
            return ".".join([_names[folder], *map(module_part, reversed(below))])
        folder, part = os.path.split(folder)
        if not part:
            return None
        below.append(part)


def _name_in_package(root: str, import_name: str) -> str | None:
    module = sys.modules.get(import_name)
    package = getattr(module, "__package__", None) or ""
    while package:
        for location in getattr(sys.modules.get(package), "__path__", ()):
            below = _parts_below(root, os.path.realpath(location))
            if below is not None and _resolves(package, [location], below, root):
                return ".".join([package, *map(module_part, below)])
        package = package.rpartition(".")[0]
    return None


def _name_on_path(root: str) -> str | None:
    folders = {os.path.realpath(entry) for entry in sys.path if os.path.isdir(entry or ".")}
    for folder in sorted(folders, key=len, reverse=True):
        below = _parts_below(root, folder)
        if below and _resolves("", [folder], below, root):
            return ".".join(map(module_part, below))
    return None


def _made_up_name(root: str, root_path: str) -> str:
    below = _parts_below(root, root_path)
    base = root if below is None else root_path
    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:8]
    name = f"_routehandlers_{digest}"
    tree_finder.entries[name] = (None, base)
    _serve_dotted(name, base, below or [])
    return ".".join([name, *map(module_part, below or [])])


def _parts_below(root: str, folder: str) -> list[str] | None:
    """The folder names from ``folder`` down to ``root``; ``None`` when it is not below it."""
    if root == folder:
        return []
    prefix = folder.rstrip(os.sep) + os.sep
    return root[len(prefix) :].split(os.sep) if root.startswith(prefix) else None


def _resolves(package: str, locations: Sequence[str], parts: Sequence[str], root: str) -> bool:
    """Whether the import system finds the root under this name. Nothing is executed.

    :raises _ShadowedError: for a module that hides a folder of the same name beside it.
    """
    name = package
    search: Sequence[str] | None = locations if package else None
    folder = os.path.realpath(locations[0])
    for part in parts:
        name = f"{name}.{module_part(part)}" if name else module_part(part)
        folder = os.path.join(folder, part)
        if "." in part:
            search = [folder]
            continue
        if name in sys.modules:
            found = getattr(sys.modules[name], "__path__", None)
        else:
            # By its last part: under a dotted name a namespace package asks for its parent.
            spec = PathFinder.find_spec(part, search)
            found = spec and spec.submodule_search_locations
        if found is None:
            _refuse_shadow(folder, name)
            return False
        search = list(found)
    # First of the places of a namespace package: what it imports is looked for in this order.
    if not search or os.path.realpath(search[0]) != root:
        return False
    _serve_dotted(package, os.path.realpath(locations[0]), parts)
    return True


def _refuse_shadow(folder: str, name: str) -> None:
    file = f"{folder}.py"
    if os.path.isfile(file):
        base = os.path.basename(folder)
        other = "wsgi.py" if base == "app" else f"{base}_.py"
        raise _ShadowedError(
            Problem(
                f"The file {base}.py and the folder {base}/ beside it have one module name, "
                f"{name!r}, so Python cannot import what is in the folder.",
                f"Rename {base}.py, for example to {other}"
                + (": flask run finds the app there too." if other == "wsgi.py" else "."),
                (file, folder),
            )
        )


def _serve_dotted(package: str, base: str, parts: Sequence[str]) -> None:
    """Make folders with a dot importable that lie between a package and the root."""
    name, folder = package, base
    for part in parts:
        name = f"{name}.{module_part(part)}" if name else module_part(part)
        folder = os.path.join(folder, part)
        if "." in part:
            tree_finder.entries[name] = (None, folder)
