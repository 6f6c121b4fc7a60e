"""The list of an export: each URL with its file, and what a file cannot tell."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from .file_names import MANIFEST

#: Tells the manifest of an export from any other file of this name.
_GENERATOR = "Flask-RouteHandlers"


@dataclass(frozen=True, slots=True)
class Item:
    """One URL of an export.

    :param url: its path, percent-encoded.
    :param file: its file, relative to the folder; ``None`` for a redirect, and for any other
        answer whose status a file cannot tell.
    :param status: the status of the answer.
    :param headers: its headers; several of one name are joined with commas.
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
    """The URLs of the export in a folder; ``None`` if no export has written the folder."""
    try:
        with open(os.path.join(folder, MANIFEST), encoding="utf-8") as file:
            content = json.load(file)
        if content["generator"] != _GENERATOR:
            return None
        items = [Item(**item) for item in content["urls"]]
    except (
        FileNotFoundError,
        NotADirectoryError,
        ValueError,
        TypeError,
        LookupError,
        RecursionError,
    ):
        return None
    is_sound = all(isinstance(i.url, str) and isinstance(i.file, str | None) for i in items)
    return items if is_sound else None


def find_foreign_files(folder: str) -> list[str]:
    """The files in a folder that no export has written, relative to it, sorted.

    Without a manifest it is whatever lies in the folder itself: it may be large.
    """
    items = read_manifest(folder)
    if items is None:
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return sorted(set(_files(folder)) - {MANIFEST, *(item.file for item in items)})


def compare(folder: str, items: Iterable[Item]) -> Iterator[str]:
    """How a folder differs from an export of these URLs: a line for each difference."""
    there = {item.url: item for item in read_manifest(folder) or ()}
    for item in items:
        what = f"{item.url} ({item.file})" if item.file else item.url
        before = there.pop(item.url, None)
        if before is None:
            yield f"new      {what}"
        elif before != item or _digest(folder, item.file) != item.sha256:
            yield f"changed  {what}"
    yield from (f"gone     {url}" for url in there)
    yield from (f"foreign  {file}" for file in find_foreign_files(folder))


def _digest(folder: str, name: str | None) -> str | None:
    if name is None:
        return None
    try:
        with open(os.path.join(folder, name), "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _files(folder: str, above: str = "") -> Iterator[str]:
    """All that is in a folder but folders, relative to it; links are not followed."""
    with os.scandir(os.path.join(folder, above)) as entries:
        for entry in entries:
            name = f"{above}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _files(folder, f"{name}/")
            else:
                yield name
