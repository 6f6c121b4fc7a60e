"""Replace a folder as a whole: readers find the old one or the new one, never a part."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

#: Of renameat2(2).
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2

#: A file in each working folder, which distinguishes it from the folders of users.
_MARK = "flask-routehandlers-export"

#: Seconds after which a working folder is left over from a process that was killed.
_LEFT_OVER = 24 * 3600


@contextmanager
def replacing(folder: str, check: Callable[[], None]) -> Iterator[str]:
    """Give a new, empty folder to fill. It takes the place of ``folder`` when the block ends.

    If the block raises, or the process is killed, ``folder`` is as it was. It is filled in a
    working folder next to ``folder``, whose name begins with a dot and that no one else uses. The
    working folder of a process that was killed goes away in a call a day later.

    Linux exchanges the two in one step. Elsewhere, and on file systems that cannot, it takes two
    renames: a process killed between them leaves no folder, and the next call brings it back.

    :param folder: the absolute path of the folder, without symbolic links. It need not exist.
    :param check: raises if the folder holds what must not be lost. It is called first, and again
        just before the folder goes.
    :raises OSError: if it cannot be replaced, as a mount point cannot.
    """
    path = Path(folder)
    if not path.name:
        raise OSError("it is the root of the file system")
    path.parent.mkdir(parents=True, exist_ok=True)
    _clean_up(path)
    check()
    work = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    new, old = work / "new", work / "old"
    new.mkdir(parents=True)
    try:
        (work / _MARK).touch()
        yield str(new)
        if path.is_dir():
            shutil.copymode(path, new)
        check()
        _put_in_place(new, path, old)
    finally:
        _remove(work)


def _clean_up(path: Path) -> None:
    """Remove the working folders of processes that were killed.

    One of them may hold the only copy of the folder, if its process was killed between two
    renames: that is put back first.

    :param path: the folder that is replaced.
    """
    for mark in path.parent.glob(f".{escape(path.name)}.*/{_MARK}"):
        old = mark.parent / "old"
        if old.is_dir() and not path.exists():
            old.rename(path)
        if time.time() - mark.stat().st_mtime > _LEFT_OVER:
            _remove(mark.parent)


def _remove(work: Path) -> None:
    """Remove a working folder and what is in it."""
    # The mark goes last: without it no other call would clean up.
    for name in ("new", "old"):
        shutil.rmtree(work / name, ignore_errors=True)
    shutil.rmtree(work)


def _put_in_place(new: Path, path: Path, old: Path) -> None:
    """Put the new folder in the place of the old one, in one step where the system can.

    :param old: where the old one goes if it takes two. If the second fails, it is put back.
    """
    if not path.exists():
        new.rename(path)
    elif not _exchange(new, path):
        path.rename(old)
        try:
            new.rename(path)
        except OSError:
            old.rename(path)
            raise


def _exchange(first: Path, second: Path) -> bool:
    """Exchange two folders in one step. Return whether the system can."""
    if sys.platform != "linux":
        return False
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)  # not in every libc
    paths = (os.fsencode(first), os.fsencode(second))
    if renameat2 is None:
        return False
    return not renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
