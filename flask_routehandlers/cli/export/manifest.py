"""The list of an export: each URL with its file, its status and its headers.

A file cannot say that its URL is a redirect, or which headers it has; ``manifest.json`` does, for
scripts that configure a host::

    {"url": "/api/posts/1", "file": "api/posts/1", "status": 200,
     "headers": {"Content-Type": "application/json"}, "sha256": "51bc..."}

It also shows which files of a folder come from an export, so that no others are deleted, and what
has changed since.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from .file_names import MANIFEST

#: Distinguishes the manifest of an export from other files of this name.
_GENERATOR = "Flask-RouteHandlers"


@dataclass(frozen=True, slots=True)
class Item:
    """One URL of an export.

    :param url: its path, percent-encoded.
    :param file: its file, relative to the folder; ``None`` for a redirect, and for any other
        response with a status that a file cannot have.
    :param headers: those of the response; several of one name are joined with commas.
    :param sha256: the digest of the file in hexadecimal; ``None`` without a file.
    """

    url: str
    file: str | None
    status: int
    headers: Mapping[str, str]
    sha256: str | None


def write_manifest(folder: str, items: Iterable[Item]) -> None:
    """Write the manifest into the folder of an export."""
    content = {"generator": _GENERATOR, "urls": [asdict(item) for item in items]}
    with open(os.path.join(folder, MANIFEST), "w", encoding="utf-8", newline="\n") as file:
        json.dump(content, file, ensure_ascii=False, indent=1)
        file.write("\n")


def read_manifest(folder: str) -> list[Item] | None:
    """Return the URLs of the export in a folder; ``None`` if no export has written the folder.

    A file of this name that is not an export's, or that is damaged, is not an error: everything in
    the folder is then foreign.

    :raises OSError: if the folder cannot be read.
    """
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
            content = json.load(file)
        if content["generator"] != _GENERATOR:
            return None
        items = [Item(**item) for item in content["urls"]]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, LookupError, RecursionError):  # not a manifest
        return None
    if all(isinstance(item.url, str) and isinstance(item.file, str | None) for item in items):
        return items
    return None


def find_foreign_files(folder: str) -> list[str]:
    """Return the files in a folder that no export has written, relative to it, sorted.

    Without a manifest these are the entries of the folder itself: it may be large.
    """
    items = read_manifest(folder)
    if items is None:
        if not os.path.isdir(folder):
            return []
        return sorted(os.listdir(folder))
    paths = [path for path in Path(folder).rglob("*") if path.is_symlink() or not path.is_dir()]
    files = {path.relative_to(folder).as_posix() for path in paths}
    return sorted(files - {MANIFEST, *(item.file for item in items)})


def compare(folder: str, items: Iterable[Item]) -> Iterator[str]:
    """Yield how a folder differs from an export of these URLs, as lines.

    Each has a word and a URL or a file: ``new      /api/posts/2 (api/posts/2)``. The words are
    ``new``, ``changed`` (its file, status or headers), ``gone`` and ``foreign``.
    """
    existing = {item.url: item for item in read_manifest(folder) or ()}
    for item in items:
        line = item.url
        if item.file:
            line = f"{item.url} ({item.file})"
        before = existing.pop(item.url, None)
        if before is None:
            yield f"new      {line}"
        elif before != item or _digest(folder, item.file) != item.sha256:
            yield f"changed  {line}"
    yield from (f"gone     {url}" for url in existing)
    yield from (f"foreign  {file}" for file in find_foreign_files(folder))


def _digest(folder: str, name: str | None) -> str | None:
    """Return the SHA-256 of a file; ``""`` if it cannot be read, ``None`` without a name."""
    if name is None:
        return None
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
