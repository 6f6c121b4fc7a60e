"""The commands of ``flask route-handlers``: a module for each."""

from __future__ import annotations

import click

from .export import export
from .match import match
from .revalidate import revalidate
from .warm import warm


@click.group()
def group() -> None:
    """Look into the trees of route files that the app serves."""


group.add_command(export)
group.add_command(match)
group.add_command(revalidate)
group.add_command(warm)
