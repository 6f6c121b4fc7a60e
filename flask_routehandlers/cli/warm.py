"""``flask route-handlers warm``: what static handlers answer is stored before anybody asks."""

from __future__ import annotations

import click
from flask.cli import ScriptInfo, pass_script_info

from ..errors import Problem, StoreError
from . import warming
from .common import LoadError, counted, load_with_shared_store, progress, threads_option
from .rendering import find_urls, in_threads


@click.command()
@threads_option
@pass_script_info
@click.pass_context
def warm(context: click.Context, info: ScriptInfo, threads: int) -> None:
    """Compute what the store does not have yet, before requests come.

    Every static GET is run, with the parameters that generate_static_params lists. What is fresh
    in the store is left as it is.

    The exit status is 0 if no handler failed, 1 if one did, and 2 if there is no shared store
    that can be reached.
    """
    app = load_with_shared_store(info)
    try:
        warming.check_store(app)
        urls = find_urls(app)
        problems = [*urls.problems, *warming.warm_lists(urls.known)]
        with progress(
            in_threads(warming.warm, urls.known, threads), len(urls.known), "Warming"
        ) as bar:
            results = list(bar)
        # While it is down, entries go into the memory of this process.
        warming.check_store(app)
    except StoreError as error:
        hint = "Look at ROUTE_HANDLERS_CACHE_URL in app.config."
        raise LoadError(f"The store cannot be reached: {error}. {hint}") from error
    problems += [result for result in results if isinstance(result, Problem)]
    warmed = [result for result in results if not isinstance(result, Problem)]
    stored = [one for one in warmed if not one.why_not and one.is_there()]
    for one in warmed:
        if one not in stored:
            click.echo(f"not stored  {one.url.url}: {one.why_not or 'gone again'}")
    for route in urls.unlisted:
        click.echo(f"not known   {route.file} has no generate_static_params")
    for problem in problems:
        click.echo(f"{problem}\n", err=True)
    new = sum(one.is_new for one in stored)
    click.echo(
        f"Stored {counted(new, 'URL')}, {len(stored) - new} were fresh, {len(problems)} failed."
    )
    context.exit(1 if problems else 0)
