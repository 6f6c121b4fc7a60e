"""What the tests of the commands share: projects on disk, ``flask`` in this process or another."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo
from flask.cli import cli as flask_command

import flask_routehandlers
from flask_routehandlers.cli import group
from tests.support import write_files

CHECKOUT = str(Path(flask_routehandlers.__file__).parents[1])

#: The app of a project with the default root.
WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
RouteHandlers(app)
"""

#: Exit status, standard output, standard error.
Outcome = tuple[int, str, str]


def invoke(app: Flask, *arguments: object) -> Outcome:
    """Run a subcommand of ``flask route-handlers`` in this process, for an app."""
    result = app.test_cli_runner().invoke(group, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def errors_at_terminal(app: Flask, *arguments: object) -> str:
    """What a subcommand writes to standard error if that is a terminal."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", terminal := Terminal())
        info = ScriptInfo(create_app=lambda: app)
        group.main(list(map(str, arguments)), standalone_mode=False, obj=info)
    return terminal.getvalue()


def child_environment(**variables: str) -> dict[str, str]:
    """The environment of a child process that can import the package."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FLASK")}
    return kept | {"PYTHONPATH": CHECKOUT, **variables}


def flask_in_child(folder: Path, *arguments: str | bytes, **variables: str) -> Outcome:
    """Run ``flask`` in another process, in a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=folder,
        env=child_environment(**variables),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def flask_in_process(folder: Path) -> Iterator[Callable[..., Outcome]]:
    """Give a function that writes files to a folder and runs ``flask`` there, in this process."""
    known = set(sys.modules)

    def run(files: Mapping[str, str], *arguments: str, **options: Any) -> Outcome:
        write_files(folder, files)
        result = CliRunner().invoke(flask_command, arguments, prog_name="flask", **options)
        exception = result.exception
        assert exception is None or isinstance(exception, SystemExit), exception
        for name in set(sys.modules) - known:
            if name.partition(".")[0] in ("app", "main", "shop", "wsgi"):
                del sys.modules[name]
        return result.exit_code, result.stdout, result.stderr

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FLASK_RUN_FROM_CLI", "true")  # which Flask sets, and leaves
        patch.delenv("FLASK_APP", raising=False)
        patch.setattr(sys, "path", sys.path[:])
        yield run
