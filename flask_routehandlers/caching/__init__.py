"""Static handlers: what is stored, where, for how long, and who computes it.

``static_route`` answers a GET: it asks the store, lets the ``coordinator`` compute what is missing
or stale, and makes a response with ``responses``. A handler runs in a thread of ``workers``, in
contexts of ``sandbox`` that have nothing of a client. ``policy`` decides what may be stored,
``keys`` under which key, and ``params`` which paths are known in advance. ``cache`` has what all
static routes of an app share.

An app without static handlers imports only ``keys`` and ``settings``, for the checks at start-up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask

if TYPE_CHECKING:
    from .cache import Cache

#: Where the cache of an app is, in ``app.extensions``.
EXTENSION_NAME = "routehandlers_cache"


def cache_of(app: Flask) -> Cache | None:
    """Return the cache of an app; ``None`` if nothing in its trees is static."""
    cache: Cache | None = app.extensions.get(EXTENSION_NAME)
    return cache
