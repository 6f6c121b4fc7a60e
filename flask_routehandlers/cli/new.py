"""``flask route-handlers new``: write a route file with its handlers.

Here are the options, the choice of the tree, and errors about what the user has typed.
``scaffold`` plans and writes the files, with the content that ``source`` makes. The output names
the files and shows what they have become::

    Created app/api/posts/[id=int]/route.py
    URL      /api/posts/<int:id>
    url_for  url_for("api./posts/[id=int]", id=1)
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec

import click
from flask.cli import ScriptInfo, pass_script_info

from ..errors import (
    RouteTreeError,
    install_hint,
    shown_path,
)
from ..handlers.exports import METHODS
from ..mount import mounts_of
from ..openapi.page import PACKAGE
from ..tree.discovery import ROUTE_FILE, discover
from .check.checks import prefix_of, stand_in_app
from .common import LoadError, load_trees
from .scaffold import Place, Plan, make_plan, parse_path, write
from .source import (
    PAGE,
    dependencies_source,
    document_source,
    middleware_source,
    route_source,
)

#: The folder of a page, next to that of its document.
_PAGE_FOLDERS = "docs", "[[...asset]]"


@dataclass(frozen=True, slots=True)
class Options:
    """The flags of the command, which choose the content of the files."""

    middleware: bool
    dependencies: bool
    is_async: bool
    typed: bool
    openapi: bool


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
    **flags: bool,
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
    wanted = Options(**flags)
    names = _read_methods(path, methods)
    if wanted.openapi and (methods or wanted.dependencies or wanted.is_async or wanted.typed):
        raise click.UsageError(
            "Use --openapi without METHODS, --async, --dependencies and --typed."
        )
    if wanted.typed and not (find_spec("pydantic") or find_spec("msgspec")):
        raise LoadError(
            "Typed bodies need pydantic, which is not installed.", install_hint("pydantic")
        )
    path = path.removesuffix("/").removesuffix(f"/{ROUTE_FILE}")
    if path == ROUTE_FILE:
        path = "."
    place = _find_place(info, path, name, root)
    _check_path(path, place)
    try:
        plan = make_plan(place, path, names)
        contents, note = _make_contents(place, plan, names, wanted)
        write(place, plan, contents)
    except RouteTreeError as error:
        raise LoadError(f"Nothing is written: {error}") from error
    except OSError as error:
        reason = f"{error.strerror}: {shown_path(str(error.filename))}"
        raise LoadError(f"Nothing is written: {reason}.") from error
    for line in _describe(place, plan, contents):
        click.echo(line)
    if note:
        click.echo(note)


def _make_contents(
    place: Place, plan: Plan, methods: Sequence[str], wanted: Options
) -> tuple[dict[str, str], str]:
    """Return the content of each file by its absolute path, and why there is no page.

    Files of middleware and dependencies come before their route file: a reloader that sees the
    route sees its guards too. With ``--openapi`` an optional catch-all is a page, and any other
    route is a document, which comes with its page.
    """
    folder = os.path.dirname(plan.source.path)
    arguments, contents, note = plan.types, {}, ""
    if wanted.middleware:
        source = middleware_source(is_async=wanted.is_async)
        contents[os.path.join(folder, "middleware.py")] = source
    if wanted.dependencies:
        name = "loaded" if "item" in plan.types else "item"
        source = dependencies_source(name, plan.types, is_async=wanted.is_async)
        contents[os.path.join(folder, "dependencies.py")] = source
        arguments = {name: dict}
    if not wanted.openapi:
        contents[plan.source.path] = route_source(
            plan.rules[-1].rule,
            methods,
            arguments,
            is_async=wanted.is_async,
            is_typed=wanted.typed,
        )
    elif len(plan.rules) > 1:
        contents[plan.source.path] = PAGE
    else:
        title = place.name if place.is_guessed else place.app.name
        contents[plan.source.path] = document_source(title)
        page = "/".join([*plan.source.folders[:-1], *_PAGE_FOLDERS])
        note = _refuse_page(place, page)
        if not note:
            contents[os.path.join(place.root, page, ROUTE_FILE)] = PAGE
    return contents, note


def _refuse_page(place: Place, page: str) -> str:
    """Return why the page of a document is not written, if it is not."""
    if os.path.exists(os.path.join(place.root, os.path.dirname(page))):
        return f"{_PAGE_FOLDERS[0]}/ exists, so no page is written."
    if find_spec(PACKAGE) is None:
        command = f"flask route-handlers new '{page}' --openapi"
        return f"A page needs Swagger UI. {install_hint('openapi')} Then run `{command}`."
    return ""


def _describe(place: Place, plan: Plan, contents: Iterable[str]) -> Iterator[str]:
    """Yield the files, the URL and how to build it, as lines."""
    for file in contents:
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


def _check_path(path: str, place: Place) -> None:
    """Refuse a path that does not lead down from the root, names a file, or repeats a prefix."""
    hint = ""
    prefix = place.url_prefix.strip("/")
    above = [shown_path(place.root).replace(os.sep, "/")]
    if prefix and not os.path.isdir(os.path.join(place.root, prefix)):
        above.append(prefix)
    for folder in above:
        below = path.removeprefix(f"{folder}/")
        if below != path:
            hint = f"Leave out {folder}: {shlex.quote(below)}"
    if path.endswith(".py"):
        hint = f"Write the folder of the {ROUTE_FILE}: {shlex.quote(path.removesuffix('.py'))}"
    if path != "." and {"", ".", ".."}.intersection(path.split("/")):
        hint = f"Write the folders from the root down, for example users/[id], not {path!r}."
    if hint:
        raise click.BadParameter(hint, param_hint="PATH")


def _find_place(info: ScriptInfo, path: str, name: str | None, root: str | None) -> Place:
    """Return the tree that is meant: by its name, by its root, or the only one.

    If the app cannot be loaded, a root is enough: that of the option, or that of the tree which
    the app has refused, so that a file can be added to a tree with problems.
    """
    folder = root and os.path.abspath(root)
    app, failure, refused = load_trees(info)
    if app is None or refused:
        if folder is None and refused:
            folder = refused[0].root
        if folder is None:
            hint = "To write to a tree without its app, name its root: --root app/api."
            raise LoadError(str(failure), hint) from failure
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
