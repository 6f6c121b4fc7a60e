"""Replace a folder as a whole: who looks finds the old one or the new one, never a part."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: Of renameat2(2).
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class InUseError(OSError):
    """Another process is replacing the folder."""


@contextmanager
def replacing(folder: str, check: Callable[[], None]) -> Iterator[str]:
    """Give a new, empty folder to fill. It takes the place of ``folder`` when the block ends.

    If the block raises, ``folder`` is as it was. So it is if the process is killed: what is left
    then lies beside it, under names that begin with a dot, and goes away at the next call. All of
    the new folder is on the disk before it is seen.

    Linux exchanges the two in one step. Elsewhere, and on file systems that cannot, it takes two
    renames: a process killed between them leaves no folder, and the next call brings it back.

    :param folder: the absolute path of the folder, without symbolic links. It need not exist.
    :param check: raises if the folder holds what must not be lost. It is called first, and again
        just before the folder goes.
    :raises InUseError: when another process replaces the folder.
    :raises OSError: when it cannot be replaced, as a mount point cannot.
    """
    above, name = os.path.split(folder)
    if not name:
        raise OSError("it is the root of the file system")
    os.makedirs(above, exist_ok=True)
    new, old = (os.path.join(above, f".{name}.{which}") for which in ("new", "old"))
    with _locked(os.path.join(above, f".{name}.lock")):
        if os.path.lexists(old) and not os.path.lexists(folder):
            os.rename(old, folder)
        _remove(new, old)
        check()
        os.mkdir(new)
        try:
            yield new
            if os.path.isdir(folder):
                shutil.copymode(folder, new)
            _flush(new)
            check()
            _put_in_place(new, folder, old)
            _flush_folder(above)
        finally:
            _remove(new, old)


@contextmanager
def _locked(path: str) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    file = _lock(path)
    try:
        yield
    finally:
        with suppress(PermissionError):  # Windows does not remove what is open
            os.remove(path)
        os.close(file)


def _lock(path: str) -> int:
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            if sys.platform == "win32":
                msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), os.stat(path)):
                    return file
        except OSError as error:
            os.close(file)
            raise InUseError(str(error)) from error
        # Its holder removed it after it was opened here, so that another could make a new one.
        os.close(file)


def _remove(*paths: str) -> None:
    for path in paths:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)


def _flush(folder: str) -> None:
    """Have everything in a folder on the disk, and the folder itself."""
    for path, _, files in os.walk(folder):
        for file in files:
            with open(os.path.join(path, file), "rb+") as opened:
                os.fsync(opened.fileno())
        _flush_folder(path)


def _flush_folder(path: str) -> None:
    if sys.platform != "win32":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _put_in_place(new: str, folder: str, old: str) -> None:
    if not os.path.lexists(folder):
        os.rename(new, folder)
    elif not _exchange(new, folder):
        os.rename(folder, old)
        try:
            os.rename(new, folder)
        except OSError:
            os.rename(old, folder)
            raise


def _exchange(one: str, other: str) -> bool:
    """Exchange two folders in one step, if the system can."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None) if sys.platform == "linux" else None
    if renameat2 is None:
        return False
    paths = (os.fsencode(one), os.fsencode(other))
    return not renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE)
