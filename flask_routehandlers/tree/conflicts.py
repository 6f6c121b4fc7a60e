"""Find route files that cannot live in one tree. Works on parsed segments alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from ..errors import Problem
from .grammar import literal
from .model import RouteFile, Tree
from .segments import CatchAll, Dynamic, Parameter, Segment, Static

#: What a segment matches, whatever its parameters are called: equal shapes match equal URLs.
Shape = tuple[object, ...]

#: No converter, and Werkzeug's names for what matches the same.
NO_CONVERTER: frozenset[str | None] = frozenset({None, "default", "string"})


def find_conflicts(tree: Tree) -> Iterator[Problem]:
    """Check one tree against itself.

    :returns: the problems, each naming every file that takes part.
    """
    possible = []
    for route in tree.routes:
        segments = route.url_segments
        problems = [*_misplaced_catch_alls(route, segments), *_repeated_names(route)]
        yield from problems
        if not problems:
            possible.append((route, segments))
    yield from _same_places(possible)
    yield from _same_urls(possible)


def shape(segment: Segment) -> Shape:
    """What a segment matches. Letter case is folded: a tree must not depend on it."""
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
    if isinstance(piece, str):
        return piece.casefold()
    return ("", None if piece.converter in NO_CONVERTER else piece.converter)


def _misplaced_catch_alls(route: RouteFile, segments: tuple[Segment, ...]) -> Iterator[Problem]:
    for segment, following in pairwise(segments):
        if isinstance(segment, CatchAll):
            yield Problem(
                f"{segment.folder} takes the rest of the URL, so {following.folder} "
                "behind it is never reached.",
                f"Make {segment.folder} the last folder.",
                (route.file,),
            )


def _repeated_names(route: RouteFile) -> Iterator[Problem]:
    names = [parameter.name for segment in route.segments for parameter in segment.parameters]
    if len(names) < 2:
        return
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            f"The path has two parameters called {name!r}.",
            "Give each parameter of a path its own name.",
            (route.file,),
        )


def _same_places(routes: Iterable[tuple[RouteFile, tuple[Segment, ...]]]) -> Iterator[Problem]:
    """Folders of different names that match the same text at one place of the tree."""
    places: dict[tuple[Shape, ...], dict[Shape, dict[str, str]]] = defaultdict(dict)
    for route, segments in routes:
        place: tuple[Shape, ...] = ()
        for segment in segments:
            found = shape(segment)
            places[place].setdefault(found, {}).setdefault(segment.folder, route.file)
            place = (*place, found)
    for shapes in places.values():
        for folders in shapes.values():
            if len(folders) == 1:
                continue
            files = tuple(sorted(set(folders.values())))
            listed = " and ".join(sorted(folders))
            if len({literal(folder).casefold() for folder in folders}) == 1:
                yield Problem(
                    f"The folders {listed} differ only in letter case, Unicode form or %5F, "
                    "which not every file system keeps apart.",
                    "Spell the folder in one way.",
                    files,
                )
            else:
                yield Problem(
                    f"The folders {listed} match the same URLs at one place of the tree.",
                    "Use one name for the parameter and one kind of brackets.",
                    files,
                )


def _same_urls(routes: Iterable[tuple[RouteFile, tuple[Segment, ...]]]) -> Iterator[Problem]:
    """Files of one URL whose folders are spelled alike: the others are reported as places."""
    owners: dict[tuple[str, ...], tuple[RouteFile, Segment | None]] = {}
    shared: dict[tuple[str, ...], list[tuple[RouteFile, Segment | None]]] = {}

    def add(folders: tuple[str, ...], owner: tuple[RouteFile, Segment | None]) -> None:
        first = owners.setdefault(folders, owner)
        if first is not owner:
            shared.setdefault(folders, [first]).append(owner)

    for route, segments in routes:
        folders = tuple(segment.folder for segment in segments)
        last = segments[-1] if segments else None
        add(folders, (route, None))
        if isinstance(last, CatchAll) and last.optional:
            add(folders[:-1], (route, last))
    for found in shared.values():
        files = tuple(sorted(route.file for route, _ in found))
        optional = next((catch_all.folder for _, catch_all in found if catch_all), None)
        if optional and any(catch_all is None for _, catch_all in found):
            yield Problem(
                f"{optional} also matches the URL of the folder that it is in, "
                "so both files answer one URL.",
                f"Remove one of the files, or write {optional[1:-1]}.",
                files,
            )
        elif optional is None:
            yield Problem(
                "These files answer one URL.",
                "Keep one of them, or rename a folder; a group adds nothing to the URL.",
                files,
            )
