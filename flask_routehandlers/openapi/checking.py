"""Find what is wrong with patches, documents and pages, before the first request."""

from __future__ import annotations

import difflib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from flask import Flask

from ..errors import Problem, RouteHandlersError, install_hint
from ..handlers.endpoint import Endpoint
from ..handlers.exports import METHODS
from ..mount import Mount, Route
from ..tree.segments import CatchAll
from .operations import Operation, find_operations, is_document, is_page, operation_ids
from .page import PACKAGE, find_document
from .patches import apply_patches

#: The fields of an Operation Object, with the types of their values.
_OPERATION: Mapping[str, type] = {
    "callbacks": dict,
    "deprecated": bool,
    "description": str,
    "externalDocs": dict,
    "operationId": str,
    "parameters": list,
    "requestBody": dict,
    "responses": dict,
    "security": list,
    "servers": list,
    "summary": str,
    "tags": list,
}

#: The fields of an OpenAPI Object, with the types of their values.
_DOCUMENT: Mapping[str, type] = {
    "components": dict,
    "externalDocs": dict,
    "info": dict,
    "jsonSchemaDialect": str,
    "openapi": str,
    "paths": dict,
    "security": list,
    "servers": list,
    "tags": list,
    "webhooks": dict,
}

_NAMES: Mapping[type, str] = {
    bool: "True or False",
    dict: "a dict",
    list: "a list",
    str: "a string",
}


def find_problems(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find what keeps the documents of a mount from being made or shown."""
    routes = {route.file.file: route for route in mount.routes}
    definitions = {
        (definition.file, name)
        for found in mount.scopes.definitions.values()
        if not isinstance(found, RouteHandlersError)
        for name, definition in found.items()
    }
    for file, patch in mount.patches.items():
        yield from _find_in_patch(file, patch, routes.get(file), definitions)
    for route in mount.routes:
        if is_document(route):
            yield from _find_repeated_ids(app, mount, route)
        if is_page(route):
            yield from _find_in_page(mount, route)


def _find_in_patch(
    file: str, patch: Any, route: Route | None, definitions: set[tuple[str, str]]
) -> Iterator[Problem]:
    is_dependencies = file.rpartition("/")[2] == "dependencies.py"
    if patch is False and not is_dependencies and not (route and is_document(route)):
        return
    if not isinstance(patch, Mapping):
        yield Problem(
            f"openapi is {type(patch).__name__}, not a dict.",
            'Write openapi = {"summary": "..."}, or openapi = False to hide the route.',
            (file,),
        )
        return
    try:
        json.dumps(patch)
    except (TypeError, ValueError) as error:
        yield Problem(
            f"openapi cannot be written as JSON: {error}.",
            "Use dict, list, str, int, float, bool and None only.",
            (file,),
        )
        return
    if is_dependencies:
        for name, value in patch.items():
            yield from _find_in_part(file, name, value, {n for f, n in definitions if f == file})
    elif route is not None and is_document(route):
        yield from _find_in_fields(file, "openapi", patch, _DOCUMENT, "a document")
    elif route is not None:
        methods: Iterable[str] = METHODS
        if isinstance(route.view, Endpoint):
            methods = route.view.dispatcher.bindings
        fields = {}
        for name, value in patch.items():
            if name.upper() in METHODS:
                yield from _find_in_part(file, name, value, methods)
            else:
                fields[name] = value
        yield from _find_in_fields(file, "openapi", fields, _OPERATION, "an operation")
    else:
        yield from _find_in_fields(file, "openapi", patch, _OPERATION, "an operation")


def _find_in_part(file: str, name: str, value: Any, names: Iterable[str]) -> Iterator[Problem]:
    """Find problems in the patch of a method or a dependency."""
    place = f"openapi[{name!r}]"
    if name not in names:
        yield Problem(
            f"{place} is about {name}, which this file does not define.",
            _suggest(name, names),
            (file,),
        )
    elif value is not False and not isinstance(value, Mapping):
        yield Problem(
            f"{place} is {type(value).__name__}, not a dict.",
            f"Write {name!r}: {{'summary': '...'}}, or {name!r}: False to hide it.",
            (file,),
        )
    elif isinstance(value, Mapping):
        yield from _find_in_fields(file, place, value, _OPERATION, "an operation")


def _find_in_fields(
    file: str, place: str, patch: Mapping[str, Any], fields: Mapping[str, type], of: str
) -> Iterator[Problem]:
    for name, value in patch.items():
        if name.startswith("x-"):
            continue
        if name not in fields:
            yield Problem(
                f"{place} has {name!r}, which is not a field of {of} in OpenAPI.",
                _suggest(name, fields, ' The names of other fields start with "x-".'),
                (file,),
            )
        elif value is not None and not isinstance(value, fields[name]):
            yield Problem(
                f"{place}[{name!r}] is {type(value).__name__}, not {_NAMES[fields[name]]}.",
                f"Write {name!r} as OpenAPI defines it, or None to remove it.",
                (file,),
            )


def _suggest(name: str, names: Iterable[str], otherwise: str = "") -> str:
    close = difflib.get_close_matches(name, [*names, *map(str.lower, names)], 1)
    known = ", ".join(sorted(names))
    if close:
        return f"Did you mean {close[0]!r}?{otherwise}"
    return f"Use one of these: {known}.{otherwise}" if known else "Remove it."


def _find_repeated_ids(app: Flask, mount: Mount, route: Route) -> Iterator[Problem]:
    by_name: dict[str, list[Operation]] = defaultdict(list)
    operations = list(find_operations(app, mount, route.file.folders[:-1]))
    for operation, name in operation_ids(operations).items():
        patched = apply_patches(mount, operation, {"operationId": name})
        if patched is not None and "operationId" in patched:
            by_name[patched["operationId"]].append(operation)
    for name, found in by_name.items():
        if len(found) == 1:
            continue
        yield Problem(
            f"The operations of {_join(found)} have one operationId: {name}.",
            f'Give one of them another: openapi = {{"{found[0].method}": '
            '{"operationId": "..."}}.',
            tuple(dict.fromkeys(operation.route.file.file for operation in found)),
        )


def _join(operations: Iterable[Operation]) -> str:
    return " and ".join(f"{each.method} {each.path.template}" for each in operations)


def _find_in_page(mount: Mount, route: Route) -> Iterator[Problem]:
    file = route.file
    last = file.segments[-1] if file.segments else None
    if not (isinstance(last, CatchAll) and last.optional):
        folder = "/".join(file.folders)
        yield Problem(
            "docs serves the files of its page too, and needs an optional catch-all for them.",
            f"Move the file to {folder}/[[...asset]]/route.py.".replace(" /", " "),
            (file.file,),
        )
    if find_document(mount, route) is None:
        folder = "/".join((*file.folders[:-2], "openapi.json"))
        yield Problem(
            "docs has no document to show.",
            f"Run flask route-handlers new {folder} --openapi, which makes one.",
            (file.file,),
        )
    if find_spec(PACKAGE) is None:
        yield Problem(
            "docs needs Swagger UI, which is not installed.",
            install_hint("openapi"),
            (file.file,),
        )
