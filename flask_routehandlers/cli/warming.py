"""Fill the shared store of an app before anybody asks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.exceptions import HTTPException

from ..caching import cache_of
from ..caching.stores.base import Found
from ..errors import Problem
from .rendering import StaticUrl, failure, server_error

#: A tag that nothing has.
_NO_TAG = "warm:"


@dataclass(frozen=True, slots=True)
class Warmed:
    """What became of one URL.

    :param url: the URL.
    :param is_new: whether it was computed just now.
    :param why_not: why what was computed is not stored, in a word; empty if it is.
    """

    url: StaticUrl
    is_new: bool = True
    why_not: str = ""

    def is_there(self) -> bool:
        """Whether the store has it at this moment."""
        route = self.url.route
        return route.cache.store.get(route.key_of(self.url.path)) is not None


def check_store(app: Flask) -> None:
    """Look whether the shared store of an app can be reached.

    :raises StoreError: when it cannot.
    """
    cache = cache_of(app)
    if cache is not None:
        # Only what revalidates says so: everything else gets along without the store.
        cache.store.revalidate_tags([_NO_TAG])


def warm(url: StaticUrl) -> Warmed | Problem:
    """Have the answer for a URL computed and stored, unless it is there and fresh.

    :returns: a problem if the handler fails.
    """
    route, coordinator = url.route, url.route.cache.coordinator
    try:
        job = route.job(url.path)
        found = coordinator.get(job.key)
        if found is not None and found.fresh_for > 0:
            return Warmed(url, is_new=False)
        answer = coordinator.compute(job) if found else coordinator.resolve(job, None)
        if isinstance(answer.result, Found):
            is_stored = answer.is_stored or answer.is_collapsed
            return Warmed(url, why_not="" if is_stored else "revalidated meanwhile")
        status = answer.result.status_code
        detail = answer.result.headers["Cache-Status"].rpartition("detail=")[2]
        answer.result.close()
    except HTTPException as error:
        status = error.get_response().status_code
        detail = f"status-{status}"
    except (Exception, SystemExit) as error:
        return failure(route.file, f"GET for {url.url}", error)
    return server_error(url, status) if status >= 500 else Warmed(url, why_not=detail)


def warm_lists(urls: Iterable[StaticUrl]) -> Iterator[Problem]:
    """Renew the lists of those routes that answer no other URLs than these.

    :returns: the problems of the routes whose lists fail.
    """
    for route in {id(url.route): url.route for url in urls if url.route.is_closed}.values():
        try:
            route.cache.coordinator.compute(route.list_job())
        except (Exception, SystemExit) as error:
            yield failure(route.file, "generate_static_params", error)
