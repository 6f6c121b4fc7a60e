"""A tree on an app, as data: what the extension made and everything else reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask

from .errors import Problem, RouteHandlersError
from .routing.rules import RouteRule
from .tree.model import RouteFile, Tree

if TYPE_CHECKING:
    from .caching.cache import Cache
    from .caching.static_route import StaticRoute

EXTENSION_NAME = "routehandlers"


@dataclass(frozen=True, slots=True)
class Route:
    """A route file as it is served.

    :param file: the route file and its segments.
    :param endpoint: its endpoint, blueprint included.
    :param rules: its rules, one or two.
    :param view: what ``app.view_functions`` holds.
    :param static: how its GET is answered from the cache, if it is static.
    """

    file: RouteFile
    endpoint: str
    rules: tuple[RouteRule, ...]
    view: Callable[..., Any]
    static: StaticRoute | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """One root on one app: what ``app.extensions["routehandlers"]`` holds for each name.

    :param name: the blueprint's name.
    :param root: the absolute path of the root.
    :param url_prefix: ``""`` or the part in front of every URL, ``/api``.
    :param module_name: the module name of the root.
    :param routes: its routes in the order of the tree.
    :param problem_details: whether its HTTP errors are problem details.
    :param prefix_pattern: matches the paths below a prefix; ``None`` without one.
    :param cache: what static handlers are stored in, if there is one: the same for all mounts of
        an app.
    :param tree: what was found on disk, but its folders.
    :param failures: why routes answer with an error, in debug mode: each reason once.
    :param warnings: what its files say that is probably not meant, beside what the tree shows.
    """

    name: str
    root: str
    url_prefix: str
    module_name: str
    routes: tuple[Route, ...]
    problem_details: bool
    prefix_pattern: re.Pattern[str] | None
    cache: Cache | None
    tree: Tree
    failures: tuple[RouteHandlersError, ...]
    warnings: tuple[Problem, ...]


def mounts_of(app: Flask) -> Collection[Mount]:
    """The mounts of an app, in the order in which they were made."""
    mounts: dict[str, Mount] = app.extensions.get(EXTENSION_NAME, {})
    return mounts.values()
