"""Make the routes of a loaded tree: bind handlers, make rules and views.

``build`` calls :func:`make_routes` once. A route file is checked as a whole: its exports, its
config, the calls of its handlers with their dependencies. The result of a file with problems is
complete too, since its rules may clash with those of other files.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from .binding.annotations import PathParameter
from .binding.calls import bind, bind_answers
from .binding.hidden import find_lost_arguments
from .binding.model import (
    HANDLER,
    HANDLER_WITH_BODY,
    STATIC_FUNCTION,
    BindingError,
)
from .dependencies.model import Dependency
from .dependencies.planning import Scopes
from .errors import (
    Problem,
    ProblemError,
    RouteHandlersError,
    RouteImportError,
)
from .handlers.config import find_config_problems, find_config_warnings, read_config
from .handlers.dispatch import Dispatcher
from .handlers.endpoint import failed_view, make_endpoint
from .handlers.exports import (
    METHODS,
    WITHOUT_BODY,
    Handler,
    find_handler_problems,
    read_handlers,
)
from .handlers.link import Link
from .handlers.query_keys import share_query
from .handlers.views import plain_view
from .mount import Route
from .routing.rules import RouteRule, make_rules
from .scopes import Links, Modules, Site, find_missing_asgiref
from .tree.model import RouteFile, Tree
from .tree.segments import CatchAll, Group

if TYPE_CHECKING:
    from .caching.static_route import StaticRoute


class Findings(NamedTuple):
    """What is found in the route files of a tree, which takes it from :func:`make_routes`.

    :param problems: what keeps the tree from being served.
    :param warnings: what is probably not intended.
    :param failures: why files, or the middleware and dependencies above them, cannot be used.
    """

    problems: list[Problem]
    warnings: list[Problem]
    failures: list[RouteHandlersError]


def make_routes(
    site: Site,
    tree: Tree,
    modules: Modules,
    scopes: Scopes,
    links: Mapping[tuple[str, ...], Links],
    findings: Findings,
) -> Iterator[Route]:
    """Make the route of each route file, in the order of the tree.

    :param scopes: the dependencies of each folder, from :func:`~.scopes.make_scopes`.
    :param links: the middleware of each folder, from :func:`~.scopes.make_links`.
    :param findings: takes what is wrong with the files.
    :returns: the routes. In debug mode a broken file has one too, which answers with the error.
    """
    for file in tree.routes:
        chain: list[Link] = []
        failures = list(scopes.failures_above(file.folders))
        if links:
            for depth in range(len(file.folders) + 1):
                of_folder = links.get(file.folders[:depth], ())
                if isinstance(of_folder, RouteHandlersError):
                    failures.append(of_folder)
                else:
                    chain += of_folder
        module = modules[file.file]
        route = None
        if isinstance(module, RouteImportError):
            failures.append(module)
        else:
            route = _make_route(site, file, module, scopes, chain, findings)
        if route is None or failures:
            route = _make_failed(site, file, failures[0])
            findings.failures.extend(failures)
        yield route


def _make_route(
    site: Site,
    file: RouteFile,
    module: ModuleType,
    scopes: Scopes,
    links: list[Link],
    findings: Findings,
) -> Route:
    """Make the route of a file that was imported.

    :param links: its middleware, outermost first.
    """
    parameters = site.parameters_of(file)
    functions = read_handlers(module)
    problems, warnings = findings.problems, findings.warnings
    problems.extend(find_handler_problems(file.file, module))
    warnings.extend(find_config_warnings(file.file, module))
    handlers: dict[str, Link] = {}
    # Below a file of dependencies that failed, names are missing.
    if not any(scopes.failures_above(file.folders)):
        handlers = _bind_handlers(site, file, functions, parameters, scopes, findings)
    problems.extend(_find_repeated(site, file))
    problems.extend(find_config_problems(file.file, module, functions, parameters))
    endpoint, static = f"{site.name}.{endpoint_path(file)}", None
    try:
        if "GET" in handlers:
            get = handlers["GET"]
            static = _make_static(site, file, endpoint, module, parameters, get, bool(links))
    except ProblemError as error:
        problems.append(error.problem.at(file.file))
    if static is not None:
        handlers["GET"] = static.link
    links, handlers = share_query(scopes, links, handlers)
    dispatcher = Dispatcher(site.app, file.file, handlers, site.make_plain)
    make_view = plain_view
    if static is not None:
        make_view = static.make_view
    view = make_endpoint(dispatcher, endpoint, module, links, make_view)
    rules = _make_rules(site, file, endpoint, dispatcher.allowed)
    return Route(file, endpoint, rules, view, static)


def _bind_handlers(
    site: Site,
    file: RouteFile,
    functions: Mapping[str, Handler],
    parameters: Mapping[str, PathParameter],
    scopes: Scopes,
    findings: Findings,
) -> dict[str, Link]:
    """Plan the calls of the handlers of a file, and how they get their dependencies.

    :param functions: the handlers, by method.
    :returns: those that can be called, by method.
    """
    handlers = {}
    visible = scopes.visible(file.folders)
    for method, handler in functions.items():
        kind = HANDLER if method in WITHOUT_BODY else HANDLER_WITH_BODY
        try:
            binding = bind(method, handler, parameters, kind, visible=visible)
            binding = bind_answers(site.app, method, file.file, binding)
            plan = scopes.plan(method, binding, file.folders)
            available = (*kind.extras, *visible.types)
            findings.warnings.extend(find_lost_arguments(file.file, method, binding, available))
        except ProblemError as error:
            findings.problems.append(error.problem.at(file.file))
            continue
        handlers[method] = Link(file.file, method, binding, plan)
        if binding.awaits:
            findings.problems.extend(find_missing_asgiref(site.app, file.file, method))
    return handlers


def _make_rules(
    site: Site, file: RouteFile, endpoint: str, methods: Iterable[str]
) -> tuple[RouteRule, ...]:
    """Return the rules of a file: two for an optional catch-all, else one."""
    return make_rules(site.url_prefix, file.url_segments, endpoint, methods, site.subdomain)


def _make_failed(site: Site, file: RouteFile, error: RouteHandlersError) -> Route:
    """Return a route that answers every method with an error."""
    endpoint = f"{site.name}.{endpoint_path(file)}"
    rules = _make_rules(site, file, endpoint, METHODS)
    return Route(file, endpoint, rules, failed_view(file.file, error))


def _make_static(
    site: Site,
    file: RouteFile,
    endpoint: str,
    module: ModuleType,
    parameters: Mapping[str, PathParameter],
    handler: Link,
    is_guarded: bool,
) -> StaticRoute | None:
    """Return what answers the GET of a file from the cache, if it is static.

    :param parameters: its path parameters.
    :param handler: its GET.
    :param is_guarded: whether it has middleware.
    :raises BindingError: when ``cache_tags`` asks for something that no path provides.
    """
    config, _ = read_config(module)
    if not config.is_static:
        return None
    _check_static(handler)
    functions = {"GET": handler}
    if callable(config.cache_tags):
        find_tags = bind("cache_tags", config.cache_tags, parameters, STATIC_FUNCTION)
        functions["cache_tags"] = Link(file.file, "cache_tags", find_tags)
        _check_async(site, file, "cache_tags", is_async=find_tags.awaits)
    is_async = inspect.iscoroutinefunction(config.generate_static_params)
    _check_async(site, file, "generate_static_params", is_async=is_async)
    from .caching.keys import namespace_of
    from .caching.model import StaticFile
    from .caching.static_route import StaticRoute

    namespace = namespace_of(site.app, site.root, site.name)
    source = _read_source(site, file, handler.dependencies)
    types = {name: parameter.type for name, parameter in parameters.items()}
    static = StaticFile(namespace, file.file, source, endpoint, types, is_guarded)
    dispatcher = Dispatcher(site.app, file.file, functions)
    return StaticRoute(site.get_cache(), static, config, dispatcher)


def _check_async(site: Site, file: RouteFile, name: str, *, is_async: bool) -> None:
    """Refuse an async function of a route config that the app cannot call.

    :raises BindingError: if asgiref is missing.
    """
    if is_async:
        for problem in find_missing_asgiref(site.app, file.file, name):
            raise BindingError(problem.reason, problem.hint)


def _read_source(site: Site, file: RouteFile, dependencies: Iterable[Dependency]) -> bytes:
    """Return the source of a static route: of its file, and of those of its dependencies.

    It is a part of the keys in the store, so that new code does not find entries of old code.
    """
    paths = dict.fromkeys(os.path.join(site.root, each.file) for each in dependencies)
    return b"".join(Path(path).read_bytes() for path in (file.path, *paths))


def _check_static(handler: Link) -> None:
    """Refuse a static GET that reads something else than the path.

    :raises BindingError: for a marker, and for ``request`` in a dependency.
    """
    hint = 'Read it from the path, or write dynamic = "force-dynamic".'
    for dependency in handler.dependencies:
        reads = [*dependency.binding.extras & {"request"}]
        if dependency.binding.inputs is not None:
            reads += [argument.name for argument in dependency.binding.inputs.arguments]
        if reads:
            raise BindingError(
                f"GET is static, but its dependency {dependency.name} in {dependency.file} reads "
                f"{', '.join(reads)} from each request.",
                hint,
            )
    inputs = handler.binding.inputs
    if inputs is not None:
        names = ", ".join(argument.name for argument in inputs.arguments)
        raise BindingError(f"GET is static, but it reads {names} from each request.", hint)


def _find_repeated(site: Site, file: RouteFile) -> Iterator[Problem]:
    """Find parameters of a path that the URL prefix has too."""
    if not site.prefix_parameters:
        return
    names = {parameter.name for segment in file.segments for parameter in segment.parameters}
    for name, parameter in site.prefix_parameters.items():
        if name in names:
            place = "subdomain"
            if parameter.folder.startswith("/"):
                place = "url_prefix"
            yield Problem(
                f"The {place} {parameter.folder!r} has a parameter {name!r} too.",
                "Give each parameter of a path a different name.",
                (file.file,),
            )


def endpoint_path(file: RouteFile) -> str:
    """Return the route as its folders spell it, in characters that Flask allows in an endpoint.

    ``(shop)/files/v1.0/[...path]`` is ``/files/v1%2E0/[*path]``: groups are left out, and Flask
    allows no dot. The name of the blueprint and a dot come before it.
    """
    parts = []
    for segment in file.segments:
        if not isinstance(segment, Group):
            folder = segment.folder
            if isinstance(segment, CatchAll):
                folder = folder.replace("...", "*")
            parts.append(folder.replace(".", "%2E"))
    return "/" + "/".join(parts)
