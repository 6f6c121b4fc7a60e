"""Load the files of a tree as ordinary modules, under natural names."""

from __future__ import annotations

import importlib
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate, pairwise
from types import ModuleType

from ..errors import Problem, RouteImportError, skip_frames
from ..tree.model import Folder, MiddlewareFile, RouteFile, SourceFile, Tree
from .finders import module_part, tree_finder

#: The modules whose frames stand between a file and what imports it.
_IMPORT_SYSTEM = {
    __name__,
    "importlib",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
}


def find_name_clashes(tree: Tree) -> Iterator[Problem]:
    """Find folders whose modules could not be told apart.

    :returns: the problems: two folders with one module name, a folder beside a file of its name.
    """
    beside: dict[tuple[str, ...], list[Folder]] = {}
    for folder in tree.folders:
        if folder.names:
            beside.setdefault(folder.names[:-1], []).append(folder)
    for place in tree.folders:
        siblings = beside.get(place.names)
        if not siblings:
            continue
        counts = Counter(module_part(folder.names[-1]) for folder in siblings)
        for part in sorted(part for part, count in counts.items() if count > 1):
            yield Problem(
                f"The modules in these folders would have one name, {part!r}: "
                "a dot in a folder is an underscore in a module name.",
                "Rename one of the folders, or put it in a group.",
                tuple("/".join(f.names) for f in siblings if module_part(f.names[-1]) == part),
            )
        for folder in siblings:
            part = module_part(folder.names[-1])
            hides = part in (RouteFile.stem, MiddlewareFile.stem) or not folder.is_package
            if part in place.modules and hides:
                file = "/".join((*place.names, f"{part}.py"))
                yield Problem(
                    f"The file and the folder have one module name, {part!r}, "
                    "so Python cannot import what is in the folder.",
                    f"Rename one of them, or put the folder in a group: ({part})/{part}.",
                    (file, "/".join(folder.names)),
                )


def load(tree: Tree, root_name: str) -> dict[str, ModuleType | RouteImportError]:
    """Import every middleware and route file of a tree. Each is executed once per process.

    :param root_name: the module name of the root, from :func:`~.naming.name_root`.
    :returns: for each file, by its path relative to the root, the module, or the error
        that its import raised: the original exception is its ``__cause__``.
    """
    for folder in tree.folders:
        if folder.names:
            init = os.path.join(folder.path, "__init__.py") if folder.is_package else None
            tree_finder.entries[_module_name(root_name, folder.names)] = (init, folder.path)
    sources: list[SourceFile] = [*tree.middleware, *tree.routes]
    originals: dict[str, SourceFile] = {}
    for source in sorted(sources, key=lambda source: source.target != source.file):
        originals.setdefault(source.target, source)
    try:
        with _keep_attributes(root_name):
            return {s.file: _load_file(s, originals[s.target], root_name) for s in sources}
    finally:
        for folder in tree.folders:
            if "." not in "".join(folder.names[-1:]):
                tree_finder.entries.pop(_module_name(root_name, folder.names), None)


def _module_name(root_name: str, parts: Iterable[str]) -> str:
    return ".".join([root_name, *map(module_part, parts)])


@contextmanager
def _keep_attributes(root_name: str) -> Iterator[None]:
    """Leave the variables of the packages above a root as they are.

    Importing ``shop.app.api`` binds the module ``shop.app`` in the package ``shop``, where
    ``app`` is the Flask app in many projects.
    """
    above = list(accumulate(root_name.split("."), "{}.{}".format))
    kept: list[tuple[ModuleType, str, object]] = []
    for parent_name, name in pairwise(above):
        parent = sys.modules.get(parent_name)
        child = name.rpartition(".")[2]
        value = vars(parent).get(child) if parent else None
        if parent and value is not None and not isinstance(value, ModuleType):
            kept.append((parent, child, value))
    try:
        yield
    finally:
        for parent, child, value in kept:
            setattr(parent, child, value)


def _load_file(
    source: SourceFile, original: SourceFile, root_name: str
) -> ModuleType | RouteImportError:
    """:param original: the file itself, where ``source`` is a link to it."""
    name = f"{root_name}.{module_part(original.file.removesuffix('.py')).replace('/', '.')}"
    tree_finder.entries[name] = (original.path, None)
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a file must not end the server
        # Nothing in front of the file's own line, and nothing at all for a syntax error.
        error.__traceback__ = skip_frames(error.__traceback__, _IMPORT_SYSTEM.__contains__)
        failure = RouteImportError(source.file, error, original.path)
        failure.__cause__ = error
        return failure
    finally:
        tree_finder.entries.pop(name, None)
