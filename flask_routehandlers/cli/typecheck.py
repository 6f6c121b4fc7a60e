"""``flask route-handlers typecheck``: mypy on trees, whatever the names of their folders."""

from __future__ import annotations

import os

import click

from ..errors import RouteTreeError, install_hint
from .common import LoadError


@click.command(context_settings={"ignore_unknown_options": True})
@click.option(
    "--root",
    "roots",
    multiple=True,
    default=["app/api"],
    show_default=True,
    metavar="FOLDER",
    help="A root of RouteHandlers. Can be given several times.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[MYPY OPTIONS]...")
@click.pass_context
def typecheck(context: click.Context, roots: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """Check the types of the trees below FOLDER with mypy.

    Every Python file below is checked, under the name that Python imports it by. Files and options
    for mypy can follow: `flask route-handlers typecheck --strict wsgi.py`. The app is not loaded.

    The exit status is 0 if there are no errors, 1 if there are, and 2 if nothing can be checked.
    """
    folders = [os.path.abspath(root) for root in roots]
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
