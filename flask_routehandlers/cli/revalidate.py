"""``flask route-handlers revalidate``: forget stored responses, in every process.

This is :func:`~flask_routehandlers.revalidate_path` and
:func:`~flask_routehandlers.revalidate_tag` for a shell. It only makes sense for a store that the
servers share, and refuses to pretend otherwise.
"""

from __future__ import annotations

import click
from flask.cli import ScriptInfo, pass_script_info

from ..errors import RevalidationError, StoreError
from ..revalidation import revalidate_path, revalidate_tag
from .common import load_with_shared_store


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@click.option("--tag", "tags", multiple=True, help="A tag. Can be given several times.")
@pass_script_info
def revalidate(info: ScriptInfo, paths: tuple[str, ...], tags: tuple[str, ...]) -> None:
    """Forget what is stored for each PATH, and under each --tag.

    PATH is the path of a URL, /api/posts/1, or a route as its folders spell it,
    "/api/posts/[id]", for every URL of the file.

    The exit status is 0 if every process has to compute all of it again, 1 if something was not
    revalidated, and 2 if there is no shared store.
    """
    if not paths and not tags:
        raise click.UsageError("Give a PATH or a --tag.")
    app = load_with_shared_store(info)
    with app.app_context():
        try:
            for path in paths:
                revalidate_path(path)
                click.echo(f"Revalidated {path}")
            for tag in tags:
                revalidate_tag(tag)
                click.echo(f"Revalidated the tag {tag}")
        except RevalidationError as error:
            raise click.ClickException(str(error)) from error
        except StoreError as error:
            outcome = "What is stored is served until it is stale."
            raise click.ClickException(
                f"The store cannot be reached: {error}. {outcome}"
            ) from error
