"""The commands of ``flask route-handlers``: a module for each."""

from __future__ import annotations

import click

from .check import check
from .match import match
from .new import new
from .typecheck import typecheck


@click.group()
def group() -> None:
    """Look into the trees of route files that the app serves."""


group.add_command(check)
group.add_command(match)
group.add_command(new)
group.add_command(typecheck)
