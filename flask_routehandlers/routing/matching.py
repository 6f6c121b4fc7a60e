"""What rules match: compared with each other, and with a path."""

from __future__ import annotations

import re

from werkzeug.routing import Rule
from werkzeug.routing.converters import PathConverter
from werkzeug.routing.rules import RulePart

from ..tree.segments import Segment
from .converters import CatchAllConverter
from .rules import CleanPart, RouteRule

#: What takes the rest of a URL, in Werkzeug's spelling and in ours.
_REST = frozenset(
    rf"(?P<__werkzeug_0>{regex})\Z"
    for regex in (PathConverter.regex, CatchAllConverter.regex, f"{CatchAllConverter.regex}/?")
) | {rf"(?P<__werkzeug_0>{PathConverter.regex})(?<!/)(/?)\Z"}


def places(rule: Rule) -> tuple[tuple[str, bool, bool], ...]:
    """What a bound rule matches, comparable between rules: equal places are equal URLs."""
    parts = rule._parts
    if rule.is_branch and not parts[-2].static:
        # Werkzeug redirects what matches without the slash, before it tries other rules.
        parts = parts[:-1]
    return tuple((_place(part), part.static, part.final) for part in parts)


def _place(part: RulePart) -> str:
    if part.final and part.content in _REST:
        return "*"
    return part.unguarded if isinstance(part, CleanPart) else part.content


def refusing_segment(rule: RouteRule, path: str) -> tuple[Segment, str] | None:
    """The segment of a bound rule that keeps it from matching a path, with the text there.

    ``None`` if there are several, or if they are not equally many.

    :param path: as Werkzeug matches it, with a leading slash.
    """
    texts = path.split("/")
    parts = rule._parts[1:]  # without the one for the subdomain
    if len(texts) != len(parts):
        return None
    refusing = [
        number
        for number, (part, text) in enumerate(zip(parts, texts, strict=True))
        if (text != part.content if part.static else not re.match(part.content, text))
    ]
    behind_prefix = len(parts) - len(rule.segments)
    if len(refusing) != 1 or refusing[0] < behind_prefix:
        return None
    return rule.segments[refusing[0] - behind_prefix], texts[refusing[0]]
