"""Choose the name under which Python imports a root. Nothing is executed.

A root has one name in a process, however many apps serve it: under a second name each of its files
would be executed again, and its classes would exist twice. The name is the one that an ``import``
statement of the project would use, if there is such a name.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from importlib.machinery import PathFinder
from threading import Lock

from ..errors import Problem, ProblemError
from .finders import install, module_part, tree_finder

#: The module name of each root that this process has named, by real path. The first name stays: a
#: second one would execute every file below again.
_names: dict[str, str] = {}

#: The real path of each named root, by module name: two roots never share a name.
_owners: dict[str, str] = {}
_names_lock = Lock()


class _ShadowedError(ProblemError):
    """A module hides a folder on the way to the root."""


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
            names = _possible_names(root, import_name, os.path.realpath(root_path))
            name = next(name for name in names if name and _owners.get(name, root) == root)
        except _ShadowedError as error:
            return error.problem
        _names[root] = name
        _owners[name] = root
    install(name)
    return name


def _possible_names(root: str, import_name: str, root_path: str) -> Iterator[str | None]:
    """Yield names for a root, the best one first; ``None`` where there is none of a kind."""
    yield _known_name(root)
    yield _name_in_package(root, import_name)
    yield _name_on_path(root)
    yield _made_up_name(root, root_path)
    yield _made_up_name(root, root)


def _known_name(root: str) -> str | None:
    """Return the name of a root that is, or is below, one that the process has named."""
    folder = root
    below: list[str] = []
    while folder not in _names:
        folder, part = os.path.split(folder)
        if not part:
            return None
        below.insert(0, part)
    return _join(_names[folder], below)


def _name_in_package(root: str, import_name: str) -> str | None:
    """Return the name of a root inside the package that the app's module is in."""
    module = sys.modules.get(import_name)
    package = getattr(module, "__package__", None) or ""
    while package:
        for location in getattr(sys.modules.get(package), "__path__", ()):
            below = _parts_below(root, os.path.realpath(location))
            if below is not None and _resolves(package, [location], below, root):
                return _join(package, below)
        package = package.rpartition(".")[0]
    return None


def _name_on_path(root: str) -> str | None:
    """Return the name of a root below the deepest entry of ``sys.path`` that leads to it."""
    folders = {os.path.realpath(entry) for entry in sys.path if os.path.isdir(entry or ".")}
    for folder in sorted(folders, key=len, reverse=True):
        below = _parts_below(root, folder)
        if below and _resolves("", [folder], below, root):
            return _join("", below)
    return None


def _made_up_name(root: str, root_path: str) -> str:
    """Return the name of a root in a package made for a folder above it, or for itself."""
    base, below = root_path, _parts_below(root, root_path)
    if below is None:
        base, below = root, []
    digest = hashlib.sha256(os.fsencode(base)).hexdigest()[:8]
    name = f"_routehandlers_{digest}"
    tree_finder.entries[name] = (None, base)
    _add_dotted_folders(name, base, below)
    return _join(name, below)


def _join(package: str, folders: Sequence[str]) -> str:
    """Return a module name from a package, which can be empty, and folder names below it."""
    return ".".join([*filter(None, [package]), *map(module_part, folders)])


def _parts_below(root: str, folder: str) -> list[str] | None:
    """Return the folder names from ``folder`` down to ``root``; ``None`` if it is not below."""
    if root == folder:
        return []
    prefix = folder.rstrip(os.sep) + os.sep
    if not root.startswith(prefix):
        return None
    return root[len(prefix) :].split(os.sep)


def _resolves(package: str, locations: Sequence[str], parts: Sequence[str], root: str) -> bool:
    """Return whether the import system finds the root under this name. Nothing is executed.

    :param package: the package above, or ``""``.
    :param locations: the folders that the package searches for modules.
    :param parts: the folder names from there to the root.
    :raises _ShadowedError: if a module hides a folder of the same name next to it.
    """
    name = package
    # None lets the path finder search sys.path.
    search: Sequence[str] | None = locations if package else None
    folder = os.path.realpath(locations[0])
    for part in parts:
        name = _join(name, [part])
        folder = os.path.join(folder, part)
        if "." in part:
            search = [folder]
            continue
        search = _submodule_locations(name, search)
        if search is None:
            _refuse_shadow(folder, name)
            return False
    # A namespace package has several: modules are imported from the first one.
    if not search or os.path.realpath(search[0]) != root:
        return False
    _add_dotted_folders(package, os.path.realpath(locations[0]), parts)
    return True


def _submodule_locations(name: str, search: Sequence[str] | None) -> Sequence[str] | None:
    """Return the folders that a package searches for modules; ``None`` if it is not a package.

    :param search: the folders to search for the package itself, or ``None`` for ``sys.path``.
    """
    if name in sys.modules:
        return getattr(sys.modules[name], "__path__", None)
    # By its last part: under a dotted name a namespace package asks for its parent.
    spec = PathFinder.find_spec(name.rpartition(".")[2], search)
    if spec is None:
        return None
    return spec.submodule_search_locations


def _refuse_shadow(folder: str, name: str) -> None:
    """Refuse a file with the module name of a folder next to it.

    :raises _ShadowedError: if there is one.
    """
    file = f"{folder}.py"
    if not os.path.isfile(file):
        return
    base = os.path.basename(folder)
    other = f"{base}_.py"
    if base == "app":
        other = "wsgi.py: flask run finds the app there too"
    error = _ShadowedError(
        f"The file {base}.py and the folder {base}/ next to it have the same module name, "
        f"{name!r}, so Python cannot import anything in the folder.",
        f"Rename {base}.py, for example to {other}.",
    )
    error.problem = error.problem.at(file, folder)
    raise error


def _add_dotted_folders(package: str, base: str, parts: Sequence[str]) -> None:
    """Make folders with a dot importable that are between a package and the root."""
    name, folder = package, base
    for part in parts:
        name = _join(name, [part])
        folder = os.path.join(folder, part)
        if "." in part:
            tree_finder.entries[name] = (None, folder)
