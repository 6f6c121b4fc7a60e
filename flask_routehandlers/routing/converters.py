"""What the parameters of a folder are to Werkzeug: converters, and the types that they give."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID

from werkzeug.routing import BaseConverter, Map
from werkzeug.routing.converters import (
    FloatConverter,
    IntegerConverter,
    UnicodeConverter,
    UUIDConverter,
)

from ..errors import Problem
from ..tree.segments import CatchAll, Parameter, Segment

#: Characters that no clean path has: controls, the backslash, and what bytes become that are
#: not UTF-8. Inside the brackets of a regular expression.
UNCLEAN = r"\x00-\x1f\x7f-\x9f\\\ufffd"

#: The longest segment, in characters, by the number of its parameters. The ways to divide a text
#: between three parameters grow with the cube of its length, and clients choose the text.
_LONGEST = {2: 1024, 3: 128}
_LONGEST_OF_MORE = 64

_SEGMENT = rf"(?!\.{{1,2}}(?:/|\Z))[^/{UNCLEAN}]++"
_SEGMENTS = f"{_SEGMENT}(?:/{_SEGMENT})*+"

#: The type of the values of a catch-all.
LIST_OF_STR = list[str]

_TYPES: dict[type, object] = {
    UnicodeConverter: str,
    IntegerConverter: int,
    FloatConverter: float,
    UUIDConverter: UUID,
}


class CatchAllConverter(BaseConverter):
    """One segment or more, as a list of str."""

    regex = _SEGMENTS
    part_isolating = False
    weight = 200

    def __init__(self, url_map: Map, optional: bool = False) -> None:
        super().__init__(url_map)
        if not url_map.strict_slashes:
            # Werkzeug leaves a trailing slash to rules that end with one segment.
            self.regex = f"{_SEGMENTS}/?"
        if optional:
            self.weight = 300

    def to_python(self, value: str) -> list[str]:
        return value.rstrip("/").split("/")

    def to_url(self, value: Any) -> str:
        if not isinstance(value, (list, tuple)):
            raise TypeError(
                f"A catch-all takes a list or tuple of segments, not {value!r}. "
                f"Did you mean {[part for part in str(value).split('/') if part]!r}?"
            )
        segments = [str(segment) for segment in value]
        if not segments:
            raise ValueError("A catch-all takes at least one segment; the list is empty.")
        for segment in segments:
            if segment in ("", ".", "..") or "/" in segment:
                raise ValueError(
                    f"{segment!r} cannot be a segment of a URL: it would lead somewhere else."
                )
        # safe = https://url.spec.whatwg.org/#url-path-segment-string, but the slash
        return "/".join(quote(segment, safe="!$&'()*+,:;=@") for segment in segments)


def clean_segment(converters: Sequence[BaseConverter]) -> str:
    """A regular expression to stand in front of that of a segment with parameters.

    It refuses what is not clean: ``.`` and ``..``, control characters, backslashes, bytes that
    are not UTF-8. Refused while matching, not in the view: then no server or proxy on the way
    can read a path with such a segment as another one that a route file answers.

    :param converters: those of the segment, one for each parameter.
    """
    limits = [_LONGEST.get(len(converters), _LONGEST_OF_MORE)] if len(converters) > 1 else []
    if any(isinstance(converter, IntegerConverter) for converter in converters):
        # Python reads no longer ones, and its refusal would be an internal error.
        limits.append(sys.int_info.default_max_str_digits)
    length = f"{{1,{min(limits)}}}" if limits else "+"
    return rf"(?!\.{{1,2}}\Z)(?=[^{UNCLEAN}]{length}\Z)"


def value_type(converter: BaseConverter | type[BaseConverter]) -> object:
    """The type of a converter's values, or ``None`` for a converter of the app's own."""
    kind = converter if isinstance(converter, type) else type(converter)
    return _TYPES.get(kind)


def segment_types(url_map: Map, segment: Segment) -> dict[str, object]:
    """The type of each parameter of a segment; ``None`` where it is not known."""
    if isinstance(segment, CatchAll):
        return {segment.name: LIST_OF_STR}
    return {
        parameter.name: value_type(url_map.converters[parameter.converter or "default"])
        for parameter in segment.parameters
    }


def refuse_converter(url_map: Map, parameter: Parameter) -> Problem | None:
    """Why a converter cannot be used in a folder name; ``None`` if it can."""
    name = parameter.converter or "default"
    if name not in url_map.converters:
        known = ", ".join(sorted(set(url_map.converters) - {"default"}))
        return Problem(
            f"The app has no converter {name!r}.",
            f"It has {known}. Add your own to app.url_map.converters before RouteHandlers.",
        )
    try:
        converter = url_map.converters[name](url_map)
        regex = re.compile(converter.regex)
    except Exception as error:
        return Problem(
            f"The converter {name!r} cannot be made without arguments: {error}.",
            "Register a converter of your own that needs none.",
        )
    if not converter.part_isolating:
        return Problem(
            f"The converter {name!r} can match several segments.",
            f"Write [...{parameter.name}] for a catch-all.",
        )
    if regex.fullmatch(""):
        return Problem(
            f"The converter {name!r} also matches nothing, so it would answer other URLs.",
            "Register a converter of your own whose regex needs at least one character.",
        )
    return None
