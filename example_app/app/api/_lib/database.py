"""The connection of a request, and the file behind it."""

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
        "notes": "Where everybody starts.",
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
    """Close connections when a request ends; create the file and its tables."""
    app.teardown_appcontext(close_db)
    os.makedirs(os.path.dirname(app.config["DATABASE"]), exist_ok=True)
    with app.app_context(), app.open_resource("schema.sql", "r") as schema:
        db = get_db()
        # SQLite does not wait here: a worker that starts at the same time is doing it.
        with suppress(sqlite3.OperationalError):
            db.execute("PRAGMA journal_mode = WAL")
        db.executescript(schema.read())
        if app.config["SAMPLES"]:
            add_samples(db)


def add_samples(db: sqlite3.Connection) -> None:
    """Fill a database that has never held a bookmark."""
    with db:
        # Taken before looking: several workers may start at once.
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM sqlite_sequence WHERE name = 'bookmark'").fetchone() is None:
            for sample in SAMPLES:
                bookmarks.add(db, sample)


def get_db() -> sqlite3.Connection:
    """The connection of this request. A writer waits for another for ten seconds."""
    if "db" not in g:
        g.db = sqlite3.connect(current_app.config["DATABASE"], timeout=10)
        g.db.row_factory = sqlite3.Row
        g.db.execute("PRAGMA foreign_keys = ON")
        g.db.create_function("casefold", 1, str.casefold, deterministic=True)
        g.db.create_function("address", 1, address, deterministic=True)
    return g.db


@contextmanager
def writing() -> Iterator[sqlite3.Connection]:
    """A transaction, after which what static handlers made of bookmarks is out of date."""
    db = get_db()
    with db:
        yield db
    try:
        revalidate_tag(bookmarks.TAG)
    except StoreError:
        # It is written all the same. Other workers serve the old feed until it is stale.
        current_app.logger.exception("What is stored of bookmarks is not revalidated.")


def close_db(error: BaseException | None = None) -> None:
    db = g.pop("db", None)
    if db is not None:
        db.close()


def address(url: str) -> str:
    """Host and path of a URL, with a slash at the end: what a site is compared with."""
    parts = urlsplit(url)
    return f"{parts.netloc}{unquote(parts.path)}".rstrip("/") + "/"
