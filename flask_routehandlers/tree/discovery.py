"""Find the route files below a root. Reads the file system, imports nothing."""

from __future__ import annotations

import os
from pathlib import PurePath

from ..errors import Problem
from .grammar import SegmentError, parse_segment
from .model import Folder, MiddlewareFile, RouteFile, SourceFile, Tree
from .segments import Segment, is_walked

ROUTE_FILE = "route.py"
MIDDLEWARE_FILE = "middleware.py"

_KINDS: dict[str, type[SourceFile]] = {ROUTE_FILE: RouteFile, MIDDLEWARE_FILE: MiddlewareFile}

_STEMS = frozenset(kind.stem for kind in _KINDS.values())

#: Names that are taken for one of the two often enough to be worth a warning.
_NEAR_MISSES = {
    "routes.py": ROUTE_FILE,
    "route.pyw": ROUTE_FILE,
    "routes.pyw": ROUTE_FILE,
    "rout.py": ROUTE_FILE,
    "middlewares.py": MIDDLEWARE_FILE,
    "_middleware.py": MIDDLEWARE_FILE,
    "middleware.pyw": MIDDLEWARE_FILE,
}


def discover(root: str) -> Tree:
    """Walk a root.

    :param root: an absolute path.
    :returns: the tree, with its problems; nothing is raised for a bad tree.
    """
    if not os.path.isdir(root):
        return Tree(root, (), (), (), (_find_missing(root),), ())
    return _Walk(root).tree()


#: A folder by the names from the root down, and its path.
_Place = tuple[tuple[str, ...], str]


class _Walk:
    """One walk over one root: an explicit stack, since a path can be deeper than Python's own."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.real_root = os.path.realpath(root)
        self.sources: list[SourceFile] = []
        self.folders: dict[tuple[str, ...], Folder] = {}
        self.links: set[tuple[str, ...]] = set()
        self.refused: dict[tuple[str, ...], Problem] = {}
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.parsed: dict[str, Segment | SegmentError] = {}

    def tree(self) -> Tree:
        stack: list[_Place] = [((), self.root)]
        while stack:
            stack.extend(self.visit(*stack.pop()))
        leading = {
            names[:n]
            for names, folder in self.folders.items()
            if "route" in folder.modules
            for n in range(len(names) + 1)
        }
        self.problems.extend(
            problem for names, problem in self.refused.items() if names in leading
        )
        if not leading and not self.problems:
            self.warnings.append(
                Problem(
                    f"There is no {ROUTE_FILE} below {self.root}, so no URL is served from it.",
                    f"Create for example {os.path.join(self.root, 'hello', ROUTE_FILE)}.",
                    (self.root,),
                )
            )
        self.sources.sort(key=lambda source: source.file.split("/"))
        middleware = [source for source in self.sources if isinstance(source, MiddlewareFile)]
        self.warnings.extend(
            Problem(
                f"{source.file} covers no route file: there is none in its folder or below.",
                "Move it to the folder of a route file or above, or remove it.",
                (source.file,),
            )
            for source in middleware
            if source.folders not in leading
        )
        return Tree(
            root=self.root,
            routes=tuple(source for source in self.sources if isinstance(source, RouteFile)),
            middleware=tuple(source for source in middleware if source.folders in leading),
            folders=tuple(self.folders[names] for names in sorted(leading)),
            problems=tuple(sorted(self.problems, key=lambda problem: problem.files)),
            warnings=tuple(sorted(self.warnings, key=lambda warning: warning.reason)),
            others=tuple(
                sorted(
                    "/".join((*names, f"{stem}.py"))
                    for names, folder in self.folders.items()
                    for stem in folder.modules - _STEMS
                )
            ),
        )

    def visit(self, names: tuple[str, ...], path: str) -> list[_Place]:
        """Read one folder; return the folders below it that are walked."""
        below: list[_Place] = []
        modules: set[str] = set()
        sources: dict[str, tuple[str, bool]] = {}
        linked = names in self.links
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    name = entry.name
                    if _is_folder(entry):
                        if is_walked(name) and self.stays_inside(entry, (*names, name)):
                            below.append(((*names, name), entry.path))
                            if linked:
                                self.links.add((*names, name))
                    elif name in _KINDS:
                        if self.is_loadable(entry, (*names, name)):
                            modules.add(_KINDS[name].stem)
                            sources[name] = entry.path, linked or entry.is_symlink()
                    elif name.lower().endswith((".py", ".pyw")):
                        if name.endswith(".py"):
                            modules.add(name.removesuffix(".py"))
                        self.check_near_miss(name, names)
        except OSError as error:
            self.problems.append(
                Problem(
                    f"The folder cannot be read: {error.strerror}.",
                    "Give the user that runs the app permission to list it, or make it private "
                    "with a leading underscore.",
                    ("/".join(names) or self.root,),
                )
            )
        self.folders[names] = Folder(names, path, frozenset(modules))
        segments = self.parse(names) if sources else None
        if segments is None:
            return below
        for name, (source, is_link) in sources.items():
            file = "/".join((*names, name))
            target = os.path.relpath(os.path.realpath(source), self.real_root) if is_link else file
            target = target.replace(os.sep, "/")
            self.sources.append(_KINDS[name](file, source, segments, target))
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
                self.refused[names[:n]] = segment.problem.at("/".join(names[:n]))
            else:
                segments.append(segment)
        return tuple(segments) if len(segments) == len(names) else None

    def stays_inside(self, entry: os.DirEntry[str], names: tuple[str, ...]) -> bool:
        if not entry.is_symlink():
            return True
        real = os.path.realpath(entry.path)
        if not _is_inside(real, self.real_root):
            self.refuse_outside(names, real)
            return False
        self.links.add(names)
        above = (os.path.realpath(os.path.join(self.root, *names[:n])) for n in range(len(names)))
        if any(_is_inside(folder, real) for folder in above):
            self.problems.append(
                Problem(
                    "The symbolic link leads to a folder that contains it: the tree has no end.",
                    "Remove the link.",
                    ("/".join(names),),
                )
            )
            return False
        return True

    def is_loadable(self, entry: os.DirEntry[str], names: tuple[str, ...]) -> bool:
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if not _is_inside(real, self.real_root):
                self.refuse_outside(names, real)
                return False
        if not _is_file(entry):
            self.problems.append(
                Problem(
                    "It is not a regular file, or a symbolic link to nothing.",
                    "Replace it with a file, or remove it.",
                    ("/".join(names),),
                )
            )
            return False
        return True

    def refuse_outside(self, names: tuple[str, ...], real: str) -> None:
        self.problems.append(
            Problem(
                f"The symbolic link leads out of the root, to {real}.",
                "Copy what it points to into the tree, or import it from a route file instead.",
                ("/".join(names),),
            )
        )

    def check_near_miss(self, name: str, names: tuple[str, ...]) -> None:
        lower = name.lower()
        meant = _NEAR_MISSES.get(lower, lower)
        file = "/".join((*names, name))
        if meant == ROUTE_FILE:
            reason = f"{file} is not a route file and gets no URL."
            hint = f"Rename it to {ROUTE_FILE} if it should answer requests."
        elif meant == MIDDLEWARE_FILE:
            reason = f"{file} is not a middleware file and never runs."
            hint = (
                f"Rename it to {MIDDLEWARE_FILE} if it should run for the routes here and below."
            )
        else:
            return
        self.warnings.append(Problem(reason, hint, (file,)))


def _find_missing(root: str) -> Problem:
    archive = _archive_above(root)
    if archive:
        return Problem(
            f"The root {root} is inside the zip archive {archive}, "
            "and route files are read from folders.",
            "Unpack the archive, or install the app with pip, and start it from there.",
            (root,),
        )
    missing = "is a file" if os.path.exists(root) else "does not exist"
    return Problem(
        f"The root {root} {missing}.",
        "Create the folder, or give RouteHandlers another root; "
        "a relative root starts at app.root_path.",
        (root,),
    )


def _archive_above(path: str) -> str | None:
    above = next((folder for folder in PurePath(path).parents if os.path.exists(folder)), None)
    if above is None or not os.path.isfile(above):
        return None
    from zipfile import is_zipfile  # slow to import, and needed for nothing else

    return str(above) if is_zipfile(above) else None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link to itself
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()  # asks the system for links only
    except OSError:
        return False


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
