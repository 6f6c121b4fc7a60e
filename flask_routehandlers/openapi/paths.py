"""The paths of the document: their templates and their parameters.

A path of OpenAPI is a template with names in braces, percent-encoded elsewhere, and without
types: ``articles/[id=int].json`` is ``/articles/{id}.json``, and what ``int`` accepts is a schema.
OpenAPI 3.1 has no parameter with slashes in it, nor one that may be absent. So a catch-all is
described as a string, and an optional one is two paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.routing import BaseConverter
from werkzeug.routing.converters import (
    AnyConverter,
    FloatConverter,
    IntegerConverter,
    UUIDConverter,
)

from ..mount import Mount, Route
from ..routing.prefix import prefix_parameters
from ..tree.segments import CatchAll, Dynamic, Segment, Static

#: A parameter of a rule, ``<int:id>``.
_PARAMETER = re.compile(r"<(?:[^<>]*:)?(\w+)>")

#: The characters that a segment of a path may have as they are (RFC 3986).
_SAFE = "!$&'()*+,;=:@"


@dataclass(frozen=True, slots=True)
class Path:
    """A path of the document.

    :param template: the path, ``/api/articles/{slug}``.
    :param parameters: its parameters, as Parameter Objects.
    :param segments: the segments of its folders, without groups.
    """

    template: str
    parameters: tuple[dict[str, Any], ...]
    segments: tuple[Segment, ...]


class Paths:
    """The paths of the routes of a mount.

    :param app: the app, for its converters.
    :param mount: the mount, for its prefix, which may have parameters too.
    """

    def __init__(self, app: Flask, mount: Mount) -> None:
        self._app = app
        self._prefix = quote(_PARAMETER.sub(r"{\1}", mount.url_prefix), safe=f"{_SAFE}/{{}}")
        self._of_prefix = tuple(
            make_parameter(name, converter)
            for name, converter in prefix_parameters(app.url_map, mount.url_prefix).items()
        )

    def find(self, route: Route) -> Iterator[Path]:
        """Return the paths of a route: two for an optional catch-all."""
        segments = route.file.url_segments
        if segments and isinstance(segments[-1], CatchAll) and segments[-1].optional:
            yield self._make(segments[:-1])
        yield self._make(segments)

    def _make(self, segments: tuple[Segment, ...]) -> Path:
        """Return the path of some segments.

        :param segments: the segments of the folders that are a part of the URL.
        """
        template = self._prefix
        parameters = list(self._of_prefix)
        for segment in segments:
            template += f"/{_spell(segment)}"
            for parameter in segment.parameters:
                converter = None
                if not isinstance(segment, CatchAll):
                    kind = self._app.url_map.converters[parameter.converter or "default"]
                    converter = kind(self._app.url_map)
                parameters.append(make_parameter(parameter.name, converter))
        return Path(template or "/", tuple(parameters), segments)


def _spell(segment: Segment) -> str:
    """Return a segment as a part of a template: ``{id}.json`` for ``[id=int].json``."""
    if isinstance(segment, Static):
        return quote(segment.text, safe=_SAFE)
    if isinstance(segment, CatchAll):
        return f"{{{segment.name}}}"
    assert isinstance(segment, Dynamic)
    pieces = []
    for piece in segment.pieces:
        if isinstance(piece, str):
            pieces.append(quote(piece, safe=_SAFE))
        else:
            pieces.append(f"{{{piece.name}}}")
    return "".join(pieces)


def make_parameter(name: str, converter: BaseConverter | None) -> dict[str, Any]:
    """Return the Parameter Object of a path parameter.

    It is always required: OpenAPI allows nothing else for a parameter in a path.

    :param converter: its converter, or ``None`` for a catch-all.
    """
    parameter: dict[str, Any] = {"name": name, "in": "path", "required": True}
    if converter is None:
        parameter["description"] = "One segment or more, with the slashes between them."
    parameter["schema"] = make_schema(converter)
    return parameter


def make_schema(converter: BaseConverter | None) -> dict[str, Any]:
    """Return the schema of the values that a converter accepts.

    A converter of the app can declare it with a class attribute ``openapi``. ``int(min=1)`` is
    ``{"type": "integer", "minimum": 1}``; a converter that is not known is a string that is not
    empty.

    :param converter: the converter, or ``None`` for a catch-all.
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
