"""Write new route files, and take them back if the tree could not be served with them.

Whether a tree can be served is not decided here. The files are written, the steps of the start
that need no import check the tree, and problems that it did not have before undo the writing. So
``new`` refuses what the start would refuse, in the same words.

Files of middleware and dependencies are written before their route file: a reloader that sees the
route sees its guards too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePath
from uuid import UUID

from flask import Flask

from ..errors import Problem, RouteTreeError
from ..importing.loader import find_name_clashes
from ..routes import endpoint_path
from ..routing.converters import LIST_OF_STR, refuse_converter, segment_types, value_type
from ..routing.matching import find_clashes
from ..routing.prefix import prefix_parameters
from ..routing.rules import RouteRule, make_rules
from ..tree.conflicts import find_conflicts
from ..tree.discovery import ROUTE_FILE, discover
from ..tree.grammar import SegmentError, parse_segment
from ..tree.model import RouteFile
from ..tree.segments import Segment
from .check.strays import find_parameters_as_text, find_private_routes

#: The line length of ruff and black.
WIDTH = 88

#: For the type of a parameter its annotation, the import that this needs, and an example.
TYPES: dict[object, tuple[str, str, str]] = {
    str: ("str", "", '"{name}"'),
    int: ("int", "", "1"),
    float: ("float", "", "1.5"),
    LIST_OF_STR: ("list[str]", "", '["a", "b"]'),
    UUID: ("UUID", "from uuid import UUID", '"00000000-0000-0000-0000-000000000001"'),
    None: ("Any", "from typing import Any", '"{name}"'),
    # The value of the dependency that is written.
    dict: ("dict[str, Any]", "from typing import Any", ""),
}

_MIDDLEWARE = '''\
from flask import Request, Response
from flask_routehandlers import CallNext


def middleware(request: Request, call_next: CallNext) -> Response:
    """Run for every request to a route file in this folder or below."""
    return call_next()
'''


@dataclass(frozen=True, slots=True)
class Place:
    """A tree that a file can be written to.

    :param app: the app, for its converters and rules.
    :param name: the blueprint's name.
    :param root: the absolute path of the root, which may be missing.
    :param url_prefix: ``""`` or the beginning of every URL, ``/api``.
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

    :param file: its route file, relative to the root.
    :param contents: the contents of all files by absolute path, in the order of writing.
    :param rules: its rules.
    :param url_for: a call that builds its URL.
    """

    file: str
    contents: Mapping[str, str]
    rules: tuple[RouteRule, ...]
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


def make_plan(
    place: Place,
    path: str,
    methods: Collection[str],
    *,
    middleware: bool,
    dependencies: bool = False,
    is_async: bool,
    make_source: Callable[..., str] | None = None,
) -> Plan:
    """Plan a route file, and files of middleware and dependencies next to it.

    :param path: the folder below the root, for :func:`parse_path`.
    :param methods: the methods that it handles.
    :param make_source: makes its content in place of :func:`route_source`.
    :raises RouteTreeError: with the problems of the path.
    """
    segments, problems = parse_path(path)
    problems += _find_problems(place, path, segments)
    if problems:
        raise RouteTreeError(place.root, problems)
    file = f"{path}/{ROUTE_FILE}".removeprefix("./")
    folders = tuple(segment.folder for segment in segments)
    route = RouteFile(file, os.path.join(place.root, file), folders, segments, file)
    endpoint = f"{place.name}.{endpoint_path(route)}"
    rules = make_rules(place.url_prefix, route.url_segments, endpoint, tuple(methods))
    types = _find_types(place, segments)
    folder, contents = os.path.dirname(route.path), {}
    arguments: Mapping[str, object] = types
    if middleware:
        contents[os.path.join(folder, "middleware.py")] = middleware_source(is_async=is_async)
    if dependencies:
        name = "loaded" if "item" in types else "item"
        source = dependencies_source(name, types, is_async=is_async)
        contents[os.path.join(folder, "dependencies.py")] = source
        arguments = {name: dict}
    make_source = make_source or route_source
    contents[route.path] = make_source(rules[-1].rule, methods, arguments, is_async=is_async)
    examples = [f"{name}={TYPES[kind][2].format(name=name)}" for name, kind in types.items()]
    call = ", ".join([f'"{endpoint}"', *examples])
    return Plan(file, contents, rules, f"url_for({call})")


def _find_types(place: Place, segments: Iterable[Segment]) -> dict[str, object]:
    """Return the type of each parameter of a URL, ``None`` where it is not known."""
    url_map = place.app.url_map
    of_prefix = prefix_parameters(url_map, place.url_prefix)
    types = {name: value_type(converter) for name, converter in of_prefix.items()}
    for segment in segments:
        types |= segment_types(url_map, segment)
    return types


def _find_problems(place: Place, path: str, segments: Sequence[Segment]) -> Iterator[Problem]:
    """Find what keeps a path from being written, whatever the tree has."""
    url_map = place.app.url_map
    of_prefix = prefix_parameters(url_map, place.url_prefix)
    for parameter in (parameter for segment in segments for parameter in segment.parameters):
        refused = refuse_converter(url_map, parameter)
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


def write(place: Place, plan: Plan) -> None:
    """Write the files of a plan, unless the tree has new problems with them.

    :raises RouteTreeError: with the new problems. The tree is as it was.
    :raises OSError: if a file cannot be written, or exists already. The tree is as it was.
    """
    known = _check_tree(place.root)
    with _writing(plan.contents):
        problems = [problem for problem in _check_tree(place.root) if problem not in known]
        problems = problems or list(find_clashes(place.app.url_map, [(plan.file, plan.rules)]))
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


def route_source(
    rule: str, methods: Collection[str], types: Mapping[str, object], *, is_async: bool = False
) -> str:
    """Return the content of a route file.

    ``def GET(id: int) -> ResponseReturnValue:`` returns ``{"id": id}``, POST with 201, and DELETE,
    HEAD and OPTIONS return ``"", 204``: something that can be requested at once.

    :param rule: its rule, for the docstrings.
    :param methods: the methods that it handles.
    :param types: the type of each argument, which is a path parameter or a dependency; ``None``
        where it is not known.
    """
    imports = sorted({TYPES[kind][1] for kind in types.values()} - {""})
    if imports:
        imports.append("")
    arguments, values = _arguments_and_values(types)
    blocks = ["\n".join([*imports, "from flask.typing import ResponseReturnValue"])]
    for method in methods:
        function = f"{'async ' if is_async else ''}def {method}("
        answer = '    return "", 204'
        if method not in ("DELETE", "HEAD", "OPTIONS"):
            answer = fit("    return {", values, "}, 201" if method == "POST" else "}")
        blocks.append(
            fit(function, arguments, ") -> ResponseReturnValue:")
            + f'\n    """Answer {method} {rule}."""\n{answer}'
        )
    return "\n\n\n".join(blocks) + "\n"


def dependencies_source(name: str, types: Mapping[str, object], *, is_async: bool = False) -> str:
    """Return the content of a file with one dependency: a dict of the path parameters.

    For ``[id=int]`` it is ``def item(id: int) -> dict[str, Any]``, which returns ``{"id": id}``.

    :param name: its name.
    :param types: the type of each path parameter; ``None`` where it is not known.
    :param is_async: whether it is an ``async def``.
    """
    imports = sorted({TYPES[kind][1] for kind in (*types.values(), dict)} - {""})
    arguments, values = _arguments_and_values(types)
    function = f"{'async ' if is_async else ''}def {name}("
    return (
        "\n".join(imports)
        + "\n\n\n"
        + fit(function, arguments, f") -> {TYPES[dict][0]}:")
        + f'\n    """Return the argument {name} of handlers in this folder and below."""\n'
        + fit("    return {", values, "}\n")
    )


def _arguments_and_values(types: Mapping[str, object]) -> tuple[list[str], list[str]]:
    """Return arguments with their annotations, and the items of a dict of their values."""
    arguments = [f"{name}: {TYPES[kind][0]}" for name, kind in types.items()]
    values = []
    for name, kind in types.items():
        # JSON need not have values of unknown types.
        value = f"str({name})" if kind is None else name
        values.append(f'"{name}": {value}')
    return arguments, values


def fit(start: str, items: Sequence[str], end: str) -> str:
    """Return items in brackets, on one line if they fit, otherwise on one line each.

    This is how ruff and black would format them.

    :param start: the line up to the opening bracket, with its indentation.
    :param end: the closing bracket and the rest of the line.
    """
    line = f"{start}{', '.join(items)}{end}"
    if len(line) <= WIDTH:
        return line
    indent = " " * (len(start) - len(start.lstrip()))
    return "\n".join([start, *(f"{indent}    {item}," for item in items), f"{indent}{end}"])


def middleware_source(*, is_async: bool = False) -> str:
    """Return the content of a middleware file that lets every request pass."""
    if not is_async:
        return _MIDDLEWARE
    return (
        _MIDDLEWARE.replace("CallNext", "AsyncCallNext")
        .replace("def middleware", "async def middleware")
        .replace("return call_next()", "return await call_next()")
    )
