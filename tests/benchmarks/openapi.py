"""A document of 1,000 operations: how long it takes to make, to check, and to serve again."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest
from flask import Flask

from flask_routehandlers import RouteHandlers
from flask_routehandlers.mount import mounts_of
from flask_routehandlers.openapi.document import make_document
from tests.support import write_files

#: Route files, each with two operations and three models.
FILES = 500

RUNS = 5

DOCUMENT = "from flask_routehandlers.openapi import document\n\nGET = document\n"

#: As an app has them: a model of its own, a shared one, a list, an error, a credential.
ROUTE = '''
from typing import Annotated, Literal

from flask_routehandlers import Bearer, Body, Created, Query
from pydantic import BaseModel, Field
from werkzeug.exceptions import Conflict, NotFound

from app_of_benchmark import Author


class Item{number}(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=100)]
    author: Author
    tags: list[str] = []


class Change{number}(BaseModel):
    title: str | None = None


class Taken{number}(Conflict):
    """The title is taken."""


def GET(slug: str, limit: Query[int] = 10, sort: Query[Literal["new", "old"]] = "new"
        ) -> list[Item{number}] | NotFound:
    """List items.

    The newest first.
    """


def PUT(slug: str, body: Body[Change{number}], token: Bearer
        ) -> Created[Item{number}] | Taken{number}:
    """Change an item."""
'''

SHARED = "from pydantic import BaseModel\n\n\nclass Author(BaseModel):\n    name: str\n"


def make_app(folder: Path, count: int = FILES, *, has_document: bool = True) -> Flask:
    """Return an app with twice as many operations as files.

    :param folder: an empty folder, from which a module is imported too.
    """
    files = {
        f"app/api/area{number % 50}/thing{number}/[slug]/route.py": ROUTE.format(number=number)
        for number in range(count)
    }
    if has_document:
        files["app/api/openapi.json/route.py"] = DOCUMENT
    write_files(folder, {"app_of_benchmark.py": SHARED, **files})
    app = Flask(f"app_of_{folder.name}", root_path=str(folder), static_folder=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        RouteHandlers(app)
    return app


def timed(function: Callable[[], object]) -> float:
    """Return the CPU time of a call in seconds."""
    begin = time.process_time()
    function()
    return time.process_time() - begin


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(os.path.realpath(name))
        without = timed(lambda: make_app(folder / "without", has_document=False))
        start = timed(lambda: make_app(folder / "with"))
        app = make_app(folder / "measured")
        [mount] = mounts_of(app)
        file = "openapi.json/route.py"
        made = [timed(lambda: make_document(app, mount, (), file)) for _ in range(RUNS)]
        client = app.test_client()
        first = timed(lambda: client.get("/api/openapi.json"))
        served = [timed(lambda: client.get("/api/openapi.json")) for _ in range(RUNS)]
    yield f"making the document: {median(made):.2f} s ({min(made):.2f} to {max(made):.2f})"
    yield f"the first request: {first:.2f} s, later ones: {median(served) * 1000:.1f} ms"
    yield f"starting the app with the document, against without: {start / without:.2f}"
