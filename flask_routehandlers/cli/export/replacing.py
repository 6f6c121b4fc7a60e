"""Replace a folder as a whole: readers find the old one or the new one, never a part."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from tempfile import mkdtemp

#: Of renameat2(2).
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2

#: The end of the name of a working folder, which distinguishes it from the folders of users.
_ENDING = ".flask-routehandlers-export"

#: Seconds after which a working folder is left over from a process that was killed.
_LEFT_OVER = 24 * 3600


@contextmanager
def replacing(folder: str) -> Iterator[str]:
    """Give a new, empty folder to fill. It takes the place of ``folder`` when the block ends.

    If the block raises, or the process is killed, ``folder`` is as it was. It is filled in a
    working folder next to ``folder``, whose name begins with a dot and that no one else uses. The
    working folder of a process that was killed goes away in a call a day later.

    Linux exchanges the two in one step. Elsewhere, and on file systems that cannot, it takes two
    renames: a process killed between them leaves no folder, and the next call brings it back
    before its block begins.

    :param folder: the absolute path of the folder, without symbolic links. It need not exist.
    :raises OSError: if it cannot be replaced, as a mount point cannot.
    """
    path = Path(folder)
    if not path.name:
        raise OSError("it is the root of the file system")
    path.parent.mkdir(parents=True, exist_ok=True)
    _clean_up(path)
    work = Path(mkdtemp(_ENDING, f".{path.name}.", path.parent))
    new, old = work / "new", work / "old"
    try:
        new.mkdir()
        yield str(new)
        if path.is_dir():
            shutil.copymode(path, new)
        _put_in_place(new, path, old)
    finally:
        shutil.rmtree(work)


def _clean_up(path: Path) -> None:
    """Remove the working folders of processes that were killed.

    One of them may hold the only copy of the folder, if its process was killed between two
    renames: that is put back first.

    :param path: the folder that is replaced.
    """
    for work in path.parent.glob(f".{escape(path.name)}.*{_ENDING}"):
        old = work / "old"
        if old.is_dir() and not path.exists():
            old.rename(path)
        if time.time() - work.stat().st_mtime > _LEFT_OVER:
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
