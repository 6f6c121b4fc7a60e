"""Forget stored responses of an app: by a path, by a route file, by a tag.

The store of the cache does the work, by key and by tag. Here a path is resolved to a static route
as a request for it would be, in every reading that it may have: a user cannot know how often a
string is percent-encoded.
"""

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
    """Forget what is stored for a path.

    After the call no process of the app serves it any more, nor a response that a handler has
    begun to compute before.

    :param path: the path of a URL, ``/api/posts/1``, also percent-encoded as
        :func:`flask.url_for` returns it, whose query is ignored; or a route as its folders spell
        it, ``/api/posts/[id]``, for every URL of the file.
    :raises RevalidationError: when no static handler answers the path.
    :raises StoreError: when the shared store cannot be reached. Other processes may serve what
        they have until it is stale.
    :raises RuntimeError: outside of an application context.
    """
    app = _current_app("revalidate_path")
    if not isinstance(path, str):
        raise TypeError(f"revalidate_path needs a path as a string, not {path!r}.")
    route = _find_by_folders(app, path)
    if route is not None:
        static = _static(route, path)
        static.cache.store.revalidate_tags([static.file_tag])
        return
    # A path that can be read in several ways is revalidated in each.
    statics: dict[str, StaticRoute] = {}
    for reading in _readings(app, path):
        route = _find_by_url(app, reading)
        if route is not None:
            statics[reading] = _static(route, path)
    if not statics:
        raise RevalidationError(_unknown(app, path))
    for reading, static in statics.items():
        static.revalidate(reading)


def revalidate_tag(tag: str) -> None:
    """Forget every stored response that has a tag, from ``cache_tags``.

    After the call no process of the app serves any of them, nor one that a handler has begun to
    compute before.

    :raises StoreError: when the shared store cannot be reached. Other processes may serve what
        they have until it is stale.
    :raises ValueError: for an empty tag.
    :raises RuntimeError: outside of an application context.
    """
    app = _current_app("revalidate_tag")
    if not isinstance(tag, str):
        raise TypeError(
            f"revalidate_tag needs a tag as a string, not {tag!r}. Call it for each tag."
        )
    if not tag:
        raise RevalidationError("revalidate_tag was called with an empty tag, which is not a tag.")
    cache = cache_of(app)
    if cache is not None:
        cache.store.revalidate_tags([tag])


def _current_app(name: str) -> Flask:
    """Return the app of the current context, for a function of this name.

    :raises RuntimeError: outside of an application context.
    :raises RevalidationError: when the app has no tree.
    """
    if not has_app_context():
        raise RuntimeError(
            f"{name} was called outside of an application context, so it is unknown which app is "
            "meant. Write: with app.app_context(): ..."
        )
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    if not mounts_of(app):
        raise RevalidationError(
            f"{name}: the app {app.name!r} has no tree of route files. "
            "Write RouteHandlers(app) where it is made."
        )
    return app


def _readings(app: Flask, path: str) -> Iterator[str]:
    """Return the decoded paths that a path may mean, or a URL that :func:`flask.url_for` makes."""
    name = app.config["SERVER_NAME"]
    if name:
        name = app.url_map.bind(name).server_name  # as url_for spells it
        path = re.sub(rf"\Ahttps?://{re.escape(name)}(?=/)", "", path)
    roots = {"", app.config["APPLICATION_ROOT"].rstrip("/")}
    if has_request_context():
        roots.add(request.script_root)
    for root in roots:
        inner = path.removeprefix(root)
        yield from (inner, unquote(inner), unquote(inner.partition("?")[0]))


def _routes(app: Flask) -> Iterator[tuple[Mount, Route]]:
    """Return all routes of an app, each with its mount."""
    return ((mount, route) for mount in mounts_of(app) for route in mount.routes)


def _find_by_folders(app: Flask, path: str) -> Route | None:
    """Return the route that folders spell, each of its groups spelled or left out."""
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
    """Return the route that answers GET for a decoded path."""
    if not is_rooted(path):
        return None
    try:
        adapter = app.url_map.bind(host_of(app), script_name="/")
        rule, _ = adapter.match(path, method="GET", return_rule=True)
    except HTTPException:
        return None
    for _, route in _routes(app):
        if route.endpoint == rule.endpoint:
            return route
    return None


def _static(route: Route, path: str) -> StaticRoute:
    """Return the static handler of a route.

    :raises RevalidationError: when its GET is dynamic.
    """
    static = route.static
    if static is None:
        raise RevalidationError(
            f"revalidate_path({path!r}): GET in {route.file.file} is dynamic, so nothing of it is "
            "stored. Remove the call, or make GET static with revalidate = 60 (seconds) or "
            "revalidate = False (until revalidated)."
        )
    return static


def _unknown(app: Flask, path: str) -> str:
    """Return the message for a path that no route file has, with the closest one as a hint."""
    hint = "`flask routes` lists the URLs of the app."
    spellings = []
    for mount, route in _routes(app):
        folders = [segment.folder for segment in route.file.url_segments]
        spellings.append("/".join([mount.url_prefix, *folders]))
    close = get_close_matches(path, spellings, n=1, cutoff=0.6)
    if close:
        hint = f"Did you mean {close[0]!r}?"
    if re.match("https?://", path):
        hint = "Write the path only, without scheme and host."
    return f"revalidate_path({path!r}): no route file has this URL. {hint}"
