"""Explain which file answers a request, and why no other does. Nothing runs.

The app's own URL map decides, through the adapter that Flask makes for a request, so an
explanation cannot differ from what the app does. Reasons are found afterwards, from the segments
of the routes. The result is data, :class:`Explanation`, which ``match --json`` prints as it is;
``check`` uses some of the steps to find routes that no request reaches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask, Request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.test import create_environ

from ..caching.static_route import StaticRoute
from ..handlers.dispatch import is_rooted
from ..handlers.endpoint import Endpoint
from ..mount import Mount, Route, mounts_of
from ..routing.matching import places, refusing_segment
from ..routing.rules import RouteRule
from ..tree.segments import CatchAll, Dynamic, Parameter, Segment, Static
from .contracts import describe_answers, describe_inputs
from .steps import Step, find_steps

#: A route of one of an app's trees.
Served = tuple[Mount, Route]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A route file that nearly answers a path, or would answer it alone.

    :param file: the file, relative to its root.
    :param reason: why it does not answer.
    """

    root: str
    file: str
    endpoint: str
    reason: str


@dataclass(slots=True)
class Explanation:
    """The way in which an app handles a request.

    :param status: 200 where a handler or an automatic answer runs, 404, 405, 500 for a file that
        cannot be used (in debug mode), or 308 where a rule of the app redirects.
    :param root: the absolute path of the root whose file answers, if there is one.
    :param file: the route file that answers, relative to its root, if there is one.
    :param rule: the matched rule, also of another view of the app.
    :param methods: the methods that the file answers, sorted.
    :param inputs: what the handler reads from the request, by place.
    :param answers: the statuses that it declares, and those that its inputs add.
    :param static: how long a stored response is fresh, in words; ``None`` if the handler runs for
        each request.
    :param passed_over: other route files, in the order of their trees.
    :param did_you_mean: a path or a rule that is nearly the same, where nothing answers.
    """

    status: int
    root: str | None = None
    file: str | None = None
    rule: str | None = None
    endpoint: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    methods: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    answers: str | None = None
    static: str | None = None
    passed_over: list[PassedOver] = field(default_factory=list)
    did_you_mean: str | None = None


def explain(app: Flask, method: str, target: str) -> Explanation:
    """Match a request as the app itself does when it comes in.

    A path such as ``//x`` is matched by Werkzeug, but refused by the views of route files, which
    is repeated here.

    :param target: a path as a request has it, percent-encoded; a query is left out.
    """
    request = make_request(app, method, target)
    status, rule, values = _match(app, request)
    served = [(mount, route) for mount in mounts_of(app) for route in mount.routes]
    chosen = _find_owner(served, rule)
    if chosen and not is_rooted(request.environ["PATH_INFO"]):
        status, rule, chosen = 404, None, None
        instead = "the path does not begin with one slash"
    elif rule:
        instead = f"the app's rule {rule.rule} comes before it"
    elif status == 308:
        instead = "a rule of the app redirects"
    else:
        instead = "a rule matched whose converter refused the value"
    passed_over = list(_passed_over(app, served, chosen, instead, request.path))
    explanation = Explanation(status, passed_over=passed_over)
    if rule is not None:
        explanation.rule, explanation.endpoint = rule.rule, rule.endpoint
        explanation.parameters = dict(values)
    elif status == 404:
        explanation.did_you_mean = _find_similar(app, method, target)
    if chosen:
        _describe_route(explanation, *chosen, request)
    return explanation


def make_request(app: Flask, method: str, target: str) -> Request:
    """Return a request for a path. ``PATH_INFO`` is decoded once, as a WSGI server does it.

    Flask answers 400 for a host that is not in ``TRUSTED_HOSTS``, so the first of these is used.
    One that begins with a dot also stands for its subdomains.
    """
    host = app.config["SERVER_NAME"] or "localhost"
    if app.config["TRUSTED_HOSTS"]:
        host = app.config["TRUSTED_HOSTS"][0].removeprefix(".")
    base_url = f"{app.config['PREFERRED_URL_SCHEME']}://{host}/"
    environ = create_environ(base_url=base_url, method=method)
    path = target.partition("?")[0].encode(errors="surrogateescape")
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    return app.request_class(environ)


def matches_alone(app: Flask, route: Route, path: str) -> bool:
    """Return whether a route would answer a decoded path if the app had no other."""
    alone = Map(
        [rule.empty() for rule in route.rules],
        default_subdomain=app.url_map.default_subdomain,
        converters=app.url_map.converters,
        strict_slashes=app.url_map.strict_slashes,
    )
    return alone.bind("localhost").test(path, method="GET")


def _match(app: Flask, request: Request) -> tuple[int, Rule | None, Mapping[str, Any]]:
    """Return the status, the rule that matches and its values."""
    adapter = app.create_url_adapter(request)
    assert adapter is not None
    try:
        rule, values = adapter.match(return_rule=True)
    except HTTPException as error:  # redirects too
        return error.code or 404, None, {}
    return 200, rule, values


def _find_owner(served: Sequence[Served], rule: Rule | None) -> Served | None:
    """Return the route that a rule belongs to, or ``None`` for a rule of the app itself."""
    for mount, route in served:
        # Rules that differ can be equal.
        if any(rule is other for other in route.rules):
            return mount, route
    return None


def _describe_route(
    explanation: Explanation, mount: Mount, route: Route, request: Request
) -> None:
    """Add what is known of the route that answers."""
    explanation.root, explanation.file = mount.root, route.file.file
    view = route.view
    if not isinstance(view, Endpoint):
        explanation.status = 500
        return
    if request.method not in view.dispatcher.allowed:
        explanation.status = 405
    method = view.dispatcher.method_of(request)
    explanation.methods = list(view.dispatcher.allowed)
    explanation.steps = list(find_steps(mount, route, method))
    handler = route.handlers.get(method)
    if handler is not None:
        explanation.inputs = describe_inputs(handler.binding)
        explanation.answers = describe_answers(view.dispatcher.app, handler.binding)
    if route.static and method == "GET":
        explanation.static = f"stored, fresh {describe_lifetime(route.static)}"


def describe_lifetime(static: StaticRoute) -> str:
    """Return how long a stored response is fresh, in words."""
    if static.config.lifetime is None:
        return "until it is revalidated"
    return f"for {static.config.lifetime} seconds"


def _find_similar(app: Flask, method: str, target: str) -> str | None:
    """Return a path that differs in slashes or letter case and is answered, or a similar rule."""
    path = re.sub("//+", "/", target.partition("?")[0]).rstrip("/")
    for similar in (path, f"{path}/", path.lower(), f"{path.lower()}/"):
        if similar != target and _match(app, make_request(app, method, similar))[0] == 200:
            return similar
    rules = {rule.rule.lower(): rule.rule for rule in app.url_map.iter_rules()}
    close = get_close_matches(path.lower(), rules, n=1, cutoff=0.65)
    return rules[close[0]] if close else None


def _passed_over(
    app: Flask, served: Sequence[Served], chosen: Served | None, instead: str, path: str
) -> Iterator[PassedOver]:
    """Yield the other route files that a path could be meant for.

    :param instead: what happens if no route file answers.
    """
    for mount, route in served:
        reason = ""
        if chosen and route is chosen[1]:
            continue
        if matches_alone(app, route, path):
            reason = instead
            if chosen:
                reason = _compare(chosen[1].rules[-1], route.rules[-1])
        else:
            for rule in route.rules:
                segment, text = refusing_segment(rule, path) or (None, "")
                if isinstance(segment, Dynamic):
                    reason = f"{segment.folder} does not match {text!r}"
        if reason:
            yield PassedOver(mount.root, route.file.file, route.endpoint, reason)


def _compare(rule: RouteRule, other: RouteRule) -> str:
    """Explain which of two rules that match a path comes first: the leftmost difference."""
    # Without the places of the subdomain and of the leading slash.
    n = 2
    while places(rule)[n] == places(other)[n]:
        n += 1
    first, second = _segments(rule)[n - 2], _segments(other)[n - 2]
    if _count_text(first) > _count_text(second) > 0:
        return f"{first.folder} has more text than {second.folder}"
    return f"{_describe(first)} comes before {_describe(second)}"


def _segments(rule: RouteRule) -> list[Segment]:
    """Return all segments of a rule, those of the prefix too."""
    segments: list[Segment] = []
    for part in rule.prefix.split("/")[1:]:
        if "<" in part:
            segments.append(Dynamic(part, (Parameter(part),)))
        else:
            segments.append(Static(part, part))
    return [*segments, *rule.segments]


def _count_text(segment: Segment) -> int:
    """Count the literal characters around the parameters of a segment."""
    if not isinstance(segment, Dynamic):
        return 0
    return sum(len(piece) for piece in segment.pieces if isinstance(piece, str))


def _describe(segment: Segment) -> str:
    """Return a segment with its kind, for a sentence about precedence."""
    folder = segment.folder
    if isinstance(segment, CatchAll):
        return f"the {'optional ' if segment.optional else ''}catch-all {folder}"
    if not isinstance(segment, Dynamic):
        return f"the static {folder}"
    if _count_text(segment):
        return f"{folder}, which has text around its parameter,"
    if segment.parameters[0].converter:
        return f"{folder}, which has a converter,"
    return f"the parameter {folder}"
