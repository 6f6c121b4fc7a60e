"""Report a tree that is refused where a traceback would hide the problems.

A command prints the problems. Under the reloader of ``flask run`` or gunicorn, the process that
serves the app prints them once and answers each request with them, until the tree changes.
"""

from __future__ import annotations

import traceback
from typing import IO, Any

import click
from flask import Flask
from flask.cli import run_command
from werkzeug.serving import is_running_from_reloader
from werkzeug.wrappers import Response

from .errors import RouteTreeError
from .reloader import is_in_reloading_gunicorn


class RefusedTreeError(RouteTreeError, click.ClickException):
    """A tree cannot be served, and a command needs its app.

    Click prints the problems, then the traceback of the files that could not be imported.

    :param error: the error with the problems.
    """

    def __init__(self, error: RouteTreeError) -> None:
        super().__init__(error.root, error.problems)
        self.import_error = error.__cause__

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error, as Click does at the end of a command."""
        super().show(file)
        _print_traceback(self.import_error)


def report(app: Flask, error: RouteTreeError) -> bool:
    """Return whether the problems of a tree are reported, so that its error need not be raised.

    :param app: the app, which then answers each request with the problems.
    :raises RefusedTreeError: if a command runs that needs the app.
    """
    context = click.get_current_context(silent=True)
    if context is None:
        if not is_in_reloading_gunicorn():
            return False
    elif context.command is not run_command or not is_running_from_reloader():
        raise RefusedTreeError(error) from error.__cause__
    click.echo(error, err=True)
    _print_traceback(error.__cause__)
    app.wsgi_app = Response(f"{error}\n", 500)  # type: ignore[method-assign]
    return True


def _print_traceback(error: BaseException | None) -> None:
    """Print the traceback of the import that failed, if it was one."""
    if error is not None:
        click.echo("\n" + "".join(traceback.format_exception(error)), err=True)
