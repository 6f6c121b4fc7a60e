"""The files of a root, as data: :mod:`~flask_routehandlers.tree.discovery` finds them."""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from ..errors import Problem
from .segments import Group, Segment


class SourceFile(NamedTuple):
    """A file of the tree that is imported.

    :param file: its path relative to the root, with ``/`` between parts.
    :param path: its absolute path.
    :param folders: the folder names from the root down.
    :param segments: one for each of these folders, groups included.
    :param target: ``file`` with symbolic links resolved: links to one file share it.
    """

    file: str
    path: str
    folders: tuple[str, ...]
    segments: tuple[Segment, ...]
    target: str


class MiddlewareFile(SourceFile):
    """A ``middleware.py``: it applies to every route file in its folder and below."""

    __slots__ = ()


class DependenciesFile(SourceFile):
    """A ``dependencies.py``: its functions are arguments in its folder and below."""

    __slots__ = ()


class RouteFile(SourceFile):
    """A ``route.py``."""

    __slots__ = ()

    @property
    def url_segments(self) -> tuple[Segment, ...]:
        """The segments that are part of the URL: all but the groups."""
        if Group not in map(type, self.segments):
            return self.segments
        return tuple(segment for segment in self.segments if not isinstance(segment, Group))


#: The kinds of source files, by their names without ``.py``.
KINDS: dict[str, type[SourceFile]] = {
    "route": RouteFile,
    "middleware": MiddlewareFile,
    "dependencies": DependenciesFile,
}

#: The same by their full names.
SOURCE_FILES = {f"{stem}.py": kind for stem, kind in KINDS.items()}


class Folder(NamedTuple):
    """A folder that leads to a route file.

    :param names: the folder names from the root down; empty for the root itself.
    :param path: its absolute path.
    :param modules: the names, without ``.py``, of the Python files in it.
    """

    names: tuple[str, ...]
    path: str
    modules: frozenset[str]

    @property
    def is_package(self) -> bool:
        """``True`` if it has an ``__init__.py``."""
        return "__init__" in self.modules


class Tree(NamedTuple):
    """A root as it is on disk.

    :param root: the absolute path of the root.
    :param routes: the route files, sorted by path.
    :param middleware: the middleware files that apply to a route file, sorted by path.
    :param dependencies: the dependencies files that apply to a route file, sorted by path.
    :param folders: the folders that lead to a route file, the root included, sorted by name.
    :param problems: the reasons why the tree cannot be served.
    :param warnings: what can be served, but is probably a mistake.
    :param others: the other Python files in the folders that are walked, sorted.
    """

    root: str
    routes: tuple[RouteFile, ...] = ()
    middleware: tuple[MiddlewareFile, ...] = ()
    dependencies: tuple[DependenciesFile, ...] = ()
    folders: tuple[Folder, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    others: tuple[str, ...] = ()

    def without(self, refused: Set[str]) -> Tree:
        """Return the same tree without some files, and without the files below some folders.

        :param refused: files and folders, relative to the root.
        """
        if not refused:
            return self

        def is_kept(source: SourceFile) -> bool:
            parts = source.file.split("/")
            return not any("/".join(parts[:n]) in refused for n in range(1, len(parts) + 1))

        return self._replace(
            routes=tuple(filter(is_kept, self.routes)),
            middleware=tuple(filter(is_kept, self.middleware)),
            dependencies=tuple(filter(is_kept, self.dependencies)),
        )
