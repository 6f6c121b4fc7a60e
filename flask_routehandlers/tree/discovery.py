"""Find the files of a tree below a root. Reads the file system, imports nothing.

A walk reads each folder that is neither private nor hidden. It collects source files and folders,
and problems for what it cannot use. Afterwards the folders that lead to no route file are left
out, with the problems of their names: they may contain anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath
from typing import NamedTuple

from ..errors import Problem
from .grammar import SegmentError, parse_segment
from .lookalikes import find_lookalike_folders, find_lookalikes
from .model import (
    KINDS,
    SOURCE_FILES,
    DependenciesFile,
    Folder,
    MiddlewareFile,
    RouteFile,
    SourceFile,
    Tree,
)
from .segments import Segment, is_walked

ROUTE_STEM = "route"
ROUTE_FILE = f"{ROUTE_STEM}.py"

Names = tuple[str, ...]


class _Place(NamedTuple):
    """A folder to be read.

    :param names: the folder names from the root down.
    :param path: its absolute path.
    :param segments: its segments, or ``None`` if the grammar refuses one of its names.
    :param is_linked: whether it was reached through a symbolic link.
    """

    names: Names
    path: str
    segments: tuple[Segment, ...] | None
    is_linked: bool

    def child(self, name: str) -> str:
        """Return the path of an entry of this folder, relative to the root."""
        return "/".join((*self.names, name))


@dataclass(slots=True)
class _Findings:
    """The result of a walk so far.

    :param real_root: the absolute path of the root, with symbolic links resolved.
    :param refused: the folders whose names the grammar refuses.
    :param links: source files that are links out of the root.
    """

    root: str
    real_root: str
    folders: dict[Names, Folder] = field(default_factory=dict)
    sources: list[SourceFile] = field(default_factory=list)
    refused: dict[Names, Problem] = field(default_factory=dict)
    links: list[tuple[_Place, os.DirEntry[str]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lookalikes: list[Problem] = field(default_factory=list)


def discover(root: str) -> Tree:
    """Walk a root.

    :param root: an absolute path.
    :returns: the tree with its problems; nothing is raised for a bad tree.
    """
    if not os.path.isdir(root):
        return Tree(root, problems=(_describe_missing(root),))
    findings = _Findings(root, os.path.realpath(root))
    # An explicit stack, since a tree can be deeper than Python's own.
    stack = [_Place((), root, (), is_linked=False)]
    while stack:
        place = stack.pop()
        try:
            with os.scandir(place.path) as entries:
                stack += _read_folder(findings, place, entries)
        except OSError as error:
            findings.problems.append(
                Problem(
                    f"The folder cannot be read: {error.strerror}.",
                    "Give the user that runs the app permission to list it, or make it private "
                    "with a leading underscore.",
                    ("/".join(place.names) or root,),
                )
            )
    _settle_links(findings)
    return _make_tree(findings)


def _read_folder(
    findings: _Findings, place: _Place, entries: Iterable[os.DirEntry[str]]
) -> Iterator[_Place]:
    """Add the files of a folder to the findings.

    :param entries: the entries of the folder.
    :returns: the folders below it that are walked.
    :raises OSError: if the folder cannot be read to its end.
    """
    files: list[str] = []
    modules: set[str] = set()
    for entry in entries:
        name = entry.name
        if _holds(entry.is_dir):
            if is_walked(name) and _is_inside(findings, place, entry):
                yield _enter(findings, place, entry)
            continue
        files.append(name)
        if name not in SOURCE_FILES:
            if name.endswith(".py"):
                modules.add(name.removesuffix(".py"))
        elif not _holds(entry.is_file):
            findings.problems.append(_describe_unusable(place.child(name)))
        elif _leads_outside(findings, entry):
            findings.links.append((place, entry))
        else:
            modules.add(name.removesuffix(".py"))
            _add_source(findings, place, entry)
    findings.folders[place.names] = Folder(place.names, place.path, frozenset(modules))
    findings.lookalikes += find_lookalikes(place.names, files)


def _enter(findings: _Findings, place: _Place, entry: os.DirEntry[str]) -> _Place:
    """Return the place of a folder, with its name parsed."""
    names = (*place.names, entry.name)
    segments = None
    parsed = _parse(entry.name)
    if isinstance(parsed, Problem):
        findings.refused[names] = parsed.at("/".join(names))
    elif place.segments is not None:
        segments = (*place.segments, parsed)
    return _Place(names, entry.path, segments, place.is_linked or entry.is_symlink())


@lru_cache(maxsize=1024)
def _parse(folder: str) -> Segment | Problem:
    """Parse a folder name. A tree repeats the names of its folders, so the result is cached."""
    try:
        return parse_segment(folder)
    except SegmentError as error:
        return error.problem


def _add_source(findings: _Findings, place: _Place, entry: os.DirEntry[str]) -> None:
    """Add a source file to the findings, if the names of its folders are legal."""
    if place.segments is None:
        return
    file = target = place.child(entry.name)
    if place.is_linked or entry.is_symlink():
        target = os.path.relpath(os.path.realpath(entry.path), findings.real_root)
        target = target.replace(os.sep, "/")
    kind = SOURCE_FILES[entry.name]
    findings.sources.append(kind(file, entry.path, place.names, place.segments, target))


def _is_inside(findings: _Findings, place: _Place, entry: os.DirEntry[str]) -> bool:
    """Check that the symbolic link to a folder stays in the root, and has an end."""
    if not entry.is_symlink():
        return True
    real = os.path.realpath(entry.path)
    folders = [os.path.join(findings.root, *place.names[:n]) for n in range(len(place.names) + 1)]
    if _leads_outside(findings, entry):
        problem = _describe_outside(real)
    elif any(_contains(real, os.path.realpath(folder)) for folder in folders):
        problem = Problem(
            "The symbolic link points to a folder that contains it, so the tree has no end.",
            "Remove the link.",
        )
    else:
        return True
    findings.problems.append(problem.at(place.child(entry.name)))
    return False


def _leads_outside(findings: _Findings, entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a symbolic link out of the root."""
    if not entry.is_symlink():
        return False
    return not _contains(findings.real_root, os.path.realpath(entry.path))


def _settle_links(findings: _Findings) -> None:
    """Add source files that are links out of the root, or refuse them.

    They are part of the tree if an installer has made all of it of links: then each source file
    is a link to a file of the same path below another folder. Editable installs in strict mode,
    package managers that link from a cache, and the runfiles of build systems are like that.
    """
    is_installed = not findings.sources and all(
        os.path.realpath(entry.path).endswith(os.path.join(os.sep, *place.names, entry.name))
        for place, entry in findings.links
    )
    for place, entry in findings.links:
        if is_installed:
            folder = findings.folders[place.names]
            modules = folder.modules | {entry.name.removesuffix(".py")}
            findings.folders[place.names] = folder._replace(modules=modules)
            _add_source(findings, place, entry)
        else:
            problem = _describe_outside(os.path.realpath(entry.path))
            findings.problems.append(problem.at(place.child(entry.name)))


def _describe_outside(target: str) -> Problem:
    """Return the problem of a symbolic link out of the root."""
    return Problem(
        f"The symbolic link points outside the root, to {target}.",
        "Copy its target into the tree, or import it from a route file instead.",
    )


def _describe_unusable(file: str) -> Problem:
    """Return the problem of a source file that cannot be read as one."""
    return Problem(
        "It is not a regular file, or it is a broken symbolic link.",
        "Replace it with a file, or remove it.",
        (file,),
    )


def _make_tree(findings: _Findings) -> Tree:
    """Sort the findings, and leave out what does not lead to a route file."""
    leading: set[Names] = set()
    for names, folder in findings.folders.items():
        if ROUTE_STEM in folder.modules:
            leading.update(names[:n] for n in range(len(names) + 1))
    refused = [problem for names, problem in findings.refused.items() if names in leading]
    lookalikes = [*findings.lookalikes, *find_lookalike_folders(findings.folders, leading)]
    problems = [*findings.problems, *refused]
    problems += [problem for problem in lookalikes if problem.severity == "error"]
    problems.sort(key=lambda problem: problem.files)
    sources = sorted(findings.sources, key=lambda source: source.file.split("/"))
    used = [source for source in sources if source.folders in leading]
    unused = [source.file for source in sources if source.folders not in leading]
    warnings = [problem for problem in lookalikes if problem.severity == "warning"]
    warnings += map(_describe_unused, unused)
    if not leading and not problems:
        warnings.append(_describe_empty(findings.root))
    others = {
        "/".join((*names, f"{stem}.py"))
        for names, folder in findings.folders.items()
        for stem in folder.modules - KINDS.keys()
    }
    others.difference_update(file for problem in problems for file in problem.files)
    return Tree(
        root=findings.root,
        routes=tuple(source for source in used if isinstance(source, RouteFile)),
        middleware=tuple(source for source in used if isinstance(source, MiddlewareFile)),
        dependencies=tuple(source for source in used if isinstance(source, DependenciesFile)),
        folders=tuple(findings.folders[names] for names in sorted(leading)),
        problems=tuple(problems),
        warnings=tuple(sorted(warnings, key=lambda warning: warning.reason)),
        others=tuple(sorted(others)),
    )


def _describe_unused(file: str) -> Problem:
    """Return the warning about a source file that no route uses."""
    return Problem(
        f"{file} applies to no route file: there is none in its folder or below.",
        "Move it to the folder of a route file or above, or remove it.",
        (file,),
        "warning",
    )


def _describe_empty(root: str) -> Problem:
    """Return the warning about a root without route files."""
    return Problem(
        f"There is no {ROUTE_FILE} below {root}, so it has no URLs.",
        f"Create one, for example {os.path.join(root, 'hello', ROUTE_FILE)}.",
        (root,),
        "warning",
    )


def _describe_missing(root: str) -> Problem:
    """Return the problem of a root that is not a folder."""
    above = next(folder for folder in PurePath(root).parents if os.path.exists(folder))
    if os.path.isfile(above):
        from zipfile import is_zipfile  # slow to import, and needed for nothing else

        if is_zipfile(above):
            return Problem(
                f"The root {root} is inside the zip archive {above}, but route files are read "
                "from folders.",
                "Unpack the archive, or install the app with pip, and start it from there.",
                (root,),
            )
    reason = f"The root {root} does not exist."
    if os.path.exists(root):
        reason = f"The root {root} is a file."
    hint = (
        "Create the folder, or give RouteHandlers another root; a relative root starts at "
        "app.root_path."
    )
    meant = _without_repetition(root)
    if meant is not None:
        hint = (
            "A relative root starts at app.root_path, the folder of the package. "
            f'Write RouteHandlers(app, "{meant}", url_prefix="/{meant}").'
        )
    return Problem(reason, hint, (root,))


def _without_repetition(root: str) -> str | None:
    """Return a root as it was probably meant: ``api`` for the root ``app/api`` of a package app.

    :param root: the absolute path of a root that does not exist, ``/srv/app/app/api``.
    """
    parts = PurePath(root).parts
    for number in range(1, len(parts) - 1):
        rest = parts[number + 1 :]
        shorter = os.path.join(*parts[:number], *rest)
        if parts[number] == parts[number - 1] and os.path.isdir(shorter):
            return "/".join(rest)
    return None


def _holds(question: Callable[[], bool]) -> bool:
    """Return the answer of a directory entry, which is no for a symbolic link to itself."""
    try:
        return question()
    except OSError:
        return False


def _contains(folder: str, path: str) -> bool:
    """Return whether a path is that of a folder, or below it. Both are absolute."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
