"""Collect what is known about each operation: a method of a route.

This is the one place of ``openapi/`` that looks at links and bindings. What it returns is data,
:class:`Operation`, from which the other modules make their parts of the document.

A request that reaches a handler has passed its middleware and the dependencies of both, so an
operation has the arguments, credentials and errors of all of these. Names and tags of operations
are made here too, since they follow from method and folders alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import HTTPException

from ..binding.calls import find_innermost
from ..binding.model import Binding
from ..contracts.arguments import Argument, ContractError
from ..contracts.outputs import Outputs, plan_outputs
from ..contracts.readers import Credential, Reader
from ..contracts.signature import UnreadableError, evaluate, read_annotations
from ..dependencies.types import errors_of
from ..handlers.link import Link
from ..mount import Mount, Route
from ..routing.rules import RouteRule
from ..tree.segments import Group, Static
from .patches import Patch, find_patches
from .paths import make_template

#: Methods that OpenAPI 3.1 knows. Handlers of others, such as QUERY, are left out.
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A method of a path, with everything that its functions declare.

    :param route: the route.
    :param method: the method, in upper case.
    :param rule: the rule of its path.
    :param template: its path, ``/api/articles/{slug}``.
    :param function: the handler without its decorators.
    :param arguments: the arguments that the client sends, on the whole way.
    :param credentials: the credentials that are read on the way.
    :param readers: what reads the other arguments.
    :param outputs: the declared answers, or ``None`` if nothing is known.
    :param is_written: whether answers are written as they are declared.
    :param errors: the declared errors, those of middleware and dependencies included.
    :param patches: the patches on its way, in the order in which they are applied.
    """

    route: Route
    method: str
    rule: RouteRule
    template: str
    function: Callable[..., Any]
    arguments: tuple[Argument, ...]
    credentials: tuple[Credential, ...]
    readers: tuple[Reader, ...]
    outputs: Outputs | None
    is_written: bool
    errors: tuple[type[HTTPException], ...]
    patches: tuple[Patch, ...]


def find_operations(mount: Mount, folders: tuple[str, ...]) -> Iterator[Operation]:
    """Return the operations of the routes in a folder and below that no patch hides.

    A method of an optional catch-all is two operations, one for each of its paths. Routes of
    documents and pages are left out, and so are methods that the app answers by itself: automatic
    ``HEAD`` and ``OPTIONS``.

    :param folders: the folder by the names from the root down.
    """
    for route in find_routes(mount, folders):
        if own_handler(route):
            continue
        for rule in route.rules:
            for method, handler in route.handlers.items():
                if method.lower() in METHODS:
                    operation = _make_operation(mount, route, method, handler, rule)
                    if all(patch.value is not False for patch in operation.patches):
                        yield operation


def find_routes(mount: Mount, folders: tuple[str, ...]) -> Iterator[Route]:
    """Return the routes in a folder and below."""
    for route in mount.routes:
        if route.file.folders[: len(folders)] == folders:
            yield route


def is_document(route: Route) -> bool:
    """Return whether a route serves a document."""
    return own_handler(route) == "document"


def own_handler(route: Route) -> str:
    """Return the name of the handler of GET, ``document`` or ``docs``, if it is one of these.

    Decorators are looked through, so that a document can be cached or protected by one.
    """
    if "GET" not in route.handlers:
        return ""
    function = find_innermost(route.handlers["GET"].binding.function)
    module: str = getattr(function, "__module__", None) or ""
    if module.startswith(f"{__package__}."):
        return function.__name__
    return ""


def _make_operation(
    mount: Mount, route: Route, method: str, handler: Link, rule: RouteRule
) -> Operation:
    """Return an operation with what its middleware, dependencies and handler declare.

    They are visited in the order of a request, so that the handler's arguments are the last.
    """
    binding = handler.binding
    bindings: list[Binding] = []
    shared: list[tuple[str, tuple[str, ...]]] = [(link.file, ()) for link in route.links]
    for link in (*route.links, handler):
        for dependency in link.dependencies:
            shared.append((dependency.file, (dependency.name,)))
            bindings.append(dependency.binding)
        bindings.append(link.binding)
    errors = [
        error
        for each in bindings[:-1]  # all but the handler
        for error in errors_of(each.function)
        if issubclass(error, HTTPException) and error.code is not None
    ]
    outputs = binding.writer.outputs if binding.writer else read_outputs(binding.function)
    if outputs is not None:
        errors += outputs.errors
    inputs = [each.inputs for each in bindings if each.inputs is not None]
    return Operation(
        route=route,
        method=method,
        rule=rule,
        template=make_template(rule),
        function=find_innermost(binding.function),
        arguments=tuple(argument for each in inputs for argument in each.arguments),
        credentials=tuple(credential for each in inputs for credential in each.credentials),
        readers=tuple(reader for each in inputs for reader in each.readers),
        outputs=outputs,
        is_written=binding.writer is not None,
        errors=tuple(dict.fromkeys(errors)),
        patches=tuple(find_patches(mount, route.file.file, method, dict.fromkeys(shared))),
    )


def read_outputs(function: Callable[..., Any]) -> Outputs | None:
    """Return the answers that a function declares, or ``None`` if nothing is known about them.

    A plain handler need not declare any, and its annotation may be one that only type checkers can
    read.
    """
    function = find_innermost(function)
    try:
        annotation = evaluate(read_annotations(function)["return"], function)
        return plan_outputs("", annotation)  # the name is for errors
    except (KeyError, UnreadableError, ContractError):
        return None


def operation_ids(operations: Collection[Operation]) -> dict[Operation, str]:
    """Return the names of operations: method and path, ``getArticlesBySlug``.

    Where two are equal, all of those are spelled in full: ``getArticlesBySlugParam``. So
    ``[slug]`` and a static folder ``by-slug`` differ.
    """
    names = {operation: _operation_id(operation, "") for operation in operations}
    counts = Counter(names.values())
    for operation, name in names.items():
        if counts[name] > 1:
            names[operation] = _operation_id(operation, "Param")
    return names


def _operation_id(operation: Operation, suffix: str) -> str:
    """Return the name of an operation, ``getReportByYearCsv`` for ``report-[year].csv``.

    :param suffix: what follows the name of a parameter.
    """
    words = [operation.method.lower()]
    for segment in operation.rule.segments:
        if isinstance(segment, Static):
            words += _capitalize(segment.text)
            continue
        for piece in getattr(segment, "pieces", segment.parameters):
            if isinstance(piece, str):
                words += _capitalize(piece)
            else:
                words += ["By", *_capitalize(piece.name), suffix]
    return "".join(words)


def _capitalize(text: str) -> list[str]:
    """Return the words of a string with upper-case initials: ``["Sitemap", "Xml"]``."""
    words = re.findall(r"[^\W_]+", text)
    return [word[0].upper() + word[1:] for word in words]


def tag_of(operation: Operation, depth: int, default: str) -> tuple[str, tuple[str, ...]]:
    """Return the tag of an operation: its outermost group or static folder.

    :param depth: how many folders are above the document.
    :param default: the tag of operations without such a folder.
    :returns: the tag, and the folder that it is named after.
    """
    file = operation.route.file
    for number, segment in enumerate(file.segments[depth:], start=depth + 1):
        if isinstance(segment, Group):
            return segment.folder[1:-1], file.folders[:number]
        if isinstance(segment, Static):
            return segment.text, file.folders[:number]
    return default, file.folders[:depth]
