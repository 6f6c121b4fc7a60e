"""The commands of ``flask route-handlers``: a module for each."""

from __future__ import annotations

import click

from .check.command import check
from .export.command import export
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


for command in (check, export, match, new, openapi, revalidate, typecheck, types, warm):
    group.add_command(command)
