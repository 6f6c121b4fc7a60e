"""Prepare a tree for an app: everything is checked here, before the app is touched."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from flask import Flask

from .caching import cache_of
from .caching.settings import find_setting_problems
from .errors import Problem, RouteHandlersWarning, RouteTreeError
from .importing.loader import find_name_clashes, load
from .importing.names import name_root
from .mount import Mount
from .routes import RouteMaker, problems_of
from .routing.converters import refuse_converter
from .routing.matching import find_clashes
from .routing.prefix import prefix_parameters, prefix_pattern
from .tree.conflicts import find_conflicts
from .tree.discovery import discover
from .tree.model import Tree

if TYPE_CHECKING:
    from .caching.cache import Cache


def prepare(app: Flask, root: str, url_prefix: str, name: str, *, problem_details: bool) -> Mount:
    """Discover, check, load and bind a tree. The app is read and left as it is.

    :param root: the absolute path of the root.
    :raises RouteTreeError: with every problem of the tree.
    """
    tree = discover(root)
    _warn(tree.warnings)
    of_app = list(_find_app_problems(app, root, url_prefix, name))
    problems = [
        *tree.problems,
        *find_conflicts(tree),
        *find_name_clashes(tree),
        *of_app,
        *_find_converter_problems(app, tree),
    ]
    module_name = name_root(root, app.import_name, app.root_path) if tree.folders else ""
    if isinstance(module_name, Problem):
        of_app.append(module_name)
        problems.append(module_name)
    if of_app:
        raise RouteTreeError(root, problems)
    assert isinstance(module_name, str)
    # Files that nothing is wrong with yet are loaded all the same: all problems are told at once.
    sound = tree.without({file for problem in problems for file in problem.files})
    maker = RouteMaker(app, sound, load(sound, module_name), url_prefix, name, cache_of(app))
    routes = tuple(maker.make())
    _warn(maker.warnings)
    problems += [
        *maker.problems,
        *find_clashes(app.url_map, [(r.file.file, r.rules) for r in routes]),
    ]
    if problems:
        problems += (p for failure in maker.failures for p in problems_of(failure))
        raise RouteTreeError(root, problems) from maker.cause()
    if maker.cache is not None and cache_of(app) is None:
        _warn(_find_split_store(root, maker.cache))
    pattern = prefix_pattern(app.url_map, url_prefix)
    return Mount(
        name,
        root,
        url_prefix,
        module_name,
        routes,
        problem_details,
        pattern,
        maker.cache,
        replace(tree, folders=()),
        tuple(maker.failures),
        tuple(maker.warnings),
    )


def _find_split_store(root: str, cache: Cache) -> Iterator[Problem]:
    from .caching.processes import find_split_store

    # A command of Flask's is no server, whatever settings there are for one.
    by_settings = not os.environ.get("FLASK_RUN_FROM_CLI")
    for reason, hint in find_split_store(cache, by_settings=by_settings):
        yield Problem(reason, hint, (root,))


def _warn(problems: Iterable[Problem]) -> None:
    package = __name__.rpartition(".")[0]
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(f"{package}."):
        frame, level = frame.f_back, level + 1
    for found in problems:
        text = f"{found.reason} {found.hint}"
        warnings.warn(text, RouteHandlersWarning, stacklevel=level)


def _find_app_problems(app: Flask, root: str, url_prefix: str, name: str) -> Iterator[Problem]:
    if name in app.blueprints:
        yield Problem(
            f"The app already has a blueprint called {name!r}.",
            "Give this one another name: RouteHandlers(app, root, name=...).",
            (root,),
        )
    if app.url_map.host_matching:
        yield Problem(
            "The app matches hosts (host_matching=True), and a folder names no host.",
            "Serve the tree from an app of its own, behind a dispatcher by host.",
            (root,),
        )
    for reason, hint in find_setting_problems(app.config):
        yield Problem(reason, hint, (root,))
    try:
        prefix_parameters(app.url_map, url_prefix)
    except (LookupError, TypeError, ValueError) as error:
        yield Problem(
            f"The url_prefix {url_prefix!r} cannot be used: {error}.",
            "Write it as a Flask rule, for example /api or /<lang>/api.",
            (root,),
        )


def _find_converter_problems(app: Flask, tree: Tree) -> Iterator[Problem]:
    for route in tree.routes:
        for segment in route.segments:
            for parameter in segment.parameters:
                refused = refuse_converter(app.url_map, parameter)
                if refused:
                    yield refused.at(route.file)
