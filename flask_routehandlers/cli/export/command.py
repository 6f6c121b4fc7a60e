"""``flask route-handlers export``: the static URLs of an app as files, for a static host.

Problems are collected, not raised one by one: whoever fixes an export sees all of them. With a
single problem nothing is replaced, and the folder of the export is as it was.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import PurePath

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info

from ...errors import Problem, printable, shown_path
from ...mount import mounts_of
from ..common import LoadError, counted, load, threads_option
from ..rendering import Rendered, StaticUrl, find_urls, in_threads, render
from .file_names import FileNameError, FileNames
from .manifest import Item, compare, find_foreign_files, write_manifest
from .replacing import replacing


@click.command()
@click.argument("folder", metavar="DIR")
@click.option("--check", is_flag=True, help="Write nothing. List how DIR differs.")
@click.option(
    "--without-middleware",
    is_flag=True,
    help="Export routes with middleware too. A static host runs none.",
)
@threads_option
@pass_script_info
@click.pass_context
def export(
    context: click.Context,
    info: ScriptInfo,
    folder: str,
    check: bool,
    without_middleware: bool,
    threads: int,
) -> None:
    """Write every static GET into the folder DIR, for a static host.

    DIR is replaced as a whole, or left as it is. It must be new, empty or an earlier export, and
    outside of the tree. Its manifest.json lists each URL with its file, status and headers.

    The exit status is 0 if all was exported, 1 if --check finds a difference, and 2 if something
    cannot be exported.
    """
    app = load(info)
    path = _check_folder(app, folder)
    urls = _find_exported(app, without_middleware=without_middleware)
    rendered = in_threads(render, urls, threads, "Rendering")
    if check:
        differences = _find_differences(path, urls, rendered)
        for line in differences:
            click.echo(printable(line))
        context.exit(int(bool(differences)))
    items = _export(path, urls, rendered)
    files = sum(item.file is not None for item in items)
    click.echo(f"Exported {counted(len(items), 'URL')} to {folder}, {files} of them as files.")


def _find_exported(app: Flask, *, without_middleware: bool) -> list[StaticUrl]:
    """Return every static URL of an app.

    Middleware can protect a route, and a static host runs none. So a route below middleware is
    only exported when the user has said that its responses are for everyone.

    :raises LoadError: if some cannot be exported, or are not known.
    """
    urls = find_urls(app)
    problems = list(urls.problems)
    for file in urls.unlisted:
        reason = "Nothing lists the parameters of its URLs."
        hint = "Define generate_static_params(), which returns a list of dicts."
        problems.append(Problem(reason, hint, (file,)))
    guarded = dict.fromkeys(url.file for url in urls.known if url.route.is_guarded)
    if not without_middleware:
        reason = "It has middleware, which a static host does not run."
        hint = "If its responses are for everyone, export it with --without-middleware."
        problems += [Problem(reason, hint, (file,)) for file in guarded]
    _refuse(problems)
    return urls.known


def _check_folder(app: Flask, folder: str) -> str:
    """Return the real path of the folder of an export.

    :param folder: the folder as the user has written it, which need not exist.
    :raises LoadError: if it is inside of a root, where exported files could be imported.
    """
    folder = os.path.realpath(folder)
    for mount in mounts_of(app):
        if PurePath(folder).is_relative_to(os.path.realpath(mount.root)):
            raise LoadError(
                f"{shown_path(folder)} is inside of the root {shown_path(mount.root)}, "
                "where exported files could be imported. Give a folder outside of it."
            )
    return folder


def _export(
    folder: str, urls: list[StaticUrl], rendered: Iterable[Rendered | Problem]
) -> list[Item]:
    """Replace a folder with the files of all URLs and their manifest.

    :param folder: a path from :func:`_check_folder`.
    :raises LoadError: if the folder cannot be replaced, or one of the URLs cannot be a file.
    """
    try:
        with replacing(folder) as new:
            _refuse_foreign_files(folder)
            items = list(_make_items(urls, rendered, new))
            write_manifest(new, items)
            _refuse_foreign_files(folder)  # which have appeared meanwhile
    except OSError as error:
        raise LoadError(
            f"{folder} cannot be written: {error}. It is replaced as a whole: give a folder that "
            "is not a mount point, in a folder that is writable."
        ) from error
    return items


def _find_differences(
    folder: str, urls: list[StaticUrl], rendered: Iterable[Rendered | Problem]
) -> list[str]:
    """Return how a folder differs from what :func:`_export` would write, as lines.

    :raises LoadError: if one of the URLs cannot be a file, or the folder cannot be read.
    """
    items = list(_make_items(urls, rendered))
    try:
        return list(compare(folder, items))
    except OSError as error:
        raise LoadError(f"{folder} cannot be read: {error}.") from error


def _make_items(
    urls: list[StaticUrl], rendered: Iterable[Rendered | Problem], folder: str | None = None
) -> Iterator[Item]:
    """Yield the item of each URL, and write its file if a folder is given.

    :raises LoadError: at the end, with every problem.
    """
    names = FileNames(url.path for url in urls)
    problems = []
    for result in rendered:
        if isinstance(result, Problem):
            problems.append(result)
            continue
        name, digest = None, None
        headers = _join(result.headers)
        if result.status == 200:
            try:
                name = names.take(result.url.path, headers.get("Content-Type", ""))
            except FileNameError as error:
                url, hint = result.url, "Rename its folder, or make its GET dynamic."
                if url.route.config.generate_static_params is not None:
                    hint = "Leave it out of generate_static_params, or list other parameters."
                reason = f"{url.url} cannot be a file: {error}."
                problems.append(Problem(reason, hint, (url.file,)))
                continue
            digest = hashlib.sha256(result.body).hexdigest()
            if folder:
                _write(os.path.join(folder, name), result.body)
        else:
            headers.pop("Content-Type", None)  # of a body that is not exported
        yield Item(result.url.url, name, result.status, headers, digest)
    _refuse(problems)


def _refuse(problems: list[Problem]) -> None:
    """Raise an error with all problems, each a paragraph, if there are any."""
    if problems:
        title = f"Nothing is exported: {counted(len(problems), 'problem')}."
        raise LoadError("\n\n".join([title, *map(str, problems)]))


def _join(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return headers as a dict: several of one name are joined (RFC 9110, section 5.2)."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        if name in headers:
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def _write(path: str, body: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # An existing name, however it is written, is that of another URL.
    with open(path, "xb") as file:
        file.write(body)


def _refuse_foreign_files(folder: str) -> None:
    """Raise a ``LoadError`` if a folder holds what must not be lost."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise LoadError(f"{folder} is a file. Give the path of a folder.")
    foreign = find_foreign_files(folder)
    if foreign:
        shown = foreign[0]
        if len(foreign) > 1:
            shown += f" and {len(foreign) - 1} more"
        raise LoadError(
            f"{folder} has files that are not from an export and would be lost: {shown}. "
            "Give a folder that is new, empty or an earlier export."
        )
