"""Which app an entry belongs to: the same in every process of an app, another one for others."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from weakref import WeakValueDictionary

from flask import Flask

from ..errors import Problem
from .settings import PREFIX, Settings

#: The apps of this process that use a shared store, by everything that their keys depend on.
_apps: WeakValueDictionary[tuple[str, ...], Flask] = WeakValueDictionary()


def place_of(app: Flask, root: str) -> str:
    """Return the place of a root in the project: the same however a process imports the app.

    :param root: the absolute path of the root.
    """
    try:
        place = os.path.relpath(root, app.root_path)
    except ValueError:  # on another drive
        place = root
    return place.replace(os.sep, "/")


def claim_keys(app: Flask, settings: Settings, root: str, name: str) -> Iterator[Problem]:
    """Reserve the keys of a tree in a shared store for an app.

    :param root: the absolute path of the root.
    :param name: the blueprint's name.
    :returns: the problem if another app of this process has them, and no setting says that they
        are shared.
    """
    if settings.url is None or f"{PREFIX}PREFIX" in app.config:
        return
    keys = (settings.url, settings.version, place_of(app, root), name)
    if _apps.get(keys, app) is not app:
        gc.collect()  # it may be one that is not used any more
    if _apps.setdefault(keys, app) is not app:
        yield Problem(
            "Another app of this process stores its responses under the same keys of the same "
            "server.",
            f"Set {PREFIX}PREFIX in app.config to a different string for each app, or to the "
            "same one if they may serve each other's responses.",
            (root,),
        )
