"""``flask route-handlers warm``: fill the shared store before requests come.

It is meant for a deployment: after it, the first request for each listed URL finds an entry. It
goes through the coordinator of the cache, as requests do, and so waits for a missing entry that a
server is computing at this moment, instead of computing it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info
from werkzeug.exceptions import HTTPException

from ..caching import cache_of
from ..caching.stores.base import Found
from ..errors import Problem, StoreError
from .common import LoadError, counted, load_with_shared_store, threads_option
from .rendering import StaticUrl, failure, find_urls, in_threads, server_error

#: The outcomes for a URL whose response is stored: just now, or before.
_NEW, _FRESH = "new", "fresh"


@click.command()
@threads_option
@pass_script_info
@click.pass_context
def warm(context: click.Context, info: ScriptInfo, threads: int) -> None:
    """Compute what the store does not have yet, before requests come.

    Every static GET runs, with the parameters that generate_static_params lists. Entries that are
    fresh in the store are left as they are.

    The exit status is 0 if no handler failed, 1 if one did, and 2 if there is no shared store
    that can be reached.
    """
    app = load_with_shared_store(info)
    try:
        _check_store(app)
        urls = find_urls(app)
        problems = [*urls.problems, *_warm_lists(urls.known)]
        outcomes = list(in_threads(_warm, urls.known, threads, "Warming"))
        # While the store is down, entries go into the memory of this process.
        _check_store(app)
    except StoreError as error:
        hint = "Look at ROUTE_HANDLERS_CACHE_URL in app.config."
        raise LoadError(f"The store cannot be reached: {error}. {hint}") from error
    stored = {_NEW: 0, _FRESH: 0}
    for url, outcome in zip(urls.known, outcomes, strict=True):
        if isinstance(outcome, Problem):
            problems.append(outcome)
        elif outcome not in stored:
            click.echo(f"not stored  {url.url}: {outcome}")
        elif url.route.cache.store.get(url.route.key_of(url.path)) is None:
            click.echo(f"not stored  {url.url}: no longer there")
        else:
            stored[outcome] += 1
    for file in urls.unlisted:
        click.echo(f"not known   {file} has no generate_static_params")
    for problem in problems:
        click.echo(f"{problem}\n", err=True)
    new, fresh = counted(stored[_NEW], "URL"), stored[_FRESH]
    click.echo(f"Stored {new}, {fresh} were fresh, {len(problems)} failed.")
    if problems:
        context.exit(1)


def _check_store(app: Flask) -> None:
    """Raise a ``StoreError`` if the store cannot be reached."""
    cache = cache_of(app)
    if cache is not None:
        # The only call that raises while a store is down: all others work without it. No entry
        # has this tag.
        cache.store.revalidate_tags(["warm:"])


def _warm(url: StaticUrl) -> str | Problem:
    """Compute and store the response for a URL, unless a fresh one is stored.

    A response that may not be stored is not a failure: its reason is taken from the header
    ``Cache-Status`` (RFC 9211), ``detail=...``.

    :returns: ``_NEW``, ``_FRESH``, or why the response is not stored.
    """
    route, coordinator = url.route, url.route.cache.coordinator
    try:
        job = route.job(url.path)
        stored = coordinator.get(job.key)
        if stored is None:
            answer = coordinator.resolve(job, None)  # also for a server that is computing it
        elif stored.fresh_for > 0:
            return _FRESH
        else:
            answer = coordinator.compute(job)
        if isinstance(answer.result, Found):
            if answer.state in ("stored", "collapsed"):
                return _NEW
            return "revalidated meanwhile"
        status = answer.result.status_code
        detail = answer.result.headers["Cache-Status"].rpartition("detail=")[2]
        answer.result.close()
    except HTTPException as error:
        status = error.get_response().status_code
        detail = f"status-{status}"
    except (Exception, SystemExit) as error:
        return failure(url.file, f"GET for {url.url}", error)
    if status >= 500:
        return server_error(url, status)
    return detail


def _warm_lists(urls: Iterable[StaticUrl]) -> Iterator[Problem]:
    """Renew the lists of the routes that answer no other URLs; yield the problems of lists."""
    closed = {url.file: url.route for url in urls if not url.route.config.dynamic_params}
    for file, route in closed.items():
        try:
            route.cache.coordinator.compute(route.list_job())
        except (Exception, SystemExit) as error:
            yield failure(file, "generate_static_params", error)
