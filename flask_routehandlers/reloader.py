"""Restart the development server for what Werkzeug's reloader overlooks in a tree.

Werkzeug watches the files of imported modules. A file that is new, deleted, renamed, or that has
never been imported because it is broken, is none of them, and nor is a folder. Here a thread in
the process that serves compares all of a tree with what it was before it was loaded, and ends the
process with the status upon which Werkzeug starts it anew.
"""

from __future__ import annotations

import atexit
import logging
import os
import stat
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import version
from typing import NamedTuple, NoReturn

import click
from flask.cli import run_command
from flask.helpers import get_debug_flag
from werkzeug.serving import is_running_from_reloader

from .errors import RouteHandlersError, RouteTreeError
from .tree.segments import is_walked

#: The exit status upon which Werkzeug's reloader starts the process anew.
RELOAD = 3

#: Seconds between two looks at a tree, if a look costs little.
INTERVAL = 0.25

#: The part of a core that looking may cost: the larger a tree, the rarer a look.
SHARE = 0.008

#: Seconds between two looks that have to agree: a move of a folder is many changes.
SETTLING = 0.1

#: Nanoseconds after which no change can have the same time stamp on any file system.
_TICK = 2_000_000_000

#: What a file is known by: its time stamp and size, or where the link to a folder leads.
Signature = tuple[int, int] | str | None

_watchers: dict[str, Watcher] = {}


def watch(root: str) -> Watcher:
    """Watch a root from now on, once per process. Call it before the root is read."""
    if root not in _watchers:
        if not _watchers:
            _warn_of_watchdog()
        _watchers[root] = Watcher(root)
        _watchers[root].start()
    return _watchers[root]


def leave_to_child(error: RouteTreeError) -> bool:
    """Whether a tree that cannot be served is no reason to stop.

    ``flask run`` loads the app once more in the process that is to serve it. That one tells the
    error in the terminal and in the browser, and starts anew when the tree changes; the first
    process only has to live.
    """
    context = click.get_current_context(silent=True)
    if context is None or context.command is not run_command or is_running_from_reloader():
        return False
    reload = context.params["reload"]
    if not (get_debug_flag() if reload is None else reload):
        return False
    title = str(error).partition(":\n")[0]
    click.echo(f" * {title}. The app starts as soon as nothing is wrong.", err=True)
    return True


class Watcher(threading.Thread):
    """End the process with :data:`RELOAD` when the Python files below a root change.

    :param root: an absolute path, which need not exist.
    """

    def __init__(self, root: str) -> None:
        super().__init__(daemon=True)
        self.root = root
        self.outside: frozenset[str] = frozenset()
        self.loaded = look_at(root, self.outside)

    def show(self, failures: Iterable[RouteHandlersError]) -> None:
        """Print why routes answer with an error, and watch what led to it, wherever it is."""
        for failure in failures:
            traceback.print_exception(failure)
            behind = set(_files_behind(failure.__cause__)) - set(self.loaded.files)
            signed = {file: _sign(file) for file in behind}
            self.loaded = self.loaded._replace(files=self.loaded.files | signed)
            self.outside |= behind

    def run(self) -> None:
        look = self.loaded
        while True:
            began = time.thread_time()
            look = look_at(self.root, self.outside, look.folders)
            cost = time.thread_time() - began
            if look.files != self.loaded.files:
                look = self.settle(look)
                changed = _difference(self.loaded.files, look.files)
                if changed and _is_reloaders():
                    _reload(changed)
            time.sleep(max(INTERVAL, cost / SHARE))

    def settle(self, look: Look) -> Look:
        """Wait until nothing changes any more, for about a second at most."""
        for _ in range(10):
            before = look
            time.sleep(SETTLING)
            look = look_at(self.root, self.outside, before.folders)
            if look.files == before.files:
                break
        return look


class Listing(NamedTuple):
    """What a folder holds of interest, as absolute paths.

    :param changed: the folder's time stamp, or 0 for one too young to tell later changes.
    """

    changed: int
    folders: tuple[str, ...]
    files: tuple[str, ...]


class Look(NamedTuple):
    """A tree at one time: its Python files, and its folders with what they hold."""

    files: dict[str, Signature]
    folders: dict[str, Listing]


def look_at(root: str, outside: Iterable[str], known: dict[str, Listing] | None = None) -> Look:
    """Look at a tree, private folders included: route files import from them.

    :param outside: further files.
    :param known: the folders of an earlier look: those with the same time stamp are not read.
    """
    known = known or {}
    files = {file: _sign(file) for file in outside}
    folders: dict[str, Listing] = {}
    stack = [root]
    while stack:
        folder = stack.pop()
        try:
            changed = os.stat(folder).st_mtime_ns
            listing = known.get(folder)
            if listing is None or listing.changed != changed:
                listing = _list(folder, changed)
        except OSError:  # it is gone, or nobody may read it: the next look asks again
            continue
        folders[folder] = listing
        stack += listing.folders
        for file in listing.files:
            files[file] = _sign(file)
    if root in folders:
        files[root] = ""  # an empty root is another thing than none
    return Look(files, folders)


def _list(folder: str, changed: int) -> Listing:
    folders, files = [], []
    is_old = changed < time.time_ns() - _TICK
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith((".py", ".pyw")) or entry.is_symlink():
                files.append(entry.path)
            if entry.is_dir(follow_symlinks=False) and _is_watched(entry.name):
                folders.append(entry.path)
    return Listing(changed if is_old else 0, tuple(folders), tuple(files))


def _is_watched(folder: str) -> bool:
    return is_walked(folder) or (folder[0] == "_" and folder != "__pycache__")


def _sign(file: str) -> Signature:
    try:
        found = os.stat(file)
    except OSError:
        return None
    if stat.S_ISDIR(found.st_mode):
        return os.path.realpath(file)
    return found.st_mtime_ns, found.st_size


def _difference(old: dict[str, Signature], new: dict[str, Signature]) -> str | None:
    """A file that is not as it was."""
    return min((file for file, _ in old.items() ^ new.items()), default=None)


def _files_behind(error: BaseException | None) -> Iterator[str]:
    """The files that an import got to before it failed, and those that it looked for in vain."""
    while error is not None:
        yield from (frame.filename for frame in traceback.extract_tb(error.__traceback__))
        if isinstance(error, SyntaxError) and error.filename:
            yield error.filename
        if isinstance(error, ModuleNotFoundError) and error.name:
            package, _, name = error.name.rpartition(".")
            places = getattr(sys.modules.get(package), "__path__", ()) if package else sys.path
            for path in (os.path.join(place, name) for place in places):
                yield from (path, f"{path}.py")
        error = error.__cause__ or error.__context__


def _is_reloaders() -> bool:
    """Whether Werkzeug's reloader runs in this process.

    A process that the served app starts has the same environment, and is not started anew.
    """
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    while frame is not None:
        if frame.f_globals.get("__name__") == "werkzeug._reloader":
            return True
        frame = frame.f_back
    return False


def _reload(changed: str) -> NoReturn:
    logging.getLogger("werkzeug").info(f" * Detected change in {changed!r}, reloading")
    try:
        # As at the end of the main thread, which sleeps: what the app has started is to be ended.
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(RELOAD)


def _warn_of_watchdog() -> None:
    """Say so where Werkzeug's reloader notices nothing at all.

    Its patterns (``*.py``) match no path with folders from watchdog 7 on.
    """
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
