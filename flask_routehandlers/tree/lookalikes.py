"""Find files that look like source files of a tree, and are never loaded.

Some hold code that Python would import by the name of a source file: a package, a compiled
module. The author of such a file relies on it, and a guard in it would never run, so it is an
error. Others have a similar name, which is probably a typo: a warning.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterator, Mapping
from difflib import get_close_matches

from ..errors import Problem
from .model import KINDS, SOURCE_FILES, Folder

#: A source file, or the ``__init__`` of a package, in another form that Python imports.
_OTHER_FORM = re.compile(rf"({'|'.join(KINDS)}|__init__)(?:\.py[cw]|(?:\.[\w-]+)?\.(?:so|pyd))")

#: For each kind of source file the reason and the hint for a file of a similar name.
_NEAR_MISSES = {
    "route": (
        "is not a route file and has no URL.",
        "Rename it to route.py if it should answer requests.",
    ),
    "middleware": (
        "is not a middleware file and never runs.",
        "Rename it to middleware.py if it should run for the routes in its folder and below.",
    ),
    "dependencies": (
        "is not a dependencies file, so it defines no dependency.",
        "Rename it to dependencies.py if its functions should be arguments of handlers in its "
        "folder and below.",
    ),
}

#: The similarity of a typo: that of ``rout`` and ``_middleware``, not of ``root``.
_SIMILARITY = 0.8


def find_lookalikes(names: tuple[str, ...], files: Collection[str]) -> Iterator[Problem]:
    """Find the files of one folder that look like source files.

    :param names: the folder names from the root down.
    :param files: the names of all files in the folder.
    """
    for file in files:
        if file in SOURCE_FILES:
            continue
        path = "/".join((*names, file))
        form = _OTHER_FORM.fullmatch(file)
        if file == "__init__.py" or (form and form[1] == "__init__"):
            if names and names[-1] in KINDS:
                yield _describe_package(names).at(path)
        elif form:
            yield from _find_other_form(path, form[1], files)
        elif file.lower().endswith((".py", ".pyw")):
            yield from _find_near_miss(path, file)


def find_lookalike_folders(
    folders: Mapping[tuple[str, ...], Folder], leading: Container[tuple[str, ...]]
) -> Iterator[Problem]:
    """Find folders with the name of a source file, whose code Python imports as a package.

    :param folders: all folders of the tree, by their names from the root down.
    :param leading: the folders that lead to a route file: they are segments of its URL.
    """
    for names, folder in folders.items():
        if not names or names in leading or names[-1] not in KINDS:
            continue
        # Python prefers a source file to a folder, unless it has an __init__.py.
        is_hidden = names[-1] in folders[names[:-1]].modules
        if folder.modules and not folder.is_package and not is_hidden:
            yield _describe_package(names).at("/".join(names))


def _find_other_form(path: str, stem: str, files: Container[str]) -> Iterator[Problem]:
    """Find a source file in another form, if Python would import that.

    :param path: its path relative to the root.
    :param files: the names of all files in its folder.
    """
    # Python prefers the source file to bytecode, but an extension module to the source file.
    is_hidden = path.endswith((".pyc", ".pyw")) and f"{stem}.py" in files
    if not is_hidden:
        yield Problem(
            f"It is never loaded: only a source file named {stem}.py is.",
            f"Move its code to {stem}.py, and remove it.",
            (path,),
        )


def _describe_package(names: tuple[str, ...]) -> Problem:
    """Return the problem of a package with the name of a source file."""
    *folders, stem = names
    return Problem(
        f"It is never loaded: {stem} can be a file, but not a package.",
        f"Move its code to {'/'.join((*folders, f'{stem}.py'))}, and remove it.",
    )


def _find_near_miss(path: str, file: str) -> Iterator[Problem]:
    stem = file.lower().rpartition(".")[0]
    for meant in get_close_matches(stem, _NEAR_MISSES, n=1, cutoff=_SIMILARITY):
        reason, hint = _NEAR_MISSES[meant]
        yield Problem(f"{path} {reason}", hint, (path,), "warning")
