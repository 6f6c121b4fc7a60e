"""Two finders that let Python's own import system load a tree, and patch it by dotted name.

:class:`TreeFinder` finds modules by a table that ``loader`` and ``names`` fill: folders with a dot
    in their name, packages that are made up, and, while a tree is loaded, its files without a
    search. :class:`AliasFinder` is for ``unittest.mock.patch("app.api.users.id.route.db")``, since
    few tools accept a name with brackets.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import BuiltinImporter, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from threading import Lock
from types import ModuleType


def module_part(folder: str) -> str:
    """Return the part of a module name for a folder: its name, with ``_`` for each dot."""
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
        """Return the spec of a module in the table."""
        file, folder = self.entries.get(fullname, (None, None))
        locations = None
        if folder is not None:
            locations = [folder]
        if file is not None:
            loader = SourceFileLoader(fullname, file)  # else importlib would look for one
            return spec_from_file_location(
                fullname, file, loader=loader, submodule_search_locations=locations
            )
        if folder is not None:
            return _namespace_spec(fullname, folder)
        return None

    def make_packages(self, root_name: str, fullname: str) -> None:
        """Make the packages between a root and a module that have no code.

        Python would make the same ones, after a search and with a lock for each. What is below a
        package with code is left to Python, which has to run that first.

        :param root_name: the module name of the root.
        :param fullname: the full name of the module.
        """
        parent, name = sys.modules.get(root_name), root_name
        for part in fullname.removeprefix(f"{root_name}.").split(".")[:-1]:
            name = f"{name}.{part}"
            module = sys.modules.get(name)
            if module is None:
                file, folder = self.entries.get(name, (None, None))
                if parent is None or file is not None or folder is None:
                    return
                module = module_from_spec(_namespace_spec(name, folder))
                module = sys.modules.setdefault(name, module)
                setattr(parent, part, module)
            parent = module


def _namespace_spec(fullname: str, folder: str) -> ModuleSpec:
    """Return the spec of a package without code."""
    spec = ModuleSpec(fullname, None, is_package=True)
    spec.submodule_search_locations = [folder]
    return spec


class AliasFinder(MetaPathFinder):
    """Find ``app.api.users.id.route`` as another name of the module ``app.api.users.[id].route``.

    It is first on ``sys.meta_path``: below an alias the path finder would find the files again,
    and execute them a second time under the alias.

    ``roots`` has the module name of each root, followed by a dot.
    """

    def __init__(self) -> None:
        self.roots: tuple[str, ...] = ()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of an alias, or ``None`` for any other name."""
        if not fullname.startswith(self.roots) or fullname in tree_finder.entries:
            return None
        parent_name, _, child = fullname.rpartition(".")
        parent = sys.modules.get(parent_name)
        if parent is None:
            return None
        if parent.__name__ != parent_name:
            canonical = f"{parent.__name__}.{child}"
        else:
            folder = _folder_with_alias(child, path or ())
            if folder is None or PathFinder.find_spec(fullname, path) is not None:
                return None
            canonical = f"{parent_name}.{module_part(folder)}"
        if canonical not in sys.modules and find_spec(canonical) is None:
            return None
        return ModuleSpec(fullname, _AliasLoader(canonical))


class _AliasLoader(Loader):
    """Return the module of another name, and leave it as it was.

    The module is imported here and not by the finder: finders are called under a lock that every
    import needs, including those of a module that another thread is executing.
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


def _folder_with_alias(alias: str, path: Sequence[str]) -> str | None:
    """Return the only folder with this alias, ``[id]`` for ``id``.

    :param path: the absolute paths of the folders that may contain it.
    :returns: its name; ``None`` if there are none or several.
    """
    names = set()
    for location in filter(os.path.isdir, path):
        # A set, since one folder is there twice when sys.path has an entry twice.
        names.update(os.listdir(location))
    folders = [name for name in names if _alias(name) == alias and name != alias]
    if len(folders) != 1:
        return None
    return folders[0]


def _alias(folder: str) -> str:
    """Return a folder name as an identifier: without brackets, leading dots and converters."""
    bare = re.sub(r"^\[{1,2}\.\.\.|=\w+\]|[\[\]()]", "", folder)
    alias = re.sub(r"\W", "_", bare)
    if alias.isidentifier():
        return alias
    return f"_{alias}"


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
            # After import hooks such as pytest's, which rewrite the modules that they find, and
            # before Python's own finders, each of which would cost every file a call.
            position = 1
            for finder in (BuiltinImporter, PathFinder):
                if finder in sys.meta_path:
                    position = sys.meta_path.index(finder)
                    break
            sys.meta_path.insert(position, tree_finder)
