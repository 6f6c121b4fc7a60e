"""Find what was meant as a route and is none: handlers in other files, parameters as text."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

from ...errors import Problem
from ...handlers.exports import METHODS
from ...tree.discovery import ROUTE_FILE
from ...tree.grammar import guess_parameter
from ...tree.model import Tree

_HANDLER = re.compile(rf"^(?:async\s+)?def\s+({'|'.join(METHODS)}) *\(".encode(), re.M)

#: Files that stand for their folder.
_OF_FOLDER = ("__init__", "index")


def find_strays(tree: Tree) -> Iterator[Problem]:
    """Files that define handlers and that nobody has imported."""
    told = {file for warning in tree.warnings for file in warning.files}
    imported = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    for file in tree.others:
        path = os.path.join(tree.root, file)
        if file in told or path in imported:
            continue
        handler = _handler_in(path)
        if handler:
            place = file.removesuffix(".py").split("/")
            place = place[:-1] if place[-1] in _OF_FOLDER else place
            yield Problem(
                f"It defines {handler}, and only a {ROUTE_FILE} gets a URL.",
                f"Move it to {'/'.join([*place, ROUTE_FILE])} if it should answer requests.",
                (file,),
            )


def _handler_in(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            found = _HANDLER.search(file.read())
    except OSError:  # a symbolic link to nothing
        return None
    return found[1].decode() if found else None


def find_parameters_as_text(tree: Tree) -> Iterator[Problem]:
    """Folders that spell a parameter as other frameworks do."""
    for route in tree.routes:
        for n, folder in enumerate(route.folders, start=1):
            meant = guess_parameter(folder)
            if meant:
                yield Problem(
                    f"The folder {folder} is text, and matches that text alone.",
                    f"Rename it to {meant} if it should be a parameter.",
                    ("/".join(route.folders[:n]),),
                )
