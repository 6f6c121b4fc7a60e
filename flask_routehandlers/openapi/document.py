"""Make the OpenAPI document of a folder."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask
from werkzeug.routing import BaseConverter
from werkzeug.routing.converters import FloatConverter, IntegerConverter, UUIDConverter

from ..mount import Mount
from .operations import (
    Operation,
    Path,
    find_operations,
    operation_ids,
    tag_of,
)
from .patches import apply_patches, merge
from .requests import make_parameters, make_request_body, types_of_arguments
from .responses import make_responses, types_of_answers
from .schemas import Schemas
from .security import make_requirements, make_schemes

#: The version of the specification.
VERSION = "3.1.1"

Document = dict[str, Any]


def make_document(app: Flask, mount: Mount, folders: tuple[str, ...], file: str) -> Document:
    """Return the document of the routes in a folder and below, without ``servers``.

    :param folders: the folder by the names from the root down.
    :param file: the route file of the document, relative to the root, whose patch comes last.
    """
    operations = list(find_operations(app, mount, folders))
    names = operation_ids(operations)
    schemas = Schemas(_find_types(app, operations))
    document: Document = {
        "openapi": VERSION,
        "info": {"title": app.name, "version": "0"},
        "paths": {},
        "security": [],
        "components": {
            "schemas": schemas.components | _problem_schemas(app),
            "securitySchemes": make_schemes(operations),
        },
    }
    tags: dict[str, str] = {}
    for operation in operations:
        described = _describe(app, mount, operation, schemas)
        described["operationId"] = names[operation]
        tag, folder = tag_of(operation, len(folders), mount.name)
        described["tags"] = [tag]
        tags.setdefault(tag, _describe_folder(mount, folder))
        patched = apply_patches(mount, operation, described)
        if patched is not None:
            path = document["paths"].setdefault(operation.path.template, {})
            path[operation.method.lower()] = patched
            if operation.path.parameters:
                path["parameters"] = _path_parameters(operation.path)
    document["tags"] = [
        {"name": tag, "description": text} if text else {"name": tag}
        for tag, text in sorted(tags.items())
    ]
    patch = mount.patches.get(file)
    if isinstance(patch, Mapping):
        document = merge(document, patch)
    _drop_unused(document)
    return document


def _find_types(app: Flask, operations: list[Operation]) -> Iterator[tuple[Any, Any]]:
    for operation in operations:
        yield from types_of_arguments(operation)
        yield from types_of_answers(app, operation)


def _describe(app: Flask, mount: Mount, operation: Operation, schemas: Schemas) -> dict[str, Any]:
    """Return the Operation Object of an operation, without patches."""
    described: dict[str, Any] = {"summary": f"{operation.method} {operation.path.template}"}
    text = inspect.getdoc(operation.function)
    if text:
        summary, _, rest = text.partition("\n")
        described["summary"] = summary.strip().rstrip(".")
        if rest.strip():
            described["description"] = rest.strip()
    parameters = make_parameters(operation, schemas)
    if parameters:
        described["parameters"] = parameters
    body = make_request_body(operation, schemas)
    if body:
        described["requestBody"] = body
    described["responses"] = make_responses(app, mount, operation, schemas)
    requirements = make_requirements(mount, operation)
    if requirements:
        described["security"] = requirements
    return described


def _describe_folder(mount: Mount, folders: tuple[str, ...]) -> str:
    """Return the docstring of the route file in a folder, if there is one."""
    for route in mount.routes:
        if route.file.folders == folders:
            module = getattr(route.view, "module", None)
            return inspect.cleandoc(getattr(module, "__doc__", None) or "")
    return ""


def _path_parameters(path: Path) -> list[dict[str, Any]]:
    parameters = []
    for name, converter in ((each.name, each.converter) for each in path.parameters):
        parameter = {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _schema_of(converter),
        }
        if converter is None:
            parameter["description"] = "One segment or more, with the slashes between them."
        parameters.append(parameter)
    return parameters


def _schema_of(converter: BaseConverter | None) -> dict[str, Any]:
    """Return the schema of the values that a converter accepts."""
    own = getattr(converter, "openapi", None)
    if isinstance(own, Mapping):
        return dict(own)
    if isinstance(converter, IntegerConverter):
        return {"type": "integer", "minimum": 0}
    if isinstance(converter, FloatConverter):
        return {"type": "number", "minimum": 0}
    if isinstance(converter, UUIDConverter):
        return {"type": "string", "format": "uuid"}
    return {"type": "string", "minLength": 1}


def _problem_schemas(app: Flask) -> dict[str, Any]:
    """Return the schemas of problem details."""
    problem = {
        "title": "Problem",
        "description": "An error (RFC 9457).",
        "type": "object",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "instance": {"type": "string", "format": "uri-reference"},
        },
        "required": ["type", "title", "status"],
    }
    invalid = {
        "title": "InvalidRequest",
        "description": "A request whose values are not valid.",
        "allOf": [{"$ref": "#/components/schemas/Problem"}],
        "type": "object",
        "properties": {
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "in": {"enum": ["query", "header", "cookie", "form", "body"]},
                        "pointer": {"type": "string", "format": "uri-reference"},
                        "detail": {"type": "string"},
                        "code": {"type": "string"},
                    },
                    "required": ["in", "pointer", "detail", "code"],
                },
            }
        },
        "required": ["errors"],
    }
    return {"Problem": problem, "InvalidRequest": invalid}


def _drop_unused(document: Document) -> None:
    """Remove the components that nothing refers to, until all are used."""
    schemas = document["components"]["schemas"]
    while True:
        text = json.dumps(document)
        unused = [
            name for name in schemas if json.dumps(f"#/components/schemas/{name}") not in text
        ]
        if not unused:
            break
        for name in unused:
            del schemas[name]
    document["components"] = {
        name: component for name, component in document["components"].items() if component
    }
    if not document["components"]:
        del document["components"]
