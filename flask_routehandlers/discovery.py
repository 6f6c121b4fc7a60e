"""Find the route files below a root. Reads the file system, imports nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import Problem
from .segments import CatchAll, Dynamic, Group, Segment, SegmentError, is_walked, parse_segment

ROUTE_FILE = "route.py"

#: Names that are taken for ``route.py`` often enough to be worth a warning.
_NEAR_MISSES = frozenset({"routes.py", "route.pyw", "routes.pyw", "rout.py"})


@dataclass(frozen=True, slots=True)
class RouteFile:
    """One ``route.py`` with a legal path.

    :param file: its path relative to the root, with ``/`` between parts.
    :param path: its absolute path.
    :param segments: one for each folder between the root and the file, groups included.
    """

    file: str
    path: str
    segments: tuple[Segment, ...]

    @property
    def url_segments(self) -> tuple[Segment, ...]:
        """The segments that show in the URL: all but the groups."""
        return tuple(segment for segment in self.segments if not isinstance(segment, Group))

    @property
    def parameters(self) -> dict[str, Segment]:
        """The names of the path parameters in the order of the path, with their segments."""
        found: dict[str, Segment] = {}
        for segment in self.segments:
            if isinstance(segment, Dynamic):
                found.update((parameter.name, segment) for parameter in segment.parameters)
            elif isinstance(segment, CatchAll):
                found[segment.name] = segment
        return found


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on the way to a route file.

    :param names: the folder names from the root down; empty for the root itself.
    :param path: its absolute path.
    :param is_package: whether it holds an ``__init__.py``.
    :param modules: the stems of the other Python files in it, as the import system sees them.
    """

    names: tuple[str, ...]
    path: str
    is_package: bool
    modules: frozenset[str]


@dataclass(frozen=True, slots=True)
class Tree:
    """What a walk found.

    :param root: the absolute path of the root.
    :param routes: the route files, sorted by their paths.
    :param folders: the folders that lead to a route file, the root included, sorted by name.
    :param problems: everything that keeps the tree from being served.
    :param warnings: sentences about files that look like mistakes.
    """

    root: str
    routes: tuple[RouteFile, ...]
    folders: tuple[Folder, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


def discover(root: str) -> Tree:
    """Walk a root.

    :param root: an absolute path.
    :returns: the tree, with its problems; nothing is raised for a bad tree.
    """
    if not os.path.isdir(root):
        missing = "is a file" if os.path.exists(root) else "does not exist"
        reason = f"The root {root} {missing}."
        cure = (
            "Create the folder, or give RouteHandlers another root; "
            "a relative root starts at app.root_path."
        )
        return Tree(root, (), (), (Problem((root,), reason, cure),), ())
    return _Walk(root).tree()


class _Walk:
    """One walk over one root: an explicit stack, since a path can be deeper than Python's own."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.real_root = os.path.realpath(root)
        self.routes: list[RouteFile] = []
        self.folders: dict[tuple[str, ...], Folder] = {}
        self.refused: dict[tuple[str, ...], Problem] = {}
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.parsed: dict[str, Segment | SegmentError] = {}

    def tree(self) -> Tree:
        stack: list[tuple[str, ...]] = [()]
        while stack:
            stack.extend(self.visit(stack.pop()))
        leading = {route[:n] for route in self.route_folders() for n in range(len(route) + 1)}
        self.problems.extend(
            problem for names, problem in self.refused.items() if names in leading
        )
        if not leading and not self.problems:
            self.warnings.append(
                f"There is no {ROUTE_FILE} below {self.root}, so no URL is served from it. "
                f"Create for example {os.path.join(self.root, 'hello', ROUTE_FILE)}."
            )
        return Tree(
            root=self.root,
            routes=tuple(sorted(self.routes, key=lambda route: route.file.split("/"))),
            folders=tuple(self.folders[names] for names in sorted(leading)),
            problems=tuple(sorted(self.problems, key=lambda problem: problem.files)),
            warnings=tuple(sorted(self.warnings)),
        )

    def route_folders(self) -> Iterator[tuple[str, ...]]:
        for names, folder in self.folders.items():
            if "route" in folder.modules:
                yield names

    def visit(self, names: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Read one folder; return the folders below it that are walked."""
        path = os.path.join(self.root, *names)
        below: list[tuple[str, ...]] = []
        modules: set[str] = set()
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    inner = (*names, entry.name)
                    if entry.is_dir():
                        if is_walked(entry.name) and self.stays_inside(entry, inner):
                            below.append(inner)
                    elif entry.name == ROUTE_FILE:
                        if self.is_loadable(entry, inner):
                            modules.add("route")
                    elif entry.name.endswith((".py", ".pyw")):
                        modules.add(entry.name.rpartition(".")[0])
                        self.check_near_miss(entry.name, inner)
        except OSError as error:
            self.problems.append(
                Problem(
                    (_relative(names) or self.root,),
                    f"The folder cannot be read: {error.strerror}.",
                    "Give the user that runs the app permission to list it, or make it private "
                    "with a leading underscore.",
                )
            )
        self.folders[names] = Folder(names, path, "__init__" in modules, frozenset(modules))
        segments = self.parse(names)
        if "route" in modules and segments is not None:
            file = (*names, ROUTE_FILE)
            self.routes.append(RouteFile("/".join(file), os.path.join(path, ROUTE_FILE), segments))
        return below

    def parse(self, names: tuple[str, ...]) -> tuple[Segment, ...] | None:
        """The segments of a folder, or ``None`` when one of them was refused."""
        segments: list[Segment] = []
        for n, name in enumerate(names, start=1):
            segment = self.parsed.get(name)
            if segment is None:
                try:
                    segment = parse_segment(name)
                except SegmentError as error:
                    segment = error
                self.parsed[name] = segment
            if isinstance(segment, SegmentError):
                self.refused[names[:n]] = Problem(
                    (_relative(names[:n]),), segment.reason, segment.cure
                )
            else:
                segments.append(segment)
        return tuple(segments) if len(segments) == len(names) else None

    def stays_inside(self, entry: os.DirEntry[str], names: tuple[str, ...]) -> bool:
        if not entry.is_symlink():
            return True
        real = os.path.realpath(entry.path)
        if not self.is_inside(real):
            self.refuse_outside(names, real)
            return False
        here = os.path.realpath(os.path.dirname(entry.path))
        if here == real or here.startswith(real + os.sep):
            self.problems.append(
                Problem(
                    (_relative(names),),
                    "The symbolic link leads to a folder that contains it: the tree has no end.",
                    "Remove the link.",
                )
            )
            return False
        return True

    def is_loadable(self, entry: os.DirEntry[str], names: tuple[str, ...]) -> bool:
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if not self.is_inside(real):
                self.refuse_outside(names, real)
                return False
        if not entry.is_file():
            self.problems.append(
                Problem(
                    (_relative(names),),
                    "It is not a regular file, or a symbolic link to nothing.",
                    "Replace it with a file, or remove it.",
                )
            )
            return False
        return True

    def is_inside(self, real: str) -> bool:
        return real == self.real_root or real.startswith(self.real_root.rstrip(os.sep) + os.sep)

    def refuse_outside(self, names: tuple[str, ...], real: str) -> None:
        self.problems.append(
            Problem(
                (_relative(names),),
                f"The symbolic link leads out of the root, to {real}.",
                "Copy what it points to into the tree, or import it from a route file instead.",
            )
        )

    def check_near_miss(self, name: str, names: tuple[str, ...]) -> None:
        if name in _NEAR_MISSES or name.lower() == ROUTE_FILE:
            self.warnings.append(
                f"{_relative(names)} is not a route file and gets no URL. "
                f"Rename it to {ROUTE_FILE} if it should answer requests."
            )


def _relative(names: tuple[str, ...]) -> str:
    return "/".join(names)
