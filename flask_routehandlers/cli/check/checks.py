"""Check trees without serving them: what keeps them from starting, and what looks wrong."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Literal

from flask import Flask
from werkzeug.routing import BaseConverter

from ...caching.processes import find_split_store
from ...errors import Problem, RouteHandlersWarning, RouteTreeError, problems_of
from ...extension import RouteHandlers
from ...handlers.endpoint import Endpoint
from ...mount import Mount, mounts_of
from ...routing.prefix import default_prefix
from ...tree.discovery import discover
from ...tree.model import Tree
from ...tree.segments import Segment
from .distributions import Contents, find_installed, find_missing
from .reachability import find_hidden
from .strays import find_parameters_as_text, find_strays


@dataclass(frozen=True, slots=True)
class Report:
    """What was found in one tree.

    :param name: the blueprint's name; ``None`` for a tree that no app serves.
    :param root: the absolute path of the root.
    :param routes: how many route files it has.
    :param findings: in the order of the files, errors first.
    """

    name: str | None
    root: str
    routes: int
    findings: tuple[Problem, ...]


#: Finds what may be wrong with a tree that an app serves.
Check = Callable[[Flask, Mount], Iterator[Problem]]


def find_failures(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Files that cannot be used, where debug mode lets the app start all the same."""
    for failure in mount.failures:
        yield from problems_of(failure)


def find_unreachable(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Handlers that no request can reach."""
    owners = {
        id(rule): (other.name, route.file.file)
        for other in mounts_of(app)
        for route in other.routes
        for rule in route.rules
    }
    for route, rule, methods in find_hidden(app, mount):
        name, file = owners.get(id(rule), ("", ""))
        who = f"{file} of the tree {name!r}" if file else f"the app's own rule {rule.rule}"
        yield Problem(
            f"No request reaches its {', '.join(methods)}: "
            f"{who}, endpoint {rule.endpoint!r}, takes every URL of it.",
            "Remove one of the two, or make the URL of one more specific.",
            (route.file.file,),
            "warning",
        )


def find_hints(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Names in route files that nothing reads."""
    return map(Problem.as_warning, mount.warnings)


def find_split_stores(app: Flask, mount: Mount) -> Iterator[Problem]:
    """A store in each of several processes. It is told of the first tree that has one."""
    trees = (other for other in mounts_of(app) if other.cache is not None)
    if mount.cache is not None and next(trees) is mount:
        for reason, hint in find_split_store(mount.cache, by_settings=True):
            yield Problem(reason, hint, (mount.root,), "warning")


def find_undocumented(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Handlers without a docstring."""
    for route in mount.routes:
        bindings = route.view.dispatcher.bindings if isinstance(route.view, Endpoint) else {}
        for method, binding in bindings.items():
            if not inspect.getdoc(binding.function):
                yield Problem(
                    f"{method} has no docstring.",
                    "Say in its first line what it does.",
                    (route.file.file,),
                    "warning",
                )


#: What every tree is checked for.
CHECKS: tuple[Check, ...] = (find_failures, find_unreachable, find_hints, find_split_stores)

#: What is a matter of taste.
STRICT_CHECKS: tuple[Check, ...] = (*CHECKS, find_undocumented)


def check_mount(app: Flask, mount: Mount, checks: Iterable[Check] = CHECKS) -> Report:
    """Check a tree that an app serves."""
    tree = mount.tree
    package = app.import_name.partition(".")[0]
    findings = [
        *_find_in_tree(tree),
        *_find_not_installed(tree, package, mount.module_name),
        *(finding for check in checks for finding in check(app, mount)),
    ]
    return _report(mount.name, tree, findings)


def check_alone(
    root: str,
    refused: RouteTreeError | None = None,
    url_prefix: str | None = None,
    checks: Iterable[Check] = CHECKS,
) -> Report:
    """Check a tree whose app cannot be had.

    Converters that only the app knows are taken on trust.

    :param root: the absolute path of the root.
    :param refused: the error with which the app refused the tree.
    :param url_prefix: that of the tree in the app; by default as :class:`RouteHandlers` has it.
    """
    tree = discover(root)
    problems = refused.problems if refused else ()
    findings: list[Problem] = []
    # What is wrong with the app in general is told before any file is read.
    if refused is None or any(os.path.isabs(file) for p in problems for file in p.files):
        app = stand_in_app(root, (segment for route in tree.routes for segment in route.segments))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RouteHandlersWarning)
                RouteHandlers(app, root, url_prefix=url_prefix or prefix_of(app, root))
        except RouteTreeError as error:
            problems = tuple(dict.fromkeys([*problems, *error.problems]))
        for mount in mounts_of(app):
            findings += (finding for check in checks for finding in check(app, mount))
    findings += _find_in_tree(tree)
    findings += problems
    return _report(None, tree, findings)


def stand_in_app(root: str, segments: Iterable[Segment]) -> Flask:
    """An app that can serve a tree in place of its own.

    :param root: the absolute path of the root.
    :param segments: what the app has to know the converters of.
    """
    parts = PurePath(root).parts
    above = parts[: len(parts) - parts[::-1].index("app") - 1] if "app" in parts else parts[:-1]
    app = Flask("routehandlers_stand_in", root_path=os.path.join(*above), static_folder=None)
    for segment in segments:
        for parameter in segment.parameters:
            if parameter.converter:
                app.url_map.converters.setdefault(parameter.converter, _UnknownConverter)
    return app


class _UnknownConverter(BaseConverter):
    """In place of a converter of the app's own: what type it gives is not known."""


def prefix_of(app: Flask, root: str) -> str:
    """The prefix that a tree has if nothing is said about it."""
    try:
        return default_prefix(app.root_path, root)
    except ValueError:
        return ""


def compare(report: Report, contents: Contents) -> Report:
    """Add what a built distribution lacks of a tree, as errors."""
    missing = list(_find_missing_in(discover(report.root), contents, "error"))
    return replace(report, findings=_in_order([*report.findings, *missing]))


def _report(name: str | None, tree: Tree, findings: Iterable[Problem]) -> Report:
    return Report(name, tree.root, len(tree.routes), _in_order(findings))


def _in_order(findings: Iterable[Problem]) -> tuple[Problem, ...]:
    unique = dict.fromkeys(findings)
    return tuple(sorted(unique, key=lambda f: ([file.split("/") for file in f.files], f.severity)))


def _find_in_tree(tree: Tree) -> Iterator[Problem]:
    """What needs no app to be seen, once the files are loaded."""
    yield from map(Problem.as_warning, tree.warnings)
    yield from map(Problem.as_warning, find_strays(tree))
    yield from map(Problem.as_warning, find_parameters_as_text(tree))


def _find_not_installed(tree: Tree, package: str, module_name: str) -> Iterator[Problem]:
    """Files that an installed app would not have: its distribution was built without them.

    :param package: the top-level module that makes the app.
    :param module_name: the module name of the root.
    """
    own = module_name.partition(".")[0]
    for name in dict.fromkeys((own, package)):
        contents = find_installed(name)
        # A distribution of another name can have a package of this one: is the tree in it?
        if contents and (name == own == package or contents.folder_of(tree.root)):
            yield from _find_missing_in(tree, contents, "warning")
            return


def _find_missing_in(
    tree: Tree, contents: Contents, severity: Literal["error", "warning"]
) -> Iterator[Problem]:
    missing = find_missing(tree, contents)
    hint = "Tell the build backend about the folder, and build and install it again."
    if missing and len(missing) == len(tree.routes) + len(tree.middleware):
        message = f"None of its files is in {contents.label}."
        yield Problem(message, hint, (tree.root,), severity)
        return
    for source in missing:
        yield Problem(f"It is not in {contents.label}.", hint, (source.file,), severity)
