"""Two finders that let Python's own import system load a tree, and patch it by dotted name."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, spec_from_file_location
from threading import Lock
from types import ModuleType


def module_part(folder: str) -> str:
    """The part of a module name that a folder stands for: the folder, with ``_`` for a dot."""
    return folder.replace(".", "_")


class TreeFinder(MetaPathFinder):
    """Find modules by a table of names: what the path finder cannot find, or finds slowly.

    ``entries`` maps a full module name to the file that is executed (``None`` for a namespace
    package) and the folder that its submodules are in (``None`` for a plain module).
    """

    def __init__(self) -> None:
        self.entries: dict[str, tuple[str | None, str | None]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        entry = self.entries.get(fullname)
        if entry is None:
            return None
        file, folder = entry
        if file is not None:
            locations = None if folder is None else [folder]
            return spec_from_file_location(fullname, file, submodule_search_locations=locations)
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [folder or ""]
        return spec


class AliasFinder(MetaPathFinder):
    """Find ``app.api.users.id.route`` as another name of the module ``app.api.users.[id].route``.

    It stands first on ``sys.meta_path``: below an alias the path finder would find the files
    again, and execute them a second time under the alias.
    """

    def __init__(self) -> None:
        self.roots: tuple[str, ...] = ()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(self.roots) or fullname in tree_finder.entries:
            return None
        parent_name, _, child = fullname.rpartition(".")
        parent = sys.modules.get(parent_name)
        if parent is None:
            return None
        if parent.__name__ != parent_name:
            canonical = f"{parent.__name__}.{child}"
        else:
            folder = _folder_called(child, path or ())
            if folder is None or PathFinder.find_spec(fullname, path) is not None:
                return None
            canonical = f"{parent_name}.{module_part(folder)}"
        if canonical not in sys.modules and find_spec(canonical) is None:
            return None
        return ModuleSpec(fullname, _AliasLoader(canonical))


class _AliasLoader(Loader):
    """Hand out the module of another name, and leave it as it was.

    The module is imported here and not by the finder: finders are asked under a lock that every
    import needs, also those of a module that another thread is executing.
    """

    def __init__(self, canonical: str) -> None:
        self.canonical = canonical
        self.spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.canonical)
        self.spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec


def _folder_called(alias: str, path: Sequence[str]) -> str | None:
    """The one folder with this alias, ``[id]`` for ``id``; ``None`` for none or several."""
    # By name: one folder is there twice when sys.path has an entry twice.
    found = {
        folder
        for location in path
        if os.path.isdir(location)
        for folder in os.listdir(location)
        if _alias(folder) == alias and folder != alias
    }
    return found.pop() if len(found) == 1 else None


def _alias(folder: str) -> str:
    """A folder name as an identifier: brackets, dots of a catch-all and converters left out."""
    bare = re.sub(r"^\[{1,2}\.\.\.|=\w+\]|[\[\]()]", "", folder)
    alias = re.sub(r"\W", "_", bare)
    return alias if alias.isidentifier() else f"_{alias}"


tree_finder = TreeFinder()
alias_finder = AliasFinder()
_lock = Lock()


def install(root_name: str) -> None:
    """Put the finders on ``sys.meta_path`` for a root, once per process.

    :param root_name: the module name of the root.
    """
    with _lock:
        prefix = f"{root_name}."
        if prefix not in alias_finder.roots:
            alias_finder.roots = (*alias_finder.roots, prefix)
        if alias_finder not in sys.meta_path:
            sys.meta_path.insert(0, alias_finder)
        if tree_finder not in sys.meta_path:
            # Behind import hooks such as pytest's, which rewrite what they find themselves.
            at = sys.meta_path.index(PathFinder) if PathFinder in sys.meta_path else 1
            sys.meta_path.insert(at, tree_finder)
