"""Make the routes of a loaded tree: handlers and middleware bound, rules and views made."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from flask import Flask

from .errors import Problem, RouteHandlersError, RouteImportError, RouteTreeError
from .handlers.binding import FOR_MIDDLEWARE, Binding, BindingError, bind
from .handlers.chain import Link
from .handlers.config import find_config_hints, find_config_problems, has_config, read_config
from .handlers.endpoint import Endpoint, failed_view
from .handlers.exports import (
    METHODS,
    find_handler_problems,
    find_middleware_problems,
    read_handlers,
    read_middleware,
)
from .mount import Route
from .routing.converters import segment_types, value_type
from .routing.prefix import prefix_parameters
from .routing.rules import make_rules
from .tree.model import MiddlewareFile, RouteFile, SourceFile, Tree
from .tree.segments import CatchAll, Group

if TYPE_CHECKING:
    from .caching.cache import Cache
    from .caching.static_route import StaticRoute


class RouteMaker:
    """Make the routes of one tree for one app, and collect what keeps them from being made.

    :param app: the app, which is read only.
    :param modules: for each file the module, or why it could not be imported.
    :param url_prefix: ``""`` or the part in front of every URL.
    :param name: the blueprint's name.
    :param cache: what static handlers of the app are stored in, if it has other trees with some.
    """

    def __init__(
        self,
        app: Flask,
        tree: Tree,
        modules: Mapping[str, ModuleType | RouteImportError],
        url_prefix: str,
        name: str,
        cache: Cache | None,
    ) -> None:
        self.app = app
        self.tree = tree
        self.modules = modules
        self.url_prefix = url_prefix
        self.name = name
        self.prefix_types = {
            parameter: (url_prefix, value_type(converter))
            for parameter, converter in prefix_parameters(app.url_map, url_prefix).items()
        }
        self.cache = cache
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.failures: dict[RouteHandlersError, None] = {}
        self.errors: list[BaseException] = []

    def cause(self) -> BaseException | None:
        """What the files raised that could not be imported."""
        if len(self.errors) > 1:
            return BaseExceptionGroup("Files that could not be imported", self.errors)
        return self.errors[0] if self.errors else None

    def make(self) -> Iterator[Route]:
        """The routes in the order of the tree, without those that have problems.

        In debug mode a file that cannot be imported, and a middleware that cannot be used, is
        no problem of the tree: the routes that need it answer with the error.
        """
        links = self.make_links()
        for route in self.tree.routes:
            endpoint = f"{self.name}.{endpoint_path(route)}"
            module = self.modules[route.file]
            chain: list[Link] = []
            failures: list[RouteHandlersError] = []
            folders = route.folders if links else ()
            for n in range(len(folders) + 1):
                found = links.get(folders[:n], ())
                if isinstance(found, RouteHandlersError):
                    failures.append(found)
                else:
                    chain.extend(found)
            view: Callable[..., Any] | None = None
            static: StaticRoute | None = None
            methods: Iterable[str] = METHODS
            if isinstance(module, RouteImportError):
                failures.append(module)
                self.fail(module)
            else:
                made, static = self.make_view(route, endpoint, module, chain)
                view, methods = made, made.allowed
            if view is None or failures:
                view, methods, static = failed_view(route.file, failures[0]), METHODS, None
            rules = make_rules(self.url_prefix, route.url_segments, endpoint, methods)
            yield Route(route, endpoint, rules, view, static)

    def fail(self, failure: RouteHandlersError) -> None:
        """Note a failure that keeps routes from being made, or that they show."""
        if self.app.debug:
            self.failures[failure] = None
        else:
            self.problems += problems_of(failure)
        if isinstance(failure, RouteImportError) and failure.__cause__:
            self.errors.append(failure.__cause__)

    def make_links(self) -> dict[tuple[str, ...], list[Link] | RouteHandlersError]:
        """For each folder with a middleware file its functions, or why they cannot be used."""
        links: dict[tuple[str, ...], list[Link] | RouteHandlersError] = {}
        below = self.find_parameters_below()
        for source in self.tree.middleware:
            found = self.read_links(source, below[source.folders])
            if isinstance(found, RouteHandlersError):
                self.fail(found)
            links[source.folders] = found
        return links

    def read_links(
        self, source: MiddlewareFile, below: Mapping[str, str]
    ) -> list[Link] | RouteHandlersError:
        module = self.modules[source.file]
        if isinstance(module, RouteImportError):
            return module
        problems = list(find_middleware_problems(source.file, module))
        parameters = self.find_parameters(source)
        links = []
        for name, function in read_middleware(module).items():
            try:
                binding = bind(name, function, parameters, FOR_MIDDLEWARE, below)
            except BindingError as error:
                problems.append(error.problem.at(source.file))
            else:
                links.append(Link(source.file, name, binding))
                problems += _find_missing_asgiref(source.file, name, binding)
        return RouteTreeError(self.tree.root, problems) if problems else links

    def make_view(
        self, route: RouteFile, endpoint: str, module: ModuleType, links: list[Link]
    ) -> tuple[Endpoint, StaticRoute | None]:
        self.problems += find_handler_problems(route.file, module)
        parameters = self.find_parameters(route)
        for name in self.prefix_types:
            if any(name == p.name for segment in route.segments for p in segment.parameters):
                self.problems.append(
                    Problem(
                        f"The url_prefix {self.url_prefix!r} has a parameter {name!r} too.",
                        "Give each parameter of a path its own name.",
                        (route.file,),
                    )
                )
        bindings: dict[str, Binding] = {}
        for method, handler in read_handlers(module).items():
            try:
                bindings[method] = bind(method, handler, parameters)
            except BindingError as error:
                self.problems.append(error.problem.at(route.file))
            else:
                self.problems += _find_missing_asgiref(route.file, method, bindings[method])
        static = None
        if has_config(module):
            static = self.make_static(route, endpoint, module, bindings.get("GET"), bool(links))
            if static is not None:
                bindings["GET"] = static.binding
        return Endpoint(self.app, endpoint, route.file, module, bindings, links), static

    def make_static(
        self,
        route: RouteFile,
        endpoint: str,
        module: ModuleType,
        binding: Binding | None,
        is_guarded: bool,
    ) -> StaticRoute | None:
        """What answers the GET of a file from the cache, if it is static."""
        parameters = self.find_parameters(route)
        methods = read_handlers(module)
        self.problems += find_config_problems(route.file, module, methods, parameters)
        self.warnings += find_config_hints(route.file, module)
        config = read_config(module)
        if not config.is_static or binding is None:
            return None
        find_tags: Binding | None = None
        if callable(config.cache_tags):
            try:
                find_tags = bind("cache_tags", config.cache_tags, parameters, ("params",))
            except BindingError as error:
                self.problems.append(error.problem.at(route.file))
                return None
            self.problems += _find_missing_asgiref(route.file, "cache_tags", find_tags)
        listing = config.generate_static_params
        if listing is not None:
            name = "generate_static_params"
            self.problems += _find_missing_asgiref(route.file, name, listing)
        # Not before there is one: it is a third of what importing this package takes.
        from .caching.cache import Cache
        from .caching.static_route import StaticRoute

        if self.cache is None:
            self.cache = Cache(self.app)
        with open(route.path, "rb") as file:
            source = file.read()
        return StaticRoute(
            self.app,
            self.cache,
            mount_name=self.name,
            endpoint=endpoint,
            file=route.file,
            source=source,
            config=config,
            binding=binding,
            find_tags=find_tags,
            parameters=tuple(parameters),
            is_guarded=is_guarded,
        )

    def find_parameters(self, source: SourceFile) -> dict[str, tuple[str, object]]:
        """For each path parameter the folder that it is in, and the type of its values."""
        parameters = dict(self.prefix_types)
        for segment in source.segments:
            for name, kind in segment_types(self.app.url_map, segment).items():
                parameters[name] = (segment.folder, kind)
        return parameters

    def find_parameters_below(self) -> Mapping[tuple[str, ...], dict[str, str]]:
        """For each folder with a middleware file the parameters of folders below it, each with
        the first folder that has it."""
        found: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
        places = {source.folders for source in self.tree.middleware}
        for route in self.tree.routes if places else ():
            folders = route.folders
            for depth, segment in enumerate(route.segments):
                folder = "/".join(folders[: depth + 1])
                for place in (folders[:n] for n in range(depth + 1)):
                    if place in places:
                        for parameter in segment.parameters:
                            found[place].setdefault(parameter.name, folder)
        return found


def problems_of(failure: RouteHandlersError) -> Iterable[Problem]:
    """What is wrong with the file of a failure."""
    if isinstance(failure, RouteTreeError):
        return failure.problems
    assert isinstance(failure, RouteImportError)
    reason = f"{str(failure).rstrip('.')}."
    return (Problem(reason, f"Look at {failure.where}.", (failure.file,)),)


def _find_missing_asgiref(
    file: str, name: str, function: Binding | Callable[..., Any]
) -> Iterator[Problem]:
    if isinstance(function, Binding):
        is_async = function.is_async or function.wraps_async
    else:
        is_async = inspect.iscoroutinefunction(function)
    if is_async and find_spec("asgiref") is None:
        yield Problem(
            f"{name} is async, and Flask needs asgiref to call it.",
            'Install it: pip install "flask-routehandlers[async]".',
            (file,),
        )


def endpoint_path(route: RouteFile) -> str:
    """The route as its folders spell it, in the characters that Flask allows in an endpoint."""
    parts = []
    for segment in route.segments:
        if not isinstance(segment, Group):
            folder = segment.folder
            if isinstance(segment, CatchAll):
                folder = folder.replace("...", "*")
            parts.append(folder.replace(".", "%2E"))
    return "/" + "/".join(parts)
