"""``flask route-handlers warm``: fill the shared store before requests come.

It is meant for a deployment: after it, the first request for each listed URL finds an entry. It
goes through the coordinator of the cache, as requests do, and so waits for a missing entry that a
server is computing at this moment, instead of computing it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import click
from flask import Flask
from flask.cli import ScriptInfo, pass_script_info
from werkzeug.exceptions import HTTPException

from ..caching import cache_of
from ..caching.stores.base import Found
from ..errors import Problem, StoreError, printable
from .common import LoadError, counted, load_with_shared_store, progress, threads_option
from .rendering import StaticUrl, failure, find_urls, in_threads, server_error

#: A tag that no entry has.
_NO_TAG = "warm:"


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
        results = in_threads(_warm, urls.known, threads)
        with progress(results, len(urls.known), "Warming") as bar:
            outcomes = list(bar)
        # While the store is down, entries go into the memory of this process.
        _check_store(app)
    except StoreError as error:
        hint = "Look at ROUTE_HANDLERS_CACHE_URL in app.config."
        raise LoadError(f"The store cannot be reached: {error}. {hint}") from error
    fresh = new = 0
    for outcome in outcomes:
        if isinstance(outcome, Problem):
            problems.append(outcome)
        elif outcome.why_not or not outcome.is_stored():
            click.echo(f"not stored  {outcome.url.url}: {outcome.why_not or 'no longer there'}")
        elif outcome.is_new:
            new += 1
        else:
            fresh += 1
    for file in urls.unlisted:
        click.echo(f"not known   {file} has no generate_static_params")
    for problem in problems:
        click.echo(printable(f"{problem}\n"), err=True)
    click.echo(f"Stored {counted(new, 'URL')}, {fresh} were fresh, {len(problems)} failed.")
    if problems:
        context.exit(1)


@dataclass(frozen=True, slots=True)
class _Warmed:
    """The outcome for one URL whose handler did not fail.

    :param url: the URL.
    :param is_new: whether it was computed just now.
    :param why_not: why the response is not stored, in a word; empty if it is.
    """

    url: StaticUrl
    is_new: bool = True
    why_not: str = ""

    def is_stored(self) -> bool:
        """Return whether the store has the URL at this moment."""
        route = self.url.route
        return route.cache.store.get(route.key_of(self.url.path)) is not None


def _check_store(app: Flask) -> None:
    """Raise a ``StoreError`` if the store cannot be reached."""
    cache = cache_of(app)
    if cache is not None:
        # The only call that raises while a store is down: all others work without it.
        cache.store.revalidate_tags([_NO_TAG])


def _warm(url: StaticUrl) -> _Warmed | Problem:
    """Compute and store the response for a URL, unless a fresh one is stored.

    A response that may not be stored is not a failure: its reason is taken from the header
    ``Cache-Status`` (RFC 9211), ``detail=...``.
    """
    route, coordinator = url.route, url.route.cache.coordinator
    try:
        job = route.job(url.path)
        stored = coordinator.get(job.key)
        if stored is None:
            answer = coordinator.resolve(job, None)  # also for a server that is computing it
        elif stored.fresh_for > 0:
            return _Warmed(url, is_new=False)
        else:
            answer = coordinator.compute(job)
        if isinstance(answer.result, Found):
            if answer.is_stored or answer.is_collapsed:
                return _Warmed(url)
            return _Warmed(url, why_not="revalidated meanwhile")
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
    return _Warmed(url, why_not=detail)


def _warm_lists(urls: Iterable[StaticUrl]) -> Iterator[Problem]:
    """Renew the lists of the routes that answer no other URLs; yield the problems of lists."""
    closed = {url.file: url.route for url in urls if not url.route.config.dynamic_params}
    for file, route in closed.items():
        try:
            route.cache.coordinator.compute(route.list_job())
        except (Exception, SystemExit) as error:
            yield failure(file, "generate_static_params", error)
