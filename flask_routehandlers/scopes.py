"""Plan the dependencies and the middleware of each folder of a loaded tree.

Both belong to folders and not to routes, so that they are planned once for all routes at or below.
:class:`Site` has what all files of a tree need: the app, the prefix with its parameters, the
cache. A file that failed to load is passed on as its error, and every route below it gets that
error; none is served without its guard.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING

from flask import Flask

from .binding.annotations import PathParameter
from .binding.calls import bind
from .binding.model import MIDDLEWARE
from .caching import cache_of
from .dependencies.exports import find_export_problems, find_imported, read_exports
from .dependencies.model import Definition, Folders
from .dependencies.planning import Scopes, find_name_problems
from .dependencies.types import type_of
from .errors import (
    Problem,
    ProblemError,
    RouteHandlersError,
    RouteImportError,
    RouteTreeError,
    install_hint,
)
from .handlers.exports import find_middleware_problems, read_middleware
from .handlers.link import Link
from .handlers.responses import response_maker
from .routing.converters import segment_types, value_type
from .routing.prefix import prefix_parameters
from .running.modes import keeps_loop
from .tree.model import SourceFile, Tree

if TYPE_CHECKING:
    from .caching.cache import Cache

#: The modules of a tree by file: a module, or the reason why it could not be imported.
Modules = Mapping[str, ModuleType | RouteImportError]

#: The middleware of one file, or the reason why it cannot be used.
Links = tuple[Link, ...] | RouteHandlersError

#: For each folder the path parameters of deeper ones, each with its folder.
Below = Mapping[Folders, Mapping[str, str]]


class Site:
    """The place of a tree in an app, which its route files have in common.

    :param app: the app, which is only read.
    :param root: the absolute path of the root.
    :param name: the blueprint's name.
    :param url_prefix: ``""`` or the start of every URL.
    :param subdomain: the subdomain of every URL, or ``None`` for the app's default.
    """

    def __init__(
        self, app: Flask, root: str, name: str, url_prefix: str, subdomain: str | None
    ) -> None:
        self.app = app
        self.root = root
        self.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.prefix_parameters: dict[str, PathParameter] = {}
        converters = prefix_parameters(app.url_map, url_prefix, subdomain)
        for parameter, converter in converters.items():
            place = url_prefix
            if subdomain and f"{parameter}>" in subdomain:
                place = subdomain
            self.prefix_parameters[parameter] = PathParameter(place, value_type(converter))
        self.cache = cache_of(app)
        self.make_plain = response_maker(app)

    def get_cache(self) -> Cache:
        """Return the cache of the app, which its first static route makes."""
        if self.cache is None:
            # Not before it is needed: it is a third of the import time of this package.
            from .caching.cache import Cache

            self.cache = Cache(self.app)
        return self.cache

    def parameters_of(self, source: SourceFile) -> dict[str, PathParameter]:
        """Return the path parameters of a file, those of the prefix included."""
        parameters = dict(self.prefix_parameters)
        for segment in source.segments:
            for name, kind in segment_types(self.app.url_map, segment).items():
                parameters[name] = PathParameter(segment.folder, kind)
        return parameters


def make_scopes(site: Site, tree: Tree, modules: Modules, below: Below) -> Scopes:
    """Return the dependencies of each folder.

    :param below: from :func:`find_parameters_below`: no dependency may have the name of one of
        these.
    """
    definitions: dict[Folders, dict[str, Definition]] = {}
    failures: dict[Folders, RouteHandlersError] = {}
    imported: dict[Folders, dict[str, str]] = {}
    for source in tree.dependencies:
        file, folders, module = source.file, source.folders, modules[source.file]
        if isinstance(module, RouteImportError):
            failures[folders] = module
            continue
        parameters, exports = site.parameters_of(source), read_exports(module)
        problems = [
            *find_export_problems(file, module, exports),
            *find_name_problems(file, exports, parameters, below.get(folders, {})),
        ]
        if problems:
            failures[folders] = RouteTreeError(site.root, problems)
            continue
        definitions[folders] = {
            name: Definition(name, function, file, folders, parameters, type_of(function))
            for name, function in exports.items()
        }
        imported[folders] = dict.fromkeys(find_imported(module, exports), file)
    return Scopes(definitions, failures, imported, below)


def make_links(
    site: Site, tree: Tree, modules: Modules, scopes: Scopes, below: Below
) -> dict[Folders, Links]:
    """Return the middleware of each folder with a middleware file, outermost first.

    :param below: from :func:`find_parameters_below`: it cannot ask for these, since only some of
        its requests have them.
    """
    links: dict[Folders, Links] = {}
    for source in tree.middleware:
        file, folders, module = source.file, source.folders, modules[source.file]
        failures = scopes.failures_above(folders)
        if isinstance(module, RouteImportError):
            links[folders] = module
            continue
        if failures:
            links[folders] = failures[0]
            continue
        problems = list(find_middleware_problems(file, module))
        parameters, visible = site.parameters_of(source), scopes.visible(folders)
        others = below.get(folders, {})
        of_folder = []
        for name, function in read_middleware(module).items():
            try:
                binding = bind(name, function, parameters, MIDDLEWARE, others, visible)
                plan = scopes.plan(name, binding, folders)
            except ProblemError as error:
                problems.append(error.problem.at(file))
                continue
            of_folder.append(Link(file, name, binding, plan))
            if binding.awaits:
                problems += find_missing_asgiref(site.app, file, name)
        links[folders] = tuple(of_folder)
        if problems:
            links[folders] = RouteTreeError(site.root, problems)
    return links


def find_parameters_below(tree: Tree) -> Below:
    """Return the path parameters below each folder with middleware or dependencies.

    Each has the path of the first folder that defines it.
    """
    below: dict[Folders, dict[str, str]] = defaultdict(dict)
    places = {source.folders for source in (*tree.middleware, *tree.dependencies)}
    if not places:
        return below
    for route in tree.routes:
        folders = route.folders
        for depth, segment in enumerate(route.segments):
            for parameter in segment.parameters:
                folder = "/".join(folders[: depth + 1])
                for place in places.intersection(folders[:n] for n in range(depth + 1)):
                    below[place].setdefault(parameter.name, folder)
    return below


def find_dependencies_without_asgiref(site: Site, scopes: Scopes) -> Iterator[Problem]:
    """Find async dependencies that cannot be called."""
    for dependency in scopes.planned.values():
        if dependency.is_async:
            yield from find_missing_asgiref(site.app, dependency.file, dependency.name)


def find_missing_asgiref(app: Flask, file: str, name: str) -> Iterator[Problem]:
    """Find out whether an app needs asgiref to call an async function, and lacks it.

    Only one that calls async functions in Flask's way needs it.
    """
    if not keeps_loop(app) and find_spec("asgiref") is None:
        yield Problem(
            f"{name} is async, and Flask needs asgiref to call it.",
            install_hint("async"),
            (file,),
        )
