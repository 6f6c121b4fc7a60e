"""``flask route-handlers new``: write a route file with its handlers.

Here are the options, the choice of the tree, and errors about what the user has typed.
``scaffold`` plans and writes the files, with the content that ``typed_source`` or
``openapi_source`` makes in place of its own. The output names the files and shows what they have
become::

    Created app/api/posts/[id=int]/route.py
    URL      /api/posts/<int:id>
    url_for  url_for("api./posts/[id=int]", id=1)
"""

from __future__ import annotations

import os
import re
import shlex
import warnings
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib.util import find_spec

import click
from flask.cli import ScriptInfo, pass_script_info

from ..errors import (
    RouteHandlersWarning,
    RouteTreeError,
    install_hint,
    printable,
    shown_path,
)
from ..handlers.exports import METHODS
from ..mount import mounts_of
from ..tree.discovery import ROUTE_FILE, discover
from .check.checks import prefix_of, stand_in_app
from .common import LoadError, load
from .openapi_source import make_openapi_plan
from .scaffold import Place, Plan, make_plan, parse_path, write
from .typed_source import typed_source


@click.command()
@click.argument("path")
@click.argument("methods", nargs=-1)
@click.option("--middleware", is_flag=True, help="Write a middleware.py too.")
@click.option("--dependencies", is_flag=True, help="Write a dependencies.py too.")
@click.option("--async", "is_async", is_flag=True, help="Write async functions.")
@click.option("--typed", is_flag=True, help="Declare typed inputs and outputs.")
@click.option("--openapi", is_flag=True, help="Write an OpenAPI document and its page.")
@click.option("--name", help="The tree, by its blueprint's name.")
@click.option("--root", metavar="DIR", help="The tree, by its folder.")
@pass_script_info
def new(
    info: ScriptInfo,
    /,
    path: str,
    methods: tuple[str, ...],
    name: str | None,
    root: str | None,
    **options: bool,
) -> None:
    """Write a route file for the folder PATH with handlers for METHODS.

    Quote a PATH with brackets: to a shell they are a pattern.

    \b
      flask route-handlers new 'posts/[id=int]' GET PATCH

    With --openapi, the route file serves an OpenAPI document, and a page that shows it is
    written next to it:

    \b
      flask route-handlers new openapi.json --openapi

    Nothing is overwritten, and nothing is written outside of the tree. The exit status is 0 if
    the file is written and 2 if not.
    """
    names = _read_methods(path, methods)
    _check_options(methods, **options)
    path = path.removesuffix("/").removesuffix(f"/{ROUTE_FILE}")
    if path == ROUTE_FILE:
        path = "."
    _check_path(path)
    place = _find_place(info, path, name, root)
    _check_beginning(path, place)
    try:
        plan, note = _make_plan(place, path, names, **options)
        write(place, plan)
    except RouteTreeError as error:
        raise LoadError(printable(f"Nothing is written: {error}")) from error
    except OSError as error:
        reason = f"{error.strerror}: {shown_path(str(error.filename))}"
        raise LoadError(f"Nothing is written: {reason}.") from error
    for line in [*_describe(place, plan), *filter(None, [note])]:
        click.echo(line)


def _check_options(
    methods: Sequence[str],
    *,
    middleware: bool,
    dependencies: bool,
    is_async: bool,
    typed: bool,
    openapi: bool,
) -> None:
    """Refuse options that have no effect, or no library.

    :raises click.UsageError: for options that contradict each other.
    :raises LoadError: for ``--typed`` without a validating library.
    """
    if openapi and (methods or dependencies or is_async or typed):
        raise click.UsageError(
            "Use --openapi without METHODS, --async, --dependencies and --typed."
        )
    if typed and not (find_spec("pydantic") or find_spec("msgspec")):
        raise LoadError(
            "Typed bodies need pydantic, which is not installed.", install_hint("pydantic")
        )


def _make_plan(
    place: Place,
    path: str,
    names: Sequence[str],
    *,
    middleware: bool,
    dependencies: bool,
    is_async: bool,
    typed: bool,
    openapi: bool,
) -> tuple[Plan, str]:
    """Return the plan, and what to say about it in addition.

    :param names: the methods.
    :raises RouteTreeError: with the problems of the path.
    """
    if openapi:
        return make_openapi_plan(place, path, middleware=middleware)
    make_source = typed_source if typed else None
    plan = make_plan(
        place,
        path,
        names,
        middleware=middleware,
        dependencies=dependencies,
        is_async=is_async,
        make_source=make_source,
    )
    return plan, ""


def _describe(place: Place, plan: Plan) -> Iterator[str]:
    """Yield the files, the URL and how to build it, as lines."""
    for file in plan.contents:
        yield f"Created {shown_path(file)}"
    yield f"URL      {' and '.join(rule.rule for rule in plan.rules)}"
    yield f"url_for  {plan.url_for}"
    if place.is_guessed:
        yield (
            "The app could not be loaded, so its url_prefix and rules are not known. "
            "Run `flask route-handlers check` for more."
        )


def _read_methods(path: str, methods: Sequence[str]) -> list[str]:
    """Return the methods in upper case, each once; GET if there is none.

    They can be separated by commas too: ``get,post``.

    :param path: the other argument, which may be a method if the two were exchanged.
    :raises click.BadParameter: for a word that is not a method.
    """
    names = list(dict.fromkeys(re.findall(r"[^\s,]+", " ".join(methods).upper())))
    for name in names:
        if name in METHODS:
            continue
        if path in METHODS:
            first = f"{name.lower()} {path}"
            raise click.BadParameter(f"The path comes first: {first}", param_hint="PATH")
        close = get_close_matches(name, METHODS, n=1)
        guess = f"Write {', '.join(METHODS)}."
        if close:
            guess = f"Did you mean {close[0]}?"
        raise click.BadParameter(
            f"{name} is not a method that a route file handles. {guess}", param_hint="METHODS"
        )
    return names or ["GET"]


def _check_path(path: str) -> None:
    """Refuse a path that does not lead down from the root, or that names a file."""
    if path != "." and {"", ".", ".."}.intersection(path.split("/")):
        raise click.BadParameter(
            f"Write the folders from the root down, for example users/[id], not {path!r}.",
            param_hint="PATH",
        )
    if path.endswith(".py"):
        raise click.BadParameter(
            f"Write the folder of the {ROUTE_FILE}: {shlex.quote(path.removesuffix('.py'))}",
            param_hint="PATH",
        )


def _check_beginning(path: str, place: Place) -> None:
    """Refuse a path that begins with the root or with its prefix."""
    prefix = place.url_prefix.strip("/")
    above = [shown_path(place.root).replace(os.sep, "/")]
    if prefix and not os.path.isdir(os.path.join(place.root, prefix)):
        above.append(prefix)
    for folder in above:
        below = path.removeprefix(f"{folder}/")
        if below != path:
            raise click.BadParameter(
                f"Leave out {folder}: {shlex.quote(below)}", param_hint="PATH"
            )


def _find_place(info: ScriptInfo, path: str, name: str | None, root: str | None) -> Place:
    """Return the tree that is meant: by its name, by its root, or the only one.

    If the app cannot be loaded, a root is enough: that of the option, or that of the tree which
    the app has refused, so that a file can be added to a tree with problems.

    :raises click.ClickException: if there is none, or more than one.
    """
    folder = root and os.path.abspath(root)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RouteHandlersWarning)
            app = load(info)
    except click.ClickException as error:
        if folder is None and isinstance(error.__cause__, RouteTreeError):
            folder = error.__cause__.root
        if folder is None:
            hint = "To write to a tree without its app, name its root: --root app/api."
            raise LoadError(error.format_message(), hint) from error
        return _guess_place(folder, path, name)
    mounts = [
        mount
        for mount in mounts_of(app)
        if name in (None, mount.name)
        and (folder is None or os.path.realpath(mount.root) == os.path.realpath(folder))
    ]
    if len(mounts) != 1:
        names = ", ".join(f"{m.name} ({shown_path(m.root)})" for m in mounts_of(app))
        raise LoadError(f"Choose a tree with --name or --root. The app has {names}.")
    (mount,) = mounts
    return Place(app, mount.name, mount.root, mount.url_prefix)


def _guess_place(root: str, path: str, name: str | None) -> Place:
    """Return the tree of a root whose app cannot be loaded."""
    segments = [segment for route in discover(root).routes for segment in route.segments]
    app = stand_in_app(root, [*segments, *parse_path(path)[0]])
    name = name or os.path.basename(root).replace(".", "_")
    return Place(app, name, root, prefix_of(app, root), is_guessed=True)
