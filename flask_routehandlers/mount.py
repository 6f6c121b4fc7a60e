"""A tree that an app serves, as data: the extension makes it and everything else reads it.

``app.extensions["routehandlers"]`` has a mount for each name. Commands, the OpenAPI document,
error handlers and revalidation start there; none of them needs the extension object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from flask import Flask

from .dependencies.planning import Scopes
from .errors import Problem, RouteHandlersError
from .handlers.endpoint import Endpoint
from .handlers.link import Link
from .routing.rules import RouteRule
from .tree.model import RouteFile, Tree

if TYPE_CHECKING:
    from .caching.cache import Cache
    from .caching.static_route import StaticRoute

#: The key of the mounts of an app in ``app.extensions``.
EXTENSION_NAME = "routehandlers"


class Route(NamedTuple):
    """A route file that an app serves.

    :param file: the route file and its segments.
    :param endpoint: its endpoint, including the blueprint.
    :param rules: its rules: two for an optional catch-all, else one.
    :param view: its view in ``app.view_functions``.
    :param static: how its GET is answered from the cache, if it is static.
    """

    file: RouteFile
    endpoint: str
    rules: tuple[RouteRule, ...]
    view: Callable[..., Any]
    static: StaticRoute | None = None

    @property
    def links(self) -> tuple[Link, ...]:
        """Its middleware, outermost first; none of a file that cannot be used."""
        if not isinstance(self.view, Endpoint):
            return ()
        return self.view.links

    @property
    def handlers(self) -> Mapping[str, Link]:
        """Its handlers by method; none of a file that cannot be used."""
        if not isinstance(self.view, Endpoint):
            return {}
        handlers = self.view.dispatcher.handlers
        if self.static is not None:
            handlers = {**handlers, "GET": self.static.handler}
        return handlers


class Mount(NamedTuple):
    """One root on one app, as ``app.extensions["routehandlers"]`` holds it for each name.

    :param name: the blueprint's name.
    :param root: the absolute path of the root.
    :param url_prefix: ``""`` or the start of every URL, ``/api``.
    :param subdomain: the subdomain of every URL, or ``None`` for the app's default.
    :param module_name: the module name of the root.
    :param routes: its routes in the order of the tree.
    :param problem_details: whether its HTTP errors are problem details.
    :param prefix_pattern: matches the paths below a prefix; ``None`` without one.
    :param cache: the cache of the app's static handlers, shared by all of its mounts, if there
        are any.
    :param tree: the tree on disk, without its folders.
    :param scopes: the dependencies of each folder.
    :param patches: the value of ``openapi`` in each file that has one.
    :param failures: why routes answer with an error, in debug mode: each reason once.
    :param warnings: warnings about the contents of its files; those about their names are in
        ``tree``.
    """

    name: str
    root: str
    url_prefix: str
    subdomain: str | None
    module_name: str
    routes: tuple[Route, ...]
    problem_details: bool
    prefix_pattern: re.Pattern[str] | None
    cache: Cache | None
    tree: Tree
    scopes: Scopes
    patches: Mapping[str, Any]
    failures: tuple[RouteHandlersError, ...]
    warnings: tuple[Problem, ...]


def mounts_of(app: Flask) -> Collection[Mount]:
    """Return the mounts of an app in the order in which they were made."""
    mounts: dict[str, Mount] = app.extensions.get(EXTENSION_NAME, {})
    return mounts.values()
