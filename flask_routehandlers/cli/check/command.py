"""``flask route-handlers check``: all problems of the trees, without serving them.

Three things can be checked, and their reports look the same: the trees of an app that can be
loaded, a tree that the app refused, and a tree without an app. The output groups findings by
file::

    app/api/articles/route.py
      warning: GET has the parameter page: int = 1, which no client can set. Write ...

    4 route files: 1 warning
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

import click
from flask.cli import ScriptInfo, pass_script_info

from ...errors import Problem, printable, shown_path
from ...mount import mounts_of
from ...routing.prefix import check_prefix
from ..common import TRACEBACK_HINT, LoadError, counted, find_app_file, load_trees
from .checks import Report, check_alone, check_mount, compare
from .distributions import read_archive

_COLOURS = {"error": "red", "warning": "yellow"}


@click.command()
@click.option("--root", metavar="DIR", help="Check this tree alone.")
@click.option("--url-prefix", metavar="PREFIX", help="Its prefix, if there is no app.")
@click.option("--wheel", metavar="FILE", help="Compare with a wheel or an sdist.")
@click.option("--strict", is_flag=True, help="Fail for warnings; require docstrings and types.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_script_info
@click.pass_context
def check(
    context: click.Context,
    info: ScriptInfo,
    root: str | None,
    url_prefix: str | None,
    wheel: str | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Report the problems of the route files, without serving them.

    The exit status is 0 if no problems are found, 1 for errors (with --strict for warnings too),
    and 2 if nothing can be checked.
    """
    folder = root and os.path.realpath(root)
    if url_prefix:
        try:
            check_prefix(url_prefix)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--url-prefix") from error
    failure, reports = _check(info, folder, url_prefix, is_strict=strict)
    if wheel:
        try:
            contents = read_archive(wheel)
        except (OSError, ValueError) as error:
            raise click.BadParameter(str(error), param_hint="--wheel") from error
        reports = [compare(report, contents) for report in reports]
    data = {"app": failure and asdict(failure), "trees": list(map(asdict, reports))}
    if failure:
        reports = [Report(None, "", 0, (failure,)), *reports]  # its file is below no root
    if as_json:
        click.echo(json.dumps(data, indent=2))
    else:
        if os.environ.get("NO_COLOR"):
            context.color = False
        for line in describe(reports):
            click.echo(line)
    severities = {finding.severity for report in reports for finding in report.findings}
    context.exit(int("error" in severities or (strict and "warning" in severities)))


def _check(
    info: ScriptInfo, root: str | None, url_prefix: str | None, *, is_strict: bool
) -> tuple[Problem | None, list[Report]]:
    """Return the problem of the app, if it has one, and the report of each tree.

    :param root: the real path of the one tree to check.
    """
    app, failure, refused = load_trees(info)
    # An app that fails after a tree was refused may only miss that tree.
    if refused:
        failure = None
    if failure and root is None:
        hint = "To check a tree without its app, name its root: --root app/api."
        raise LoadError(failure.message, hint) from failure
    reports = [
        check_alone(error.root, error, url_prefix, is_strict=is_strict)
        for error in refused
        if root in (None, os.path.realpath(error.root))
    ]
    roots = [error.root for error in refused]
    # Collecting garbage in a large app takes longer than checking it.
    gc.freeze()
    if app:
        for mount in mounts_of(app):
            roots.append(mount.root)
            if root in (None, os.path.realpath(mount.root)):
                reports.append(check_mount(app, mount, is_strict=is_strict))
    gc.unfreeze()
    if root is None or reports:
        return None, reports
    if failure:
        problem = _describe_app(info, failure)
    else:
        reason = f"No tree of the app has this root: it has {', '.join(map(shown_path, roots))}."
        hint = "Check one of those, or give RouteHandlers this root where the app is made."
        problem = Problem(reason, hint, (root,), "warning")
    return problem, [check_alone(root, None, url_prefix, is_strict=is_strict)]


def _describe_app(info: ScriptInfo, error: LoadError) -> Problem:
    """Return the problem of an app that cannot be loaded."""
    place = find_app_file(info)
    if place is None and not info.create_app:
        hint = "Its rules and converters are not known: name the app with flask --app."
        return Problem("Flask finds no app here.", hint, ("app",), "warning")
    reason, hint = error.reason, error.hint
    if isinstance(error.__cause__, click.ClickException):
        hint = "Name the app with flask --app."
    if "Traceback (most recent call last):" in reason:
        # Flask puts the traceback of an ImportError into its message.
        first, *_, last = reason.splitlines()
        reason, hint = f"{first} {last}", TRACEBACK_HINT
    return Problem(f"{reason.rstrip('.')}.", hint, (place or "app",))


def describe(reports: list[Report]) -> Iterator[str]:
    """Yield the findings as lines: for each file, or set of files, its findings.

    The last line counts them. Colours are those of a terminal; click removes them elsewhere.
    """
    findings: list[tuple[list[str], Problem]] = []
    for report in reports:
        for finding in report.findings:
            files = [shown_path(os.path.join(report.root, file)) for file in finding.files]
            findings.append((files, finding))
    for files, group in groupby(findings, key=lambda pair: pair[0]):
        for file in files:
            yield click.style(printable(file), bold=True)
        for _, finding in group:
            severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
            # One line each, whatever an exception says.
            line = " ".join(f"{finding.reason} {finding.hint}".split())
            yield f"  {severity}: {printable(line)}"
        yield ""
    severities = [finding.severity for _, finding in findings]
    counts = [
        click.style(counted(severities.count(severity), severity), fg=colour)
        for severity, colour in _COLOURS.items()
        if severity in severities
    ]
    routes = sum(report.routes for report in reports)
    summary = ", ".join(counts) or click.style("no problems found", fg="green")
    yield f"{counted(routes, 'route file')}: {summary}"
