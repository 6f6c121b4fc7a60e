"""The cache of one app: its store, and who computes what."""

from __future__ import annotations

from logging import Logger
from typing import cast

from flask import Flask
from werkzeug.local import LocalProxy

from .coordinator import Coordinator
from .fallback import ResilientStore
from .memory import MemoryStore
from .replies import Replies
from .sealed import Sealer
from .settings import read_settings
from .stores import Store


class Cache:
    """What an app stores responses with. Nothing is connected or started before the first use.

    ``store`` is where entries are, and ``coordinator`` who computes what is missing or stale.

    :param app: the app, whose config is read here. It has no problems.
    """

    def __init__(self, app: Flask) -> None:
        self.settings = settings = read_settings(app.config)
        # Not app.logger yet: the app may still configure logging, which has to come first.
        logger = cast(Logger, LocalProxy(lambda: app.logger))
        limits = settings.max_entries, settings.max_bytes
        self.store: Store = MemoryStore(*limits)
        if settings.url is not None:
            from .redis import RedisStore

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
