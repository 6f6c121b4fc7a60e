"""``flask route-handlers check``: all that is wrong with the trees, without serving them."""

from __future__ import annotations

import gc
import json
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from ...errors import Problem, RouteHandlersWarning
from ...extension import collecting
from ...mount import mounts_of
from ...routing.prefix import check_prefix
from ..common import LoadError, counted, find_app_file, load
from .checks import (
    CHECKS,
    STRICT_CHECKS,
    Check,
    Report,
    check_alone,
    check_mount,
    compare,
)
from .distributions import read_archive

_COLOURS = {"error": "red", "warning": "yellow"}


@click.command()
@click.option("--root", metavar="DIR", help="Check this tree alone.")
@click.option("--url-prefix", metavar="PREFIX", help="Its prefix, if there is no app.")
@click.option("--wheel", metavar="FILE", help="Compare with a wheel or an sdist.")
@click.option("--strict", is_flag=True, help="Fail for warnings; want docstrings.")
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
    """Say what is wrong with the route files, without serving them.

    The exit status is 0 if nothing is wrong, 1 for errors (with --strict for warnings too), and
    2 if nothing can be checked.
    """
    folder = os.path.realpath(root) if root else None
    if url_prefix:
        try:
            check_prefix(url_prefix)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--url-prefix") from error
    failure, reports = _check(info, folder, url_prefix, STRICT_CHECKS if strict else CHECKS)
    if wheel:
        try:
            contents = read_archive(wheel)
        except (OSError, ValueError) as error:
            raise click.BadParameter(str(error), param_hint="--wheel") from error
        reports = [compare(report, contents) for report in reports]
    if as_json:
        app = None if failure is None else asdict(failure)
        click.echo(json.dumps({"app": app, "trees": list(map(asdict, reports))}, indent=2))
    else:
        color = False if os.environ.get("NO_COLOR") else None
        for line in describe(failure, reports):
            click.echo(line, color=color)
    failing = {"error", "warning"} if strict else {"error"}
    findings = [*([failure] if failure else []), *(f for r in reports for f in r.findings)]
    context.exit(1 if failing & {finding.severity for finding in findings} else 0)


def _check(
    info: ScriptInfo, root: str | None, url_prefix: str | None, checks: Iterable[Check]
) -> tuple[Problem | None, list[Report]]:
    """What is wrong with the app, and with each tree.

    :param root: the real path of the one tree to check.
    :raises click.ClickException: when there is nothing to check.
    """
    app: Flask | None = None
    failure: click.ClickException | None = None
    with collecting() as refused, warnings.catch_warnings():
        warnings.simplefilter("ignore", RouteHandlersWarning)
        try:
            app = load(info)
        except click.ClickException as error:
            failure = error
    reports = [
        check_alone(error.root, error, url_prefix, checks)
        for error in refused
        if root in (None, os.path.realpath(error.root))
    ]
    if app:
        # Looking through a large app for garbage takes longer than checking it.
        gc.freeze()
        reports += [
            check_mount(app, mount, checks)
            for mount in mounts_of(app)
            if root in (None, os.path.realpath(mount.root))
        ]
        gc.unfreeze()
    # What fails after a tree was refused may only miss that tree.
    if failure and not refused:
        if root is None:
            hint = "To check a tree without its app, say where it is: --root app/api."
            raise LoadError(f"{failure.format_message()}\n{hint}") from failure
        return _app_failure(info, failure), [check_alone(root, None, url_prefix, checks)]
    if root and not reports:
        trees = [error.root for error in refused]
        trees += (mount.root for mount in (mounts_of(app) if app else ()))
        reports = [check_alone(root, None, url_prefix, checks)]
        return _elsewhere(root, trees), reports
    return None, reports


def _elsewhere(root: str, trees: Iterable[str]) -> Problem:
    known = ", ".join(map(_from_here, trees))
    reason = f"No tree of the app has this root: it has {known}."
    hint = "Check one of those, or give RouteHandlers this root where the app is made."
    return Problem(reason, hint, (root,), "warning")


def _app_failure(info: ScriptInfo, error: click.ClickException) -> Problem:
    place = find_app_file(info)
    if place is None and not info.create_app:
        hint = "Its own rules and converters are not known: name it with flask --app."
        return Problem("Flask finds no app here.", hint, ("app",), "warning")
    reason, hint = error.format_message(), "Name the app with flask --app."
    if isinstance(error, LoadError):
        reason, hint = error.reason, error.hint
    elif "Traceback (most recent call last):" in reason:
        # Flask puts the traceback of an ImportError into its message.
        first, *_, last = reason.splitlines()
        reason, hint = f"{first} {last}", "Run `flask routes` to see the traceback."
    return Problem(f"{reason.rstrip('.')}.", hint, (place or "app",), "error")


def describe(failure: Problem | None, reports: list[Report]) -> Iterator[str]:
    """What was found, as lines of text: for each file, or set of files, its findings."""
    every: list[tuple[tuple[str, ...], Problem]] = []
    if failure:
        every.append((tuple(map(_from_here, failure.files)), failure))
    for report in reports:
        every += ((_shown(report.root, f), f) for f in report.findings)
    for files, group in groupby(every, key=lambda one: one[0]):
        yield from (click.style(file, bold=True) for file in files)
        for _, finding in group:
            severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
            # One line each, whatever an exception says.
            yield f"  {severity}: {' '.join(f'{finding.reason} {finding.hint}'.split())}"
        yield ""
    counts = {
        severity: sum(finding.severity == severity for _, finding in every)
        for severity in _COLOURS
    }
    found = ", ".join(
        click.style(counted(count, severity), fg=_COLOURS[severity])
        for severity, count in counts.items()
        if count
    )
    routes = sum(report.routes for report in reports)
    clean = click.style("nothing is wrong", fg="green")
    yield f"{counted(routes, 'route file')}: {found or clean}"


def _shown(root: str, finding: Problem) -> tuple[str, ...]:
    """The files of a finding as they are found from the current folder."""
    return tuple(_from_here(os.path.join(root, file)) for file in finding.files)


def _from_here(path: str) -> str:
    return path.removeprefix(os.path.join(os.getcwd(), ""))
