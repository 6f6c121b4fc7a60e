"""The parameters and the body of an operation.

An :class:`~flask_routehandlers.contracts.arguments.Argument` of a plain type is one parameter; one
of a structured type (a model, a TypedDict) is a parameter for each of its fields, as the readers
in ``contracts`` read it. Keys are spelled as they are there: ``user_agent: Header[str]`` is
``user-agent``, and an alias of the type wins.

The body is JSON, a form or bytes. An operation has at most one of these: only handlers can read a
body, and each reads one.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from werkzeug.datastructures import FileStorage

from ..contracts.arguments import Argument
from ..contracts.libraries import choose_library
from ..contracts.markers import Marker, Place
from ..contracts.places import is_file, key_of, key_of_argument
from ..contracts.signature import is_structured, members_of, unalias
from .operations import Operation
from .schemas import Mode, Schema, Schemas, without_null

#: Headers that OpenAPI describes elsewhere: it ignores parameters for them (Parameter Object).
_NOT_PARAMETERS = ("accept", "authorization", "content-type")


def types_of_arguments(operation: Operation) -> Iterator[tuple[Any, Mode]]:
    """Return the types of arguments, without uploaded files: no library has a schema for these.

    :returns: types with the mode of inputs, for :class:`~.schemas.Schemas`.
    """
    for argument, _ in _of_places(operation, *get_args(Place)):
        if not is_file(argument.annotation):
            yield argument.annotation, "validation"


def _of_places(operation: Operation, *places: Place) -> Iterator[tuple[Argument, Place]]:
    """Return the arguments that come from some parts of the request."""
    for argument in operation.arguments:
        if isinstance(argument.marker, Marker) and argument.marker.place in places:
            yield argument, argument.marker.place


def places_of(operation: Operation) -> set[Place]:
    """Return the parts of a request that the arguments of an operation come from."""
    return {place for _, place in _of_places(operation, *get_args(Place))}


def make_parameters(operation: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    """Return the parameters in the query, the headers and the cookies.

    Of several functions that read one, the last describes it; it is required if any requires it.

    :returns: Parameter Objects: ``{"name": "limit", "in": "query", "schema": {"type":
        "integer"}}``.
    """
    parameters: dict[tuple[Place, str], dict[str, Any]] = {}
    for argument, place in _of_places(operation, "query", "header", "cookie"):
        for name, schema, is_required in _fields_of(argument, place, schemas):
            key = place, name
            if place == "header":
                key = place, name.lower()
                if name.lower() in _NOT_PARAMETERS:
                    continue
            parameter: dict[str, Any] = {"name": name, "in": place}
            if is_required or "required" in parameters.get(key, ()):
                parameter["required"] = True
            for word in ("description", "deprecated"):
                if word in schema:
                    parameter[word] = schema.pop(word)
            parameter["schema"] = schema
            parameters[key] = parameter
    return list(parameters.values())


def _fields_of(
    argument: Argument, place: Place, schemas: Schemas
) -> Iterator[tuple[str, Schema, bool]]:
    """Return the keys of an argument, each with its schema and whether it is required.

    An argument with a default is never required, whatever the fields of its type are.
    """
    schema = schemas.of(argument.annotation, "validation")
    if not is_structured(argument.annotation):
        schema = without_null(_with_default(schema, argument))
        yield key_of_argument(argument), schema, not argument.has_default
        return
    fields, required = _flatten(schema, schemas)
    for name, field in fields.items():
        is_required = name in required and not argument.has_default
        yield key_of(name, place), without_null(field), is_required


def _flatten(schema: Schema, schemas: Schemas) -> tuple[dict[str, Schema], set[str]]:
    """Return the fields of an object, of all members of a union, and those that it requires.

    A union requires only the fields that each member requires, apart from ``null``.

    :returns: the schemas of the fields by name, and the names of the required ones.
    """
    schema = schemas.resolve(schema)
    fields = dict(schema.get("properties", {}))
    required = set(schema.get("required", ()))
    for union in ("anyOf", "oneOf"):
        members = [member for member in schema.get(union, ()) if member != {"type": "null"}]
        flattened = [_flatten(member, schemas) for member in members]
        for member_fields, _ in flattened:
            fields |= member_fields
        if flattened:
            required |= set.intersection(*(member_required for _, member_required in flattened))
    return fields, required


def _with_default(schema: Schema, argument: Argument) -> Schema:
    """Return a schema with the default of its argument, if JSON has such a value.

    A default such as ``Sort.NEWEST`` is written as the library of its type writes it. One that is
    not a value of the type, which Python allows, is left out.
    """
    default = argument.default
    if default is None or default is inspect.Parameter.empty:
        return schema
    if type(default) not in (bool, float, int, str):
        try:
            codec = choose_library(argument.annotation).make_codec(argument.annotation)
            default = json.loads(codec.encode(default))
        except Exception:  # a default need not be a value of the type
            return schema
    return {**schema, "default": default}


def make_request_body(operation: Operation, schemas: Schemas) -> dict[str, Any] | None:
    """Return the Request Body Object of an operation, or ``None`` if it reads no body."""
    form = [argument for argument, _ in _of_places(operation, "form")]
    bodies = [argument for argument, _ in _of_places(operation, "body")]
    if form:
        media_type, schema = _make_form(form, schemas)
        is_required = "required" in schema
    elif not bodies:
        return None
    elif bodies[0].annotation is bytes:  # which may be empty
        media_type, schema, is_required = "*/*", {}, False
    else:
        media_type, schema = "application/json", schemas.of(bodies[0].annotation, "validation")
        is_required = not bodies[0].has_default
    body: dict[str, Any] = {"content": {media_type: {"schema": schema}}}
    if is_required:
        body["required"] = True
    return body


def _make_form(arguments: Iterable[Argument], schemas: Schemas) -> tuple[str, Schema]:
    """Return the media type and the schema of a form: an object with all arguments as properties.

    A form with a file is ``multipart/form-data``, any other URL-encoded.
    """
    properties: dict[str, Any] = {}
    required: list[str] = []
    schema: Schema = {"type": "object", "properties": properties}
    # One media type: some generators of clients cannot choose between two. A form without files
    # is read as multipart/form-data too.
    media_type = "application/x-www-form-urlencoded"
    for argument in arguments:
        if is_file(argument.annotation):
            media_type = "multipart/form-data"
            name = key_of_argument(argument)
            fields = [(name, _file_schema(argument.annotation), not argument.has_default)]
        else:
            fields = list(_fields_of(argument, "form", schemas))
            described = schemas.resolve(schemas.of(argument.annotation, "validation"))
            if described.get("additionalProperties") is False:
                schema["additionalProperties"] = False
        for name, field, is_required in fields:
            properties[name] = field
            if is_required:
                required.append(name)
    if required:
        schema["required"] = required
    return media_type, schema


def _file_schema(annotation: Any) -> Schema:
    """Return the schema of an uploaded file, or of a list of files."""
    # Not contentMediaType alone: tools would send a value of any type.
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    if any(FileStorage in get_args(unalias(member)) for member in members_of(annotation)):
        return {"type": "array", "items": file}
    return file
