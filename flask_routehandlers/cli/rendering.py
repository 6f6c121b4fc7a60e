"""Run the static handlers of an app for every URL that is known in advance.

``export`` and ``warm`` find their URLs here, and turn exceptions of handlers into problems: one
handler that fails does not keep the others from running. Handlers are code of users, so
``SystemExit`` counts as a failure too.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from traceback import extract_tb
from typing import TypeVar
from urllib.parse import quote

import click
from flask import Flask
from werkzeug.exceptions import HTTPException

from ..caching.policy import kept_headers, why_not_stored
from ..caching.static_route import StaticRoute
from ..caching.stores.entry import Entry
from ..errors import Problem, describe_exception, shown_path
from ..mount import mounts_of

Result = TypeVar("Result")

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep
_SCHEMES = ("stdlib", "platstdlib", "purelib", "platlib")
#: How the file names of Python and of what is installed begin; ``<`` is for frozen modules.
_LIBRARIES = ("<", *(sysconfig.get_path(name) + os.sep for name in _SCHEMES))
_LOOK = "Look at what it returns."


@dataclass(frozen=True, slots=True)
class StaticUrl:
    """One URL of a static handler.

    :param file: its route file, as users can open it.
    :param path: the decoded path.
    """

    route: StaticRoute
    file: str
    path: str

    @property
    def url(self) -> str:
        """The path as a link has it, percent-encoded."""
        return quote(self.path, safe="/!$&'()*+,:;=@")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The response of a static handler for a URL: one that is not an error of the server."""

    url: StaticUrl
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Urls:
    """The URLs that an app can render before any request.

    :param known: sorted by path.
    :param unlisted: the route files without a list of parameters, as users can open them.
    :param problems: what is wrong with the lists of other files.
    """

    known: list[StaticUrl]
    unlisted: list[str]
    problems: list[Problem]


def find_urls(app: Flask) -> Urls:
    """Return the static URLs of an app, with the parameters of ``generate_static_params``.

    A static handler without path parameters has one URL. One with parameters has as many as its
    list; without a list its file is among the ``unlisted``.
    """
    urls = Urls([], [], [])
    for mount in mounts_of(app):
        for route in mount.routes:
            if route.static is None:
                continue
            file = shown_path(os.path.join(mount.root, route.file.file))
            try:
                paths = route.static.params.paths()
            except (Exception, SystemExit) as error:
                urls.problems.append(failure(file, "generate_static_params", error))
                continue
            if paths is None:
                urls.unlisted.append(file)
            else:
                urls.known.extend(StaticUrl(route.static, file, path) for path in paths)
    urls.known.sort(key=lambda url: url.path)
    return urls


def render(url: StaticUrl) -> Rendered | Problem:
    """Run the handler of a URL, whatever is stored, and store nothing.

    :returns: a problem if it fails, or if its response is not for everyone.
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
        return failure(url.file, f"GET for {url.url}", error)
    if status >= 500:
        return server_error(url, status)
    # Of any status: a redirect with a cookie is for one client too.
    why = why_not_stored(200, headers)
    if why:
        return Problem(
            f"The response of GET for {url.url} is not for everyone: it has {why}.",
            'Answer without it, or write dynamic = "force-dynamic".',
            (url.file,),
        )
    return Rendered(url, status, kept_headers(headers), body)


def server_error(url: StaticUrl, status: int) -> Problem:
    """Return the problem of a handler that answers with a status of 500 or more."""
    return Problem(f"GET for {url.url} answers with status {status}.", _LOOK, (url.file,))


def failure(file: str, task: str, error: BaseException) -> Problem:
    """Return the problem of a file whose code raised an exception.

    The hint names the last line of the app's own code in the traceback, if it has one: that is
    more useful than the line of the library that raised.

    :param file: the file, as users can open it.
    :param task: what failed, ``GET for /api/posts``.
    """
    frames = [f for f in extract_tb(error.__traceback__) if not f.filename.startswith(_PACKAGE)]
    if not frames and task in str(error):  # a sentence of this package about a list
        return Problem(str(error), _LOOK, (file,))
    # An app may be installed among the libraries.
    of_app = [
        frame
        for frame in frames
        if frame.filename.endswith(file) or not frame.filename.startswith(_LIBRARIES)
    ]
    hint = _LOOK
    if frames:
        frame = (of_app or frames)[-1]
        hint = f"Look at {frame.filename}, line {frame.lineno}."
    return Problem(f"{task} failed: {describe_exception(error)}", hint, (file,))


def in_threads(
    function: Callable[[StaticUrl], Result], urls: Sequence[StaticUrl], threads: int, label: str
) -> Iterator[Result]:
    """Yield the results of a function, in the order of the URLs, and move a bar at a terminal.

    Handlers wait for databases and other servers, so threads are enough. The bar is on standard
    error, so that output can be piped.

    :param function: is called in another thread; it must not raise.
    :param label: the words before the bar.
    """
    with ThreadPoolExecutor(threads) as pool:
        results = pool.map(function, urls)
        if not sys.stderr.isatty():
            yield from results
            return
        with click.progressbar(results, len(urls), label, file=sys.stderr) as bar:
            yield from bar
