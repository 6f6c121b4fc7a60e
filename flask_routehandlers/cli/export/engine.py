"""Write every static URL of an app into a folder, for a static host."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from flask import Flask

from ...errors import Problem, RouteHandlersError
from ..rendering import Rendered, StaticUrl, find_urls
from .file_names import FileNameError, FileNames
from .manifest import Item, compare, find_foreign_files, write_manifest
from .replacing import InUseError, replacing


class ExportError(RouteHandlersError):
    """An app cannot be exported. The folder of the export is as it was."""


def find_exported(app: Flask, *, without_middleware: bool) -> list[StaticUrl]:
    """Every static URL of an app.

    :param without_middleware: whether routes behind middleware are exported too.
    :raises ExportError: when some cannot be, or are not known.
    """
    urls = find_urls(app)
    problems = [
        *urls.problems,
        *(
            Problem(
                "Nothing lists the parameters of its URLs.",
                "Define generate_static_params(), which returns a list of dicts.",
                (route.file,),
            )
            for route in urls.unlisted
        ),
    ]
    if not without_middleware:
        problems += [
            Problem(
                "It is behind middleware, which a static host does not run.",
                "If everyone may see what GET answers, export it with --without-middleware.",
                (file,),
            )
            for file in {url.route.file: None for url in urls.known if url.route.is_guarded}
        ]
    if problems:
        raise _refusal(problems)
    return urls.known


def export(
    folder: str, urls: list[StaticUrl], rendered: Iterable[Rendered | Problem]
) -> list[Item]:
    """Replace a folder by the files of all URLs and their manifest.

    :param folder: a path. The folder is empty, an earlier export, or does not exist.
    :param urls: all URLs of the export.
    :param rendered: the same, rendered.
    :returns: what the manifest lists.
    :raises ExportError: when the folder cannot be replaced, or one of the URLs cannot be a file.
    """
    folder = os.path.realpath(folder)
    with _explaining(folder), replacing(folder, lambda: _refuse_foreign_files(folder)) as new:
        items = list(_make_items(urls, rendered, new))
        write_manifest(new, items)
    return items


def find_differences(
    folder: str, urls: list[StaticUrl], rendered: Iterable[Rendered | Problem]
) -> list[str]:
    """How a folder differs from what :func:`export` would write: a line for each difference.

    :raises ExportError: when one of the URLs cannot be a file, or the folder cannot be read.
    """
    folder = os.path.realpath(folder)
    items = list(_make_items(urls, rendered))
    try:
        return list(compare(folder, items))
    except OSError as error:
        raise ExportError(f"{folder} cannot be read: {error}.") from error


def _make_items(
    urls: list[StaticUrl], rendered: Iterable[Rendered | Problem], folder: str | None = None
) -> Iterator[Item]:
    """What the manifest says of each URL. The files are written if a folder is given.

    :raises ExportError: at the end, with every problem.
    """
    names = FileNames(url.path for url in urls)
    problems = []
    for one in rendered:
        if isinstance(one, Problem):
            problems.append(one)
            continue
        name, digest = None, None
        headers = _joined(one.headers)
        if one.status == 200:
            try:
                name = names.take(one.url.path, headers.get("Content-Type", ""))
            except FileNameError as error:
                problems.append(_no_file(one.url, error))
                continue
            digest = hashlib.sha256(one.body).hexdigest()
            if folder:
                _write(os.path.join(folder, *name.split("/")), one.body)
        else:
            headers.pop("Content-Type", None)  # of a body that is not there
        yield Item(one.url.url, name, one.status, headers, digest)
    if problems:
        raise _refusal(problems)


def _no_file(url: StaticUrl, error: FileNameError) -> Problem:
    hint = "Leave it out of generate_static_params, or list other parameters."
    if url.route.config.generate_static_params is None:
        hint = "Rename its folder, or let its GET be dynamic."
    return Problem(f"{url.url} cannot be a file: {error}.", hint, (url.route.file,))


def _refusal(problems: Iterable[Problem]) -> ExportError:
    texts = list(map(str, problems))
    count = f"{len(texts)} problem{'s' if len(texts) > 1 else ''}"
    return ExportError("\n\n".join([f"Nothing is exported, for {count}:", *texts]))


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in pairs:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _write(path: str, body: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # A name that is there already, however it is spelled, is one that another URL has taken.
    with open(path, "xb") as file:
        file.write(body)


def _refuse_foreign_files(folder: str) -> None:
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise ExportError(f"{folder} is a file. Give the path of a folder.")
    foreign = find_foreign_files(folder)
    if foreign:
        others = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise ExportError(
            f"{folder} has files that no export has written, and they would be lost: "
            f"{foreign[0]}{others}. Give a folder that is new, empty or an earlier export."
        )


@contextmanager
def _explaining(folder: str) -> Iterator[None]:
    try:
        yield
    except InUseError as error:
        raise ExportError(
            f"Another process exports to {folder} now. Wait until it has finished."
        ) from error
    except OSError as error:
        raise ExportError(
            f"{folder} cannot be written: {error}. It is replaced as a whole: give a folder whose "
            "parent folder may be written to, and no mount point but a folder in it."
        ) from error
