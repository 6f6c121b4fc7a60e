"""Compare a tree with the contents of a distribution, built or installed."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import PurePath, PurePosixPath

from ...errors import Problem
from ...tree.model import Tree


@dataclass(frozen=True, slots=True)
class Contents:
    """The files of a distribution.

    :param label: its name in messages, ``the installed shop 1.0``.
    """

    label: str
    files: frozenset[str]

    def folder_of(self, root: str) -> str | None:
        """Return its folder that shares most of the last parts with a root.

        A wheel has ``shop/app/api`` for ``/srv/src/shop/app/api``, a source distribution
        ``shop-1.0/src/shop/app/api``.
        """
        folders = {str(folder) for file in self.files for folder in PurePosixPath(file).parents}
        parts = PurePath(root).parts
        for n in range(len(parts)):
            end = "/" + "/".join(parts[n:])
            matching = [folder for folder in folders if f"/{folder}".endswith(end)]
            if matching:
                return min(matching, key=lambda folder: folder.count("/"))
        return None


def read_archive(path: str) -> Contents:
    """Return the contents of a wheel or a source distribution.

    :raises ValueError: for a file that is neither.
    :raises OSError: for a file that cannot be read.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as source:
            names = source.getnames()
    else:
        raise ValueError(f"{path} is neither a wheel nor a source distribution.")
    return Contents(PurePath(path).name, frozenset(names))


def find_installed(module: str) -> Contents | None:
    """Return the contents of the distributions that a module comes from and that have its files.

    A distribution that is installed in editable mode has no module; its files are those on disk.
    """
    owners = list(_owners(module))
    if not owners:
        return None
    label = ", ".join(f"{owner.metadata['Name']} {owner.version}" for owner in owners)
    files = frozenset(file.as_posix() for owner in owners for file in owner.files or ())
    return Contents(f"the installed {label}", files)


def _owners(module: str) -> Iterator[Distribution]:
    """Yield the installed distributions that have files of a module: a namespace has several."""
    beginnings = [f"\n{quote}{module}{end}" for quote in ("", '"') for end in ("/", ".py,")]
    for distribution in distributions():
        # Searched as a string: parsing the records of all that is installed takes long.
        record = f"\n{distribution.read_text('RECORD')}"
        if any(beginning in record for beginning in beginnings):
            yield distribution


def find_missing(tree: Tree, contents: Contents) -> Iterator[Problem]:
    """Find files of a tree that a distribution lacks; if it has none, that is one problem."""
    folder = contents.folder_of(tree.root)
    sources = (*tree.routes, *tree.middleware, *tree.dependencies)
    files = sorted(source.file for source in sources)
    missing = [file for file in files if f"{folder}/{file}" not in contents.files]
    hint = (
        "Include the folder in the build backend's configuration, then build and install it again."
    )
    if missing and missing == files:
        yield Problem(f"None of its files is in {contents.label}.", hint, (tree.root,))
        return
    for file in missing:
        yield Problem(f"It is not in {contents.label}.", hint, (file,))
