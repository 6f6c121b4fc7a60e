"""Load the app that a command is about."""

from __future__ import annotations

import os
from traceback import extract_tb

import click
from flask import Flask
from flask.cli import NoAppException, ScriptInfo

from ..build import mounts_of
from ..caching import cache_of
from ..caching.settings import find_late_settings, read_settings
from ..errors import RouteHandlersError

_TRACEBACK = "Run `flask routes` to see the traceback."


class LoadError(click.ClickException):
    """A command cannot do its work: a word for it, not a traceback."""

    exit_code = 2

    def __init__(self, reason: str, cure: str = "") -> None:
        super().__init__(f"{reason}\n{cure}" if cure else reason)
        self.reason = reason
        self.cure = cure


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
