"""The commands of ``flask route-handlers``: a module for each.

A module has the command's options, output and exit status. What it computes is in modules next to
it where that is long: ``match`` has ``explain`` and ``contracts``, and shares ``steps`` with
``listing``; ``new`` has ``scaffold`` and ``source``, ``warm`` and ``export`` have ``rendering``,
``typecheck`` has ``mypy``. All of them use ``common``.

The docstrings of commands are what ``--help`` prints. The exit status is 0 for success, 1 for an
answer of "no", such as a difference or an error in a tree, and 2 if there was nothing to work on.
"""

from __future__ import annotations

import click

from .check.command import check
from .export.command import export
from .listing import list_handlers
from .match import match
from .new import new
from .openapi import openapi
from .revalidate import revalidate
from .typecheck import typecheck
from .types import types
from .warm import warm


@click.group()
def group() -> None:
    """Inspect and extend the trees of route files of the app."""


for command in (
    check,
    export,
    list_handlers,
    match,
    new,
    openapi,
    revalidate,
    typecheck,
    types,
    warm,
):
    group.add_command(command)
