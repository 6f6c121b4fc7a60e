"""What rules match: compared with each other, and with a path."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from werkzeug.routing import Map, Rule
from werkzeug.routing.converters import PathConverter
from werkzeug.routing.rules import RulePart

from ..errors import Problem
from ..tree.conflicts import NO_CONVERTER, Shape, shape
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


def find_clashes(
    url_map: Map, routes: Sequence[tuple[str, tuple[RouteRule, ...]]]
) -> Iterator[Problem]:
    """Find rules of the map, and of two files, that match the same URLs.

    What :func:`~flask_routehandlers.tree.conflicts.find_conflicts` finds is left out.

    :param url_map: the app's map. The rules are bound to it, and not added.
    :param routes: each route file, relative to the root, with its rules.
    """
    owners = {
        places(rule): rule
        for rule in url_map.iter_rules()
        if not rule.build_only and not rule.websocket
    }
    for file, rules in routes:
        for rule in rules:
            rule.bind(url_map)
            owner = owners.get(places(rule)) if owners else None
            if owner is not None:
                yield Problem(
                    f"The app already has a rule for {rule.rule}: {owner.rule} "
                    f"of the endpoint {owner.endpoint!r}.",
                    "Remove one of them, or give RouteHandlers another url_prefix.",
                    (file,),
                )
    if _has_converters_alike(url_map, [rule for _, rules in routes for rule in rules]):
        # The two rules of an optional catch-all say the same.
        yield from dict.fromkeys(_find_twins(routes))


def _has_converters_alike(url_map: Map, rules: Iterable[RouteRule]) -> bool:
    """Whether two converters that a tree uses have one regular expression."""
    names = {
        parameter.converter
        for rule in rules
        for segment in rule.segments
        for parameter in segment.parameters
    }
    # Without a converter, by any of its names, is one.
    names = (names - NO_CONVERTER) | ({"default"} if names & NO_CONVERTER else set())
    regexes = Counter(url_map.converters[name or "default"](url_map).regex for name in names)
    return any(count > 1 for count in regexes.values())


def _find_twins(routes: Sequence[tuple[str, tuple[RouteRule, ...]]]) -> Iterator[Problem]:
    """Files whose paths differ in nothing that tells their URLs apart."""
    found: dict[object, dict[tuple[Shape, ...], tuple[str, RouteRule]]] = defaultdict(dict)
    for file, rules in routes:
        for rule in rules:
            shapes = tuple(map(shape, rule.segments))
            found[places(rule)].setdefault(shapes, (file, rule))
    for twins in found.values():
        if len(twins) == 1:
            continue
        differ = next(n for n, one in enumerate(zip(*twins, strict=True)) if len(set(one)) > 1)
        folders = sorted({rule.segments[differ].folder for _, rule in twins.values()})
        yield Problem(
            f"The folders {' and '.join(folders)} match the same URLs: "
            "their converters have one regular expression.",
            "Keep one of the files, or give a converter of your own a regex that differs.",
            tuple(sorted(file for file, _ in twins.values())),
        )
