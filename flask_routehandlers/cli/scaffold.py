"""Plan and write new route files: what they will be, and what is in their way."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TypeVar

from flask import Flask

from ..errors import Problem, RouteTreeError
from ..importing.loader import find_name_clashes
from ..routes import endpoint_path
from ..routing.converters import refuse_converter, segment_types, value_type
from ..routing.matching import find_clashes
from ..routing.prefix import prefix_parameters
from ..routing.rules import make_rules
from ..tree.conflicts import find_conflicts
from ..tree.discovery import ROUTE_FILE, discover
from ..tree.grammar import SegmentError, guess_parameter, parse_segment
from ..tree.model import Folder, MiddlewareFile, RouteFile, SourceFile, Tree
from ..tree.segments import Segment, is_walked
from .sources import examples, middleware_source, route_source


@dataclass(frozen=True, slots=True)
class Plan:
    """Files that can be written, and what they will be in the app.

    :param files: their absolute paths and contents, in the order in which they are written.
    :param rules: the rules of the route, as ``flask routes`` shows them.
    :param url_for: a call that builds its URL.
    """

    files: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    url_for: str


def read_path(path: str) -> tuple[tuple[Segment, ...], list[Problem]]:
    """The segments that a path below a root is made of, and what is wrong with it.

    :param path: folder names with ``/`` between them; a ``route.py`` at the end is left out, and
        ``.`` is the root itself.
    """
    folders = path.removesuffix(f"/{ROUTE_FILE}").removesuffix("/").split("/")
    if folders in ([""], ["."], [ROUTE_FILE]) and not path.startswith("/"):
        return (), []
    segments: list[Segment] = []
    problems: list[Problem] = []
    for n, folder in enumerate(folders, start=1):
        refused = _refuse_folder(folder)
        if refused is None:
            try:
                segments.append(parse_segment(folder))
            except SegmentError as error:
                refused = error.problem
        if refused:
            problems.append(refused.at("/".join(folders[:n]) or path))
    return tuple(segments), problems


def _refuse_folder(folder: str) -> Problem | None:
    if folder == "..":
        return Problem("The path leads out of the root.", "Write the path from the root down.")
    if folder in ("", "."):
        return Problem(
            "The path has an empty folder name, or a dot for one.",
            "Write it from the root down, without a slash in front: users/[id].",
        )
    meant = guess_parameter(folder)
    if meant:
        return Problem(f"The folder {folder} would be text in the URL.", f"Did you mean {meant}?")
    if folder.endswith(".py"):
        return Problem(
            f"The folder {folder} would be a file by its name.",
            f"Did you mean {folder.removesuffix('.py')}? The file in it is always {ROUTE_FILE}.",
        )
    if not is_walked(folder):
        literal = f"%5F{folder[1:]}" if folder[0] == "_" else folder.lstrip(".") or "name"
        return Problem(
            f"The folder {folder} is private or hidden, so a file in it gets no URL.",
            f"Did you mean {literal}?",
        )
    return None


def plan(
    app: Flask,
    root: str,
    url_prefix: str,
    name: str,
    path: str,
    methods: Collection[str],
    *,
    middleware: bool = False,
    is_async: bool = False,
) -> Plan:
    """Plan a route file, and a middleware file beside it.

    :param app: the app, for its converters and rules; it is left as it is.
    :param root: the absolute path of the root, which may be missing.
    :param url_prefix: ``""`` or the part in front of every URL, ``/api``.
    :param name: the blueprint's name.
    :param path: the folder of the file below the root, for :func:`read_path`.
    :param methods: what it handles.
    :raises RouteTreeError: with everything that is in the way.
    """
    segments, problems = read_path(path)
    if problems:
        raise RouteTreeError(root, problems)
    route = _source(RouteFile, root, segments)
    covers = _source(MiddlewareFile, root, segments)
    for segment in segments:
        for parameter in segment.parameters:
            refused = refuse_converter(app.url_map, parameter)
            if refused:
                problems.append(refused.at(route.file))
    for source in (covers, route) if middleware else (route,):
        problems += _find_obstacles(root, source.file)
    if problems:
        raise RouteTreeError(root, problems)
    endpoint = f"{name}.{endpoint_path(route)}"
    rules = make_rules(url_prefix, route.url_segments, endpoint, tuple(methods))
    of_prefix = prefix_parameters(app.url_map, url_prefix)
    types = {own: value_type(converter) for own, converter in of_prefix.items()}
    for segment in segments:
        types |= segment_types(app.url_map, segment)
    problems += _find_repeated(route, url_prefix, of_prefix)
    problems += _find_conflicts(root, route, middleware=middleware)
    if not problems:
        problems += find_clashes(app.url_map, [(route.file, rules)])
    if problems:
        raise RouteTreeError(root, problems)
    contents = [(route.path, route_source(rules[-1].rule, methods, types, is_async=is_async))]
    if middleware:
        contents.insert(0, (covers.path, middleware_source(is_async=is_async)))
    call = ", ".join([f'"{endpoint}"', *examples(types)])
    return Plan(tuple(contents), tuple(rule.rule for rule in rules), f"url_for({call})")


S = TypeVar("S", bound=SourceFile)


def _source(kind: type[S], root: str, segments: tuple[Segment, ...]) -> S:
    folders = [segment.folder for segment in segments]
    file = "/".join([*folders, f"{kind.stem}.py"])
    return kind(file, os.path.join(root, *folders, f"{kind.stem}.py"), segments, file)


def _find_repeated(
    route: RouteFile, url_prefix: str, of_prefix: Collection[str]
) -> Iterator[Problem]:
    """Parameters of a path that the prefix has too."""
    for segment in route.segments:
        for parameter in segment.parameters:
            if parameter.name in of_prefix:
                yield Problem(
                    f"The url_prefix {url_prefix!r} has a parameter {parameter.name!r} too.",
                    "Give each parameter of a path a different name.",
                    (route.file,),
                )


def _find_obstacles(root: str, file: str) -> Iterator[Problem]:
    """What is on disk where a file is to be."""
    real_root = os.path.realpath(root)
    parts = file.split("/")
    for n in range(1, len(parts) + 1):
        place = "/".join(parts[:n])
        path = os.path.join(root, place)
        real = os.path.realpath(path)
        if not real.startswith(os.path.join(real_root, "")):
            yield Problem(
                f"The symbolic link points outside the root, to {real}.",
                "Choose another folder: nothing is written outside the root.",
                (place,),
            )
            return
        if n < len(parts) and os.path.lexists(path) and not os.path.isdir(path):
            yield Problem(
                "It is a file, and a folder is needed.", "Choose another name.", (place,)
            )
            return
    if os.path.lexists(os.path.join(root, file)):
        yield Problem("The file is there already.", "Edit it, or remove it first.", (file,))


def _find_conflicts(root: str, route: RouteFile, *, middleware: bool) -> list[Problem]:
    """The problems that a tree would have with a new route file, and that it has not now."""
    tree = discover(root)
    before = {*find_conflicts(tree), *find_name_clashes(tree)}
    known = {folder.names: folder for folder in tree.folders}
    for n in range(len(route.folders) + 1):
        names = route.folders[:n]
        folder = known.get(names) or _read_folder(root, names)
        if n == len(route.folders):
            added = {RouteFile.stem} | ({MiddlewareFile.stem} if middleware else set())
            folder = replace(folder, modules=folder.modules | added)
        known[names] = folder
    routes = sorted([*tree.routes, route], key=lambda source: source.file.split("/"))
    folders = tuple(known[names] for names in sorted(known))
    after: Tree = replace(tree, routes=tuple(routes), folders=folders)
    return [p for p in [*find_conflicts(after), *find_name_clashes(after)] if p not in before]


def _read_folder(root: str, names: tuple[str, ...]) -> Folder:
    path = os.path.join(root, *names)
    files = os.listdir(path) if os.path.isdir(path) else []
    modules = frozenset(file.removesuffix(".py") for file in files if file.endswith(".py"))
    return Folder(names, path, modules)


def write(files: Sequence[tuple[str, str]]) -> None:
    """Write new files, and the folders that they need: all of them or, on an error, none.

    Each is there at once and complete, and none that is there already is touched.

    :param files: absolute paths, and contents.
    :raises OSError: when one cannot be written, or is there already.
    """
    with ExitStack() as undo:
        for path, content in files:
            _make_folder(os.path.dirname(path), undo)
            # Not called .py: nothing takes it for a part of the tree while it is written.
            unfinished = f"{path}.{os.getpid()}.new"
            with open(unfinished, "x", encoding="utf-8", newline="\n") as file:
                undo.callback(_remove, unfinished)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _publish(unfinished, path)
            undo.callback(_remove, path)
            _remove(unfinished)
        undo.pop_all()


def _make_folder(path: str, undo: ExitStack) -> None:
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        os.mkdir(folder)
        undo.callback(os.rmdir, folder)


def _publish(unfinished: str, path: str) -> None:
    try:
        os.link(unfinished, path)  # fails, unlike a renaming, if the file is there
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(path):
            raise FileExistsError(path) from None
        os.rename(unfinished, path)


def _remove(path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)
