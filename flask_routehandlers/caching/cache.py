"""The cache of one app: its store, and who computes what."""

from __future__ import annotations

from logging import Logger
from typing import cast

from flask import Flask
from werkzeug.local import LocalProxy

from .coordinator import Coordinator
from .responses import Replies
from .sandbox import Sealer
from .settings import find_late_settings, read_settings
from .stores.base import Store
from .stores.memory import MemoryStore
from .stores.resilient import ResilientStore


class Cache:
    """What an app stores responses with. Nothing is connected or started before the first use.

    ``store`` is where entries are, and ``coordinator`` who computes what is missing or stale.

    :param app: the app, whose config is read here. It has no problems.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._is_looked_at = False
        self.settings = settings = read_settings(app.config)
        # Not app.logger yet: the app may still configure logging, which has to come first.
        self._logger = logger = cast(Logger, LocalProxy(lambda: app.logger))
        limits = settings.max_entries, settings.max_bytes
        self.store: Store = MemoryStore(*limits)
        if settings.url is not None:
            from .stores.redis import RedisStore

            shared = RedisStore(
                settings.url,
                app.config["SECRET_KEY"],
                *limits,
                prefix=settings.prefix,
                timeout=settings.timeout,
            )
            self.store = ResilientStore(shared, logger, *limits)
        self.coordinator = Coordinator(
            self.store,
            logger,
            max_wait=settings.max_wait,
            lock_seconds=settings.lock,
            threads=settings.threads,
        )
        self.sealer = Sealer(app)
        self.replies = Replies(app)

    def say_what_came_late(self) -> None:
        """Log once which settings of the app are others than those that were read."""
        if self._is_looked_at:
            return
        self._is_looked_at = True
        for reason, hint in find_late_settings(self.settings, self._app.config).values():
            self._logger.warning("%s %s", reason, hint)
