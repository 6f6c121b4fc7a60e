"""``flask route-handlers list``: every handler, and what runs before it.

A table of this kind is how authorization is reviewed: ``--unsafe --without user`` lists the
handlers that may change something and have no such guard. So ``--without`` counts only the
outermost definition of a name: a deeper folder may define ``user`` again, without a check.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from ..errors import printable, shown_path
from ..handlers.endpoint import Endpoint
from ..mount import Mount, Route, mounts_of
from .common import LoadError, load
from .explain import describe_lifetime
from .steps import Step, find_dependencies, find_steps

#: Methods that change nothing on the server (RFC 9110, and QUERY).
_SAFE = {"GET", "HEAD", "OPTIONS", "QUERY"}

_COLUMNS = ("Method", "URL", "File", "Middleware", "Dependencies", "Static")


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler of an app, with what runs before it.

    :param urls: its rules: two below an optional catch-all, else one.
    :param steps: what runs, the handler itself at the end.
    :param static: how long a stored response is fresh, in words; ``None`` if the handler runs
        for each request.
    :param guards: the names of dependencies whose outermost definition runs.
    """

    method: str
    urls: list[str]
    root: str
    steps: list[Step]
    static: str | None
    guards: list[str]


def _split(context: click.Context, option: click.Parameter, value: str | None) -> list[str]:
    """Return the names in an option, which may be separated by commas or spaces."""
    return re.findall(r"[^\s,]+", value or "")


@click.command("list")
@click.option("--unsafe", is_flag=True, help="Only methods that may change something.")
@click.option("--with", "wanted", metavar="NAMES", callback=_split, help="Only what uses one.")
@click.option("--without", metavar="NAMES", callback=_split, help="Only what uses none of them.")
@click.option("--except", "excepted", metavar="'METHOD URL'", multiple=True, help="Leave it out.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_script_info
@click.pass_context
def list_handlers(
    context: click.Context,
    info: ScriptInfo,
    unsafe: bool,
    wanted: list[str],
    without: list[str],
    excepted: tuple[str, ...],
    as_json: bool,
) -> None:
    """List every handler with its URL and file, its middleware and its dependencies.

    A guard that is missing somewhere fails this command, in CI for example:

    \b
      flask route-handlers list --unsafe --without user --except 'POST /api/login'

    NAMES are those of dependencies, separated by commas. A handler uses one if it runs for the
    handler or its middleware. For --without, it has to be the outermost one of its name.

    The exit status is 0, or 1 if --without lists a handler, and 2 if the app cannot be loaded or
    a name or an exception is unknown.
    """
    app = load(info)
    _check_names(app, [*wanted, *without])
    handlers = list(find_handlers(app))
    left_out = list(_find_excepted(handlers, excepted))
    handlers = [
        handler
        for handler in handlers
        if handler not in left_out
        and not (unsafe and handler.method in _SAFE)
        and not (wanted and set(wanted).isdisjoint(_find_names(handler)))
        and set(without).isdisjoint(handler.guards)
    ]
    if as_json:
        shown = [asdict(handler) for handler in handlers]
        for values in shown:
            del values["guards"]
        click.echo(json.dumps(shown, indent=2))
    else:
        for line in (*describe(handlers), *_describe_askers(handlers, wanted)):
            click.echo(printable(line))
    context.exit(int(bool(without and handlers)))


def find_handlers(app: Flask) -> Iterator[Handler]:
    """Yield the handlers of an app, in the order of its trees."""
    for mount in mounts_of(app):
        for route in mount.routes:
            if not isinstance(route.view, Endpoint):
                raise LoadError(
                    f"{shown_path(route.file.path)} or its middleware cannot be used.",
                    "Run `flask route-handlers check` for the reason.",
                )
            for method in route.handlers:
                static = None
                if route.static is not None and method == "GET":
                    static = describe_lifetime(route.static)
                yield Handler(
                    method,
                    [rule.rule for rule in route.rules],
                    mount.root,
                    list(find_steps(mount, route, method)),
                    static,
                    list(_find_guards(mount, route, method)),
                )


def _find_guards(mount: Mount, route: Route, method: str) -> Iterator[str]:
    """Yield the names of dependencies whose outermost definition runs for a handler."""
    running = {dependency.identity for dependency in find_dependencies(route, method)}
    for name, definition in mount.scopes.outermost(route.file.folders).items():
        if mount.scopes.planned[definition].identity in running:
            yield name


def describe(handlers: Sequence[Handler]) -> Iterator[str]:
    """Yield handlers as the lines of a table, without the columns that are empty."""
    if not handlers:
        yield "No handlers."
        return
    rows = [_describe_handler(handler) for handler in handlers]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    shown = [n for n, width in enumerate(widths) if width]
    widths = [max(width, len(name)) for width, name in zip(widths, _COLUMNS, strict=True)]
    for row in (_COLUMNS, ["-" * width for width in widths], *rows):
        yield "  ".join(row[n].ljust(widths[n]) for n in shown).rstrip()


def _describe_askers(handlers: Iterable[Handler], names: Sequence[str]) -> Iterator[str]:
    """Yield every function that asks for one of some dependencies itself, as a line.

    An editor does not know the link between an argument and its dependency.
    """
    lines: dict[str, None] = {}
    for handler in handlers:
        for step in handler.steps:
            for name in step.asks:
                if name in names:
                    line = f"{step.place(handler.root)}: {step.name} asks for {name}"
                    lines[line] = None
    if lines:
        yield ""
    yield from lines


def _describe_handler(handler: Handler) -> list[str]:
    """Return a handler as a row of the table, with a string for each of the columns.

    Middleware has the name of its function: ``limit`` for ``middleware[1] (limit)``.
    """
    middleware = [
        step.name.partition("(")[2].rstrip(")") or step.name
        for step in handler.steps
        if step.kind == "middleware"
    ]
    return [
        handler.method,
        ", ".join(handler.urls),
        handler.steps[-1].place(handler.root),
        ", ".join(middleware),
        ", ".join(_find_names(handler)),
        handler.static or "",
    ]


def _find_names(handler: Handler) -> list[str]:
    """Return the names of the dependencies that run for a handler, each once."""
    names = (step.name for step in handler.steps if step.kind == "dependency")
    return list(dict.fromkeys(names))


def _find_excepted(handlers: Sequence[Handler], excepted: Iterable[str]) -> Iterator[Handler]:
    """Yield the handlers that are named as ``POST /api/users``."""
    for name in excepted:
        method, _, url = " ".join(name.split()).partition(" ")
        found = [each for each in handlers if each.method == method.upper() and url in each.urls]
        if not found:
            raise click.UsageError(
                f"--except {name!r} names no handler. Write a method and a URL as the list "
                "shows them."
            )
        yield from found


def _check_names(app: Flask, names: Iterable[str]) -> None:
    """Refuse names that no ``dependencies.py`` defines."""
    known = {definition.name for mount in mounts_of(app) for definition in mount.scopes.planned}
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            guess = f" Did you mean {close[0]}?" if close else ""
            raise click.UsageError(f"No dependencies.py defines {name!r}.{guess}")
