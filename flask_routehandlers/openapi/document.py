"""Make the OpenAPI document of a folder."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import Flask

from ..contracts.signature import unwrap_callable
from ..handlers.endpoint import Endpoint
from ..mount import Mount
from .operations import METHODS, Operation, find_operations, operation_ids, tag_of
from .patches import apply_patches, merge
from .requests import make_parameters, make_request_body, types_of_arguments
from .responses import Responses
from .schemas import REFERENCE, Schema, Schemas
from .security import Schemes

#: The version of the specification.
VERSION = "3.1.1"

#: Fields that are left out when they are empty.
_LEFT_OUT = ("components", "tags")

Document = dict[str, Any]


def make_document(app: Flask, mount: Mount, folders: tuple[str, ...], file: str) -> Document:
    """Return the document of the routes in a folder and below, without ``servers``.

    :param folders: the folder by the names from the root down.
    :param file: the route file of the document, relative to the root, whose patch comes last.
    """
    operations = list(find_operations(app, mount, folders))
    names = operation_ids(operations)
    schemes = Schemes(operations)
    responses = Responses(app, mount, operations)
    types = [each for operation in operations for each in types_of_arguments(operation)]
    schemas = Schemas([*types, *responses.types()])
    paths: dict[str, Any] = {}
    tags: dict[str, tuple[str, ...]] = {}
    for operation in operations:
        tag, folder = tag_of(operation, len(folders), mount.name)
        described = _describe(operation, schemas)
        described |= {"operationId": names[operation], "tags": [tag]}
        described["responses"] = responses.make(operation, schemas)
        requirements = schemes.make_requirements(operation)
        if requirements:
            described["security"] = requirements
        path = paths.setdefault(operation.path.template, {})
        path[operation.method.lower()] = apply_patches(described, operation.patches)
        if operation.path.parameters:
            path["parameters"] = list(operation.path.parameters)
        tags.setdefault(tag, folder)
    document = {
        "openapi": VERSION,
        "info": {"title": app.name, "version": "0"},
        "paths": paths,
        "security": [],
        "tags": _describe_tags(mount, paths, tags),
        "components": {
            "schemas": schemas.components,
            "securitySchemes": schemes.components,
        },
    }
    return _finish(document, mount.patches.get(file, {}))


def _describe(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    """Return what an Operation Object says about the handler and the request."""
    described: dict[str, Any] = {"summary": f"{operation.method} {operation.path.template}"}
    text = inspect.getdoc(unwrap_callable(operation.function))
    if text:
        summary, _, rest = text.partition("\n")
        described["summary"] = summary.removesuffix(".")
        if rest:
            described["description"] = rest.strip()
    parameters = make_parameters(operation, schemas)
    if parameters:
        described["parameters"] = parameters
    body = make_request_body(operation, schemas)
    if body:
        described["requestBody"] = body
    return described


def _describe_tags(
    mount: Mount, paths: Mapping[str, Any], folders: Mapping[str, tuple[str, ...]]
) -> list[dict[str, str]]:
    """Return the Tag Objects of all tags of operations.

    :param folders: the folders that tags are named after. The docstring of the route file in one
        describes its tag.
    """
    names = {
        tag
        for path in paths.values()
        for method, operation in path.items()
        if method in METHODS
        for tag in operation.get("tags", ())
    }
    texts = {
        route.file.folders: route.view.module.__doc__ or ""
        for route in mount.routes
        if isinstance(route.view, Endpoint)
    }
    tags = [{"name": name} for name in sorted(names)]
    for tag in tags:
        folder = folders.get(tag["name"])
        if folder is not None and texts.get(folder):
            tag["description"] = inspect.cleandoc(texts[folder])
    return tags


def _finish(document: Document, patch: Any) -> Document:
    """Return a document with its own patch, and without the schemas that nothing refers to."""
    document = merge(document, patch)
    components = dict(document.pop("components", {}))
    schemas = components.pop("schemas", {})
    used: dict[str, Schema] = {}
    names = [*_find_references([document, components])]
    names += merge({}, patch).get("components", {}).get("schemas", {})
    while names:
        name = names.pop()
        if name in schemas and name not in used:
            used[name] = schemas[name]
            names += _find_references(schemas[name])
    components["schemas"] = used
    document["components"] = {name: each for name, each in components.items() if each}
    return {key: value for key, value in document.items() if value or key not in _LEFT_OUT}


def _find_references(node: Any) -> Iterator[str]:
    """Return the names of the schemas that a part of a document refers to."""
    if isinstance(node, str):
        if node.startswith(REFERENCE):
            yield node.removeprefix(REFERENCE)
        return
    items: Iterable[Any] = ()
    if isinstance(node, Mapping):
        items = node.values()
    elif isinstance(node, list):
        items = node
    for item in items:
        yield from _find_references(item)
