"""Check trees without serving them: what keeps them from starting, and what looks wrong.

A check is a generator of problems, which are reported as warnings. To add one, write it with the
signature of :data:`Check` or :data:`HandlerCheck`, and put it into the list: into
:data:`STRICT_CHECKS` if careful people disagree about it. Those of the files alone, which need no
app, are in :func:`_find_in_tree`.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import PurePath

from flask import Flask
from werkzeug.routing import BaseConverter

from ...binding.model import Binding
from ...errors import Problem, RouteHandlersWarning, RouteTreeError, problems_of, shown_path
from ...extension import RouteHandlers
from ...mount import Mount, mounts_of
from ...openapi.validation import find_document_problems
from ...routing.prefix import default_prefix
from ...tree.discovery import discover
from ...tree.model import Tree
from ...tree.segments import Segment
from .dependencies import find_late_cors, find_late_guards, find_unused_dependencies
from .distributions import Contents, find_installed, find_missing
from .handlers import (
    find_bodies_of_delete,
    find_decorated,
    find_fixed_parameters,
    find_http_dates,
    find_sockets,
    find_unannotated,
    find_unchecked_answers,
    find_undocumented,
    find_unread_answers,
)
from .reachability import find_hidden, find_late_rules
from .strays import find_parameters_as_text, find_private_routes, find_strays


@dataclass(frozen=True, slots=True)
class Report:
    """The findings in one tree, in the order of its files.

    :param name: the blueprint's name; ``None`` for a tree that no app serves.
    :param routes: how many route files it has.
    """

    name: str | None
    root: str
    routes: int
    findings: tuple[Problem, ...]


#: Finds what may be wrong with a tree that an app serves.
Check = Callable[[Flask, Mount], Iterator[Problem]]

#: Finds the same for a handler: takes its method and its binding, and leaves out the file.
HandlerCheck = Callable[[str, Binding], Iterator[Problem]]


def find_unreachable(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find handlers that other rules keep requests from, and rules that a route hides."""
    owners = {
        id(rule): shown_path(os.path.join(other.root, route.file.file))
        for other in mounts_of(app)
        for route in other.routes
        for rule in route.rules
    }
    for route, path, rule, methods in find_hidden(app, mount):
        owner = owners.get(id(rule), f"the app's rule {rule.rule}")
        yield Problem(
            f"Requests such as {methods[0]} {path} do not reach it: {owner}, "
            f"endpoint {rule.endpoint!r}, answers them.",
            "Remove one of the two, or make the URL of one more specific.",
            (route.file.file,),
        )
    for route, rule in find_late_rules(app, mount):
        yield Problem(
            f"No request reaches the app's rule {rule.rule} of the endpoint {rule.endpoint!r}: "
            "it was added after RouteHandlers, and the file has the same URL.",
            "Remove one of the two, or give one of them another URL.",
            (route.file.file,),
        )


#: What every tree is checked for.
CHECKS: tuple[Check, ...] = (
    find_unreachable,
    find_sockets,
    find_unused_dependencies,
    find_late_guards,
    find_late_cors,
)

#: What every handler is checked for.
HANDLER_CHECKS: tuple[HandlerCheck, ...] = (
    find_fixed_parameters,
    find_decorated,
    find_unread_answers,
    find_unchecked_answers,
)

#: The same for what is a matter of taste.
STRICT_CHECKS: tuple[HandlerCheck, ...] = (
    find_undocumented,
    find_unannotated,
    find_http_dates,
    find_bodies_of_delete,
)


def check_mount(app: Flask, mount: Mount, *, is_strict: bool = False) -> Report:
    """Check a tree that an app serves."""
    findings = [
        *_find_in_tree(mount.tree),
        *_find_not_installed(app, mount),
        *_find_in_mount(app, mount, is_strict=is_strict),
    ]
    return _report(mount.name, mount.tree, findings)


def check_alone(
    root: str,
    refused: RouteTreeError | None = None,
    url_prefix: str | None = None,
    *,
    is_strict: bool = False,
) -> Report:
    """Check a tree whose app is not available.

    Converters that only the app knows are taken on trust.

    :param refused: the error with which the app refused the tree.
    :param url_prefix: that of the tree in the app; by default that of :class:`RouteHandlers`.
    """
    tree = discover(root)
    findings: list[Problem] = []
    problems: tuple[Problem, ...] = ()
    if refused:
        problems = refused.problems
    # Problems of the app itself, which name the root, are raised before any file is imported.
    if refused is None or any(os.path.isabs(file) for p in problems for file in p.files):
        app = stand_in_app(root, (segment for route in tree.routes for segment in route.segments))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RouteHandlersWarning)
                RouteHandlers(app, root, url_prefix=url_prefix or prefix_of(app, root))
        except RouteTreeError as error:
            problems = (*problems, *error.problems)
        for mount in mounts_of(app):
            findings += _find_in_mount(app, mount, is_strict=is_strict)
    return _report(None, tree, [*findings, *_find_in_tree(tree), *problems])


def stand_in_app(root: str, segments: Iterable[Segment]) -> Flask:
    """Return an app that can serve a tree in place of its own.

    Its ``root_path`` is the folder above the last folder ``app``, or above the root if there is
    none. In most projects the names of modules and the default prefix are then those of the real
    app.

    :param segments: the segments whose converters the app has to know.
    """
    folders = [PurePath(root), *PurePath(root).parents]
    above = next((folder for folder in folders if folder.name == "app"), folders[0]).parent
    app = Flask("routehandlers_stand_in", root_path=str(above), static_folder=None)
    for segment in segments:
        for parameter in segment.parameters:
            if parameter.converter:
                app.url_map.converters.setdefault(parameter.converter, _UnknownConverter)
    return app


class _UnknownConverter(BaseConverter):
    """Stand for a converter of the app. The type of its values is not known."""


def prefix_of(app: Flask, root: str) -> str:
    """Return the default prefix of a tree, or none where it cannot be guessed."""
    try:
        return default_prefix(app.root_path, root)
    except ValueError:
        return ""


def compare(report: Report, contents: Contents) -> Report:
    """Add what a built distribution lacks of a tree, as errors."""
    missing = find_missing(discover(report.root), contents)
    return replace(report, findings=_sort([*report.findings, *missing]))


def _report(name: str | None, tree: Tree, findings: Iterable[Problem]) -> Report:
    """Return the report of a tree, with its findings sorted."""
    return Report(name, tree.root, len(tree.routes), _sort(findings))


def _sort(findings: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return findings in the order of their files, each once, and errors before warnings."""

    def by_file(finding: Problem) -> tuple[list[list[str]], str]:
        return [file.split("/") for file in finding.files], finding.severity

    return tuple(sorted(dict.fromkeys(findings), key=by_file))


def _find_in_mount(app: Flask, mount: Mount, *, is_strict: bool) -> list[Problem]:
    """Find what needs an app that serves the tree.

    Files that cannot be used are errors: debug mode lets the app start without them.
    """
    findings = list(mount.warnings)
    handler_checks = HANDLER_CHECKS
    if is_strict:
        handler_checks += STRICT_CHECKS
    for check_handler in handler_checks:
        for route in mount.routes:
            for method, handler in route.handlers.items():
                problems = check_handler(method, handler.binding)
                findings += (problem.at(route.file.file) for problem in problems)
    for check in CHECKS:
        findings += check(app, mount)
    failures = [problem for failure in mount.failures for problem in problems_of(failure)]
    return [*failures, *map(Problem.as_warning, findings), *find_document_problems(app, mount)]


def _find_in_tree(tree: Tree) -> Iterator[Problem]:
    """Find what shows without an app, once the files are loaded."""
    findings = [
        *tree.warnings,
        *find_strays(tree),
        *find_private_routes(tree),
        *find_parameters_as_text(tree),
    ]
    return map(Problem.as_warning, findings)


def _find_not_installed(app: Flask, mount: Mount) -> Iterator[Problem]:
    """Find files that the distribution of an installed app was built without."""
    package = app.import_name.partition(".")[0]
    top_module = mount.module_name.partition(".")[0]
    for name in dict.fromkeys((top_module, package)):
        contents = find_installed(name)
        # A distribution of another name can have a package of this one: is the tree in it?
        if contents and (name == top_module == package or contents.folder_of(mount.root)):
            yield from map(Problem.as_warning, find_missing(mount.tree, contents))
            return
