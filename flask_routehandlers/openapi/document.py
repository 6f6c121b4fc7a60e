"""Make the OpenAPI document of a folder.

The document is a function of a mount: of the signatures, docstrings and patches in its files, and
of the app's converters, settings and error handlers. Nothing of a request is in it. The URL of the
server depends on the request, so ``serving`` adds ``servers`` for each.

The types of all operations are collected before the first schema is made, since the name of a
component depends on all others: two classes of one name get longer names.

The order of the patches is part of what users can rely on: those of middleware from the outermost
in, those of dependencies in the order in which they run, the file's, the method's, the document's.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Flask

from ..contracts.signature import unwrap_callable
from ..handlers.endpoint import Endpoint
from ..mount import Mount
from .operations import Operation, find_operations, operation_ids, tag_of
from .patches import apply_patches, merge
from .paths import make_path_parameters
from .requests import make_parameters, make_request_body, types_of_arguments
from .responses import Responses
from .schemas import REFERENCE, Schemas, find_references
from .security import Schemes

Document = dict[str, Any]


def make_document(app: Flask, mount: Mount, folders: tuple[str, ...], file: str) -> Document:
    """Return the document of the routes in a folder and below, without ``servers``.

    :param app: the app, for its name, settings and error handlers.
    :param folders: the folder by the names from the root down.
    :param file: the route file of the document, relative to the root, whose patch comes last;
        ``""`` for a document that no file serves.
    :returns: an OpenAPI Object that ``json.dumps`` can write.
    """
    operations = list(find_operations(mount, folders))
    names = operation_ids(operations)
    schemes = Schemes(operations)
    responses = Responses(app, mount, operations)
    types = [each for operation in operations for each in types_of_arguments(operation)]
    schemas = Schemas([*types, *responses.types()])
    paths: dict[str, Any] = {}
    tags: set[str] = set()
    folders_of_tags: dict[str, tuple[str, ...]] = {}
    for operation in operations:
        tag, folder = tag_of(operation, len(folders), mount.name)
        folders_of_tags.setdefault(tag, folder)
        described = _describe(operation, schemas, responses, schemes)
        described |= {"operationId": names[operation], "tags": [tag]}
        described = apply_patches(described, operation.patches)
        tags.update(described.get("tags", ()))
        path = paths.setdefault(operation.template, {})
        path[operation.method.lower()] = described
        parameters = make_path_parameters(operation.rule)
        if parameters:
            path["parameters"] = parameters
    document = {
        "openapi": "3.1.1",
        "info": {"title": app.name, "version": "0"},
        "paths": paths,
        "security": [],
        "tags": _describe_tags(mount, tags, folders_of_tags),
        "components": {"schemas": schemas.components, "securitySchemes": schemes.components},
    }
    return _finish(document, mount.patches.get(file, {}))


def _describe(
    operation: Operation, schemas: Schemas, responses: Responses, schemes: Schemes
) -> dict[str, Any]:
    """Return an Operation Object without its name and its tag, which depend on other operations.

    The first line of the handler's docstring is the summary, without its full stop, and the rest
    is the description. Without a docstring the summary is the method and the path.
    """
    text = inspect.getdoc(unwrap_callable(operation.function))
    summary, _, rest = (text or f"{operation.method} {operation.template}.").partition("\n")
    described = {
        "summary": summary.removesuffix("."),
        "description": rest.strip(),
        "parameters": make_parameters(operation, schemas),
        "requestBody": make_request_body(operation, schemas),
        "responses": responses.make(operation, schemas),
        "security": schemes.make_requirements(operation),
    }
    return {name: part for name, part in described.items() if part}


def _describe_tags(
    mount: Mount, tags: Iterable[str], folders: Mapping[str, tuple[str, ...]]
) -> list[dict[str, str]]:
    """Return Tag Objects, sorted by name.

    :param folders: the folder that a tag is named after, unless a patch has named it. The
        docstring of the route file in it describes the tag.
    """
    texts = {
        route.file.folders: inspect.getdoc(route.view.module)
        for route in mount.routes
        if isinstance(route.view, Endpoint)
    }
    described = []
    for name in sorted(tags):
        tag = {"name": name}
        text = texts.get(folders[name]) if name in folders else None
        if text:
            tag["description"] = text
        described.append(tag)
    return described


def _finish(document: Document, patch: Any) -> Document:
    """Return a document with its own patch, and without the schemas that nothing refers to.

    A schema becomes unused when a patch replaces the part that referred to it. Those that the
    patch itself adds are kept even if they are unused: their author asked for them.

    :param patch: the value of ``openapi`` in the file of the document.
    """
    document = merge(document, patch)
    components = document.pop("components", {})
    schemas = components.pop("schemas", {})
    added = merge({}, patch).get("components", {}).get("schemas", {})
    parts = [document, components, *(schemas[name] for name in added)]
    used = find_references({"components": {"schemas": schemas}}, parts)
    components["schemas"] = {
        name: schema
        for name, schema in schemas.items()
        if name in added or f"{REFERENCE}{name}" in used
    }
    document["components"] = {name: each for name, each in components.items() if each}
    for name in ("components", "tags"):
        if not document.get(name):
            document.pop(name, None)
    return document
