"""Helpers that the commands share: the app, words for numbers, files that are written."""

from __future__ import annotations

import os
import warnings
from traceback import extract_tb

import click
from flask import Flask
from flask.cli import NoAppException, ScriptInfo

from ..caching import cache_of
from ..caching.settings import find_late_settings, read_settings
from ..errors import (
    RouteHandlersError,
    RouteHandlersWarning,
    RouteTreeError,
    describe_exception,
    printable,
    shown_path,
)
from ..extension import collecting
from ..mount import mounts_of

TRACEBACK_HINT = "Run `flask routes` to see the traceback."

#: The option of commands that run static handlers.
threads_option = click.option(
    "--threads",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="How many handlers run at once.",
)


class LoadError(click.ClickException):
    """A command cannot do its work. Click prints the reason and the hint, without a traceback."""

    exit_code = 2

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(printable(f"{reason}\n{hint}".rstrip()))
        self.reason = reason
        self.hint = hint


def find_app_file(info: ScriptInfo) -> str | None:
    """Return where ``flask --app`` finds the app, or the file that Flask looks into by default."""
    if info.app_import_path:
        return info.app_import_path
    for file in ("wsgi.py", "app.py"):
        if os.path.isfile(file):
            return file
    return None


def load(info: ScriptInfo) -> Flask:
    """Return the app of ``flask --app``.

    Whatever its code raises becomes an error without a traceback: a user of a command first wants
    to know what is wrong, and ``flask routes`` shows the rest.

    :raises LoadError: if it cannot be loaded, or has no tree.
    """
    try:
        app = info.load_app()
    except KeyboardInterrupt:
        raise
    except RouteHandlersError as error:
        # Below the problems of a tree, which are paragraphs.
        hint = f"\n{TRACEBACK_HINT}" if error.__cause__ else ""
        raise LoadError(str(error), hint) from error
    except click.ClickException as error:
        message = error.format_message()
        if isinstance(error, NoAppException) and find_app_file(info) is None:
            # Flask takes the folder app/ for the module app, and says that it has no app.
            message = (
                "Could not locate a Flask application. Use the 'flask --app' option, 'FLASK_APP' "
                "environment variable, or a 'wsgi.py' or 'app.py' file in the current directory."
            )
        raise LoadError(message) from error
    except BaseException as error:
        hint = TRACEBACK_HINT
        if not isinstance(error, Exception):  # `flask routes` prints nothing for SystemExit
            frame = extract_tb(error.__traceback__)[-1]
            hint = f"It was raised in {frame.filename}, line {frame.lineno}."
        reason = f"The app cannot be loaded: {describe_exception(error)}"
        raise LoadError(reason, hint) from error
    if not mounts_of(app):
        raise LoadError(
            f"The app {app.name!r} has no tree of route files.",
            'Write RouteHandlers(app, root="app/api") where the app is made.',
        )
    return app


def load_trees(
    info: ScriptInfo,
) -> tuple[Flask | None, LoadError | None, list[RouteTreeError]]:
    """Return the app or why it cannot be loaded, and the errors of the trees that it refused.

    An app can refuse several trees: each is collected instead of raised, so that a command reports
    the problems of all of them at once.
    """
    with collecting() as refused, warnings.catch_warnings():
        warnings.simplefilter("ignore", RouteHandlersWarning)
        try:
            return load(info), None, refused
        except LoadError as error:
            return None, error, refused


def load_with_shared_store(info: ScriptInfo) -> Flask:
    """Return the app of ``flask --app``, whose store its servers share with this process.

    :raises LoadError: if it cannot be loaded, has no tree, or no such store.
    """
    app = load(info)
    cache = cache_of(app)
    if cache is not None:
        late = find_late_settings(cache.settings, app.config)
        if "url" in late:
            raise LoadError(late["url"].reason, late["url"].hint)
    if read_settings(app.config).url is None:
        raise LoadError(
            f"The app {app.name!r} stores responses of static handlers in the memory of each "
            "process, which this command cannot reach.",
            "Set ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey server.",
        )
    return app


def counted(number: int, noun: str) -> str:
    """Return ``1 route file``, ``2 route files``."""
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def write_file(file: str, content: str) -> None:
    """Write a file and print its name."""
    try:
        with open(file, "w", encoding="utf-8", newline="\n") as opened:
            opened.write(content)
    except OSError as error:
        raise LoadError(f"Nothing is written: {error.strerror}: {file}.") from error
    click.echo(f"Wrote {shown_path(os.path.abspath(file))}")
