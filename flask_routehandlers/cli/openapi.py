"""``flask route-handlers openapi``: print, write or compare a document."""

from __future__ import annotations

import json
import os
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from ..errors import printable, shown_path
from ..mount import Mount, Route, mounts_of
from ..openapi.differences import find_differences
from ..openapi.operations import is_document
from ..openapi.serving import dump, get_made
from .common import LoadError, load


@click.command()
@click.argument("path", required=False)
@click.option("-o", "--output", metavar="FILE", help="Write the document to FILE.")
@click.option("--check", "earlier", metavar="FILE", help="Compare the document with FILE.")
@pass_script_info
@click.pass_context
def openapi(
    context: click.Context,
    info: ScriptInfo,
    path: str | None,
    output: str | None,
    earlier: str | None,
) -> None:
    """Print the OpenAPI document that the app serves at PATH.

    An app with one document needs no PATH. The document is the same as the one that is served,
    without its servers.

    With --check, print how it differs from the document in FILE, one line for each difference:
    "breaking" for what programs that were made for FILE do not expect, or "compatible". The exit
    status is 0 if there is no difference, 1 if there is, and 2 if there is no document.
    """
    app = load(info)
    mount, route = _choose(app, path)
    document = get_made(app, mount, route).document
    if earlier:
        differences = list(find_differences(_read(earlier), json.loads(dump(document))))
        for difference in differences:
            click.echo(printable(str(difference)))
        context.exit(int(bool(differences)))
    text = dump(document)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        with open(output, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        raise LoadError(f"Nothing is written: {error.strerror}: {output}.") from error
    click.echo(f"Wrote {shown_path(os.path.abspath(output))}")


def _choose(app: Flask, path: str | None) -> tuple[Mount, Route]:
    """Return the route of a document.

    :param path: its URL path, if the user has named one.
    """
    found = {
        route.rules[-1].rule: (mount, route)
        for mount in mounts_of(app)
        for route in mount.routes
        if is_document(route)
    }
    if not found:
        raise LoadError(
            f"The app {app.name!r} has no OpenAPI document.",
            "Run `flask route-handlers new openapi.json --openapi`, which makes one.",
        )
    known = ", ".join(found)
    if path is None:
        if len(found) > 1:
            raise LoadError(f"The app has {len(found)} documents: {known}.", "Name one of them.")
        return next(iter(found.values()))
    if path not in found:
        raise LoadError(f"The app has no document at {path}.", f"It has {known}.")
    return found[path]


def _read(file: str) -> Any:
    try:
        with open(file, encoding="utf-8") as opened:
            document = json.load(opened)
    except OSError as error:
        raise LoadError(
            f"There is nothing to compare with: {error.strerror}: {file}.",
            f"Run `flask route-handlers openapi -o {file}` first.",
        ) from error
    except ValueError as error:
        raise LoadError(f"{file} is not a JSON document: {error}.") from error
    if not isinstance(document, dict) or "paths" not in document:
        raise LoadError(f"{file} is not an OpenAPI document.")
    return document
