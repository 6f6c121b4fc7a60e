"""Helpers for the tests of an app: replace dependencies, and get the module of a route file.

A handler stays a function, so that a test can call it with its arguments and without a request, or
replace what it depends on and make a request.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from flask import Flask

from .dependencies.overriding import overriding
from .handlers.endpoint import Endpoint
from .mount import mounts_of
from .tree.segments import Group

__all__ = ["override", "route"]


def override(app: Flask, **functions: Callable[..., Any]) -> AbstractContextManager[None]:
    """Replace dependencies for the time of a ``with`` block.

    ``with override(app, user=lambda: ada): ...``

    :param app: the app. All of its trees are concerned, and all threads.
    :param functions: the function for each name. It is called with what it names: other
        dependencies, path parameters, ``request``; its own name is what it replaces.
    :raises LookupError: for a name that no ``dependencies.py`` defines.
    """
    scopes = [mount.scopes for mount in mounts_of(app)]
    return overriding(scopes, functions)


def route(app: Flask, path: str) -> ModuleType:
    """Return the module of a route file, to call its handlers as functions.

    ``route(app, "articles/[slug]").PUT(own_article=article, body=changes)``

    :param path: the folder of the file below its root; groups can be left out.
    :raises LookupError: for a folder without a route file.
    """
    wanted = path.strip("/")
    known = []
    for mount in mounts_of(app):
        for each in mount.routes:
            names = [segment.folder for segment in each.file.segments]
            shown = [s.folder for s in each.file.segments if not isinstance(s, Group)]
            if wanted in ("/".join(names), "/".join(shown)) and isinstance(each.view, Endpoint):
                return each.view.module
            known.append("/".join(names))
    close = get_close_matches(wanted, known, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    raise LookupError(f"The app has no route file in the folder {path!r}.{guess}")
