"""Static handlers: what is stored, where, for how long, and who computes it.

Nothing of it is imported by an app that has none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from .cache import Cache

#: Where the cache of an app is, in ``app.extensions``.
EXTENSION_NAME = "routehandlers_cache"


def cache_of(app: Flask) -> Cache | None:
    """The cache of an app; ``None`` if nothing in its trees is static."""
    cache: Cache | None = app.extensions.get(EXTENSION_NAME)
    return cache
