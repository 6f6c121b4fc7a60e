"""Load the files of a tree as ordinary modules, under natural names.

``app/api/users/[id]/route.py`` is the module ``app.api.users.[id].route``. A file that raises,
with ``SystemExit`` too, becomes a :class:`~flask_routehandlers.errors.RouteImportError` in the
result, and the others are loaded all the same: all problems of a tree are reported at once.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from types import ModuleType

from ..errors import Problem, RouteImportError, skip_frames
from ..tree.model import KINDS, Folder, SourceFile, Tree
from .finders import module_part, tree_finder

#: The modules whose frames are between a file and the statement that imports it.
_IMPORT_SYSTEM = {
    __name__,
    "importlib",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
}


#: The modules that are imported now, each with the thread that imports it.
_importing: set[tuple[int, str]] = set()


def find_name_clashes(tree: Tree) -> Iterator[Problem]:
    """Find folders whose modules Python could not distinguish.

    :returns: the problems: folders with one module name, a folder next to a file of its name.
    """
    children: dict[tuple[str, ...], dict[str, list[Folder]]] = {}
    for folder in tree.folders:
        children[folder.names] = defaultdict(list)
        if folder.names:
            children[folder.names[:-1]][module_part(folder.names[-1])].append(folder)
    for parent in tree.folders:
        parts = children[parent.names]
        for part, folders in sorted(parts.items()):
            if len(folders) > 1:
                yield Problem(
                    f"The modules in these folders have the same name, {part!r}: a dot in a "
                    "folder name is an underscore in a module name.",
                    "Rename one of the folders, or put it in a group.",
                    tuple("/".join(folder.names) for folder in folders),
                )
        for part, folders in parts.items():
            if part in parent.modules:
                yield from _find_hidden_folders(parent, part, folders)


def _find_hidden_folders(parent: Folder, part: str, folders: list[Folder]) -> Iterator[Problem]:
    """Find folders that Python cannot import because of a file next to them.

    Python imports a package before a file of its name, which would hide a file of the tree.
    """
    file = "/".join((*parent.names, f"{part}.py"))
    for folder in folders:
        if part in KINDS or not folder.is_package:
            yield Problem(
                f"The file and the folder have the same module name, {part!r}, so Python cannot "
                "import anything in the folder.",
                f"Rename one of them, or put the folder in a group: ({part})/{part}.",
                (file, "/".join(folder.names)),
            )


def load(tree: Tree, root_name: str) -> dict[str, ModuleType | RouteImportError]:
    """Import every source file of a tree. Each is executed once per process.

    :param tree: the tree, without files that have problems.
    :param root_name: the module name of the root, from :func:`~.names.name_root`.
    :returns: for each file, by its path relative to the root, the module, or the error of its
        import: the original exception is its ``__cause__``.
    :raises ImportError: if one of the files is importing the app.
    """
    for folder in tree.folders:
        if folder.names:
            init = None
            if folder.is_package:
                init = os.path.join(folder.path, "__init__.py")
            tree_finder.entries[_module_name(root_name, folder.names)] = (init, folder.path)
    sources: list[SourceFile] = [*tree.dependencies, *tree.middleware, *tree.routes]
    originals: dict[str, SourceFile] = {}
    for source in sorted(sources, key=lambda source: source.target != source.file):
        originals.setdefault(source.target, source)
    try:
        with _keep_attributes(root_name):
            return {s.file: _load_file(s, originals[s.target], root_name) for s in sources}
    finally:
        for folder in tree.folders:
            # The path finder cannot find a folder with a dot, so its entry stays.
            if folder.names and "." not in folder.names[-1]:
                tree_finder.entries.pop(_module_name(root_name, folder.names), None)


def loaded_packages(tree: Tree, root_name: str) -> Iterator[tuple[Folder, ModuleType]]:
    """Return each folder that has an ``__init__.py``, with its module.

    :param root_name: the module name of the root.
    """
    for folder in tree.folders:
        if folder.is_package:
            module = sys.modules.get(_module_name(root_name, folder.names))
            if module is not None:
                yield folder, module


def _module_name(root_name: str, parts: Iterable[str]) -> str:
    """Return the module name of a folder or file.

    :param parts: the folder names below the root, and the name of the file without ``.py``.
    """
    return ".".join([root_name, *map(module_part, parts)])


@contextmanager
def _keep_attributes(root_name: str) -> Iterator[None]:
    """Leave the variables of the packages above a root as they are.

    Importing ``shop.app.api`` binds the module ``shop.app`` in the package ``shop``, where
    ``app`` is the Flask app in many projects.
    """
    kept: list[tuple[ModuleType, str, object]] = []
    for parent_name, name in pairwise(accumulate(root_name.split("."), "{}.{}".format)):
        parent = sys.modules.get(parent_name)
        if parent is not None:
            child = name.rpartition(".")[2]
            value = vars(parent).get(child)
            if value is not None and not isinstance(value, ModuleType):
                kept.append((parent, child, value))
    try:
        yield
    finally:
        for parent, child, value in kept:
            setattr(parent, child, value)


def _load_file(
    source: SourceFile, original: SourceFile, root_name: str
) -> ModuleType | RouteImportError:
    """Import one file.

    :param original: the file itself, if ``source`` is a link to it; else the same.
    :raises ImportError: if this thread is importing the file already.
    """
    path = module_part(original.file.removesuffix(".py"))
    name = f"{root_name}.{path.replace('/', '.')}"
    mark = threading.get_ident(), name
    if mark in _importing:
        raise ImportError(_describe_recursion(source.file))
    tree_finder.entries[name] = (original.path, None)
    _importing.add(mark)
    try:
        tree_finder.make_packages(root_name, name)
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a file must not end the server
        # The traceback starts at the file's own line; for a syntax error it is empty.
        error.__traceback__ = skip_frames(error.__traceback__, _IMPORT_SYSTEM.__contains__)
        failure = RouteImportError(source.file, error, original.path)
        failure.__cause__ = error
        return failure
    finally:
        _importing.discard(mark)
        tree_finder.entries.pop(name, None)


def _describe_recursion(file: str) -> str:
    """Return why a file must not import the module that makes the app."""
    main = sys.modules["__main__"]
    path = getattr(main, "__file__", None)
    names = [
        name
        for name, module in list(sys.modules.items())
        if module is not main and getattr(module, "__file__", None) == path
    ]
    if path is None or not names:
        return (
            f"{file} imports a module that makes the app, while the app imports {file}. Move what "
            "it needs to a module that does not make the app."
        )
    return (
        f"{os.path.basename(path)} runs twice, as the modules __main__ and {names[0]}, because "
        f"{file} imports {names[0]}. Move what it needs to another module, or start the app with "
        f"flask --app {names[0]} run."
    )
