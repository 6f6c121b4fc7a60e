"""Find route files that cannot be in one tree. Works on parsed segments alone.

Two folders are at the same place if the folders above them match the same URLs. At one place,
folders that match the same URLs must have the same name, so that each URL has one route file and
each parameter one name, on every file system.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ..errors import Problem
from .model import RouteFile, Tree
from .segments import CatchAll, Dynamic, Parameter, Segment, Static
from .spelling import literal

#: The URLs that a segment matches, whatever its parameters are called: equal for equal URLs.
Shape = tuple[object, ...]

#: No converter, and Werkzeug's names for converters that match the same.
NO_CONVERTER: frozenset[str | None] = frozenset({None, "default", "string"})


def find_conflicts(tree: Tree) -> Iterator[Problem]:
    """Check a tree against itself.

    :returns: the problems, each with every file that is part of it.
    """
    possible = []
    for route in tree.routes:
        problems = [*_misplaced_catch_alls(route), *_repeated_names(route)]
        yield from problems
        if not problems:
            possible.append(route)
    yield from _same_places(possible)
    yield from _same_urls(possible)


def shape(segment: Segment) -> Shape:
    """Return the shape of a segment. Letter case is ignored: some file systems ignore it."""
    match segment:
        case Static(text=text):
            return ("static", text.casefold())
        case Dynamic(pieces=pieces):
            return ("dynamic", *map(_piece_shape, pieces))
        case CatchAll():
            return ("catch-all",)
        case _:
            return ("group",)


def _piece_shape(piece: str | Parameter) -> object:
    """Return what a piece of a dynamic segment matches: its text, or its converter."""
    if isinstance(piece, str):
        return piece.casefold()
    if piece.converter in NO_CONVERTER:
        return ("", None)
    return ("", piece.converter)


def _misplaced_catch_alls(route: RouteFile) -> Iterator[Problem]:
    """Find catch-alls that are not the last segment."""
    for segment, following in pairwise(route.url_segments):
        if isinstance(segment, CatchAll):
            yield Problem(
                f"{segment.folder} matches the rest of the URL, so {following.folder} below it "
                "is never reached.",
                f"Make {segment.folder} the last folder.",
                (route.file,),
            )


def _repeated_names(route: RouteFile) -> Iterator[Problem]:
    """Find parameters of one name in a path."""
    names = [parameter.name for segment in route.segments for parameter in segment.parameters]
    if len(names) == len(set(names)):
        return
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            f"The path has two parameters named {name!r}.",
            "Give each parameter of a path a different name.",
            (route.file,),
        )


def _same_places(routes: Sequence[RouteFile]) -> Iterator[Problem]:
    """Find folders of different names that match the same URLs at one place of the tree.

    A place is the shapes from the root down. Each folder is reported with its first file.
    """
    places: dict[tuple[Shape, ...], dict[str, str]] = defaultdict(dict)
    for route in routes:
        place: tuple[Shape, ...] = ()
        for segment in route.url_segments:
            place = (*place, shape(segment))
            places[place].setdefault(segment.folder, route.file)
    for folders in places.values():
        if len(folders) == 1:
            continue
        listed = " and ".join(sorted(folders))
        files = tuple(sorted(set(folders.values())))
        if len({literal(folder).casefold() for folder in folders}) == 1:
            yield Problem(
                f"The folders {listed} differ only in letter case, Unicode form or "
                "percent-encoding.",
                "Use one spelling: not every file system distinguishes them.",
                files,
            )
        else:
            yield Problem(
                f"The folders {listed} match the same URLs.",
                "Use one parameter name and one kind of brackets at each level of the tree.",
                files,
            )


def _same_urls(routes: Sequence[RouteFile]) -> Iterator[Problem]:
    """Find files with one URL.

    Only folders of equal names are compared: :func:`_same_places` reports all others.
    """
    files: dict[tuple[str, ...], list[str]] = defaultdict(list)
    catch_alls: dict[tuple[str, ...], list[RouteFile]] = defaultdict(list)
    for route in routes:
        segments = route.url_segments
        folders = tuple(segment.folder for segment in segments)
        files[folders].append(route.file)
        if segments and isinstance(segments[-1], CatchAll) and segments[-1].optional:
            catch_alls[folders[:-1]].append(route)
    for folders, same in files.items():
        if folders in catch_alls:
            above = catch_alls[folders]
            folder = above[0].url_segments[-1].folder
            yield Problem(
                f"{folder} also matches the URL of its parent folder, so these files have the "
                "same URL.",
                f"Remove one of them, or write {folder[1:-1]}.",
                tuple(sorted([*same, *(route.file for route in above)])),
            )
        elif len(same) > 1:
            yield Problem(
                "These files have the same URL.",
                "Keep one of them, or rename a folder; groups are not part of the URL.",
                tuple(sorted(same)),
            )
