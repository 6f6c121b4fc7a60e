"""Locks, threads and connections do not survive a fork: what has any makes it anew in the child.

A lock that another thread held at the fork is held for ever in the child, a thread is gone, and a
connection is shared with the parent, whose replies it would take.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    def after_fork(self) -> None:
        """Make locks, threads and connections anew: the caller is the only thread there is."""


_forkables: WeakSet[Forkable] = WeakSet()


def renew_after_fork(owner: Forkable) -> None:
    """Call :meth:`Forkable.after_fork` in every child process that is forked from now on."""
    _forkables.add(owner)


def _after_fork_in_child() -> None:
    for owner in list(_forkables):
        owner.after_fork()


if hasattr(os, "register_at_fork"):  # there is none on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)
