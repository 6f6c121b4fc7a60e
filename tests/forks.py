"""Runs commands in forks of a process that has imported Flask: as in a new one, but at once.

A Python that starts, imports Flask and reads the installed entry points takes half a second.
The pages of the documentation start about two hundred.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

#: Seconds that a command may take on a busy machine.
TIMEOUT = 120

_context = get_context("forkserver")
_context.set_forkserver_preload(
    [
        "pytest",
        "doctest",
        "asgiref.sync",
        "flask.cli",
        "flask_routehandlers.cli",
        "flask_caching",
        "flask_cors",
        "flask_jwt_extended",
        "flask_limiter",
        "flask_login",
        "flask_wtf",
        "redis",
        "webargs.flaskparser",
        "tests.forks",
    ]
)


def start(call: list[str], folder: Path, env: dict[str, str], output: Path) -> BaseProcess:
    """Start ``python -m`` with a module and its arguments.

    :param output: the file that gets what the command prints.
    """
    return _start(_run_module, call, folder, env, output)


def run(call: list[str], folder: Path, env: dict[str, str], output: Path) -> tuple[int, str]:
    """Run ``python -m`` with a module and its arguments; return its exit status and output."""
    return _finish(start(call, folder, env, output), output)


def run_doctest(script: Path, env: dict[str, str], output: Path) -> tuple[int, str]:
    """Run the ``>>>`` examples of a file in its folder; the output is empty if all succeed."""
    return _finish(_start(_run_doctest, [str(script)], script.parent, env, output), output)


def _start(*arguments: Any) -> BaseProcess:
    # As a daemon it ends with pytest, also when that is interrupted.
    process = _context.Process(target=_run, args=arguments, daemon=True)
    process.start()
    return process


def _finish(process: BaseProcess, output: Path) -> tuple[int, str]:
    process.join(TIMEOUT)
    status = process.exitcode
    if status is None:
        process.kill()
        process.join()
        pytest.fail(f"the command takes longer than {TIMEOUT} s:\n{output.read_text()}")
    return status, output.read_text(encoding="utf-8")


def _run(
    function: Callable[[list[str]], Any],
    call: list[str],
    folder: Path,
    env: dict[str, str],
    output: Path,
) -> None:
    """Make a new process of this fork, as Python would start it in a folder."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.path.insert(0, str(folder))
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        function(call)
    except Exception:
        sys.excepthook(*sys.exc_info())
        sys.exit(1)


def _run_module(call: list[str]) -> None:
    sys.argv = call
    runpy.run_module(call[0], run_name="__main__", alter_sys=True)


def _run_doctest(call: list[str]) -> None:
    import doctest

    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.testfile(call[0], module_relative=False, optionflags=options, encoding="utf-8")
