"""Build a mount: check everything about a tree before the app is changed.

This is the order of a start: walk the root, compare the paths, look at the app, import the files,
read what they define, plan every call, make rules, compare these with the rules of the app. Each
step returns its results and its problems. All problems are raised at the end in one error, so that
a user sees every one of them; only a problem of the app itself ends it earlier, before a file is
imported.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import ModuleType
from typing import Any

from flask import Flask

from .caching.keys import claim_namespace, namespace_of
from .caching.settings import find_setting_problems as find_cache_setting_problems
from .contracts.settings import find_setting_problems
from .dependencies.planning import Scopes
from .errors import (
    Problem,
    RouteHandlersError,
    RouteHandlersWarning,
    RouteImportError,
    RouteTreeError,
    printable,
    problems_of,
    shown_path,
)
from .handlers.exports import find_misplaced
from .importing.loader import find_name_clashes, load, loaded_packages
from .importing.names import name_root
from .mount import Mount
from .routes import Findings, make_routes
from .routing.converters import refuse_converter
from .routing.matching import find_clashes
from .routing.prefix import prefix_parameters, prefix_pattern
from .running.settings import find_setting_problems as find_async_setting_problems
from .scopes import (
    Links,
    Modules,
    Site,
    find_dependencies_without_asgiref,
    find_parameters_below,
    make_links,
    make_scopes,
)
from .tree.conflicts import find_conflicts
from .tree.discovery import discover
from .tree.model import Tree


def build(
    app: Flask,
    root: str,
    url_prefix: str,
    name: str,
    *,
    subdomain: str | None,
    problem_details: bool,
) -> Mount:
    """Discover, check, load and bind a tree. The app is only read.

    :param root: the absolute path of the root.
    :param url_prefix: ``""`` or the start of every URL.
    :param name: the blueprint's name.
    :param subdomain: the subdomain of every URL, or ``None`` for the app's default.
    :param problem_details: whether its HTTP errors are problem details.
    :raises RouteTreeError: with every problem of the tree.
    """
    tree = discover(root)
    _warn(root, tree.warnings)
    problems = _find_in_tree(app, tree)
    refusals = [
        *_find_app_problems(app, root, name),
        *_find_place_problems(app, root, url_prefix, subdomain),
    ]
    module_name = _check_app(app, tree, refusals, problems)
    # The other files are loaded all the same, so that all problems are reported at once.
    sound = tree.without({file for problem in problems for file in problem.files})
    site = Site(app, root, name, url_prefix, subdomain)
    modules = load(sound, module_name)
    problems += _find_misplaced(tree, module_name)
    below = find_parameters_below(sound)
    scopes = make_scopes(site, sound, modules, below)
    problems += [*scopes.find_problems(), *find_dependencies_without_asgiref(site, scopes)]
    links = make_links(site, sound, modules, scopes, below)
    findings = Findings([], [], list(_find_failures(scopes, links)))
    routes = tuple(make_routes(site, sound, modules, scopes, links, findings))
    mount = Mount(
        name=name,
        root=root,
        url_prefix=url_prefix,
        subdomain=subdomain,
        module_name=module_name,
        routes=routes,
        problem_details=problem_details,
        prefix_pattern=prefix_pattern(app.url_map, url_prefix),
        cache=site.cache,
        tree=tree._replace(folders=()),
        scopes=scopes,
        patches=_read_patches(modules),
        failures=tuple(dict.fromkeys(findings.failures)),
        warnings=_merge(findings.warnings),
    )
    others = [*findings.problems, *_find_in_mount(app, mount)]
    failures = mount.failures
    if problems or others or (failures and not app.debug):
        problems += (problem for failure in failures for problem in problems_of(failure))
        raise RouteTreeError(root, [*problems, *others]) from _cause_of(failures)
    _warn(root, (_with_place(root, warning) for warning in mount.warnings))
    return mount


def _find_in_tree(app: Flask, tree: Tree) -> list[Problem]:
    """Find the problems of a tree that show without importing a file of it."""
    return [
        *tree.problems,
        *find_conflicts(tree),
        *find_name_clashes(tree),
        *_find_converter_problems(app, tree),
    ]


def _find_in_mount(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find the problems that only all routes together, and those of the app, can have."""
    yield from find_clashes(app.url_map, ((r.file.file, r.rules) for r in mount.routes))
    yield from _find_static(mount)
    yield from _find_openapi_problems(mount)
    if mount.cache is not None:
        namespace = namespace_of(app, mount.root, mount.name)
        yield from claim_namespace(app, mount.cache.settings, namespace)


def _find_misplaced(tree: Tree, module_name: str) -> Iterator[Problem]:
    """Find middleware and dependencies in an ``__init__.py``, where no request gets to them."""
    for folder, module in loaded_packages(tree, module_name):
        file = "/".join([*folder.names, "__init__.py"])
        yield from find_misplaced(file, module, "an __init__.py", folder.modules)


def _find_static(mount: Mount) -> Iterator[Problem]:
    """Find static handlers in a tree with a subdomain: entries are stored by path alone."""
    for route in mount.routes:
        if mount.subdomain and route.static is not None:
            yield Problem(
                "GET is static, which is not supported in a tree with a subdomain.",
                "Remove revalidate and dynamic, or serve the file from a tree without a "
                "subdomain.",
                (route.file.file,),
            )


def _read_patches(modules: Modules) -> dict[str, Any]:
    """Return the value of ``openapi`` in each file that has one, unchecked."""
    return {
        file: vars(module)["openapi"]
        for file, module in modules.items()
        if isinstance(module, ModuleType) and "openapi" in vars(module)
    }


def _find_openapi_problems(mount: Mount) -> Iterator[Problem]:
    """Find problems of patches, documents and pages, in trees that have some.

    A document is a route file that imports ``openapi``, so that its module is loaded by then.
    """
    # Whoever uses none of it does not pay for its import.
    if mount.patches or f"{__package__}.openapi" in sys.modules:
        from .openapi.checking import find_problems

        yield from find_problems(mount)


def _check_app(
    app: Flask, tree: Tree, refusals: list[Problem], problems: Iterable[Problem]
) -> str:
    """Check the things that no file of the tree can change, and choose its module name.

    :param refusals: the problems of the app.
    :param problems: the problems of the tree, which are reported together with these.
    :returns: the module name of the root.
    :raises RouteTreeError: when there is a problem: no file has to be loaded then.
    """
    module_name: str | Problem = ""
    if tree.folders:
        module_name = name_root(tree.root, app.import_name, app.root_path)
    if isinstance(module_name, Problem):
        refusals.append(module_name)
    if refusals:
        raise RouteTreeError(tree.root, [*problems, *refusals])
    assert isinstance(module_name, str)
    return module_name


def _find_app_problems(app: Flask, root: str, name: str) -> Iterator[Problem]:
    """Find what keeps an app from serving any tree: a name, a setting, its matching of hosts."""
    if name in app.blueprints:
        yield Problem(
            f"The app already has a blueprint called {name!r}.",
            "Give this one another name: RouteHandlers(app, root, name=...).",
            (root,),
        )
    if app.url_map.host_matching:
        yield Problem(
            "The app uses host_matching=True, but a folder cannot name a host.",
            "Serve the tree from a separate app, and dispatch to it by host.",
            (root,),
        )
    for problem in find_cache_setting_problems(app.config):
        yield problem.at(root)
    for problem in find_async_setting_problems(app.config):
        yield problem.at(root)
    for reason, hint in find_setting_problems(app.config):
        yield Problem(reason, hint, (root,))


def _find_place_problems(
    app: Flask, root: str, url_prefix: str, subdomain: str | None
) -> Iterator[Problem]:
    """Find what keeps a tree from being served at a prefix or a subdomain.

    :param url_prefix: ``""`` or the start of every URL, which may have parameters.
    :param subdomain: the subdomain of every URL, or ``None`` for the app's default.
    """
    if subdomain and not (app.subdomain_matching and app.config["SERVER_NAME"]):
        yield Problem(
            f"The app matches no subdomains, so nothing would be served at {subdomain!r}.",
            "Create it as Flask(__name__, subdomain_matching=True), and set SERVER_NAME in its "
            "config before RouteHandlers(app).",
            (root,),
        )
    try:
        prefix_parameters(app.url_map, url_prefix, subdomain)
    except (LookupError, TypeError, ValueError) as error:
        place = f"url_prefix {url_prefix!r}"
        if subdomain:
            place = f"subdomain {subdomain!r} with the {place}"
        yield Problem(
            f"The {place} cannot be used: {error}.",
            "Write it as a Flask rule, for example /api or /<lang>/api.",
            (root,),
        )


def _find_converter_problems(app: Flask, tree: Tree) -> Iterator[Problem]:
    """Find parameters whose converter the URL map of the app does not know, or cannot use."""
    for route in tree.routes:
        for segment in route.segments:
            for parameter in segment.parameters:
                refusal = refuse_converter(app.url_map, parameter)
                if refusal:
                    yield refusal.at(route.file)


def _find_failures(
    scopes: Scopes, links: Mapping[tuple[str, ...], Links]
) -> Iterator[RouteHandlersError]:
    """Find files of dependencies and middleware that cannot be used."""
    yield from scopes.failures.values()
    for link in links.values():
        if isinstance(link, RouteHandlersError):
            yield link


def _cause_of(failures: Iterable[RouteHandlersError]) -> BaseException | None:
    """Return what the files raised that could not be imported."""
    raised = [
        failure.__cause__
        for failure in failures
        if isinstance(failure, RouteImportError) and failure.__cause__
    ]
    if len(raised) > 1:
        return BaseExceptionGroup("Files that could not be imported", raised)
    return raised[0] if raised else None


def _merge(warnings: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return one warning with all files for those that differ in nothing else."""
    files: dict[Problem, list[str]] = defaultdict(list)
    for warning in warnings:
        files[warning.at()] += warning.files
    return tuple(warning.at(*names) for warning, names in files.items())


def _with_place(root: str, warning: Problem) -> Problem:
    """Return a warning whose reason begins with its files, or with the first and their number."""
    first, *others = (shown_path(os.path.join(root, file)) for file in warning.files)
    place = first
    if len(others) == 1:
        place = f"{first} and {others[0]}"
    elif others:
        place = f"{first} and {len(others)} other files"
    return replace(warning, reason=f"{place}: {warning.reason}")


def _warn(root: str, problems: Iterable[Problem]) -> None:
    """Warn at the line outside of this package that made the extension.

    So a filter for the module of that line concerns its trees alone.

    :param root: the absolute path of the root.
    :param problems: the warnings, as problems.
    """
    package = __name__.rpartition(".")[0]
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(f"{package}."):
        frame, level = frame.f_back, level + 1
    for problem in problems:
        message = f"{problem.reason} {problem.hint}"
        for file in problem.files[:1]:
            # Which root is meant would not be clear from a path relative to it.
            if message.startswith(f"{file} "):
                message = shown_path(os.path.join(root, file)) + message.removeprefix(file)
        warnings.warn(printable(message), RouteHandlersWarning, stacklevel=level)
