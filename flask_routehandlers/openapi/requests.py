"""The parameters and the body of an operation."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from werkzeug.datastructures import FileStorage

from ..contracts.arguments import Argument
from ..contracts.markers import Marker
from ..contracts.places import is_file, key_of, key_of_argument
from ..contracts.signature import is_structured, members_of, unalias
from .operations import Operation
from .schemas import Mode, Schema, Schemas, without_null

#: Headers that OpenAPI describes elsewhere.
_NOT_PARAMETERS = ("accept", "authorization", "content-type")


def types_of_arguments(operation: Operation) -> Iterator[tuple[Any, Mode]]:
    """Return the types of the arguments that the client sends."""
    for argument in operation.arguments:
        if isinstance(argument.marker, Marker) and not is_file(argument.annotation):
            yield argument.annotation, "validation"


def make_parameters(operation: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    """Return the parameters in the query, the headers and the cookies."""
    parameters: dict[tuple[str, str], dict[str, Any]] = {}
    for argument in operation.arguments:
        marker = argument.marker
        if not isinstance(marker, Marker) or marker.place not in ("query", "header", "cookie"):
            continue
        for name, schema, is_required in _fields_of(argument, schemas):
            if marker.place == "header" and name.lower() in _NOT_PARAMETERS:
                continue
            parameter: dict[str, Any] = {"name": name, "in": marker.place}
            schema = without_null(schema)
            description = schema.pop("description", None)
            if description:
                parameter["description"] = description
            if is_required:
                parameter["required"] = True
            parameter["schema"] = schema
            parameters.setdefault((marker.place, name.lower()), parameter)
    return list(parameters.values())


def _fields_of(argument: Argument, schemas: Schemas) -> Iterator[tuple[str, Schema, bool]]:
    """Return the keys of an argument, each with its schema and whether it is required."""
    assert isinstance(argument.marker, Marker)
    place = argument.marker.place
    schema = schemas.of(argument.annotation, "validation")
    if not is_structured(argument.annotation):
        schema = _with_default(dict(schema), argument)
        yield key_of_argument(argument, place), schema, not argument.has_default
        return
    fields, required = _flatten(schema, schemas)
    for name, field in fields.items():
        is_required = name in required and not argument.has_default
        yield key_of(name, place), dict(field), is_required


def _flatten(schema: Schema, schemas: Schemas) -> tuple[dict[str, Schema], set[str]]:
    """Return the fields of an object, of all members of a union, and those that it requires."""
    schema = schemas.resolve(schema)
    fields = dict(schema.get("properties", {}))
    required = set(schema.get("required", ()))
    for union in ("anyOf", "oneOf"):
        members = [m for m in schema.get(union, ()) if m != {"type": "null"}]
        flattened = [_flatten(member, schemas) for member in members]
        for member_fields, _ in flattened:
            fields |= member_fields
        if flattened:
            required |= set.intersection(*(member_required for _, member_required in flattened))
    return fields, required


def _with_default(schema: Schema, argument: Argument) -> Schema:
    """Return a schema with the default of its argument, if JSON has such a value."""
    if argument.default in (inspect.Parameter.empty, None):
        return schema
    default = argument.default
    if isinstance(default, (tuple, set, frozenset)):
        default = list(default)
    try:
        json.dumps(default)
    except (TypeError, ValueError):
        return schema
    return {**schema, "default": default}


def make_request_body(operation: Operation, schemas: Schemas) -> dict[str, Any] | None:
    """Return the body of a request, if there is one."""
    form: list[Argument] = []
    for argument in operation.arguments:
        if not isinstance(argument.marker, Marker):
            continue
        if argument.marker.place == "form":
            form.append(argument)
        if argument.marker.place == "body":
            content: dict[str, Any] = {
                "application/json": {"schema": schemas.of(argument.annotation, "validation")}
            }
            if unalias(argument.annotation) is bytes:
                content = {"*/*": {"schema": {}}}
            return _body(content, is_required=not argument.has_default)
    if form:
        return _make_form(form, schemas)
    return None


def _body(content: Mapping[str, Any], *, is_required: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"content": dict(content)}
    if is_required:
        body["required"] = True
    return body


def _make_form(arguments: list[Argument], schemas: Schemas) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    has_files = False
    for argument in arguments:
        if is_file(argument.annotation):
            has_files = True
            name = key_of(argument.name, "form")
            properties[name] = _file_schema(argument.annotation)
            if not argument.has_default:
                required.append(name)
            continue
        for name, field, is_required in _fields_of(argument, schemas):
            properties[name] = without_null(field)
            if is_required:
                required.append(name)
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    content = {"multipart/form-data": {"schema": schema}}
    if not has_files:
        content["application/x-www-form-urlencoded"] = {"schema": schema}
    return _body(content, is_required=bool(required))


def _file_schema(annotation: Any) -> dict[str, Any]:
    # Not contentMediaType alone: tools would send a value of any type.
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    if any(FileStorage in get_args(unalias(member)) for member in members_of(annotation)):
        return {"type": "array", "items": file}
    return file
