"""Find route files that cannot live in one tree. Works on parsed segments alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from .discovery import RouteFile, Tree
from .errors import Problem
from .segments import CatchAll, Dynamic, Parameter, Segment, Static

#: What a segment matches, whatever its parameters are called: equal shapes match equal URLs.
Shape = tuple[object, ...]

_END: Shape = ("end",)


def find_conflicts(tree: Tree) -> Iterator[Problem]:
    """Check one tree against itself.

    :returns: the problems, each naming every file that takes part.
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
    """What a segment matches. Letter case is folded: a tree must not depend on it."""
    match segment:
        case Static(text=text):
            return ("static", text.casefold())
        case Dynamic(pieces=pieces):
            return (
                "dynamic",
                *(("", p.converter) if isinstance(p, Parameter) else p.casefold() for p in pieces),
            )
        case CatchAll():
            return ("catch-all",)
        case _:
            return ("group",)


def _misplaced_catch_alls(route: RouteFile) -> Iterator[Problem]:
    segments = route.url_segments
    for segment, following in pairwise(segments):
        if isinstance(segment, CatchAll):
            yield Problem(
                (route.file,),
                f"{segment.folder} takes the rest of the URL, so {following.folder} "
                "behind it is never reached.",
                f"Make {segment.folder} the last folder.",
            )


def _repeated_names(route: RouteFile) -> Iterator[Problem]:
    names: list[str] = []
    for segment in route.segments:
        if isinstance(segment, Dynamic):
            names += [parameter.name for parameter in segment.parameters]
        elif isinstance(segment, CatchAll):
            names.append(segment.name)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            (route.file,),
            f"The path has two parameters called {name!r}.",
            "Give each parameter of a path its own name.",
        )


def _same_places(routes: Iterable[RouteFile]) -> Iterator[Problem]:
    """Folders at one place of the tree that match the same text under different names."""
    places: dict[tuple[Shape, ...], dict[Shape, dict[str, str]]] = defaultdict(dict)
    for route in routes:
        place: tuple[Shape, ...] = ()
        for segment in route.url_segments:
            found = shape(segment)
            places[place].setdefault(found, {}).setdefault(_spelling(segment), route.file)
            place = (*place, found)
    for shapes in places.values():
        for found, spellings in shapes.items():
            if len(spellings) == 1:
                continue
            files = tuple(sorted(set(spellings.values())))
            listed = " and ".join(sorted(spellings))
            if found[0] == "static":
                yield Problem(
                    files,
                    f"The folders {listed} differ only in letter case or Unicode form, "
                    "which some file systems cannot keep apart.",
                    "Spell the folder in one way.",
                )
            else:
                yield Problem(
                    files,
                    f"The folders {listed} match the same URLs at one place of the tree.",
                    "Use one name for the parameter and one kind of brackets.",
                )


def _spelling(segment: Segment) -> str:
    """The folder name in the form in which two spellings of it are one."""
    return segment.text if isinstance(segment, Static) else segment.folder


def _same_urls(routes: Iterable[RouteFile]) -> Iterator[Problem]:
    owners: dict[tuple[Shape, ...], list[RouteFile]] = defaultdict(list)
    for route in routes:
        shapes = tuple(shape(segment) for segment in route.url_segments)
        owners[shapes, _END].append(route)
        if route.url_segments and getattr(route.url_segments[-1], "optional", False):
            owners[shapes[:-1], _END].append(route)
    for files in owners.values():
        if len(files) == 1:
            continue
        names = tuple(sorted(route.file for route in files))
        ends = [route.url_segments[-1:] for route in files]
        optional = [end[0].folder for end in ends if end and isinstance(end[0], CatchAll)]
        if len(optional) == 1:
            yield Problem(
                names,
                f"{optional[0]} also matches the URL of the folder that it is in, "
                "so both files answer one URL.",
                f"Remove one of the files, or write {optional[0][1:-1]}.",
            )
        else:
            yield Problem(
                names,
                "These files answer one URL.",
                "Keep one of them, or rename a folder; a group adds nothing to the URL.",
            )
