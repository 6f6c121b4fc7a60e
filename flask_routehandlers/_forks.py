"""Locks, threads and connections do not survive a fork.

A lock that another thread holds stays held forever in the child, a thread is gone, and a
connection is shared with the parent, whose replies the child would read. A lock that is made
before gevent patches the process does not work afterwards either. So such values are made at
their first use, and again in each child.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar
from weakref import WeakSet

Value = TypeVar("Value")


class Forkable(Protocol):
    """An object with something that does not survive a fork."""

    def after_fork(self) -> None:
        """Renew it in a child, in which there is no other thread."""


_forkables: WeakSet[Forkable] = WeakSet()


def renew_after_fork(owner: Forkable) -> None:
    """Call :meth:`Forkable.after_fork` in every child that is forked from now on."""
    _forkables.add(owner)


class PerProcess(Generic[Value]):
    """A value that is made when a process first asks for it.

    :param make: makes the value. Threads that are first at the same moment may each call it, and
        all use one result, so making the value must have no other effect.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._made: list[Value] = []
        renew_after_fork(self)

    def get(self) -> Value:
        """Return the value of this process: the same object in every thread."""
        if not self._made:
            self._made.append(self._make())
        return self._made[0]

    def after_fork(self) -> None:
        self._made = []


def _renew_all() -> None:
    for owner in list(_forkables):
        owner.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_all)
