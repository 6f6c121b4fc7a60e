"""Tell the cache of an app that something changed: by a path, by a route file, by a tag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Flask, current_app, has_app_context, has_request_context, request
from werkzeug.exceptions import HTTPException

from .caching import cache_of
from .caching.settings import host_of
from .errors import RevalidationError
from .handlers.dispatch import is_rooted
from .mount import Mount, Route, mounts_of
from .tree.segments import Group

if TYPE_CHECKING:
    from .caching.static_route import StaticRoute


def revalidate_path(path: str) -> None:
    """Forget what is stored for a path. After the call no process of the app serves it any more,
    nor what a handler is computing of it meanwhile.

    :param path: the path of a URL, ``/api/posts/1``, also percent-encoded as
        :func:`flask.url_for` gives it, whose query does not matter; or a route as its folders
        spell it, ``/api/posts/[id]``, for every URL of the file.
    :raises RevalidationError: when no static handler answers the path.
    :raises StoreError: when the shared store cannot be reached. Other processes may serve what
        they have until it is stale.
    :raises RuntimeError: outside of an application context.
    """
    app = _current_app("revalidate_path")
    if not isinstance(path, str):
        raise TypeError(f"revalidate_path takes a path as a text, not {path!r}.")
    spelled = _find_by_folders(app, path)
    if spelled is not None:
        static = _static(spelled, path)
        static.cache.store.revalidate_tags([static.file_tag])
        return
    # A path that can be read in several ways is revalidated in all.
    root = request.script_root if has_request_context() else ""
    readings: dict[str, None] = {}
    for one in (path, path.removeprefix(root)):
        readings |= dict.fromkeys((one, unquote(one), unquote(one.partition("?")[0])))
    found = {decoded: _find_by_url(app, decoded) for decoded in readings}
    routes = {decoded: _static(route, path) for decoded, route in found.items() if route}
    if not routes:
        raise RevalidationError(_unknown(app, path))
    for decoded, static in routes.items():
        static.revalidate(decoded)


def revalidate_tag(tag: str) -> None:
    """Forget everything that is stored under a tag, of ``cache_tags``. After the call no process
    of the app serves any of it, nor what a handler is computing of it meanwhile.

    :raises StoreError: when the shared store cannot be reached. Other processes may serve what
        they have until it is stale.
    :raises ValueError: for an empty tag.
    :raises RuntimeError: outside of an application context.
    """
    app = _current_app("revalidate_tag")
    if not isinstance(tag, str):
        raise TypeError(
            f"revalidate_tag takes a tag as a text, not {tag!r}. Call it for each tag."
        )
    if not tag:
        raise RevalidationError("revalidate_tag was given an empty tag, which nothing can have.")
    cache = cache_of(app)
    if cache is not None:
        cache.store.revalidate_tags([tag])


def static_routes(app: Flask) -> Iterator[StaticRoute]:
    """The static handlers of an app, in the order of its trees."""
    for _, route in _routes(app):
        if route.static is not None:
            yield route.static


def _current_app(name: str) -> Flask:
    if not has_app_context():
        raise RuntimeError(
            f"{name} was called outside of an application context, so that it is not known whose "
            "cache is meant. Write: with app.app_context(): ..."
        )
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if not mounts_of(app):
        raise RevalidationError(
            f"{name}: the app {app.name!r} has no tree of route files. "
            "Write RouteHandlers(app) where it is made."
        )
    return app


def _routes(app: Flask) -> Iterator[tuple[Mount, Route]]:
    return ((mount, route) for mount in mounts_of(app) for route in mount.routes)


def _find_by_folders(app: Flask, path: str) -> Route | None:
    """The route that folders spell, with those of its groups that are given or without."""
    for mount, route in _routes(app):
        top, *parts = path.removeprefix(mount.url_prefix).split("/")
        if top or not path.startswith(mount.url_prefix):
            continue
        if path == "/":
            parts = []
        for segment in route.file.segments:
            if parts[:1] == [segment.folder]:
                del parts[0]
            elif not isinstance(segment, Group):
                break
        else:
            if not parts:
                return route
    return None


def _find_by_url(app: Flask, path: str) -> Route | None:
    """The route that answers GET for a decoded path."""
    if not is_rooted(path):
        return None
    try:
        adapter = app.url_map.bind(host_of(app), script_name="/")
        rule, _ = adapter.match(path, method="GET", return_rule=True)
    except HTTPException:
        return None
    return next((route for _, route in _routes(app) if route.endpoint == rule.endpoint), None)


def _static(route: Route, path: str) -> StaticRoute:
    static = route.static
    if static is None:
        raise RevalidationError(
            f"revalidate_path({path!r}): GET in {route.file.file} is dynamic, so nothing of it is "
            "stored. Leave the call out, or make it static with revalidate = 60 (seconds) or "
            "revalidate = False (until revalidated)."
        )
    return static


def _unknown(app: Flask, path: str) -> str:
    spelled = [
        "/".join([mount.url_prefix, *(s.folder for s in route.file.url_segments)])
        for mount, route in _routes(app)
    ]
    close = get_close_matches(path, spelled, n=1, cutoff=0.6)
    guess = f"Did you mean {close[0]!r}?" if close else "`flask routes` lists what there is."
    if re.match("https?://", path):
        guess = "Give the path alone, without scheme and host."
    return f"revalidate_path({path!r}): no route file has this URL. {guess}"
