"""Say which file answers a request, and why no other does. Nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.routing.exceptions import RequestRedirect
from werkzeug.test import create_environ

from .mounts import mounts_of
from .routes import Route
from .rules import refusing_segment
from .segments import CatchAll, Dynamic, Segment, Static
from .views import Endpoint, is_rooted


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an app does with a request.

    :param status: 200 where a handler or an automatic answer runs, 404, 405, 500 for a file that
        cannot be used (in debug mode), or 308 where a rule of the app's own redirects.
    :param file: the route file that answers, relative to its root; ``None`` for none.
    :param rule: the matched rule, also of a view of the app's own; ``None`` for none.
    :param endpoint: its endpoint.
    :param parameters: the path parameters.
    :param methods: the methods that the file answers, sorted.
    :param middleware: the middleware that runs, outermost first: file and name in it.
    :param passed_over: other route files, each with the reason why it does not answer.
    """

    status: int
    file: str | None
    rule: str | None
    endpoint: str | None
    parameters: dict[str, Any]
    methods: list[str]
    middleware: list[tuple[str, str]]
    passed_over: list[tuple[str, str]]


def explain(app: Flask, method: str, target: str) -> Explanation:
    """Match a request as the app itself does when it comes in.

    :param method: an HTTP method.
    :param target: a path as it stands in a request, percent-encoded; a query is left out.
    """
    environ = create_environ(method=method)
    environ["PATH_INFO"] = unquote_to_bytes(target.partition("?")[0]).decode("latin-1")
    request = app.request_class(environ)
    adapter = app.create_url_adapter(request)
    assert adapter is not None
    status = 200
    rule: Rule | None = None
    values: Mapping[str, Any] = {}
    try:
        rule, values = adapter.match(return_rule=True)
    except RequestRedirect:
        status = 308
    except HTTPException as error:
        status = error.code or 404
    routes = [route for mount in mounts_of(app) for route in mount.routes]
    chosen = next((route for route in routes if any(r is rule for r in route.rules)), None)
    if chosen and not is_rooted(environ["PATH_INFO"]):
        status, rule, chosen = 404, None, None
    view = app.view_functions.get(rule.endpoint) if rule else None
    methods: list[str] = []
    links: list[tuple[str, str]] = []
    if isinstance(view, Endpoint):
        methods = view.allowed
        links = [(link.file, link.name) for link in view.links]
        status = 200 if request.method in methods else 405
    elif chosen:
        status = 500
    passed_over = [
        (route.file.file, reason)
        for route in routes
        if route is not chosen and (reason := _reason(app, route, chosen, request.path))
    ]
    return Explanation(
        status=status,
        file=chosen.file.file if chosen else None,
        rule=rule.rule if rule else None,
        endpoint=rule.endpoint if rule else None,
        parameters=dict(values) if rule else {},
        methods=methods,
        middleware=links,
        passed_over=passed_over,
    )


def _reason(app: Flask, route: Route, chosen: Route | None, path: str) -> str | None:
    """Why a route does not answer a path that it nearly answers, or would answer alone."""
    for rule in route.rules:
        if chosen and _matches_alone(app, route, path):
            return _precedence(chosen, route)
        refused = refusing_segment(rule, path)
        if refused and isinstance(refused[0], Dynamic):
            return f"{refused[0].folder} does not match {refused[1]!r}"
    return None


def _matches_alone(app: Flask, route: Route, path: str) -> bool:
    alone = Map(
        [rule.empty() for rule in route.rules],
        converters=app.url_map.converters,
        strict_slashes=app.url_map.strict_slashes,
    )
    return alone.bind("localhost").test(path, method="GET")


def _precedence(chosen: Route, other: Route) -> str:
    pairs = zip_longest(chosen.file.url_segments, other.file.url_segments)
    for first, second in pairs:
        if first != second:
            return f"{_kind(first)} comes before {_kind(second)}"
    return "the path ends where the other file is"


def _kind(segment: Segment | None) -> str:
    match segment:
        case Static(folder=folder):
            return f"the static {folder}"
        case CatchAll(folder=folder, optional=optional):
            return f"the {'optional ' if optional else ''}catch-all {folder}"
        case Dynamic(folder=folder, pieces=pieces) if len(pieces) > 1:
            return f"{folder}, which has text around its parameter,"
        case Dynamic(folder=folder, pieces=pieces):
            converter = segment.parameters[0].converter
            return f"{folder}, which has a converter," if converter else f"the parameter {folder}"
        case _:
            return "the end of the path"
