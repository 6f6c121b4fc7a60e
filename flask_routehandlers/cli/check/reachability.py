"""Find handlers that requests do not reach: build a URL of each route and ask who answers.

Two patterns need not be compared: a sample path is matched by the app's own URL map. So a rule of
the app that hides a route is found with whatever converters it has; one that hides only some URLs
of a route may not be, since a sample can miss these.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, MapAdapter, RequestRedirect, Rule

from ...mount import Mount, Route, mounts_of
from ...routing.matching import places
from ...routing.rules import RouteRule
from ..explain import make_request, matches_alone

#: Values of parameters that are unlikely to be the text of a folder or a rule. Only a catch-all
#: matches the first.
_SAMPLES = (
    "zq7x/x7",
    "zq7x",
    "7310",
    "73.5",
    "0f8fad5b-d9cb-469f-a165-708677289510",
    "zqx",
    "zq",
    "q",
    "7",
    "2031-02-28",
)


def find_hidden(app: Flask, mount: Mount) -> Iterator[tuple[Route, str, Rule, list[str]]]:
    """Find routes whose URL another rule of the app answers.

    :returns: the route, a path that it matches, the rule that answers this path, and the methods
        of the route that it answers.
    """
    adapter = app.create_url_adapter(make_request(app, "GET", "/"))
    assert adapter is not None
    for route in mount.routes:
        path = _sample_path(route.rules[-1])
        if path is None:
            continue
        # Rules have no hash, and some that differ are equal.
        hidden: dict[int, tuple[Rule, list[str]]] = {}
        for method in route.handlers:
            rule = _find_rule(adapter, path, method)
            if rule is not None and all(rule is not other for other in route.rules):
                hidden.setdefault(id(rule), (rule, []))[1].append(method)
        # A converter may refuse what its regular expression matches.
        if hidden and matches_alone(app, route, path):
            for rule, methods in hidden.values():
                yield route, path, rule, methods


def find_late_rules(app: Flask, mount: Mount) -> Iterator[tuple[Route, Rule]]:
    """Find rules of the app for the same URL as a route, which were added after the tree.

    For a rule that was there before, the app refuses the tree at start-up.
    """
    of_trees = {
        id(rule) for other in mounts_of(app) for route in other.routes for rule in route.rules
    }
    owners = {places(rule): route for route in mount.routes for rule in route.rules}
    for rule in app.url_map.iter_rules():
        if id(rule) not in of_trees and not rule.build_only and not rule.websocket:
            route = owners.get(places(rule))
            if route:
                yield route, rule


def _sample_path(rule: RouteRule) -> str | None:
    """Return a decoded path that a rule matches, or ``None`` if no sample fits a converter."""
    samples = {name: _sample(converter) for name, converter in rule.converters.items()}
    if None in samples.values():
        return None
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", lambda match: samples[match[1]] or "", rule.rule)


def _sample(converter: BaseConverter) -> str | None:
    """Return a string that a converter takes, or ``None`` if no sample fits its expression."""
    items: Iterable[str] = getattr(converter, "items", ())  # of Werkzeug's AnyConverter
    for sample in (*_SAMPLES, *sorted(items)):
        if re.fullmatch(converter.regex, sample):
            return sample
    return None


def _find_rule(adapter: MapAdapter, path: str, method: str) -> Rule | None:
    """Return the rule that answers a path, or redirects it; ``None`` for an error."""
    for candidate in (path, f"{path}/"):
        try:
            rule, _ = adapter.match(candidate, method, return_rule=True)
            return rule
        except RequestRedirect:
            continue
        except HTTPException:
            return None
    return None
