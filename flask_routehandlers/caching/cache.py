"""The cache of one app: where its static responses are stored, and who computes what.

An app has one cache for all of its trees. It outlives forks: what has locks, threads or
connections is made in each process at its first use (see ``_forks``), so that an app can be made
before a server forks its workers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from logging import Logger
from typing import Any, cast

from flask import Flask
from werkzeug.local import LocalProxy

from .._forks import PerProcess, renew_after_fork
from .coordinator import Coordinator
from .responses import Replies
from .settings import find_late_settings, read_settings
from .stores.base import Found, Store
from .stores.memory import MemoryStore
from .stores.resilient import ResilientStore


class Cache:
    """The cache of an app. Nothing is connected or started before its first use.

    :param app: the app, whose config is read here. It has no problems.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.settings = read_settings(app.config)
        #: The clock that ages are measured with, in seconds. It is never set back.
        self.now: Callable[[], float] = time.monotonic
        self.replies = Replies(app)
        # Not app.logger yet: the app may still configure logging, which has to come first.
        self._logger = cast(Logger, LocalProxy(lambda: app.logger))
        self._coordinator = PerProcess(self._make_coordinator)
        #: Return the entry of a key, or ``None``: the coordinator's own method once a process has
        #: one, so that a hit costs no more than that.
        self.get: Callable[[str], Found | None] = self._get_first
        renew_after_fork(self)
        self._is_checked = False

    def _get_first(self, key: str) -> Found | None:
        """Return the entry of a key, when a process asks for one for the first time."""
        self.get = self.coordinator.get
        return self.get(key)

    def after_fork(self) -> None:
        self.get = self._get_first

    def _make_coordinator(self) -> Coordinator:
        """Make the store and the coordinator of one process, from the settings."""
        settings = self.settings
        make_local = partial(MemoryStore, settings.max_entries, settings.max_bytes, self.now)
        store: Store
        if settings.url is None:
            store = make_local()
        else:
            from .stores.redis import RedisStore

            shared = RedisStore(settings, self.app.config["SECRET_KEY"])
            store = ResilientStore(shared, make_local, self._logger, self.now)
        return Coordinator(store, settings, self._logger, self.now)

    @property
    def coordinator(self) -> Coordinator:
        """Computes what is missing or stale."""
        return self._coordinator.get()

    @property
    def store(self) -> Store:
        """The place where entries are."""
        return self.coordinator.store

    def check_once(self, environ: Mapping[str, Any]) -> None:
        """Log what is wrong with the settings, when a process gets its first static request.

        Only then can it be known: that a setting was changed after the start, or that a server
        runs several processes without a store that they share.
        """
        if self._is_checked:
            return
        self._is_checked = True
        for problem in find_late_settings(self.settings, self.app.config).values():
            self._logger.warning("%s %s", problem.reason, problem.hint)
        if environ.get("wsgi.multiprocess") and self.settings.url is None:
            self._logger.warning(
                "Static responses are stored in the memory of each process, and this server runs "
                "several processes: revalidate_path and revalidate_tag reach only one of them. "
                "Set ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey "
                "server."
            )
