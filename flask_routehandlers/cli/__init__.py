"""The commands of ``flask route-handlers``: a module for each."""

from __future__ import annotations

import click

from .match import match


@click.group()
def group() -> None:
    """Look into the trees of route files that the app serves."""


group.add_command(match)
