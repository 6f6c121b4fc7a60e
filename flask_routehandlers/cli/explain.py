"""Say which file answers a request, and why no other does. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.test import create_environ

from ..handlers.dispatch import is_rooted
from ..handlers.endpoint import Endpoint
from ..mount import Mount, Route, mounts_of
from ..routing.matching import places, refusing_segment
from ..tree.segments import CatchAll, Dynamic, Parameter, Segment, Static

#: A route of one of an app's trees.
Served = tuple[Mount, Route]


@dataclass(frozen=True, slots=True)
class Step:
    """A middleware function on the way to the handler.

    :param file: the middleware file, relative to the root.
    :param name: what the function is called in it: ``middleware``, ``middleware[1] (limit)``.
    """

    file: str
    name: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A route file that nearly answers a path, or would answer it alone.

    :param file: the file, relative to its root.
    :param endpoint: its endpoint, which begins with the name of its tree.
    :param reason: why it does not answer.
    """

    file: str
    endpoint: str
    reason: str


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
    :param middleware: the middleware that runs, outermost first.
    :param static: for how long a stored response is fresh, in words; ``None`` if the handler runs
        for each request.
    :param passed_over: other route files, in the order of their trees.
    """

    status: int
    file: str | None
    rule: str | None
    endpoint: str | None
    parameters: dict[str, Any]
    methods: list[str]
    middleware: list[Step]
    static: str | None
    passed_over: list[PassedOver]


def explain(app: Flask, method: str, target: str) -> Explanation:
    """Match a request as the app itself does when it comes in.

    :param method: an HTTP method.
    :param target: a path as it stands in a request, percent-encoded; a query is left out.
    """
    path = target.partition("?")[0].encode(errors="surrogateescape")
    environ = create_environ(base_url=base_url(app), method=method)
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    request = app.request_class(environ)
    adapter = app.create_url_adapter(request)
    assert adapter is not None
    status = 200
    rule: Rule | None = None
    values: Mapping[str, Any] = {}
    try:
        rule, values = adapter.match(return_rule=True)
    except HTTPException as error:  # redirects too
        status = error.code or 404
    served = [(mount, route) for mount in mounts_of(app) for route in mount.routes]
    chosen = next((one for one in served if any(rule is own for own in one[1].rules)), None)
    instead = "a rule matched whose converter refused the value"
    if chosen and not is_rooted(environ["PATH_INFO"]):
        status, rule, chosen = 404, None, None
        instead = "the path does not begin with one slash"
    elif rule:
        instead = f"the app's own rule {rule.rule} comes before it"
    elif status == 308:
        instead = "a rule of the app's own redirects"
    methods: list[str] = []
    steps: list[Step] = []
    static = None
    if chosen:
        view = chosen[1].view
        status = 500
        if isinstance(view, Endpoint):
            methods = view.dispatcher.allowed
            steps = [Step(link.file, link.name) for link in view.links]
            status = 200 if request.method in methods else 405
            found = chosen[1].static
            if found and view.dispatcher.method_of(request) == "GET":
                seconds = found.config.lifetime
                until = "until it is revalidated" if seconds is None else f"for {seconds} seconds"
                static = f"stored, fresh {until}"
    return Explanation(
        status=status,
        file=chosen[1].file.file if chosen else None,
        rule=rule.rule if rule else None,
        endpoint=rule.endpoint if rule else None,
        parameters=dict(values) if rule else {},
        methods=methods,
        middleware=steps,
        static=static,
        passed_over=list(_passed_over(app, served, chosen, instead, request.path)),
    )


def base_url(app: Flask) -> str:
    """A host that the app takes requests for."""
    trusted = app.config["TRUSTED_HOSTS"]
    host = trusted[0].removeprefix(".") if trusted else app.config["SERVER_NAME"] or "localhost"
    return f"{app.config['PREFERRED_URL_SCHEME']}://{host}/"


def _passed_over(
    app: Flask, served: list[Served], chosen: Served | None, instead: str, path: str
) -> Iterator[PassedOver]:
    """The other route files that a path could be meant for.

    :param instead: what happens if no route file is chosen.
    """
    for one in served:
        _, route = one
        reason = None
        if chosen and route is chosen[1]:
            continue
        if matches_alone(app, route, path):
            reason = _precedence(chosen, one) if chosen else instead
        else:
            for refused in (refusing_segment(rule, path) for rule in route.rules):
                if refused and isinstance(refused[0], Dynamic):
                    reason = f"{refused[0].folder} does not match {refused[1]!r}"
        if reason:
            yield PassedOver(route.file.file, route.endpoint, reason)


def matches_alone(app: Flask, route: Route, path: str) -> bool:
    """Whether a route would answer a decoded path if the app had no other."""
    alone = Map(
        [rule.empty() for rule in route.rules],
        default_subdomain=app.url_map.default_subdomain,
        converters=app.url_map.converters,
        strict_slashes=app.url_map.strict_slashes,
    )
    return alone.bind("localhost").test(path, method="GET")


def _precedence(chosen: Served, other: Served) -> str:
    """Why one of two routes that both match a path comes first: the leftmost difference."""
    # Behind what stands for the subdomain and the leading slash. Names make no difference.
    ours, theirs = (places(route.rules[-1])[2:] for _, route in (chosen, other))
    n = next(n for n, (one, two) in enumerate(zip(ours, theirs, strict=False)) if one != two)
    first, second = _segments(*chosen)[n], _segments(*other)[n]
    if _text(first) > _text(second) > 0:
        return f"{first.folder} has more text than {second.folder}"
    return f"{_kind(first)} comes before {_kind(second)}"


def _segments(mount: Mount, route: Route) -> list[Segment]:
    """All that shows in the URLs of a route, the prefix of its tree too."""
    prefix = (
        Dynamic(part, (Parameter(part),)) if "<" in part else Static(part, part)
        for part in mount.url_prefix.split("/")[1:]
    )
    return [*prefix, *route.file.url_segments]


def _text(segment: Segment) -> int:
    """The number of literal characters around the parameters of a segment."""
    pieces = segment.pieces if isinstance(segment, Dynamic) else ()
    return sum(len(piece) for piece in pieces if isinstance(piece, str))


def _kind(segment: Segment) -> str:
    match segment:
        case CatchAll(folder=folder, optional=optional):
            return f"the {'optional ' if optional else ''}catch-all {folder}"
        case Dynamic(folder=folder) if _text(segment):
            return f"{folder}, which has text around its parameter,"
        case Dynamic(folder=folder) if segment.parameters[0].converter:
            return f"{folder}, which has a converter,"
        case Dynamic(folder=folder):
            return f"the parameter {folder}"
        case _:
            return f"the static {segment.folder}"
