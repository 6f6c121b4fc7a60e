"""``flask route-handlers check``: all that is wrong with the trees, without serving them."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby

import click
from flask.cli import NoAppException, ScriptInfo, pass_script_info

from ..checking import (
    CHECKS,
    STRICT_CHECKS,
    Check,
    Finding,
    Report,
    check_alone,
    check_mount,
    compare,
)
from ..distributions import read_archive
from ..errors import RouteHandlersWarning, RouteTreeError
from ..mounts import mounts_of
from .loading import LoadError, load

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
) -> tuple[Finding | None, list[Report]]:
    """What is wrong with the app, and with each tree.

    :param root: the real path of the one tree to check.
    :raises click.ClickException: when there is nothing to check.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RouteHandlersWarning)
            app = load(info)
    except click.ClickException as error:
        refused = error.__cause__ if isinstance(error.__cause__, RouteTreeError) else None
        if refused and root in (None, os.path.realpath(refused.root)):
            return None, [check_alone(refused.root, refused, url_prefix, checks)]
        if root is None:
            hint = "To check a tree without its app, say where it is: --root app/api."
            raise LoadError(f"{error.format_message()}\n{hint}") from error
        return _app_failure(info, error), [check_alone(root, None, url_prefix, checks)]
    mounts = [m for m in mounts_of(app) if root in (None, os.path.realpath(m.root))]
    if not mounts and root:
        return None, [check_alone(root, None, url_prefix, checks)]
    return None, [check_mount(app, mount, checks) for mount in mounts]


def _app_failure(info: ScriptInfo, error: click.ClickException) -> Finding:
    path = info.app_import_path
    text = error.format_message()
    first, *lines = text.splitlines()
    # Flask puts the traceback of an ImportError into its message.
    message = f"{first} {lines[-1]}" if "Traceback (most recent call last):" in text else first
    message = f"{message.rstrip('.')}."
    if isinstance(error, NoAppException) and not path and not info.create_app:
        return Finding(("app",), "warning", message, "Its own rules and converters are unknown.")
    return Finding((path or "app",), "error", message, "Run `flask routes` to see the traceback.")


def describe(failure: Finding | None, reports: list[Report]) -> Iterator[str]:
    """What was found, as lines of text: for each file, or set of files, its findings."""
    every: list[tuple[tuple[str, ...], Finding]] = [(failure.files, failure)] if failure else []
    for report in reports:
        every += ((_shown(report.root, f), f) for f in report.findings)
    for files, group in groupby(every, key=lambda one: one[0]):
        yield from (click.style(file, bold=True) for file in files)
        for _, finding in group:
            severity = click.style(finding.severity, fg=_COLOURS[finding.severity])
            yield f"  {severity}: {finding.message} {finding.cure}"
        yield ""
    counts = {
        severity: sum(finding.severity == severity for _, finding in every)
        for severity in _COLOURS
    }
    found = ", ".join(
        click.style(_count(count, severity), fg=_COLOURS[severity])
        for severity, count in counts.items()
        if count
    )
    routes = sum(report.routes for report in reports)
    clean = click.style("nothing is wrong", fg="green")
    yield f"{_count(routes, 'route file')}: {found or clean}"


def _shown(root: str, finding: Finding) -> tuple[str, ...]:
    """The files of a finding as they are found from the current folder."""
    paths = [os.path.join(root, file) for file in finding.files]
    here = os.path.join(os.getcwd(), "")
    return tuple(path.removeprefix(here) for path in paths)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
