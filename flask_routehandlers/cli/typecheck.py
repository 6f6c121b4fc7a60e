"""``flask route-handlers typecheck``: mypy on trees, whatever the names of their folders.

This module has the command, and finds the roots; the module ``mypy`` next to it runs mypy, and is
imported only when the command runs, since mypy need not be installed.
"""

from __future__ import annotations

import os

import click
from flask.cli import ScriptInfo, pass_script_info

from ..errors import RouteTreeError, install_hint
from ..mount import mounts_of
from .common import LoadError, load_trees


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--root",
    "roots",
    multiple=True,
    metavar="FOLDER",
    help="A root of RouteHandlers, by default app/api. Can be given several times.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[MYPY OPTIONS]...")
@pass_script_info
@click.pass_context
def typecheck(
    context: click.Context,
    info: ScriptInfo,
    roots: tuple[str, ...],
    arguments: tuple[str, ...],
) -> None:
    """Check the types of the trees below FOLDER with mypy.

    Every Python file below is checked, under the name that Python imports it by. Files and options
    for mypy can follow: `flask route-handlers typecheck --strict wsgi.py`. The app is not loaded,
    unless it is named to use its roots: `flask --app shop route-handlers typecheck`.

    The exit status is 0 if there are no errors, 1 if there are, and 2 if nothing can be checked.
    """
    if roots or info.app_import_path is None:
        folders = [os.path.abspath(root) for root in roots or ["app/api"]]
    else:
        folders = _find_roots(info)
    for folder in folders:
        if not os.path.isdir(folder):
            raise click.BadParameter(
                f"There is no folder {folder}. Give the root of RouteHandlers, as in --root app.",
                param_hint="--root",
            )
    try:
        from . import mypy as typechecking  # only this command needs mypy
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "mypy":
            raise
        raise LoadError(f"mypy is not installed. {install_hint('mypy')}") from error
    try:
        context.exit(typechecking.typecheck(folders, arguments))
    except RouteTreeError as error:
        raise LoadError(str(error)) from error


def _find_roots(info: ScriptInfo) -> list[str]:
    """Return the roots of the app that ``flask --app`` names, also those that it refuses."""
    app, failure, refused = load_trees(info)
    roots = [error.root for error in refused]
    if app:
        roots += [mount.root for mount in mounts_of(app)]
    if failure and not roots:
        hint = "To check a tree without its app, name its root: --root app/api."
        raise LoadError(failure.message, hint) from failure
    return roots
