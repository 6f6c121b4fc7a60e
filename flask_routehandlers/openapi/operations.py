"""Collect what is known about each operation: a method of a route."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from ..binding.calls import find_innermost
from ..binding.model import Binding
from ..contracts.arguments import Argument, ContractError
from ..contracts.outputs import Outputs, plan_outputs
from ..contracts.readers import Credential
from ..contracts.signature import UnreadableError, evaluate, read_annotations
from ..dependencies.model import Plan
from ..dependencies.types import errors_of
from ..handlers.endpoint import Endpoint
from ..mount import Mount, Route
from ..routing.prefix import prefix_parameters
from ..tree.segments import CatchAll, Dynamic, Group, Segment, Static

#: Methods that OpenAPI 3.1 knows. Handlers of others, such as QUERY, are left out.
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class PathParameter:
    """A parameter of a path.

    :param converter: its converter, or ``None`` for a catch-all.
    """

    name: str
    converter: BaseConverter | None


@dataclass(frozen=True, slots=True)
class Path:
    """A path of the document.

    :param template: the path, ``/api/articles/{slug}``.
    :param parameters: its parameters.
    :param segments: the segments of its folders, without groups.
    """

    template: str
    parameters: tuple[PathParameter, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """A method of a path, with everything that its functions declare.

    :param route: the route.
    :param method: the method, in upper case.
    :param path: the path.
    :param function: the handler without its decorators.
    :param arguments: the arguments that the client sends, those of middleware and dependencies
        included.
    :param credentials: the credentials that are read on the way.
    :param outputs: the declared answers, or ``None`` if nothing is known.
    :param is_written: whether answers are written as they are declared.
    :param errors: the declared errors, those of middleware and dependencies included.
    :param middleware: the files of its middleware, outermost first.
    :param dependencies: its dependencies, each with its file, in the order in which they run.
    """

    route: Route
    method: str
    path: Path
    function: Callable[..., Any]
    arguments: tuple[Argument, ...]
    credentials: tuple[Credential, ...]
    outputs: Outputs | None
    is_written: bool
    errors: tuple[type[HTTPException], ...]
    middleware: tuple[str, ...]
    dependencies: tuple[tuple[str, str], ...]


def find_operations(app: Flask, mount: Mount, folders: tuple[str, ...]) -> Iterator[Operation]:
    """Return the operations of the routes in a folder and below.

    :param folders: the folder by the names from the root down.
    """
    for route in mount.routes:
        is_inside = route.file.folders[: len(folders)] == folders
        if not is_inside or not isinstance(route.view, Endpoint) or is_own(route):
            continue
        for path in find_paths(app, mount, route):
            for method in route.view.dispatcher.bindings:
                if method.lower() in METHODS:
                    yield _make_operation(route, route.view, method, path)


def find_unlisted(mount: Mount, folders: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Return the methods that OpenAPI cannot describe, each with its file."""
    for route in mount.routes:
        if route.file.folders[: len(folders)] == folders and isinstance(route.view, Endpoint):
            for method in route.view.dispatcher.bindings:
                if method.lower() not in METHODS:
                    yield route.file.file, method


def is_own(route: Route) -> bool:
    """Return whether a route is a document or a page of this package."""
    return is_document(route) or is_page(route)


def is_document(route: Route) -> bool:
    """Return whether a route serves a document."""
    return _name_of_own(route) == "document"


def is_page(route: Route) -> bool:
    """Return whether a route serves a page."""
    return _name_of_own(route) == "docs"


def _name_of_own(route: Route) -> str:
    """Return the name of the handler, if it is one of this package."""
    if not isinstance(route.view, Endpoint) or "GET" not in route.view.dispatcher.bindings:
        return ""
    function = find_innermost(route.view.dispatcher.bindings["GET"].function)
    module: str = getattr(function, "__module__", None) or ""
    return function.__name__ if module.startswith(f"{__package__}.") else ""


def find_paths(app: Flask, mount: Mount, route: Route) -> Iterator[Path]:
    """Return the paths of a route: two for an optional catch-all."""
    segments = route.file.url_segments
    if segments and isinstance(segments[-1], CatchAll) and segments[-1].optional:
        yield _make_path(app, mount, segments[:-1])
    yield _make_path(app, mount, segments)


def _make_path(app: Flask, mount: Mount, segments: tuple[Segment, ...]) -> Path:
    of_prefix = prefix_parameters(app.url_map, mount.url_prefix)
    parameters = [PathParameter(name, converter) for name, converter in of_prefix.items()]
    template = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", mount.url_prefix)
    for segment in segments:
        template += f"/{_spell(segment)}"
        for parameter in segment.parameters:
            converter = None
            if not isinstance(segment, CatchAll):
                kind = app.url_map.converters[parameter.converter or "default"]
                converter = kind(app.url_map)
            parameters.append(PathParameter(parameter.name, converter))
    return Path(template or "/", tuple(parameters), segments)


def _spell(segment: Segment) -> str:
    if isinstance(segment, Static):
        return quote(segment.text, safe="!$&'()*+,;=:@")
    if isinstance(segment, CatchAll):
        return f"{{{segment.name}}}"
    assert isinstance(segment, Dynamic)
    pieces = []
    for piece in segment.pieces:
        if isinstance(piece, str):
            pieces.append(quote(piece, safe="!$&'()*+,;=:@"))
        else:
            pieces.append(f"{{{piece.name}}}")
    return "".join(pieces)


def _make_operation(route: Route, view: Endpoint, method: str, path: Path) -> Operation:
    dispatcher = view.dispatcher
    binding = dispatcher.bindings[method]
    function = find_innermost(binding.function)
    calls: list[tuple[Binding, Plan | None]] = [(link.binding, link.plan) for link in view.links]
    plan = dispatcher.plans.get(method)
    if method == "GET" and route.static is not None:
        plan = route.static.plan
    calls.append((binding, plan))
    bindings: list[Binding] = []
    dependencies: dict[tuple[str, str], None] = {}
    errors: dict[type[HTTPException], None] = {}
    for each, plan in calls:
        for dependency in plan.order if plan else ():
            dependencies[dependency.name, dependency.file] = None
            bindings.append(dependency.binding)
            errors |= dict.fromkeys(errors_of(dependency.binding.function))
        bindings.append(each)
        if each is not binding:
            errors |= dict.fromkeys(_read_errors(each.function))
    outputs = _read_outputs(method, binding)
    if outputs is not None:
        errors |= dict.fromkeys(outputs.errors)
    inputs = [each.inputs for each in bindings if each.inputs is not None]
    return Operation(
        route=route,
        method=method,
        path=path,
        function=function,
        arguments=tuple(argument for each in inputs for argument in each.arguments),
        credentials=tuple(credential for each in inputs for credential in each.credentials),
        outputs=outputs,
        is_written=binding.writer is not None,
        errors=tuple(errors),
        middleware=tuple(dict.fromkeys(link.file for link in view.links)),
        dependencies=tuple(dependencies),
    )


def _read_outputs(name: str, binding: Binding) -> Outputs | None:
    if binding.writer is not None:
        return binding.writer.outputs
    function = find_innermost(binding.function)
    try:
        annotation = evaluate(read_annotations(function)["return"], function)
        outputs = plan_outputs(name, annotation)
    except (KeyError, UnreadableError, ContractError):
        return None
    return outputs if outputs.answers else None


def _read_errors(function: Callable[..., Any]) -> tuple[type[HTTPException], ...]:
    """Return the error classes in the return annotation of a middleware."""
    return tuple(
        error
        for error in errors_of(function)
        if issubclass(error, HTTPException) and error.code is not None
    )


def operation_ids(operations: Collection[Operation]) -> dict[Operation, str]:
    """Return the names of operations: method and path, ``getArticlesBySlug``.

    Where two are equal, all of those are spelled in full: ``getArticlesBySlugParam``.
    """
    short = {operation: _operation_id(operation, "") for operation in operations}
    counts = Counter(short.values())
    return {
        operation: _operation_id(operation, "Param") if counts[name] > 1 else name
        for operation, name in short.items()
    }


def _operation_id(operation: Operation, suffix: str) -> str:
    words = [operation.method.lower()]
    for segment in operation.path.segments:
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
    words = re.findall(r"[^\W_]+", text)
    return [word[0].upper() + word[1:] for word in words]


def tag_of(operation: Operation, depth: int, default: str) -> tuple[str, tuple[str, ...]]:
    """Return the tag of an operation: its outermost group or static folder.

    :param depth: how many folders are above the document.
    :param default: the tag of operations without such a folder.
    :returns: the tag, and the folder that it is named after.
    """
    segments = operation.route.file.segments
    for number, segment in enumerate(segments[depth:], start=depth + 1):
        if isinstance(segment, (Static, Group)):
            name = segment.folder.strip("()")
            return name, operation.route.file.folders[:number]
    return default, operation.route.file.folders[:depth]
