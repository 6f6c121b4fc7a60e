"""What several commands share: the app, the words for numbers, a progress bar."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import extract_tb
from typing import TypeVar

import click
from flask import Flask
from flask.cli import NoAppException, ScriptInfo

from ..caching import cache_of
from ..caching.settings import find_late_settings, read_settings
from ..errors import RouteHandlersError
from ..mount import mounts_of

_TRACEBACK = "Run `flask routes` to see the traceback."


class LoadError(click.ClickException):
    """A command cannot do its work: a word for it, not a traceback."""

    exit_code = 2

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(f"{reason}\n{hint}" if hint else reason)
        self.reason = reason
        self.hint = hint


def find_app_file(info: ScriptInfo) -> str | None:
    """Where the app of ``flask --app`` is, or the file that Flask looks into by itself."""
    files = (file for file in ("wsgi.py", "app.py") if os.path.isfile(file))
    return info.app_import_path or next(files, None)


def load(info: ScriptInfo) -> Flask:
    """The app of ``flask --app``.

    :raises click.ClickException: when it cannot be loaded, or has no tree.
    """
    try:
        app = info.load_app()
    except NoAppException as error:
        if find_app_file(info):
            raise
        # Flask takes the folder app/ for the module app, and says that no app is in it.
        raise LoadError(
            "Could not locate a Flask application. Use the 'flask --app' option, 'FLASK_APP' "
            "environment variable, or a 'wsgi.py' or 'app.py' file in the current directory."
        ) from error
    except (click.ClickException, KeyboardInterrupt):
        raise
    except RouteHandlersError as error:
        raise LoadError(str(error), f"\n{_TRACEBACK}" if error.__cause__ else "") from error
    except BaseException as error:
        text = str(error)
        what = f"{type(error).__name__}: {text}" if text else type(error).__name__
        where = _TRACEBACK
        if not isinstance(error, Exception):  # SystemExit, which ends `flask routes` in silence
            frame = extract_tb(error.__traceback__)[-1]
            where = f"It was raised in {frame.filename}, line {frame.lineno}."
        raise LoadError(f"The app cannot be loaded: {what}", where) from error
    if not mounts_of(app):
        raise LoadError(
            f"The app {app.name!r} has no tree of route files.",
            'Write RouteHandlers(app, root="app/api") where it is made.',
        )
    return app


def load_with_shared_store(info: ScriptInfo) -> Flask:
    """The app of ``flask --app``, whose store its servers share with this process.

    :raises click.ClickException: when it cannot be loaded, has no tree, or no such store.
    """
    app = load(info)
    cache = cache_of(app)
    late = find_late_settings(cache.settings, app.config) if cache else {}
    if "url" in late:
        raise LoadError(*late["url"])
    if read_settings(app.config).url is None:
        raise LoadError(
            f"The app {app.name!r} stores in the memory of each process what its static handlers "
            "answer, and this command has a process of its own: no server would notice. "
            "Set ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey server."
        )
    return app


def counted(number: int, noun: str) -> str:
    """``1 route file``, ``2 route files``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


T = TypeVar("T")

#: For the commands that do so.
threads_option = click.option(
    "--threads",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="How many handlers run at once.",
)


@contextmanager
def progress(items: Iterator[T], length: int, label: str) -> Iterator[Iterator[T]]:
    """Give the items, with a bar on stderr that moves with them; no bar where nobody sees it.

    :param length: how many items there are.
    """
    if not sys.stderr.isatty():
        yield items
        return
    with click.progressbar(items, length=length, label=label, file=sys.stderr) as bar:
        yield iter(bar)
