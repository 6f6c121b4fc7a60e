"""Converters of path parameters: Werkzeug's, the app's, and the one for a catch-all.

A value is refused by the regular expression, never by ``to_python``: if that raises, Werkzeug does
not try the next rule.
"""

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
from ..tree.segments import CatchAll, Parameter, Segment, Static

#: Characters that no clean path has: controls, the backslash, and the replacement character, which
#: bytes become that are not UTF-8. For the brackets of a regular expression.
UNCLEAN = r"\x00-\x1f\x7f-\x9f\\\ufffd"

#: The longest segment, in characters, by the number of its parameters. The number of ways to
#: divide a text between three parameters grows with the cube of its length, and clients choose it.
_LONGEST = {2: 1024, 3: 128}
_LONGEST_OF_MORE = 64

_SEGMENT = rf"(?!\.{{1,2}}(?:/|\Z))[^/{UNCLEAN}]++"
_SEGMENTS = f"{_SEGMENT}(?:/{_SEGMENT})*+"

#: The pieces of a regular expression that match one character: an escape, a class, or any other.
_ATOM = re.compile(
    r"\\(?:x..|u.{4}|U.{8}|N\{[^}]*\}|[0-7]{1,3}|.)|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL
)

#: The type of the values of a catch-all.
LIST_OF_STR = list[str]

_TYPES: dict[type, object] = {
    UnicodeConverter: str,
    IntegerConverter: int,
    FloatConverter: float,
    UUIDConverter: UUID,
}


class CatchAllConverter(BaseConverter):
    """Convert one segment or more to a list of str, and back.

    :param url_map: the app's map.
    :param optional: whether the parameter also matches no segment, by a second rule.
    """

    regex = _SEGMENTS
    part_isolating = False
    weight = 200

    def __init__(self, url_map: Map, optional: bool = False) -> None:
        super().__init__(url_map)
        if not url_map.strict_slashes:
            # Werkzeug accepts a trailing slash only for rules that end with one segment.
            self.regex = f"{_SEGMENTS}/?"
        if optional:
            self.weight = 300

    def to_python(self, value: str) -> list[str]:
        """Split the rest of a path into segments."""
        return value.rstrip("/").split("/")

    def to_url(self, value: Any) -> str:
        """Join segments to the rest of a path.

        :raises TypeError: if the value is not a list or tuple.
        :raises ValueError: if it is empty, or a segment would change the path.
        """
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
                    f"{segment!r} cannot be a segment of a URL: the URL would lead elsewhere."
                )
        # The characters of https://url.spec.whatwg.org/#url-path-segment-string but the slash.
        return "/".join(quote(segment, safe="!$&'()*+,:;=@") for segment in segments)


def clean_segment(converters: Sequence[BaseConverter]) -> str:
    """Return a regular expression to put before that of a segment with parameters.

    It refuses what is not clean: ``.`` and ``..``, control characters, backslashes, bytes that
    are not UTF-8. Segments are refused while matching, not in the view, so that no server or
    proxy can read a path with such a segment as another one that a route file answers.

    :param converters: those of the segment, one for each parameter.
    """
    limits = []
    if len(converters) > 1:
        limits.append(_LONGEST.get(len(converters), _LONGEST_OF_MORE))
    if any(isinstance(converter, IntegerConverter) for converter in converters):
        # Python converts no longer numbers, and its error would be an internal one.
        limits.append(sys.int_info.default_max_str_digits)
    length = "+"
    if limits:
        length = f"{{1,{min(limits)}}}"
    return rf"(?!\.{{1,2}}\Z)(?=[^{UNCLEAN}]{length}\Z)"


def can_match_slash(regex: str) -> bool:
    """Return whether some piece of a regular expression can match a slash.

    Werkzeug sets ``part_isolating`` to false for each converter with a slash in its expression,
    even for ``[^/]+``. Lookarounds are not understood: they count as if they were matched.
    """
    return any(map(_matches_slash, _ATOM.findall(regex)))


def _matches_slash(atom: str) -> bool:
    try:
        return re.fullmatch(atom, "/", re.DOTALL) is not None
    except re.error:  # a parenthesis, a quantifier
        return False


def value_type(converter: BaseConverter | type[BaseConverter]) -> object:
    """Return the type of a converter's values, or ``None`` for one of the app's converters."""
    if isinstance(converter, type):
        return _TYPES.get(converter)
    return _TYPES.get(type(converter))


def segment_types(url_map: Map, segment: Segment) -> dict[str, object]:
    """Return the type of each parameter of a segment; ``None`` where it is not known."""
    if isinstance(segment, Static):  # as most segments are
        return {}
    if isinstance(segment, CatchAll):
        return {segment.name: LIST_OF_STR}
    return {
        parameter.name: value_type(url_map.converters[parameter.converter or "default"])
        for parameter in segment.parameters
    }


def refuse_converter(url_map: Map, parameter: Parameter) -> Problem | None:
    """Return why a converter cannot be used in a folder name, or ``None`` if it can."""
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
            f"The converter {name!r} cannot be created without arguments: {error}.",
            "Register your own converter that needs none.",
        )
    if not converter.part_isolating and can_match_slash(converter.regex):
        return Problem(
            f"The converter {name!r} can match several segments: its regex seems to match a "
            "slash, and its part_isolating is false.",
            f"For several segments use a catch-all, [...{parameter.name}], as the last folder. "
            "For one segment set part_isolating = True in the class of the converter.",
        )
    if regex.fullmatch(""):
        return Problem(
            f"The converter {name!r} also matches an empty string, so it would match other URLs.",
            "Register your own converter whose regex needs at least one character.",
        )
    return None
