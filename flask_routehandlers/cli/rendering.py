"""Run the static handlers of an app for every URL that is known beforehand."""

from __future__ import annotations

import os
import sysconfig
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from traceback import extract_tb
from typing import TypeVar
from urllib.parse import quote

from flask import Flask
from werkzeug.exceptions import HTTPException

from ..caching.policy import kept_headers, why_not_stored
from ..caching.static_route import StaticRoute
from ..caching.stores.entry import Entry
from ..errors import Problem
from ..revalidation import static_routes

Result = TypeVar("Result")

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
#: Where code lies that is nobody's own, as the beginning of file names; ``<`` is that of frozen
#: modules.
_LIBRARIES = (
    "<",
    *(
        sysconfig.get_path(name) + os.sep
        for name in ("stdlib", "platstdlib", "purelib", "platlib")
    ),
)
_LOOK = "Look at what it returns."


@dataclass(frozen=True, slots=True)
class StaticUrl:
    """One URL of a static handler.

    :param route: what runs the handler.
    :param path: the decoded path.
    """

    route: StaticRoute
    path: str

    @property
    def url(self) -> str:
        """The path as it stands in a link, percent-encoded."""
        return quote(self.path, safe="/!$&'()*+,:;=@")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a static handler answers for a URL.

    :param url: the URL.
    :param status: the status, less than 500.
    :param headers: those of the handler.
    :param body: the body.
    """

    url: StaticUrl
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Urls:
    """What an app can render before anybody asks.

    :param known: every static URL that is known, sorted by path.
    :param unlisted: the static routes whose parameters nothing lists.
    :param problems: what is wrong with the lists of others.
    """

    known: list[StaticUrl]
    unlisted: list[StaticRoute]
    problems: list[Problem]


def find_urls(app: Flask) -> Urls:
    """Every static URL of an app, as far as ``generate_static_params`` tells."""
    urls = Urls([], [], [])
    for route in static_routes(app):
        try:
            paths = route.static_paths()
        except (Exception, SystemExit) as error:
            urls.problems.append(failure(route.file, "generate_static_params", error))
            continue
        if paths is None:
            urls.unlisted.append(route)
        else:
            urls.known.extend(StaticUrl(route, path) for path in paths)
    urls.known.sort(key=lambda url: url.path)
    return urls


def render(url: StaticUrl) -> Rendered | Problem:
    """Run the handler of a URL, whatever is stored, and store nothing.

    :returns: a problem if it fails, or if its answer is not for everyone.
    """
    try:
        result = url.route.render(url.path)
        if isinstance(result, Entry):
            return Rendered(url, result.status, result.headers, result.body)
        status, headers = result.status_code, list(result.headers)
        try:
            body = result.get_data()
        finally:
            result.close()
    except HTTPException as error:
        response = error.get_response()
        status, headers, body = response.status_code, list(response.headers), b""
    except (Exception, SystemExit) as error:
        return failure(url.route.file, f"GET for {url.url}", error)
    if status >= 500:
        return server_error(url, status)
    # Of any status: a redirect with a cookie is for one client too.
    why = why_not_stored(200, headers)
    if why:
        return Problem(
            f"What GET gives for {url.url} is not for everyone: it has {why}.",
            'Answer without it, or write dynamic = "force-dynamic".',
            (url.route.file,),
        )
    return Rendered(url, status, kept_headers(headers), body)


def server_error(url: StaticUrl, status: int) -> Problem:
    """The problem of a handler that says itself that it has failed."""
    return Problem(f"GET for {url.url} gives the status {status}.", _LOOK, (url.route.file,))


def failure(file: str, what: str, error: BaseException) -> Problem:
    """The problem of a file whose code has raised something."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    frames = [f for f in extract_tb(error.__traceback__) if not f.filename.startswith(_PACKAGE)]
    # Where a library raises is of little use, unless nothing else is there.
    frames = [f for f in frames if _is_own(f.filename, file)] or frames
    hint = f"Look at {frames[-1].filename}, line {frames[-1].lineno}." if frames else _LOOK
    # What this package finds wrong with a list is a sentence of its own.
    reason = f"{what} failed: {text}" if frames or what not in text else str(error)
    return Problem(reason, hint, (file,))


def _is_own(path: str, file: str) -> bool:
    # An app may be installed among the libraries.
    is_file = path.endswith(os.sep + file.replace("/", os.sep))
    return is_file or not path.startswith(_LIBRARIES)


def in_threads(
    function: Callable[[StaticUrl], Result], urls: Iterable[StaticUrl], threads: int
) -> Iterator[Result]:
    """The results of a function, in the order of the URLs. Few of them wait to be taken.

    :param threads: how many calls run at once.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for url in urls:
                waiting.append(pool.submit(function, url))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
