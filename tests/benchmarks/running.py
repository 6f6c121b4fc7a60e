"""Async views against sync ones: on the loop of the process, and in Flask's way (asgiref)."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

from flask import Flask
from werkzeug.test import EnvironBuilder

from flask_routehandlers import RouteHandlers, after, run_async
from tests.support import bare_app, write_files

BLOCKS = 200
REQUESTS = 20
THREADS = 16


async def never() -> dict[str, str]:
    return {"status": "ok"}


async def once_around() -> dict[str, str]:
    await asyncio.sleep(0)
    return {"status": "ok"}


async def wait() -> dict[str, str]:
    await asyncio.sleep(0.005)
    return {"status": "ok"}


def views(function: Callable[[], Coroutine[Any, Any, Any]], seconds: float = 0) -> Flask:
    """An app with one view, which runs a coroutine in each way, and a sync one."""
    app = Flask(__name__, static_folder=None)

    @app.get("/sync")
    def sync() -> Any:
        if seconds:
            time.sleep(seconds)
        return {"status": "ok"}

    @app.get("/kept")
    def kept() -> Any:
        return run_async(function())

    @app.get("/flask")
    def flask() -> Any:
        return app.async_to_sync(function)()

    return app


def call_of(app: Flask, path: str) -> Callable[[], None]:
    """A request to an app, from any thread."""
    environ = EnvironBuilder(path).get_environ()

    def call() -> None:
        begun: list[str] = []

        def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
            begun.append(status)

        body: Any = app(environ.copy(), start_response)
        b"".join(body)
        body.close()
        assert begun == ["200 OK"], begun

    return call


def compare(
    app: Flask, names: tuple[str, ...], run: Callable[[Callable[[], None]], None]
) -> dict[str, tuple[float, float]]:
    """The wall time (median) and the process time (median) of a block of requests for each view,
    the blocks taken in turns."""
    calls = {name: call_of(app, f"/{name}") for name in names}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for call in calls.values():
        run(call)
    gc.collect()
    for number in range(BLOCKS):
        order = list(calls.items())
        for name, call in order if number % 2 else reversed(order):
            wall, cpu = time.perf_counter(), time.process_time()
            run(call)
            times[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        name: (median(wall for wall, _ in taken), median(cpu for _, cpu in taken))
        for name, taken in times.items()
    }


def in_turn(call: Callable[[], None]) -> None:
    for _ in range(REQUESTS):
        call()


SYNC = 'def GET():\n    return {"status": "ok"}\n'
MIDDLEWARE = "async def middleware(call_next):\n    return await call_next()\n"


def route_files(folder: Path) -> Flask:
    """An app with a sync handler, an async one, and both in async middleware."""
    files = {
        "sync/route.py": SYNC,
        "async/route.py": f"async {SYNC}",
        "in/middleware.py": MIDDLEWARE,
        "in/sync/route.py": SYNC,
        "in/async/route.py": f"async {SYNC}",
    }
    write_files(folder / "app/api", files)
    app = bare_app(folder)
    RouteHandlers(app, url_prefix="")
    return app


def added_by_after() -> float:
    """The microseconds that a call of after() adds to a response, without its callback."""
    app = Flask(__name__, static_folder=None)
    done = threading.Event()

    @app.get("/without")
    def without() -> Any:
        done.set()
        return {"status": "ok"}

    @app.get("/with")
    def with_after() -> Any:
        after(done.set)
        return {"status": "ok"}

    times: dict[str, list[float]] = {"/without": [], "/with": []}
    calls = {path: call_of(app, path) for path in times}
    for _ in range(BLOCKS * REQUESTS):
        for path, call in calls.items():
            done.clear()
            begin = time.perf_counter()
            call()
            times[path].append(time.perf_counter() - begin)
            done.wait()
    return (median(times["/with"]) - median(times["/without"])) * 1e6


def run() -> Iterator[str]:
    def ratios(label: str, times: dict[str, tuple[float, float]]) -> Iterator[str]:
        wall, cpu = times["sync"]
        for name in times:
            if name != "sync":
                yield (
                    f"{label}, {name} against sync: "
                    f"{times[name][0] / wall:.3f} wall, {times[name][1] / cpu:.3f} cpu"
                )

    names = ("sync", "kept", "flask")
    yield from ratios("never waits", compare(views(never), names, in_turn))
    yield from ratios("sleep(0)", compare(views(once_around), names, in_turn))
    yield f"after() adds {added_by_after():.1f} us to a response"
    with tempfile.TemporaryDirectory() as folder:
        app = route_files(Path(folder))
        names = ("sync", "async", "in/sync", "in/async")
        yield from ratios("route files", compare(app, names, in_turn))
    names = ("sync", "kept", "flask")
    with ThreadPoolExecutor(THREADS) as pool:

        def beside(call: Callable[[], None]) -> None:
            for future in [pool.submit(call) for _ in range(2 * THREADS)]:
                future.result()

        app = views(wait, 0.005)
        yield from ratios(f"5 ms, {THREADS} threads", compare(app, names, beside))
