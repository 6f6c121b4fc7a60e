"""A log for dependencies, and what the files of these tests have in common."""

from __future__ import annotations

import threading

import pytest

#: What has run in a test, in its order.
LOG: list[str] = []

#: Closed while a test lets a dependency wait.
GATE = threading.Event()

IMPORTS = """
import asyncio, contextvars, functools, threading
from collections.abc import *
from typing import *
from flask import Response, abort, current_app, g, redirect, request as current, send_file
from werkzeug.exceptions import *
from flask_routehandlers import *
from tests.dependencies.support import log
"""

#: A generator that logs when it begins, commits, rolls back and ends.
SESSION = """
def db() -> Iterator[str]:
    log("open")
    try:
        yield "db"
        log("commit")
    except BaseException as error:
        log(f"rollback {type(error).__name__}")
        raise
    finally:
        log("close")
"""

#: The same with ``async def``.
ASYNC_SESSION = SESSION.replace("def db() -> Iterator", "async def db() -> AsyncIterator").replace(
    'log("commit")', 'await asyncio.sleep(0)\n        log("commit")'
)

both_kinds = pytest.mark.parametrize("kind", ["sync", "async"])

SESSIONS = {"sync": SESSION, "async": ASYNC_SESSION}

COMMITTED = ["open", "commit", "close"]


def rolled_back(error: str) -> list[str]:
    """Return the log of a session that an exception ended."""
    return ["open", f"rollback {error}", "close"]


def log(event: object) -> None:
    """Log an event."""
    LOG.append(str(event))


def take_log() -> list[str]:
    """Return the log, and begin another one."""
    events = list(LOG)
    LOG.clear()
    return events
