"""Find what looks like a route and is not one: handlers in other files, parameters as text.

These are mistakes of people who come from another framework: ``users.py`` with a ``def GET``, a
``route.py`` in a folder ``_users``, a folder ``:id``. Files are searched, not imported: a file
that is not a route file must not run.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

from ...errors import Problem
from ...handlers.exports import METHODS
from ...tree.discovery import ROUTE_FILE
from ...tree.model import Tree
from ...tree.segments import is_walked
from ...tree.spelling import escape, guess_parameter

_HANDLER = re.compile(rf"^(?:async\s+)?def\s+({'|'.join(METHODS)}) *\(".encode(), re.M)

#: Files that have the URL of their folder elsewhere.
_OF_FOLDER = ("__init__", "index")

#: Private and hidden folders of tools, which can be large.
_OF_TOOLS = frozenset({"__pycache__", ".git", ".hg", ".venv", ".tox", ".nox", ".mypy_cache"})


def find_strays(tree: Tree) -> Iterator[Problem]:
    """Find files that define handlers and that no module has imported.

    A file that is imported may well define ``GET`` for a route file to import.
    """
    reported = {file for warning in tree.warnings for file in warning.files}
    imported = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    for file in tree.others:
        path = os.path.join(tree.root, file)
        handler = None
        if file not in reported and path not in imported:
            handler = _find_handler(path)
        if handler:
            folders = file.removesuffix(".py").split("/")
            stem = folders.pop()
            if stem not in _OF_FOLDER:
                folders.append(escape(stem))
            yield Problem(
                f"It defines {handler}, and only a {ROUTE_FILE} gets a URL.",
                f"Move it to {'/'.join([*folders, ROUTE_FILE])} if it should answer requests.",
                (file,),
            )


def find_private_routes(tree: Tree) -> Iterator[Problem]:
    """Find route files with handlers in folders that are private or hidden."""
    for folder, below, files in os.walk(tree.root):
        below[:] = sorted(set(below) - _OF_TOOLS)
        names = folder.removeprefix(tree.root).split(os.sep)[1:]
        private = [name for name in names if not is_walked(name)]
        if private and ROUTE_FILE in files and _find_handler(os.path.join(folder, ROUTE_FILE)):
            yield Problem(
                f"It gets no URL: the folder {private[0]} is private or hidden.",
                f"Rename it to {escape(private[0])} if its name should be in the URL.",
                ("/".join([*names, ROUTE_FILE]),),
            )


def find_parameters_as_text(tree: Tree) -> Iterator[Problem]:
    """Find folders that write a parameter in another framework's syntax."""
    for route in tree.routes:
        for n, folder in enumerate(route.folders, start=1):
            parameter = guess_parameter(folder)
            if parameter:
                yield Problem(
                    f"The folder {folder} is text, and matches that text alone.",
                    f"Rename it to {parameter} if it should be a parameter.",
                    ("/".join(route.folders[:n]),),
                )


def _find_handler(path: str) -> str | None:
    """Return the name of the first handler that a file defines."""
    try:
        with open(path, "rb") as file:
            match = _HANDLER.search(file.read())
    except OSError:  # a symbolic link to nothing
        return None
    if not match:
        return None
    return match[1].decode()
