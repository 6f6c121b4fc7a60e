"""The paths of the document: their templates and their parameters.

A path of OpenAPI is a template with names in braces, percent-encoded elsewhere, and without
types: ``articles/[id=int].json`` is ``/articles/{id}.json``, and what ``int`` accepts is a schema.
OpenAPI 3.1 has no parameter with slashes in it, nor one that may be absent. So a catch-all is
described as a string, and an optional one is two paths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from werkzeug.routing import BaseConverter
from werkzeug.routing.converters import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    UUIDConverter,
)

from ..routing.converters import CatchAllConverter
from ..routing.rules import RouteRule


def make_template(rule: RouteRule) -> str:
    """Return the template of a rule: ``/api/{id}.json`` for ``/api/<int:id>.json``."""
    template = ""
    for is_name, text in rule.pieces:
        # The other characters that a path may have as they are (RFC 3986).
        template += f"{{{text}}}" if is_name else quote(text, safe="/!$&'()*+,;=:@")
    return template


def make_path_parameters(rule: RouteRule) -> list[dict[str, Any]]:
    """Return the Parameter Objects of the parameters in a path.

    They are always required: OpenAPI allows nothing else.
    """
    parameters = []
    for name in (text for is_name, text in rule.pieces if is_name):
        converter = rule.converters[name]
        parameter: dict[str, Any] = {"name": name, "in": "path", "required": True}
        if isinstance(converter, CatchAllConverter):
            parameter["description"] = "One segment or more, with the slashes between them."
        parameter["schema"] = make_schema(converter)
        parameters.append(parameter)
    return parameters


def make_schema(converter: BaseConverter) -> dict[str, Any]:
    """Return the schema of the values that a converter accepts.

    A converter of the app can declare it with a class attribute ``openapi``. ``int(min=1)`` is
    ``{"type": "integer", "minimum": 1}``; a converter that is not known is a string that is not
    empty.
    """
    declared = getattr(converter, "openapi", None)
    if isinstance(declared, Mapping):
        return dict(declared)
    if isinstance(converter, (IntegerConverter, FloatConverter)):
        schema: dict[str, Any] = {"type": "number"}
        if isinstance(converter, IntegerConverter):
            schema["type"] = "integer"
        if converter.min is not None:
            schema["minimum"] = converter.min
        elif not converter.signed:
            schema["minimum"] = 0
        if converter.max is not None:
            schema["maximum"] = converter.max
        return schema
    if isinstance(converter, UUIDConverter):
        return {"type": "string", "format": "uuid"}
    if isinstance(converter, AnyConverter):
        return {"type": "string", "enum": sorted(converter.items)}
    return {"type": "string", "minLength": 1}
