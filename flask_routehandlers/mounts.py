"""Prepare a tree for an app: everything is checked here, before the app is touched."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any

from flask import Flask

from .binding import Binding, BindingError, bind
from .conflicts import find_conflicts
from .converters import refuse_converter, segment_types, value_type
from .discovery import discover
from .errors import Problem, RouteHandlersWarning, RouteImportError, RouteTreeError
from .handlers import METHODS, find_handler_problems, read_handlers
from .modules import find_name_clashes, load
from .naming import name_root
from .prefixes import prefix_parameters
from .rules import RouteRule, make_rules, places
from .segments import CatchAll, Group
from .tree import RouteFile, Tree
from .views import Endpoint, failed_view


@dataclass(frozen=True, slots=True)
class Route:
    """A route file as it is served.

    :param file: the route file and its segments.
    :param endpoint: its endpoint, blueprint included.
    :param rules: its rules, one or two.
    :param view: what ``app.view_functions`` holds.
    """

    file: RouteFile
    endpoint: str
    rules: tuple[RouteRule, ...]
    view: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Mount:
    """One root on one app: what ``app.extensions["routehandlers"]`` holds for each name.

    :param name: the blueprint's name.
    :param root: the absolute path of the root.
    :param url_prefix: ``""`` or the part in front of every URL, ``/api``.
    :param module_name: the module name of the root.
    :param routes: its routes in the order of the tree.
    """

    name: str
    root: str
    url_prefix: str
    module_name: str
    routes: tuple[Route, ...]


def prepare(app: Flask, root: str, url_prefix: str, name: str) -> Mount:
    """Discover, check, load and bind a tree. The app is read and left as it is.

    :param root: the absolute path of the root.
    :raises RouteTreeError: with every problem of the tree.
    """
    tree = discover(root)
    _warn(tree)
    problems = [
        *tree.problems,
        *find_conflicts(tree),
        *find_name_clashes(tree),
        *_find_app_problems(app, root, url_prefix, name),
        *_find_converter_problems(app, tree),
    ]
    module_name = "" if problems else name_root(root, app.import_name, app.root_path)
    if isinstance(module_name, Problem):
        problems.append(module_name)
    if problems:
        raise RouteTreeError(root, problems)
    assert isinstance(module_name, str)
    binder = _Binder(app, url_prefix, name)
    routes = tuple(binder.make_routes(tree, load(tree, module_name)))
    problems = [*binder.problems, *_find_clashes(app, routes)]
    if problems:
        raise RouteTreeError(root, problems) from binder.cause()
    return Mount(name, root, url_prefix, module_name, routes)


def _warn(tree: Tree) -> None:
    package = __name__.rpartition(".")[0]
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(f"{package}."):
        frame, level = frame.f_back, level + 1
    for warning in tree.warnings:
        warnings.warn(warning, RouteHandlersWarning, stacklevel=level)


def _find_app_problems(app: Flask, root: str, url_prefix: str, name: str) -> Iterator[Problem]:
    if name in app.blueprints:
        yield Problem(
            (root,),
            f"The app already has a blueprint called {name!r}.",
            "Give this one another name: RouteHandlers(app, root, name=...).",
        )
    if app.url_map.host_matching:
        yield Problem(
            (root,),
            "The app matches hosts (host_matching=True), and a folder names no host.",
            "Serve the tree from an app of its own, behind a dispatcher by host.",
        )
    try:
        prefix_parameters(app.url_map, url_prefix)
    except (LookupError, ValueError) as error:
        yield Problem(
            (root,),
            f"The url_prefix {url_prefix!r} cannot be used: {error}.",
            "Write it as a Flask rule, for example /api or /<lang>/api.",
        )


def _find_converter_problems(app: Flask, tree: Tree) -> Iterator[Problem]:
    for route in tree.routes:
        for segment in route.segments:
            for parameter in segment.parameters:
                refused = refuse_converter(app.url_map, parameter)
                if refused:
                    yield Problem((route.file,), *refused)


def _find_clashes(app: Flask, routes: tuple[Route, ...]) -> Iterator[Problem]:
    """Rules that the app has already at a place that a route file takes."""
    owners = {places(rule): rule for rule in app.url_map.iter_rules() if not rule.build_only}
    for route in routes:
        for rule in route.rules:
            rule.bind(app.url_map)
            owner = owners.get(places(rule)) if owners else None
            if owner is not None:
                yield Problem(
                    (route.file.file,),
                    f"The app already has a rule for {rule.rule}: {owner.rule} "
                    f"of the endpoint {owner.endpoint!r}.",
                    "Remove one of them, or give RouteHandlers another url_prefix.",
                )


class _Binder:
    """Make the routes of one tree for one app, and collect what keeps them from being made."""

    def __init__(self, app: Flask, url_prefix: str, name: str) -> None:
        self.app = app
        self.url_prefix = url_prefix
        self.name = name
        self.prefix_types = {
            parameter: (url_prefix, value_type(converter))
            for parameter, converter in prefix_parameters(app.url_map, url_prefix).items()
        }
        self.problems: list[Problem] = []
        self.errors: list[BaseException] = []

    def make_routes(
        self, tree: Tree, modules: dict[str, ModuleType | RouteImportError]
    ) -> Iterator[Route]:
        for route in tree.routes:
            endpoint = f"{self.name}.{_endpoint(route)}"
            module = modules[route.file]
            view: Callable[..., Any]
            methods: Iterable[str]
            if isinstance(module, RouteImportError):
                if not self.app.debug:
                    self.fail(module)
                    continue
                view, methods = failed_view(module), METHODS
            else:
                view = self.make_view(route, endpoint, module)
                methods = view.allowed
            rules = make_rules(self.url_prefix, route.url_segments, endpoint, methods)
            yield Route(route, endpoint, rules, view)

    def fail(self, failure: RouteImportError) -> None:
        cause = failure.__cause__
        assert cause is not None
        self.errors.append(cause)
        self.problems.append(
            Problem(
                (failure.file,),
                f"{failure}.",
                "The traceback above, or below, shows the line.",
            )
        )

    def cause(self) -> BaseException | None:
        """What the route files raised that could not be imported."""
        if len(self.errors) > 1:
            return BaseExceptionGroup("Route files that could not be imported", self.errors)
        return self.errors[0] if self.errors else None

    def make_view(self, route: RouteFile, endpoint: str, module: ModuleType) -> Endpoint:
        self.problems += find_handler_problems(route.file, module)
        parameters = self.find_parameters(route)
        bindings: dict[str, Binding] = {}
        for method, handler in read_handlers(module).items():
            try:
                bindings[method] = bind(method, handler, parameters)
            except BindingError as error:
                self.problems.append(Problem((route.file,), error.reason, error.cure))
            if iscoroutinefunction(handler) and find_spec("asgiref") is None:
                self.problems.append(
                    Problem(
                        (route.file,),
                        f"{method} is async, and Flask needs asgiref to call it.",
                        'Install it: pip install "flask-routehandlers[async]".',
                    )
                )
        return Endpoint(self.app, endpoint, route.file, module, bindings, len(parameters))

    def find_parameters(self, route: RouteFile) -> dict[str, tuple[str, object]]:
        """For each path parameter the folder that it is in, and the type of its values."""
        parameters = dict(self.prefix_types)
        for segment in route.segments:
            for name, kind in segment_types(self.app.url_map, segment).items():
                if name in self.prefix_types:
                    self.problems.append(
                        Problem(
                            (route.file,),
                            f"The url_prefix {self.url_prefix!r} has a parameter {name!r} too.",
                            "Give each parameter of a path its own name.",
                        )
                    )
                parameters[name] = (segment.folder, kind)
        return parameters


def _endpoint(route: RouteFile) -> str:
    """The route as its folders spell it, in the characters that Flask allows in an endpoint."""
    parts = []
    for segment in route.segments:
        if not isinstance(segment, Group):
            folder = segment.folder
            if isinstance(segment, CatchAll):
                folder = folder.replace("...", "*")
            parts.append(folder.replace(".", "%2E"))
    return "/" + "/".join(parts)
