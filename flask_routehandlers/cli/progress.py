"""Run handlers for many URLs, and show how far that is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import click

T = TypeVar("T")

#: For the commands that do so.
threads_option = click.option(
    "--threads",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    help="How many handlers run at once.",
)


@contextmanager
def progress(items: Iterator[T], length: int, label: str) -> Iterator[Iterator[T]]:
    """Give the items, with a bar on stderr that moves with them; no bar where nobody sees it.

    :param length: how many items there are.
    """
    if not sys.stderr.isatty():
        yield items
        return
    with click.progressbar(items, length=length, label=label, file=sys.stderr) as bar:
        yield iter(bar)
