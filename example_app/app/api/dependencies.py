"""For every route of the API: the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from ._lib import database


def db() -> Iterator[sqlite3.Connection]:
    """Connect to the database until the response is made, or its stream ends."""
    with closing(database.connect()) as connection:
        yield connection


def transaction(db: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit what a handler writes, or nothing if it fails.

    A commit also revalidates the static handlers that show bookmarks.
    """
    with db:
        yield db
    database.revalidate_bookmarks()
