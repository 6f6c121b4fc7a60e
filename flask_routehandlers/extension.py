"""The extension object: check the whole tree first, touch the app last."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import iscoroutinefunction
from types import ModuleType
from typing import Any

from flask import Blueprint, Flask
from flask.blueprints import BlueprintSetupState

from .binding import BindingError, bind
from .conflicts import find_conflicts
from .discovery import RouteFile, Tree, discover
from .errors import Problem, RouteHandlersWarning, RouteImportError, RouteTreeError
from .handlers import METHODS, find_handler_problems, read_handlers
from .modules import find_name_clashes, load, name_root
from .rules import (
    RouteRule,
    make_rules,
    places,
    prefix_parameters,
    refuse_converter,
    segment_types,
    value_type,
)
from .segments import CatchAll, Dynamic, Group, SegmentError, Static, parse_segment
from .views import Endpoint, failed_view

EXTENSION_NAME = "routehandlers"


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


class RouteHandlers:
    """Serve a tree of route files as a Blueprint of an app.

    :param app: the app, or ``None`` to call :meth:`init_app` later, in a factory.
    :param root: the folder of the tree; a relative one starts at ``app.root_path``.
    :param url_prefix: what stands in front of every URL, by default the part of ``root`` below
        its ``app`` folder: ``app/api`` gives ``/api``. ``""`` for nothing.
    :param name: the blueprint's name, by default the last folder of ``root``.
    :raises RouteTreeError: when the tree cannot be served. The app is left as it was.
    """

    def __init__(
        self,
        app: Flask | None = None,
        root: str | os.PathLike[str] = "app/api",
        *,
        url_prefix: str | None = None,
        name: str | None = None,
    ) -> None:
        self.root = os.fspath(root)
        self.url_prefix = url_prefix
        self.name = name
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Check the tree and register it on an app. Several apps can share an instance.

        :raises RouteTreeError: with every problem of the tree. The app is left as it was.
        """
        if not isinstance(app, Flask):
            raise TypeError(
                f"RouteHandlers needs a Flask app, not {app!r}. "
                "Write RouteHandlers(app, root=...), or RouteHandlers(root=...).init_app(app)."
            )
        root = os.path.normpath(os.path.join(app.root_path, self.root))
        mount = _Check(app, root, self._prefix_in(app, root), self._name_in(root)).mount()
        blueprint = Blueprint(
            mount.name, mount.module_name, root_path=root, url_prefix=mount.url_prefix or None
        )
        blueprint.record(lambda state: _add_routes(state, mount))
        app.register_blueprint(blueprint)
        app.extensions.setdefault(EXTENSION_NAME, {})[mount.name] = mount

    def _name_in(self, root: str) -> str:
        if self.name is None:
            return os.path.basename(root).replace(".", "_")
        if not self.name or "." in self.name:
            raise ValueError(
                f"The name {self.name!r} cannot name a blueprint: it is empty or has a dot."
            )
        return self.name

    def _prefix_in(self, app: Flask, root: str) -> str:
        prefix = self.url_prefix
        if prefix is None:
            return _default_prefix(app.root_path, root)
        if prefix and (not prefix.startswith("/") or prefix.endswith("/") or "//" in prefix):
            raise ValueError(
                f"The url_prefix {prefix!r} must start with a slash and not end with one. "
                f"Did you mean {'/' + '/'.join(part for part in prefix.split('/') if part)!r}?"
                if prefix.strip("/")
                else f"The url_prefix {prefix!r} is no prefix. Write url_prefix='' for none."
            )
        return prefix


def _default_prefix(root_path: str, root: str) -> str:
    """The part of the root below its ``app`` folder, read from ``app.root_path`` on."""
    below = os.path.relpath(root, root_path).split(os.sep)
    if below[0] == os.pardir or "app" not in below:
        return ""
    prefix = ""
    for folder in below[below.index("app") + 1 :]:
        try:
            segment = parse_segment(folder)
        except SegmentError:
            segment = Static(folder, folder)
        if isinstance(segment, (Dynamic, CatchAll)) or "<" in folder:
            raise ValueError(
                f"The root {root} has {folder} in it, so its URL prefix cannot be guessed. "
                'Say it: RouteHandlers(app, root, url_prefix="/<name>").'
            )
        if isinstance(segment, Static):
            prefix += f"/{segment.text}"
    return prefix


def _add_routes(state: BlueprintSetupState, mount: Mount) -> None:
    for route in mount.routes:
        for rule in route.rules:
            state.app.url_map.add(rule)
        state.app.view_functions[route.endpoint] = route.view


class _Check:
    """Everything that is checked before an app is touched, for one root."""

    def __init__(self, app: Flask, root: str, url_prefix: str, name: str) -> None:
        self.app = app
        self.root = root
        self.url_prefix = url_prefix
        self.name = name
        self.problems: list[Problem] = []
        self.errors: list[BaseException] = []

    def mount(self) -> Mount:
        tree = discover(self.root)
        for warning in tree.warnings:
            warnings.warn(warning, RouteHandlersWarning, stacklevel=4)
        self.problems += tree.problems
        if not os.path.isdir(self.root):
            raise RouteTreeError(self.root, self.problems)
        self.problems += find_conflicts(tree)
        self.problems += find_name_clashes(tree)
        self.problems += self.find_app_problems()
        self.problems += self.find_converter_problems(tree)
        module_name = name_root(self.root, self.app.import_name, self.app.root_path)
        if isinstance(module_name, Problem):
            self.problems.append(module_name)
        if self.problems:
            raise RouteTreeError(self.root, self.problems)
        assert isinstance(module_name, str)
        routes = tuple(self.make_routes(tree, load(tree, module_name)))
        self.problems += self.find_clashes(routes)
        if self.problems:
            raise RouteTreeError(self.root, self.problems) from self.cause()
        return Mount(self.name, self.root, self.url_prefix, module_name, routes)

    def cause(self) -> BaseException | None:
        if len(self.errors) > 1:
            return BaseExceptionGroup("Route files that could not be imported", self.errors)
        return self.errors[0] if self.errors else None

    def find_app_problems(self) -> Iterator[Problem]:
        if self.name in self.app.blueprints:
            yield Problem(
                (self.root,),
                f"The app already has a blueprint called {self.name!r}.",
                "Give this one another name: RouteHandlers(app, root, name=...).",
            )
        if self.app.url_map.host_matching:
            yield Problem(
                (self.root,),
                "The app matches hosts (host_matching=True), and a folder names no host.",
                "Serve the tree from an app of its own, behind a dispatcher by host.",
            )
        try:
            prefix_parameters(self.app.url_map, self.url_prefix)
        except (LookupError, ValueError) as error:
            yield Problem(
                (self.root,),
                f"The url_prefix {self.url_prefix!r} cannot be used: {error}.",
                "Write it as a Flask rule, for example /api or /<lang>/api.",
            )

    def find_converter_problems(self, tree: Tree) -> Iterator[Problem]:
        for route in tree.routes:
            for segment in route.segments:
                for parameter in segment.parameters if isinstance(segment, Dynamic) else ():
                    refused = refuse_converter(self.app.url_map, parameter)
                    if refused:
                        yield Problem((route.file,), *refused)

    def make_routes(
        self, tree: Tree, modules: dict[str, ModuleType | RouteImportError]
    ) -> Iterator[Route]:
        prefix_types = {
            name: (self.url_prefix, value_type(converter))
            for name, converter in prefix_parameters(self.app.url_map, self.url_prefix).items()
        }
        for route in tree.routes:
            endpoint = f"{self.name}.{_endpoint(route)}"
            module = modules[route.file]
            view: Callable[..., Any]
            if isinstance(module, RouteImportError):
                if not self.app.debug:
                    self.fail(module)
                    continue
                view, methods = failed_view(module), list(METHODS)
            else:
                view = self.make_endpoint(route, endpoint, module, prefix_types)
                methods = view.allowed
            rules = make_rules(self.url_prefix, route.url_segments, endpoint, methods)
            yield Route(route, endpoint, tuple(rules), view)

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

    def make_endpoint(
        self,
        route: RouteFile,
        endpoint: str,
        module: ModuleType,
        prefix_types: dict[str, tuple[str, object]],
    ) -> Endpoint:
        parameters = dict(prefix_types)
        for segment in route.segments:
            for name, kind in segment_types(self.app.url_map, segment).items():
                if name in prefix_types:
                    self.problems.append(
                        Problem(
                            (route.file,),
                            f"The url_prefix {self.url_prefix!r} has a parameter {name!r} too.",
                            "Give each parameter of a path its own name.",
                        )
                    )
                parameters[name] = (segment.folder, kind)
        self.problems += find_handler_problems(route.file, module)
        handlers = read_handlers(module)
        calls = {}
        for method, handler in handlers.items():
            try:
                calls[method] = bind(method, handler, parameters)
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
        return Endpoint(self.app, endpoint, route.file, module, handlers, calls, parameters)

    def find_clashes(self, routes: tuple[Route, ...]) -> Iterator[Problem]:
        """Rules that the app has already at a place that a route file takes."""
        owners = {
            places(rule): rule for rule in self.app.url_map.iter_rules() if not rule.build_only
        }
        for route in routes:
            for rule in route.rules:
                rule.bind(self.app.url_map)
                owner = owners.get(places(rule))
                if owner is not None:
                    yield Problem(
                        (route.file.file,),
                        f"The app already has a rule for {rule.rule}: {owner.rule} "
                        f"of the endpoint {owner.endpoint!r}.",
                        "Remove one of them, or give RouteHandlers another url_prefix.",
                    )


def _endpoint(route: RouteFile) -> str:
    """The route as its folders spell it, in the characters that Flask allows in an endpoint."""
    parts = []
    for segment in route.segments:
        if isinstance(segment, Group):
            continue
        folder = segment.folder
        if isinstance(segment, CatchAll):
            folder = folder.replace("...", "*")
        parts.append(folder.replace(".", "%2E"))
    return "/" + "/".join(parts)
