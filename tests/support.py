"""What tests share beside fixtures: files on disk, apps, and a real server."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from werkzeug.serving import WSGIRequestHandler, make_server

from flask_routehandlers import Problem, RouteHandlers, RouteTreeError
from flask_routehandlers.caching import cache_of
from flask_routehandlers.mount import mounts_of
from tests.oracle import OPTIONAL, places

#: What a route file holds where only its place matters.
ECHO = "def GET(request, params):\n    return {'rule': request.url_rule.rule, 'params': params}\n"

#: For tests that are given many random cases: the same in each run, however long they take.
SEEDED = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder: paths with ``/``, and their contents."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def static_route_of(app: Flask) -> Any:
    """Return the only static route of an app, a ``StaticRoute``."""
    [route] = [r.static for mount in mounts_of(app) for r in mount.routes if r.static is not None]
    return route


def bare_app(folder: Path, **options: Any) -> Flask:
    """An app whose folder is ``folder``, without any route of its own."""
    return Flask(f"app_of_{folder.name}", root_path=str(folder), static_folder=None, **options)


def refused(app: Flask, root: str = "app/api", **options: Any) -> tuple[Problem, ...]:
    """The problems for which a tree is refused, by ``RouteHandlers`` with these arguments."""
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(app, root, **options)
    return caught.value.problems


def configured(
    folder: Path, *, strict_slashes: bool = True, stops_clock: bool = True, **settings: Any
) -> Flask:
    """An app with settings of the cache. A server has time to answer on a busy machine."""
    app = bare_app(folder)
    app.url_map.strict_slashes = strict_slashes
    app.config["ROUTE_HANDLERS_CACHE_TIMEOUT"] = 5
    if "url" in settings:  # several apps of a test may stand for the workers of one
        settings = {"prefix": "{flask-routehandlers}:"} | settings
    app.config |= {f"ROUTE_HANDLERS_CACHE_{name.upper()}": v for name, v in settings.items()}
    app.config["SECRET_KEY"] = "shared by all"
    RouteHandlers(app)
    if stops_clock:
        stop_clock(app)
    return app


class Clock:
    """A clock that stands still until a test sets it forward."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += seconds


def stop_clock(app: Flask) -> None:
    """Let the cache of an app measure ages with a :class:`Clock`, if it is in memory."""
    cache = cache_of(app)
    if cache is not None and cache.settings.url is None:
        cache.now = Clock()


def grow_older(app: Flask, seconds: float) -> None:
    """Let time pass for an app whose clock stands still."""
    cache_of(app).now.forward(seconds)


def settle(app: Flask) -> None:
    """Wait until nothing is refreshed in this process."""
    settle_coordinator(cache_of(app).coordinator)


def settle_coordinator(coordinator: Any) -> None:
    """Wait until a ``Coordinator`` refreshes nothing, and has recorded how that ended."""
    tries = coordinator._next_try
    assert until(lambda: float("inf") not in list(tries.values())), "a refresh does not end"


def in_child(function: Callable[[], bool]) -> bool:
    """What a function gives in a forked child."""
    child = os.fork()
    if not child:
        os._exit(0 if function() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def until(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait for a condition to be met; whether it was."""
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return met


class QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass

    # It reads the target again, and fails for some that are no URL.
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def running(
    app: Callable[..., Any], handler: type[WSGIRequestHandler] = QuietHandler
) -> Iterator[int]:
    """Serve an app with Werkzeug's server on a free port, which is given."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


#: Texts that each converter takes, for paths that are meant to match.
_SAMPLES = {
    "int": ("7", "0", "42", "٣"),
    "float": ("1.5", "007.0"),
    "uuid": ("12345678-1234-1234-1234-1234567890aB",),
}


def path_for(rng: Random, route: str, words: Sequence[str]) -> str:
    """A decoded path that the rule of a route (a folder path) matches.

    :param words: what parameters without a converter are filled with.
    """
    path = ""
    for rank, pieces in places(route):
        if isinstance(pieces, str):
            least = 0 if rank == (OPTIONAL,) else 1
            segments = rng.choices(words, k=rng.randint(least, 3))
        else:
            values = (
                p if isinstance(p, str) else rng.choice(_SAMPLES.get(p[1], words)) for p in pieces
            )
            segments = ["".join(values)]
        path += "".join(f"/{segment}" for segment in segments)
    return path or "/"
