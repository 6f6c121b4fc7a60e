"""The URLs that rules match: compared between rules, and with a path."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from werkzeug.routing import Map, Rule
from werkzeug.routing.converters import PathConverter
from werkzeug.routing.rules import RulePart

from ..errors import Problem
from ..tree.conflicts import Shape, shape
from ..tree.segments import Segment
from .converters import CatchAllConverter
from .rules import CleanPart, RouteRule

#: The expressions that match the rest of a URL, Werkzeug's and ours.
_REST = frozenset(
    rf"(?P<__werkzeug_0>{regex})\Z"
    for regex in (PathConverter.regex, CatchAllConverter.regex, f"{CatchAllConverter.regex}/?")
) | {rf"(?P<__werkzeug_0>{PathConverter.regex})(?<!/)(/?)\Z"}


def places(rule: Rule) -> tuple[str, ...]:
    """Return what a bound rule matches, part by part: equal places are equal URLs."""
    parts = rule._parts
    if rule.is_branch and not parts[-2].static:
        # Werkzeug redirects what matches without the slash, before it tries other rules.
        parts = parts[:-1]
    return tuple(map(_place, parts))


def _place(part: RulePart) -> str:
    """Return a string for the text or the expression of a part, equal for equal parts."""
    if part.static:
        return f"text {part.content}"
    if isinstance(part, CleanPart):
        return f"expression {part.final} {part.unguarded}"
    if part.final and part.content in _REST:
        return "rest"
    return f"expression {part.final} {part.content}"


def refusing_segment(rule: RouteRule, path: str) -> tuple[Segment, str] | None:
    """Find the only segment of a bound rule that keeps it from matching a path.

    :param path: as Werkzeug matches it, with a leading slash.
    :returns: the segment and the text of the path there; ``None`` if there are several, or if
        the rule and the path have different numbers of segments.
    """
    texts = path.split("/")
    parts = rule._parts[1:]  # without the one for the subdomain
    if len(texts) != len(parts):
        return None
    refusing = [
        number
        for number, (part, text) in enumerate(zip(parts, texts, strict=True))
        if not part_matches(part, text)
    ]
    in_prefix = len(parts) - len(rule.segments)
    if len(refusing) != 1 or refusing[0] < in_prefix:
        return None
    return rule.segments[refusing[0] - in_prefix], texts[refusing[0]]


def part_matches(part: RulePart, text: str) -> bool:
    """Return whether a part of a rule matches a decoded segment of a path."""
    if part.static:
        return text == part.content
    return re.match(part.content, text) is not None


def find_clashes(
    url_map: Map, routes: Iterable[tuple[str, tuple[RouteRule, ...]]]
) -> Iterator[Problem]:
    """Find rules that match the same URLs: of the map and a file, or of two files.

    The conflicts that :func:`~flask_routehandlers.tree.conflicts.find_conflicts` finds are left
    out.

    :param url_map: the app's map. The rules are bound to it, and not added.
    :param routes: each route file, relative to the root, with its rules.
    """
    owners = {
        places(rule): rule
        for rule in url_map.iter_rules()
        if not rule.build_only and not rule.websocket
    }
    rules_at: dict[tuple[str, ...], list[tuple[str, RouteRule]]] = defaultdict(list)
    for file, rules in routes:
        for rule in rules:
            rule.bind(url_map)
            rules_at[places(rule)].append((file, rule))
    for place in filter(owners.__contains__, rules_at):
        owner = owners[place]
        for file, rule in rules_at[place]:
            yield Problem(
                f"The app already has a rule for {rule.rule}: {owner.rule} "
                f"of the endpoint {owner.endpoint!r}.",
                "Remove one of them, or give RouteHandlers another url_prefix.",
                (file,),
            )
    twins = [others for others in rules_at.values() if len(others) > 1]
    # An optional catch-all has two rules, and the same problem in both.
    yield from dict.fromkeys(problem for others in twins for problem in _find_twins(others))


def _find_twins(files: Iterable[tuple[str, RouteRule]]) -> Iterator[Problem]:
    """Find files whose paths differ only in converters that match the same.

    :param files: the files at one place, with their rules.
    """
    by_shape: dict[tuple[Shape, ...], tuple[str, RouteRule]] = {}
    for file, rule in files:
        by_shape.setdefault(tuple(map(shape, rule.segments)), (file, rule))
    if len(by_shape) == 1:
        return
    number = 0
    while len({shapes[number] for shapes in by_shape}) == 1:
        number += 1
    folders = sorted({rule.segments[number].folder for _, rule in by_shape.values()})
    yield Problem(
        f"The folders {' and '.join(folders)} match the same URLs: their converters have "
        "the same regular expression.",
        "Keep one of the files, or change the regex of your own converter.",
        tuple(sorted(file for file, _ in by_shape.values())),
    )
