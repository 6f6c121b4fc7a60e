"""Restart a development server for changes in a tree that its own reloader does not notice.

The reloaders of Werkzeug and gunicorn watch the files of imported modules. They do not notice a
file that is new, deleted, renamed, or that could not be imported because it is broken, nor a
folder. A thread in the serving process compares the whole tree with its state before it was
loaded, and ends the process in the way that makes the server start it again.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import FrameType

import click
from flask.helpers import get_debug_flag
from werkzeug.serving import is_running_from_reloader

from .errors import RouteHandlersError, RouteTreeError
from .tree.segments import is_walked

#: The exit status that makes Werkzeug's reloader start the process again.
RELOAD = 3

#: Seconds between two comparisons; more for a tree whose comparison takes long.
INTERVAL = 0.25

#: The share of a core that the comparisons may take.
SHARE = 0.01

#: Seconds without a change before the process ends: moving a folder is many changes.
SETTLING = 0.1

#: Each file by its absolute path, with its modification time and size, or a link's target.
Snapshot = dict[str, tuple[int, int] | str | None]

_watchers: dict[str, Watcher] = {}


def watch(root: str) -> Watcher | None:
    """Watch a root from now on, once per process. Call it before the root is read.

    :returns: ``None`` if no server would start this process again.
    """
    restart: Callable[[str], None]
    if is_running_from_reloader():
        restart = _restart_in_werkzeug
    elif is_in_reloading_gunicorn():
        restart = _restart_in_gunicorn
    else:
        return None
    if root not in _watchers:
        if not _watchers and restart is _restart_in_werkzeug:
            _warn_of_watchdog()
        _watchers[root] = Watcher(root, restart)
        _watchers[root].start()
    return _watchers[root]


def leave_to_child(error: RouteTreeError) -> bool:
    """Return whether ``flask run`` goes on although a tree cannot be served.

    The command loads the app again in the process that serves it. That one shows the error in
    the terminal and in the browser, and starts again when the tree changes; the first process
    only has to stay alive.
    """
    from flask.cli import run_command

    context = click.get_current_context(silent=True)
    if context is None or context.command is not run_command or is_running_from_reloader():
        return False
    reload = context.params["reload"]
    if reload is None:
        reload = get_debug_flag()
    if reload:
        title = str(error).partition(":\n")[0]
        click.echo(f" * {title}. The app starts as soon as the tree is fixed.", err=True)
    return bool(reload)


class Watcher(threading.Thread):
    """Restart the process when the Python files below a root change.

    :param root: an absolute path, which need not exist.
    :param restart: called with a file that has changed.
    """

    def __init__(self, root: str, restart: Callable[[str], None]) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.restart = restart
        self.outside: frozenset[str] = frozenset()
        self.loaded = take_snapshot(root)

    def show(self, failures: Iterable[RouteHandlersError]) -> None:
        """Print why routes answer with an error, and watch the files that led to it, anywhere."""
        for failure in failures:
            traceback.print_exception(failure)
            self.watch_files(failure)

    def watch_files(self, error: RouteHandlersError) -> None:
        """Watch the files that led to an error, in addition to those of the tree."""
        outside = set(_files_of(error.__cause__)) - set(self.loaded)
        self.loaded = self.loaded | {file: _sign(file) for file in outside}
        self.outside |= outside

    def run(self) -> None:
        """Compare the files until they have changed, and change no more."""
        before = self.loaded
        while True:
            began = time.thread_time()
            snapshot = take_snapshot(self.root, self.outside)
            pause = max(INTERVAL, (time.thread_time() - began) / SHARE)
            if snapshot != self.loaded and snapshot == before:
                self.restart(min(file for file, _ in snapshot.items() ^ self.loaded.items()))
            elif snapshot != self.loaded:
                pause = SETTLING
            before = snapshot
            time.sleep(pause)


def take_snapshot(root: str, outside: Iterable[str] = ()) -> Snapshot:
    """Return the state of the Python files below a root.

    Private folders are included, since route files import from them.

    :param root: an absolute path, which need not exist.
    :param outside: the absolute paths of more files.
    """
    files = [root, *outside]
    stack = [root]
    while stack:
        # A folder that is gone is noticed in the folder above it.
        with suppress(OSError), os.scandir(stack.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if _is_watched(entry.name):
                        stack.append(entry.path)
                elif entry.is_symlink() or entry.name.lower().endswith((".py", ".pyw")):
                    files.append(entry.path)
    return {file: _sign(file) for file in files}


def _is_watched(folder: str) -> bool:
    """Return whether the files of a folder can matter: also of a private, not of a hidden one."""
    return is_walked(folder) or (folder[0] == "_" and folder != "__pycache__")


def _sign(file: str) -> tuple[int, int] | str | None:
    """Return the time and size of a file, where a folder is, or ``None`` if it does not exist."""
    if os.path.isdir(file):
        return os.path.realpath(file)
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _files_of(error: BaseException | None) -> Iterator[str]:
    """Return the files that an import reached before it failed, and those it did not find."""
    while error is not None:
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions:
                yield from _files_of(part)
        yield from (frame.filename for frame in traceback.extract_tb(error.__traceback__))
        if isinstance(error, SyntaxError) and error.filename:
            yield error.filename
        if isinstance(error, ModuleNotFoundError) and error.name:
            package, _, name = error.name.rpartition(".")
            folders = sys.path
            if package:
                folders = getattr(sys.modules.get(package), "__path__", [])
            for folder in folders:
                path = os.path.join(folder, name)
                yield from (path, f"{path}.py")
        error = error.__cause__ or error.__context__


def _frames(frame: FrameType | None, module: str) -> Iterator[FrameType]:
    """Find the frames of a module around a frame."""
    while frame is not None:
        if frame.f_globals.get("__name__") == module:
            yield frame
        frame = frame.f_back


def _restart_in_werkzeug(changed: str) -> None:
    """End the process as at the end of its main thread, which only waits.

    A process that the served app starts has the same environment, but no reloader runs in it, and
    it is not started again.
    """
    main = sys._current_frames().get(threading.main_thread().ident or 0)
    if not any(_frames(main, "werkzeug._reloader")):
        return
    logging.getLogger("werkzeug").info(f" * Detected change in {changed!r}, reloading")
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(RELOAD)


def is_in_reloading_gunicorn() -> bool:
    """Return whether a worker of ``gunicorn --reload`` is loading the app."""
    for frame in _frames(sys._getframe(), "gunicorn.workers.base"):
        return bool(frame.f_locals["self"].cfg.reload)
    return False


def _restart_in_gunicorn(changed: str) -> None:
    """End the worker as gunicorn would, which starts another one in its place."""
    logging.getLogger("gunicorn.error").info(f"Worker reloading: {changed} modified")
    os.kill(os.getpid(), signal.SIGTERM)


def _warn_of_watchdog() -> None:
    """Report a watchdog with which Werkzeug's reloader notices nothing at all.

    Its patterns (``*.py``) match no path with folders from watchdog 7 on.
    """
    from importlib import import_module
    from importlib.metadata import version

    try:
        import_module("watchdog.observers")
    except ImportError:
        return
    if int(version("watchdog").partition(".")[0]) >= 7:
        click.echo(
            " * watchdog 7 or later is installed, with which Werkzeug's reloader notices no edit. "
            'Only route trees are reloaded. Install an older one: pip install "watchdog<7".',
            err=True,
        )
