"""Find rules that would answer one URL, in an app that a tree is about to join."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from flask import Flask
from werkzeug.routing import Map

from ..errors import Problem
from ..routes import Route
from ..tree.conflicts import NO_CONVERTER, Shape, shape
from .matching import places
from .rules import RouteRule


def find_clashes(app: Flask, routes: tuple[Route, ...]) -> Iterator[Problem]:
    """Rules that the app has already, and those of two files, at one place.

    What :func:`~flask_routehandlers.tree.conflicts.find_conflicts` tells is left out.
    """
    owners = {
        places(rule): rule
        for rule in app.url_map.iter_rules()
        if not rule.build_only and not rule.websocket
    }
    for route in routes:
        for rule in route.rules:
            rule.bind(app.url_map)
            owner = owners.get(places(rule)) if owners else None
            if owner is not None:
                yield Problem(
                    (route.file.file,),
                    f"The app already has a rule for {rule.rule}: {owner.rule} "
                    f"of the endpoint {owner.endpoint!r}.",
                    "Remove one of them, or give RouteHandlers another url_prefix.",
                )
    if _has_converters_alike(app.url_map, routes):
        # The two rules of an optional catch-all say the same.
        yield from dict.fromkeys(_find_twins(routes))


def _has_converters_alike(url_map: Map, routes: tuple[Route, ...]) -> bool:
    """Whether two converters that a tree uses have one regular expression."""
    names = {
        parameter.converter
        for route in routes
        for segment in route.file.segments
        for parameter in segment.parameters
    }
    # Without a converter, by any of its names, is one.
    names = (names - NO_CONVERTER) | ({"default"} if names & NO_CONVERTER else set())
    regexes = Counter(url_map.converters[name or "default"](url_map).regex for name in names)
    return any(count > 1 for count in regexes.values())


def _find_twins(routes: tuple[Route, ...]) -> Iterator[Problem]:
    """Files whose paths differ in nothing that tells their URLs apart."""
    found: dict[object, dict[tuple[Shape, ...], tuple[str, RouteRule]]] = defaultdict(dict)
    for route in routes:
        for rule in route.rules:
            shapes = tuple(map(shape, rule.segments))
            found[places(rule)].setdefault(shapes, (route.file.file, rule))
    for twins in found.values():
        if len(twins) == 1:
            continue
        differ = next(n for n, one in enumerate(zip(*twins, strict=True)) if len(set(one)) > 1)
        folders = sorted({rule.segments[differ].folder for _, rule in twins.values()})
        yield Problem(
            tuple(sorted(file for file, _ in twins.values())),
            f"The folders {' and '.join(folders)} match the same URLs: "
            "their converters have one regular expression.",
            "Keep one of the files, or give a converter of your own a regex that differs.",
        )
