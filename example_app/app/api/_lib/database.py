"""Connections to the database, and the first start."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from urllib.parse import unquote, urlsplit

from flask import Flask, current_app

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
    """Create the database and its tables."""
    os.makedirs(os.path.dirname(app.config["DATABASE"]), exist_ok=True)
    with (
        app.app_context(),
        app.open_resource("schema.sql", "r") as schema,
        closing(connect()) as db,
    ):
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


def connect() -> sqlite3.Connection:
    """Connect to the database. A writer waits ten seconds for another one."""
    db = sqlite3.connect(current_app.config["DATABASE"], timeout=10)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    db.create_function("casefold", 1, str.casefold, deterministic=True)
    db.create_function("address", 1, address, deterministic=True)
    return db


def revalidate_bookmarks() -> None:
    """Revalidate the static handlers that show bookmarks."""
    try:
        revalidate_tag(bookmarks.TAG)
    except StoreError:
        # The data is written. Other workers serve the old feed until it expires.
        current_app.logger.exception("The cached responses about bookmarks were not revalidated.")


def address(url: str) -> str:
    """Return host and path of a URL with a slash at the end, to compare a site with."""
    parts = urlsplit(url)
    return f"{parts.netloc}{unquote(parts.path)}".rstrip("/") + "/"
