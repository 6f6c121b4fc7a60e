"""A hit of a static handler against a plain Flask view, and hits against each other.

A long body is compared with a short one, a stale hit with a fresh one, a request that computes a
response with one to a dynamic handler, and under gunicorn a hit from Redis with one from memory.
"""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, redirect_stdout
from http.client import HTTPResponse
from io import StringIO
from itertools import count
from pathlib import Path
from statistics import median
from time import monotonic, process_time, sleep

import pytest
from flask import Blueprint, Flask, Response

from flask_routehandlers import RouteHandlers
from tests.benchmarks.requests import compare, function_views
from tests.servers import gunicorn, redis_server
from tests.support import bare_app, write_files

PATH = "/api/health"

HIT = 'revalidate = False\n\ndef GET():\n    return {"status": "ok"}\n'
LONG = 'revalidate = False\n\ndef GET():\n    return "x" * %d\n'
#: Stale after a second, and its first refresh takes longer than the benchmark.
STALE = """import time
from itertools import count

revalidate = 1
runs = count()

def GET():
    if next(runs):
        time.sleep(600)
    return {"status": "ok"}
"""

#: Each with paths that are requested once.
ONCE = {
    "cold/[id]/route.py": HIT.replace("GET()", "GET(id)"),
    "dynamic/[id]/route.py": HIT.replace("GET()", "GET(id)").replace("revalidate", "_"),
    "waiting/[id]/route.py": "import time\n\nrevalidate = 60\n\n"
    "def GET(id):\n    time.sleep(0.1)\n    return id\n",
}
#: How many paths are requested in a block, how many blocks there are, and how many paths are
#: requested concurrently, by how many threads.
BLOCK, BLOCKS, MANY, ASKING = 50, 60, 1000, 40

WSGI = """
import os
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__, static_folder=None)
app.config["SECRET_KEY"] = "shared by all"
app.config["ROUTE_HANDLERS_CACHE_URL"] = os.environ.get("REDIS")
RouteHandlers(app)
"""
VIEW = """
from tests.benchmarks.requests import function_views

app = function_views()
"""

#: Under gunicorn: threads of its one worker, clients, rounds, and the seconds of each.
THREADS, CLIENTS, TURNS, SECONDS = 4, 4, 12, 1.0


def floor() -> Flask:
    """Create an app whose view returns a prepared response: no view in Flask costs less."""
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    ready = Response('{"status": "ok"}\n', mimetype="application/json")
    blueprint.add_url_rule("/health", view_func=lambda: ready)
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(blueprint)
    return app


def static(folder: Path, source: str) -> Flask:
    write_files(folder / "app/api", {"health/route.py": source})
    app = bare_app(folder)
    RouteHandlers(app)
    assert app.test_client().get(PATH).status_code == 200
    return app


def ask_once(folder: Path) -> Iterator[str]:
    """Measure requests whose response has to be computed."""
    write_files(folder / "app/api", ONCE)
    app = bare_app(folder)
    RouteHandlers(app)
    numbers = count()

    def ask(name: str) -> None:
        path = f"/api/{name}/{next(numbers)}"
        with app.test_client().get(path) as response:
            assert response.status_code == 200

    times: dict[str, list[float]] = {"cold": [], "dynamic": []}
    for _ in range(BLOCKS):
        for name, taken in times.items():
            begin = process_time()  # the handler runs in another thread
            for _ in range(BLOCK):
                ask(name)
            taken.append(process_time() - begin)
    ratio = median(times["cold"]) / median(times["dynamic"])
    yield f"a request that computes a response, against a dynamic handler {ratio:.3f}"
    with ThreadPoolExecutor(ASKING) as pool:
        begin = monotonic()
        list(pool.map(ask, ["waiting"] * MANY))
        ratio = (monotonic() - begin) / (MANY * 0.1 / ASKING)
    yield f"{MANY} of them by {ASKING} threads, against the sleep of their handlers {ratio:.3f}"


def count_answers(port: int) -> int:
    """Count the answers to several clients that each keep a connection."""
    request = f"GET {PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()

    def ask(_: int) -> int:
        answers = 0
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            client.sendall(request)
            response = HTTPResponse(client)
            response.begin()
            assert response.status == 200
            body = response.read()
            ends = monotonic() + SECONDS
            while monotonic() < ends:
                client.sendall(request)
                data = client.recv(65536)
                while not data.endswith(body):
                    more = client.recv(65536)
                    assert more, "the connection was closed"
                    data += more
                assert data.startswith(b"HTTP/1.1 200")
                answers += 1
        return answers

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(ask, range(CLIENTS)))


def throughputs(folder: Path) -> dict[str, float]:
    """Return the requests per second of each server; the servers take turns."""
    options = ("--workers=1", f"--threads={THREADS}", "--worker-class=gthread")
    counts: dict[str, list[int]] = {"view": [], "memory": [], "Redis": []}
    with ExitStack() as stack:
        url = stack.enter_context(redis_server()).url
        ports = {}
        for name in counts:
            route = {"app/api/health/route.py": HIT}
            files = {"wsgi.py": VIEW} if name == "view" else {"wsgi.py": WSGI} | route
            environment = {"REDIS": url} if name == "Redis" else {}
            write_files(folder / name, files)
            server = gunicorn(folder / name, *options, **environment)
            ports[name] = stack.enter_context(server).port
        for number in range(TURNS):
            order = list(ports.items())
            for name, port in order if number % 2 else reversed(order):
                counts[name].append(count_answers(port))
    return {name: median(some) / SECONDS for name, some in counts.items()}


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        hit = static(folder / "hit", HIT)
        times = compare({"view": function_views(), "hit": hit, "floor": floor()}, PATH)
        yield f"a hit against a view that returns a dict {times['hit'] / times['view']:.3f}"
        yield f"the floor against a view that returns a dict {times['floor'] / times['view']:.3f}"
        lengths = {n: static(folder / n, LONG % int(n)) for n in ("100", "100000")}
        times = compare(lengths, PATH)
        yield f"a hit of 100 kB against one of 100 bytes {times['100000'] / times['100']:.3f}"
        stale = static(folder / "stale", STALE)
        sleep(1.1)
        times = compare({"hit": hit, "stale": stale}, PATH)
        yield f"a stale hit against a hit {times['stale'] / times['hit']:.3f}"
        yield from ask_once(folder / "once")
        try:
            with redirect_stdout(StringIO()):  # the servers' output
                rates = throughputs(folder / "gunicorn")
        except pytest.skip.Exception as skipped:
            yield f"throughput under gunicorn is not measured: {skipped}"
            return
        ratio = rates["Redis"] / rates["memory"]
        yield f"throughput under gunicorn, a hit from Redis against one from memory {ratio:.3f}"
        ratio = rates["memory"] / rates["view"]
        yield f"throughput under gunicorn, a hit from memory against a view {ratio:.3f}"
        yield f"requests per second: {', '.join(f'{k} {v:.0f}' for k, v in rates.items())}"
