"""``flask route-handlers types``: a module with a typed ``url_for``.

The module has one overload for each endpoint, whose name is a ``Literal`` and whose path
parameters have the types of their converters::

    @overload
    def __call__(
        self, endpoint: Literal["api./cart/[id=int]"], *, id: int, ..., **query: object
    ) -> str: ...

It is a file in the repository, written again when routes change; ``--check`` is for CI.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from ..mount import Mount, Route, mounts_of
from ..routing.converters import LIST_OF_STR, segment_types, value_type
from ..routing.prefix import prefix_parameters
from ..tree.segments import CatchAll
from .common import load, write_file

_MODULE = '''\
"""URLs of the route files, for type checkers. Written by `flask route-handlers types`."""

# ruff: noqa
from __future__ import annotations

from typing import Literal, Protocol{overload}
{uuid}
import flask


class UrlFor(Protocol):
    """Build the URL of a route file."""
{signatures}

url_for: UrlFor = flask.url_for
'''

#: The options of Flask's own function.
_OPTIONS = (
    "_anchor: str | None = None",
    "_method: str | None = None",
    "_scheme: str | None = None",
    "_external: bool | None = None",
    "**query: object",
)

_TYPES: dict[object, str] = {
    str: "str",
    int: "int",
    float: "float",
    UUID: "UUID",
    LIST_OF_STR: "list[str] | tuple[str, ...]",
}


@click.command()
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--check", "is_checked", is_flag=True, help="Only say whether FILE is up to date.")
@pass_script_info
@click.pass_context
def types(context: click.Context, info: ScriptInfo, file: str, is_checked: bool) -> None:
    """Write a module with a typed url_for to FILE, for example app/urls.py.

    Its url_for calls Flask's. Type checkers refuse an endpoint that no tree of the app has, and
    a path parameter that is missing or of the wrong type.

    The exit status is 0, with --check 1 if FILE is not up to date, and 2 if the app cannot be
    loaded.
    """
    source = make_source(load(info))
    if not is_checked:
        write_file(file, source)
    elif not os.path.exists(file) or Path(file).read_text(encoding="utf-8") != source:
        click.echo(f"{file} is not up to date. Run `flask route-handlers types {file}`.")
        context.exit(1)


def make_source(app: Flask) -> str:
    """Return the source of a module whose ``url_for`` has an overload for each endpoint.

    Endpoints are sorted, so that it is the same on each machine.
    """
    signatures = {
        route.endpoint: _signature(app, mount, route)
        for mount in mounts_of(app)
        for route in mount.routes
    }
    decorator = overload = uuid = ""
    if len(signatures) > 1:  # one overload alone is an error to type checkers
        decorator, overload = "    @overload\n", ", overload"
    blocks = [f"\n{decorator}{signature}" for _, signature in sorted(signatures.items())]
    if any(": UUID" in block for block in blocks):
        uuid = "from uuid import UUID\n"
    return _MODULE.format(overload=overload, uuid=uuid, signatures="".join(blocks))


def _signature(app: Flask, mount: Mount, route: Route) -> str:
    """Return the overload of a route, with one argument on each line."""
    endpoint = f'endpoint: Literal["{route.endpoint}"]'
    lines = ["self", endpoint, "*", *_parameters_of(app, mount, route), *_OPTIONS]
    return "".join(
        ["    def __call__(\n", *map("        {},\n".format, lines), "    ) -> str: ...\n"]
    )


def _parameters_of(app: Flask, mount: Mount, route: Route) -> Iterator[str]:
    """Yield the path parameters of a route with their types: ``id: int``.

    Those of a prefix come first. The parameter of an optional catch-all has a default. A converter
    of the app whose type is not known takes any ``object``.
    """
    # Functions of the app can provide the parameters of a prefix.
    default = " = ..." if app.url_default_functions else ""
    for name, converter in prefix_parameters(app.url_map, mount.url_prefix).items():
        yield f"{name}: {_TYPES.get(value_type(converter), 'object')}{default}"
    for segment in route.file.segments:
        optional = ""
        if isinstance(segment, CatchAll) and segment.optional:
            optional = " = ()"
        for name, kind in segment_types(app.url_map, segment).items():
            yield f"{name}: {_TYPES.get(kind, 'object')}{optional}"
