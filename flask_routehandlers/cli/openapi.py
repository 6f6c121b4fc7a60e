"""``flask route-handlers openapi``: print, write or compare a document.

The document is made from the app, not requested from it: nothing runs, and middleware that
protects it does not matter. It has no ``servers``, which depend on a request, so that the file in
a repository is the same on each machine.
"""

from __future__ import annotations

import json
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from ..errors import printable
from ..mount import Mount, Route, mounts_of
from ..openapi.checking import find_repeated_ids
from ..openapi.differences import find_differences
from ..openapi.document import Document, make_document
from ..openapi.operations import is_document
from ..openapi.serving import dump, get_document
from .common import LoadError, load, write_file

_HINT = "Run `flask route-handlers new openapi.json --openapi`, which writes one."


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

    An app with one document needs no PATH. For an app without one, the document of its tree is
    printed. It is the same as the one that is served; its server is APPLICATION_ROOT.

    With --check, print how it differs from the document in FILE, one line for each difference:
    "breaking" for what programs that were made for FILE do not expect, or "compatible". The exit
    status is 0 if there is no difference, 1 if there is, and 2 if there is nothing to compare.
    """
    if output and earlier:
        raise click.UsageError("Use --check or --output, not both.")
    app = load(info)
    servers = [{"url": app.config["APPLICATION_ROOT"]}]
    document = {"servers": servers, **_find_document(app, path)}
    if earlier:
        differences = list(find_differences(_read(earlier), json.loads(dump(document))))
        for difference in differences:
            click.echo(printable(str(difference)))
        context.exit(int(bool(differences)))
    if output:
        write_file(output, dump(document))
    else:
        click.echo(dump(document), nl=False)


def _find_document(app: Flask, path: str | None) -> Document:
    """Return the document at a path, or the only one of an app, or of its only tree."""
    documents: dict[str, tuple[Mount, Route]] = {
        route.rules[-1].rule: (mount, route)
        for mount in mounts_of(app)
        for route in mount.routes
        if is_document(route)
    }
    known = ", ".join(documents)
    if path is not None and path not in documents:
        hint = f"It has {known}." if known else _HINT
        raise LoadError(f"The app has no document at {path}.", hint)
    if path is None and len(documents) > 1:
        raise LoadError(f"The app has {len(documents)} documents: {known}.", "Name one of them.")
    if documents:
        return get_document(app, *documents[path or known]).document
    mounts = list(mounts_of(app))
    if len(mounts) > 1:
        raise LoadError(f"The app has {len(mounts)} trees, and no document.", _HINT)
    # Only a document that is served was checked for this when the app started.
    for problem in find_repeated_ids(mounts[0], ()):
        raise LoadError(problem.reason, problem.hint)
    return make_document(app, mounts[0], (), "")


def _read(file: str) -> Any:
    """Return the earlier document, from a JSON file."""
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
