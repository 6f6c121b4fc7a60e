"""Plan new route files, write them, and take them back if the tree could not be served with them.

Whether a tree can be served is not decided here. The files are written, the steps of the start
that need no import check the tree, and problems that it did not have before undo the writing. So
``new`` refuses what the start would refuse, in the same words.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePath

from flask import Flask

from ..errors import Problem, RouteTreeError
from ..importing.loader import find_name_clashes
from ..routes import endpoint_path
from ..routing.converters import refuse_converter, segment_types, value_type
from ..routing.matching import find_clashes
from ..routing.prefix import prefix_parameters
from ..routing.rules import RouteRule, make_rules
from ..tree.conflicts import find_conflicts
from ..tree.discovery import ROUTE_FILE, discover
from ..tree.grammar import SegmentError, parse_segment
from ..tree.model import RouteFile
from ..tree.segments import Segment
from .check.strays import find_parameters_as_text, find_private_routes
from .source import TYPES


@dataclass(frozen=True, slots=True)
class Place:
    """A tree that a file can be written to.

    :param name: the blueprint's name.
    :param root: the absolute path of the root, which may be missing.
    :param is_guessed: whether the app could not be loaded, and another one stands for it.
    """

    app: Flask
    name: str
    root: str
    url_prefix: str
    is_guessed: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A new route, before it is written.

    :param types: the type of each parameter of its URL, ``None`` where it is not known.
    :param url_for: a call that builds its URL.
    """

    source: RouteFile
    rules: tuple[RouteRule, ...]
    types: Mapping[str, object]
    url_for: str


def parse_path(path: str) -> tuple[tuple[Segment, ...], list[Problem]]:
    """Return the segments of a path below a root, and the problems of its folders.

    :param path: folder names with ``/`` between them, or ``.`` for the root.
    """
    segments: list[Segment] = []
    problems: list[Problem] = []
    names = path.split("/")
    if path == ".":
        names = []
    for n, name in enumerate(names, start=1):
        try:
            segments.append(parse_segment(name))
        except SegmentError as error:
            problems.append(error.problem.at("/".join(names[:n])))
    return tuple(segments), problems


def make_plan(place: Place, path: str, methods: Iterable[str]) -> Plan:
    """Plan a route.

    :param path: the folder below the root, for :func:`parse_path`.
    :raises RouteTreeError: with the problems of the path.
    """
    segments, problems = parse_path(path)
    url_map = place.app.url_map
    of_prefix = prefix_parameters(url_map, place.url_prefix)
    problems += _find_problems(place, path, segments, of_prefix)
    if problems:
        raise RouteTreeError(place.root, problems)
    types = {name: value_type(converter) for name, converter in of_prefix.items()}
    for segment in segments:
        types |= segment_types(url_map, segment)
    file = f"{path}/{ROUTE_FILE}".removeprefix("./")
    folders = tuple(segment.folder for segment in segments)
    source = RouteFile(file, os.path.join(place.root, file), folders, segments, file)
    endpoint = f"{place.name}.{endpoint_path(source)}"
    rules = make_rules(place.url_prefix, source.url_segments, endpoint, tuple(methods))
    examples = [f"{name}={TYPES[kind][1].format(name=name)}" for name, kind in types.items()]
    call = ", ".join([f'"{endpoint}"', *examples])
    return Plan(source, rules, types, f"url_for({call})")


def _find_problems(
    place: Place, path: str, segments: Sequence[Segment], of_prefix: Collection[str]
) -> Iterator[Problem]:
    """Find what keeps a path from being written, whatever the tree has."""
    for parameter in (parameter for segment in segments for parameter in segment.parameters):
        refused = refuse_converter(place.app.url_map, parameter)
        if refused:
            yield refused.at(path)
        if parameter.name in of_prefix:
            yield Problem(
                f"The url_prefix {place.url_prefix!r} has a parameter {parameter.name!r} too.",
                "Give each parameter of a path a different name.",
                (path,),
            )
    real = os.path.realpath(os.path.join(place.root, path))
    if not PurePath(real).is_relative_to(os.path.realpath(place.root)):
        yield Problem(
            f"A symbolic link points outside the root, to {real}.",
            "Choose another folder: nothing is written outside the root.",
            (path,),
        )


def write(place: Place, plan: Plan, contents: Mapping[str, str]) -> None:
    """Write the files of a route, unless the tree has new problems with them.

    :param contents: the contents of all files by absolute path, in the order of writing.
    :raises RouteTreeError: with the new problems. The tree is as it was.
    :raises OSError: if a file cannot be written, or exists already. The tree is as it was.
    """
    known = _check_tree(place.root)
    with _writing(contents):
        problems = [problem for problem in _check_tree(place.root) if problem not in known]
        route = plan.source.file, plan.rules
        problems = problems or list(find_clashes(place.app.url_map, [route]))
        if problems:
            raise RouteTreeError(place.root, problems)


def _check_tree(root: str) -> list[Problem]:
    """Return the problems of a tree that show without importing it, and its stray folders."""
    tree = discover(root)
    return [
        *tree.problems,
        *find_conflicts(tree),
        *find_name_clashes(tree),
        *find_parameters_as_text(tree),
        *find_private_routes(tree),
    ]


@contextmanager
def _writing(contents: Mapping[str, str]) -> Iterator[None]:
    """Write new files and the folders that they need. Remove them if the block raises."""
    with ExitStack() as undo:
        for path, content in contents.items():
            missing = [folder for folder in PurePath(path).parents if not os.path.isdir(folder)]
            for folder in reversed(missing):
                os.mkdir(folder)
                undo.callback(_remove_folder, folder)
            with open(path, "x", encoding="utf-8", newline="\n") as file:
                undo.callback(os.unlink, path)
                file.write(content)
        yield
        undo.pop_all()


def _remove_folder(folder: PurePath) -> None:
    """Remove a folder that was made, unless it has other files by now."""
    with suppress(OSError):  # another process has written to it
        os.rmdir(folder)
