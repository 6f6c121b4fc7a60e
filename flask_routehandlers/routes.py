"""Make the routes of a loaded tree: bind handlers and middleware, make rules and views."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from flask import Flask

from .binding.annotations import PathParameter
from .binding.calls import bind, bind_answers
from .binding.model import (
    HANDLER,
    HANDLER_WITH_BODY,
    MIDDLEWARE,
    STATIC_FUNCTION,
    Binding,
    BindingError,
)
from .caching import cache_of
from .dependencies.exports import find_dependency_problems, find_imported, read_dependencies
from .dependencies.model import Plan
from .dependencies.planning import Definition, Scopes, find_name_problems
from .errors import (
    Problem,
    ProblemError,
    RouteHandlersError,
    RouteImportError,
    RouteTreeError,
    install_hint,
)
from .handlers.chain import Link
from .handlers.config import find_config_problems, find_config_warnings, read_config
from .handlers.dispatch import Dispatcher
from .handlers.endpoint import Endpoint, failed_view
from .handlers.exports import (
    METHODS,
    WITHOUT_BODY,
    find_handler_problems,
    find_middleware_problems,
    read_handlers,
    read_middleware,
)
from .mount import Route
from .routing.converters import segment_types, value_type
from .routing.prefix import prefix_parameters
from .routing.rules import make_rules
from .running.modes import keeps_loop
from .tree.model import MiddlewareFile, RouteFile, SourceFile, Tree
from .tree.segments import CatchAll, Group

if TYPE_CHECKING:
    from .caching.cache import Cache
    from .caching.static_route import StaticRoute

#: The modules of a tree by file: a module, or the reason why it could not be imported.
Modules = Mapping[str, ModuleType | RouteImportError]

#: The middleware of one file, or the reason why it cannot be used.
Links = tuple[Link, ...] | RouteHandlersError

#: For each folder the path parameters of deeper ones, each with its folder.
Below = Mapping[tuple[str, ...], Mapping[str, str]]


class Site:
    """The place of a tree in an app, which its route files have in common.

    :param app: the app, which is only read.
    :param root: the absolute path of the root.
    :param name: the blueprint's name.
    :param url_prefix: ``""`` or the start of every URL.
    """

    def __init__(self, app: Flask, root: str, name: str, url_prefix: str) -> None:
        self.app = app
        self.root = root
        self.name = name
        self.url_prefix = url_prefix
        self.prefix_parameters = {
            parameter: PathParameter(url_prefix, value_type(converter))
            for parameter, converter in prefix_parameters(app.url_map, url_prefix).items()
        }
        self.cache = cache_of(app)

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


@dataclass(frozen=True, slots=True)
class Result:
    """A route file after everything in it was checked.

    :param route: its route. In debug mode a broken file has one too, which answers with the
        error.
    :param problems: what keeps the tree from being served.
    :param warnings: what is probably not intended.
    :param failures: why the file or its middleware cannot be used.
    """

    route: Route
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    failures: tuple[RouteHandlersError, ...]


def make_routes(
    site: Site,
    tree: Tree,
    modules: Modules,
    scopes: Scopes,
    links: Mapping[tuple[str, ...], Links],
) -> Iterator[Result]:
    """Make the route of each route file, in the order of the tree.

    :param scopes: the dependencies of each folder, from :func:`make_scopes`.
    :param links: the middleware of each folder, from :func:`make_links`.
    """
    for file in tree.routes:
        chain: list[Link] = []
        failures = list(scopes.failures_above(file.folders))
        if links:
            for depth in range(len(file.folders) + 1):
                found = links.get(file.folders[:depth], ())
                if isinstance(found, RouteHandlersError):
                    failures.append(found)
                else:
                    chain += found
        module = modules[file.file]
        if isinstance(module, RouteImportError):
            failures.append(module)
            yield Result(_make_failed(site, file, failures[0]), (), (), tuple(failures))
        else:
            yield _make_route(site, file, module, scopes, chain, failures)


def make_scopes(site: Site, tree: Tree, modules: Modules, below: Below) -> Scopes:
    """Return the dependencies of each folder."""
    definitions: dict[tuple[str, ...], Mapping[str, Definition] | RouteHandlersError] = {}
    imported: dict[tuple[str, ...], dict[str, str]] = {}
    for source in tree.dependencies:
        module = modules[source.file]
        if isinstance(module, RouteImportError):
            definitions[source.folders] = module
            continue
        parameters = site.parameters_of(source)
        found = {
            name: Definition(name, function, source.file, source.folders, parameters)
            for name, function in read_dependencies(module).items()
        }
        problems = [
            *find_dependency_problems(source.file, module),
            *find_name_problems(found.values(), below),
        ]
        definitions[source.folders] = found
        if problems:
            definitions[source.folders] = RouteTreeError(site.root, problems)
        imported[source.folders] = dict.fromkeys(find_imported(module), source.file)
    return Scopes(definitions, imported, below)


def make_links(
    site: Site, tree: Tree, modules: Modules, scopes: Scopes, below: Below
) -> dict[tuple[str, ...], Links]:
    """Return the middleware of each folder with a middleware file."""
    links: dict[tuple[str, ...], Links] = {}
    for source in tree.middleware:
        module = modules[source.file]
        failed = [*scopes.failures_above(source.folders)]
        if isinstance(module, RouteImportError):
            links[source.folders] = module
        elif failed:
            links[source.folders] = failed[0]
        else:
            links[source.folders] = _read_links(site, source, module, scopes, below)
    return links


def find_parameters_below(tree: Tree) -> Below:
    """Return the path parameters below each folder with middleware or dependencies.

    Each has the path of the first folder that defines it.
    """
    below: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
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


def _read_links(
    site: Site,
    source: MiddlewareFile,
    module: ModuleType,
    scopes: Scopes,
    below: Below,
) -> Links:
    problems = list(find_middleware_problems(source.file, module))
    parameters = site.parameters_of(source)
    links = []
    for name, function in read_middleware(module).items():
        try:
            binding = bind(
                name,
                function,
                parameters,
                MIDDLEWARE,
                below.get(source.folders, {}),
                scopes.visible(source.folders),
            )
            plan = scopes.plan(name, binding, source.folders)
        except ProblemError as error:
            problems.append(error.problem.at(source.file))
        else:
            links.append(Link(source.file, name, binding, plan))
            problems += _find_missing_asgiref(site.app, source.file, name, binding)
    if problems:
        return RouteTreeError(site.root, problems)
    return tuple(links)


def _make_route(
    site: Site,
    file: RouteFile,
    module: ModuleType,
    scopes: Scopes,
    links: list[Link],
    failures: list[RouteHandlersError],
) -> Result:
    """Make the route of a file that was imported.

    :param links: its middleware, outermost first.
    :param failures: the middleware that cannot be used.
    """
    parameters = site.parameters_of(file)
    problems = [*find_handler_problems(file.file, module), *_find_repeated(site, file)]
    bindings: dict[str, Binding] = {}
    plans: dict[str, Plan] = {}
    for method, handler in read_handlers(module).items():
        kind = HANDLER if method in WITHOUT_BODY else HANDLER_WITH_BODY
        try:
            visible = scopes.visible(file.folders)
            binding = bind(method, handler, parameters, kind, visible=visible)
            bindings[method] = bind_answers(site.app, method, file.file, binding)
            plan = scopes.plan(method, binding, file.folders)
            if plan is not None:
                plans[method] = plan
        except ProblemError as error:
            problems.append(error.problem.at(file.file))
        else:
            problems += _find_missing_asgiref(site.app, file.file, method, bindings[method])
    problems += find_config_problems(file.file, module, read_handlers(module), parameters)
    endpoint = f"{site.name}.{endpoint_path(file)}"
    static = None
    try:
        static = _make_static(site, file, endpoint, module, bindings, plans, bool(links))
    except ProblemError as error:
        problems.append(error.problem.at(file.file))
    if static is not None:
        bindings["GET"] = static.binding
        plans.pop("GET", None)
    warnings = tuple(find_config_warnings(file.file, module))
    if failures:
        route = _make_failed(site, file, failures[0])
    else:
        dispatcher = Dispatcher(site.app, file.file, bindings, plans)
        view = Endpoint(dispatcher, endpoint, module, links)
        rules = make_rules(site.url_prefix, file.url_segments, endpoint, dispatcher.allowed)
        route = Route(file, endpoint, rules, view, static)
    return Result(route, tuple(problems), warnings, tuple(failures))


def _make_failed(site: Site, file: RouteFile, error: RouteHandlersError) -> Route:
    """Return a route that answers every method with an error."""
    endpoint = f"{site.name}.{endpoint_path(file)}"
    rules = make_rules(site.url_prefix, file.url_segments, endpoint, METHODS)
    return Route(file, endpoint, rules, failed_view(file.file, error))


def _make_static(
    site: Site,
    file: RouteFile,
    endpoint: str,
    module: ModuleType,
    bindings: Mapping[str, Binding],
    plans: Mapping[str, Plan],
    is_guarded: bool,
) -> StaticRoute | None:
    """Return what answers the GET of a file from the cache, if it is static.

    :param bindings: the plan of each handler's call, by method.
    :param plans: how handlers get their dependencies, by method.
    :param is_guarded: whether it has middleware.
    :raises BindingError: when ``cache_tags`` asks for something that no path provides.
    """
    config, _ = read_config(module)
    binding = bindings.get("GET")
    if not config.is_static or binding is None:
        return None
    for dependency in plans["GET"].order if "GET" in plans else ():
        reads = [*dependency.binding.extras & {"request"}]
        if dependency.binding.inputs is not None:
            reads += [argument.name for argument in dependency.binding.inputs.arguments]
        if reads:
            raise BindingError(
                f"GET is static, but its dependency {dependency.name} in {dependency.file} reads "
                f"{', '.join(reads)} from each request.",
                'Read it from the path, or write dynamic = "force-dynamic".',
            )
    if binding.inputs is not None:
        names = ", ".join(argument.name for argument in binding.inputs.arguments)
        raise BindingError(
            f"GET is static, but it reads {names} from each request.",
            'Read it from the path, or write dynamic = "force-dynamic".',
        )
    parameters = site.parameters_of(file)
    find_tags: Binding | None = None
    if callable(config.cache_tags):
        find_tags = bind("cache_tags", config.cache_tags, parameters, STATIC_FUNCTION)
        for problem in _find_missing_asgiref(site.app, file.file, "cache_tags", find_tags):
            raise BindingError(problem.reason, problem.hint)
    if config.generate_static_params is not None:
        name = "generate_static_params"
        for problem in _find_missing_asgiref(
            site.app, file.file, name, config.generate_static_params
        ):
            raise BindingError(problem.reason, problem.hint)
    from .caching.static_route import StaticRoute

    with open(file.path, "rb") as opened:
        source = opened.read()
    return StaticRoute(
        site.app,
        site.get_cache(),
        mount_name=site.name,
        endpoint=endpoint,
        file=file.file,
        source=source,
        config=config,
        binding=binding,
        plan=plans.get("GET"),
        find_tags=find_tags,
        parameters=tuple(parameters),
        is_guarded=is_guarded,
    )


def _find_repeated(site: Site, file: RouteFile) -> Iterator[Problem]:
    """Find parameters of a path that the URL prefix has too."""
    names = {parameter.name for segment in file.segments for parameter in segment.parameters}
    for name in site.prefix_parameters:
        if name in names:
            yield Problem(
                f"The url_prefix {site.url_prefix!r} has a parameter {name!r} too.",
                "Give each parameter of a path a different name.",
                (file.file,),
            )


def _find_missing_asgiref(
    app: Flask, file: str, name: str, function: Binding | Callable[..., Any]
) -> Iterator[Problem]:
    if isinstance(function, Binding):
        is_async = function.is_async or function.wraps_async
    else:
        is_async = inspect.iscoroutinefunction(function)
    if is_async and not keeps_loop(app) and find_spec("asgiref") is None:
        yield Problem(
            f"{name} is async, and Flask needs asgiref to call it.",
            install_hint("async"),
            (file,),
        )


def endpoint_path(file: RouteFile) -> str:
    """Return the route as its folders spell it, in characters that Flask allows in an endpoint."""
    parts = []
    for segment in file.segments:
        if not isinstance(segment, Group):
            folder = segment.folder
            if isinstance(segment, CatchAll):
                folder = folder.replace("...", "*")
            parts.append(folder.replace(".", "%2E"))
    return "/" + "/".join(parts)
