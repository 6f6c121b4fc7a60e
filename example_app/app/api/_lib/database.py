"""The database connection of a request, and the first start."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app, g

from flask_routehandlers import StoreError, revalidate_tag

from . import bookmarks

SAMPLES = (
    {
        "url": "https://flask.palletsprojects.com/en/stable/quickstart/",
        "title": "Flask quickstart",
        "notes": "Where everyone starts.",
        "tags": ["flask", "python"],
    },
    {
        "url": "https://www.sqlite.org/lang.html",
        "title": "SQL as understood by SQLite",
        "notes": "Every statement with its railroad diagram.",
        "tags": ["reference", "sqlite"],
    },
    {
        "url": "https://docs.python.org/3/library/sqlite3.html",
        "title": "sqlite3 in the standard library",
        "notes": "",
        "tags": ["python", "reference", "sqlite"],
    },
)


def init_app(app: Flask) -> None:
    """Create the database and its tables; close connections when a request ends."""
    app.teardown_appcontext(close_db)
    os.makedirs(os.path.dirname(app.config["DATABASE"]), exist_ok=True)
    with app.app_context(), app.open_resource("schema.sql", "r") as schema:
        db = get_db()
        # SQLite does not wait for a lock here. A worker that starts now is doing the same.
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA journal_mode = WAL")
        db.executescript(schema.read())
        if app.config["SAMPLES"]:
            add_samples(db)


def add_samples(db: sqlite3.Connection) -> None:
    """Fill a database that has never had a bookmark."""
    with db:
        # Lock before the look-up: several workers can start at once.
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'bookmark'").fetchone() is None:
            for sample in SAMPLES:
                bookmarks.add(db, sample)


def get_db() -> sqlite3.Connection:
    """Return the connection of this request. A writer waits ten seconds for another one."""
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"], timeout=10)
        g.db.row_factory = sqlite3.Row
        g.db.execute("PRAGMA foreign_keys = ON")
        g.db.create_function("casefold", 1, str.casefold, deterministic=True)
        g.db.create_function("address", 1, address, deterministic=True)
    db: sqlite3.Connection = g.db
    return db


@contextmanager
def writing() -> Iterator[sqlite3.Connection]:
    """Run a transaction, then revalidate the static handlers that show bookmarks."""
    db = get_db()
    with db:
        yield db
    try:
        revalidate_tag(bookmarks.TAG)
    except StoreError:
        # The data is written. Other workers serve the old feed until it expires.
        current_app.logger.exception("The cached responses about bookmarks were not revalidated.")


def close_db(error: BaseException | None = None) -> None:
    db = g.pop("db", None)
    if db is not None:
        db.close()


def address(url: str) -> str:
    """Return host and path of a URL with a slash at the end, to compare a site with."""
    parts = urlsplit(url)
    return f"{parts.netloc}{unquote(parts.path)}".rstrip("/") + "/"
