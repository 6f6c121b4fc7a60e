"""``flask route-handlers new``: write a route file with its handlers."""

from __future__ import annotations

import os
import shlex
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from ..errors import RouteHandlersWarning, RouteTreeError
from ..handlers.exports import METHODS
from ..mount import mounts_of
from ..tree.discovery import discover
from .check.checks import prefix_of, stand_in_app
from .common import LoadError, load
from .scaffold import Plan, plan, read_path, write


@dataclass(frozen=True, slots=True)
class _Place:
    """A tree that a file can be written to."""

    app: Flask
    name: str
    root: str
    url_prefix: str
    is_guessed: bool = False


@click.command()
@click.argument("path")
@click.argument("methods", nargs=-1)
@click.option("--middleware", is_flag=True, help="Write a middleware.py too.")
@click.option("--async", "is_async", is_flag=True, help="Write async functions.")
@click.option("--name", help="The tree, by its blueprint's name.")
@click.option("--root", metavar="DIR", help="The tree, by its folder.")
@pass_script_info
def new(
    info: ScriptInfo,
    path: str,
    methods: tuple[str, ...],
    middleware: bool,
    is_async: bool,
    name: str | None,
    root: str | None,
) -> None:
    """Write a route file for the folder PATH with handlers for METHODS.

    Quote a PATH with brackets: a shell takes them for a pattern.

    \b
      flask route-handlers new 'posts/[id=int]' GET PATCH

    Nothing is overwritten, and nothing is written outside the tree. The exit status is 0 if the
    file is written and 2 if not.
    """
    _check_methods(path, methods)
    place = _find_place(info, path, name, root)
    _check_path(path, place)
    wanted = tuple(dict.fromkeys(methods)) or ("GET",)
    try:
        made = plan(
            place.app,
            place.root,
            place.url_prefix,
            place.name,
            path,
            wanted,
            middleware=middleware,
            is_async=is_async,
        )
        write(made.files)
    except (RouteTreeError, OSError) as error:
        raise LoadError(f"Nothing is written: {error}") from error
    for line in _describe(made):
        click.echo(line)
    if place.is_guessed:
        click.echo(
            "The app could not be loaded, so its own url_prefix and rules are not known. "
            "`flask route-handlers check` tells more."
        )


def _describe(made: Plan) -> list[str]:
    lines = [f"Created {os.path.relpath(file)}" for file, _ in made.files]
    return [*lines, f"URL      {' and '.join(made.rules)}", f"url_for  {made.url_for}"]


def _check_methods(path: str, methods: Sequence[str]) -> None:
    for method in methods:
        if method in METHODS:
            continue
        if "," in method:
            several = " ".join(part.strip().upper() for part in method.split(","))
            raise click.BadParameter(f"Write spaces between: {several}", param_hint="METHODS")
        if path in METHODS:
            raise click.BadParameter(f"It comes first: {method} {path}", param_hint="PATH")
        if "/" in method or os.path.lexists(method):
            raise click.UsageError(_quoting([path, *(m for m in methods if m not in METHODS)]))
        close = get_close_matches(method.upper(), METHODS, n=1, cutoff=0.6)
        guess = f"Did you mean {close[0]}?" if close else f"Write {', '.join(METHODS)}."
        raise click.BadParameter(
            f"{method} is not a method that a route file handles. {guess}", param_hint="METHODS"
        )


def _check_path(path: str, place: _Place) -> None:
    """Refuse a path that a shell has made of a pattern, or that begins above the root."""
    parts = path.split("/")
    matched = "[" not in path and any(len(part) == 1 for part in parts if part != ".")
    if matched and os.path.lexists(path) and not os.path.lexists(os.path.join(place.root, path)):
        raise click.UsageError(
            f"{_quoting([path])} If {path} is what you mean, create that folder in the tree first."
        )
    prefix = place.url_prefix
    known = [os.path.relpath(place.root).replace(os.sep, "/"), place.root, prefix]
    # Without the slash it can be a folder of the tree too.
    if not os.path.isdir(os.path.join(place.root, prefix.strip("/"))):
        known.append(prefix.strip("/"))
    for above in known:
        below = path.removeprefix(f"{above}/")
        if above not in ("", ".") and below != path:
            raise click.BadParameter(f"Leave out {above}: {shlex.quote(below)}", param_hint="PATH")


def _quoting(arguments: Sequence[str]) -> str:
    return (
        "The shell has put files in place of a pattern, it seems: "
        f"{', '.join(arguments)}. Quote the path: 'posts/[id]'."
    )


def _find_place(info: ScriptInfo, path: str, name: str | None, root: str | None) -> _Place:
    """The tree that is meant.

    :raises click.ClickException: when there is none, or more than one.
    """
    folder = os.path.abspath(root) if root else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RouteHandlersWarning)
            app = load(info)
    except click.ClickException as error:
        refused = error.__cause__ if isinstance(error.__cause__, RouteTreeError) else None
        if folder is None and refused:
            folder = refused.root
        if folder is None:
            hint = "To write to a tree without its app, say where it is: --root app/api."
            raise LoadError(f"{error.format_message()}\n{hint}") from error
        routes = discover(folder).routes
        segments = [*read_path(path)[0], *(s for route in routes for s in route.segments)]
        app = stand_in_app(folder, segments)
        own = name or os.path.basename(folder).replace(".", "_")
        return _Place(app, own, folder, prefix_of(app, folder), is_guessed=True)
    mounts = [
        mount
        for mount in mounts_of(app)
        if name in (None, mount.name)
        and (folder is None or os.path.realpath(mount.root) == os.path.realpath(folder))
    ]
    if len(mounts) != 1:
        names = ", ".join(f"{m.name} ({os.path.relpath(m.root)})" for m in mounts_of(app))
        raise LoadError(f"Say which tree is meant, with --name or --root. The app has {names}.")
    (mount,) = mounts
    return _Place(app, mount.name, mount.root, mount.url_prefix)
