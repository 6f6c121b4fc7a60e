"""Typed inputs and outputs against hand-written views, other packages and FastAPI.

Needs ``pip install --group benchmarks``, and wrk for the comparison of servers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from flask import Flask
from werkzeug.test import EnvironBuilder

from tests.benchmarks import contract_apps as apps
from tests.benchmarks.load import measure, python_server, send
from tests.support import write_files

ROUNDS, REQUESTS = 300, 20

BODY = json.dumps({"title": "New", "description": apps.DESCRIPTION, "tags": ["one", "two"]})

#: The two endpoints: the arguments of a request, and the status of its answer.
ENDPOINTS: dict[str, tuple[dict[str, Any], str]] = {
    "a list of 20": ({"query_string": {"limit": "20"}}, "200"),
    "a create": ({"method": "POST", "data": BODY, "content_type": "application/json"}, "201"),
}


def compare(made: Mapping[str, Flask], endpoint: str) -> dict[str, float]:
    """Return the processor time of a block of requests, the median of the quicker half."""
    calls = {name: _call(app, *ENDPOINTS[endpoint]) for name, app in made.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(100):
            call()
    names, rng = list(calls), Random(1)
    for _ in range(ROUNDS):
        rng.shuffle(names)  # none always runs after the same one
        for name in names:
            call = calls[name]
            begin = time.process_time()
            for _ in range(REQUESTS):
                call()
            times[name].append(time.process_time() - begin)
    return {name: median(sorted(taken)[: ROUNDS // 2]) for name, taken in times.items()}


def _call(app: Flask, options: dict[str, Any], status: str) -> Callable[[], None]:
    environ = EnvironBuilder("/api/articles", **options).get_environ()
    body = environ["wsgi.input"].read()
    begun: list[str] = []

    def start_response(line: str, headers: Any, exc_info: Any = None) -> Callable[..., Any]:
        begun.append(line[:3])
        return begun.append

    def call() -> None:
        begun.clear()
        answer: Any = app({**environ, "wsgi.input": BytesIO(body)}, start_response)
        b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        assert begun == [status], begun

    return call


def measure_views(folder: Path) -> Iterator[str]:
    made = {
        "by hand": apps.by_hand(),
        "pydantic": apps.with_route_files(folder / "pydantic", apps.PYDANTIC),
        "msgspec": apps.with_route_files(folder / "msgspec", apps.MSGSPEC),
        "APIFlask": apps.with_apiflask(),
        "spectree": apps.with_spectree(),
        "flask-openapi3": apps.with_flask_openapi3(),
    }
    for endpoint in ENDPOINTS:
        times = compare(made, endpoint)
        ratios = [f"{name} {taken / times['by hand']:.3f}" for name, taken in times.items()]
        yield f"{endpoint}, against a view by hand: {', '.join(ratios[1:])}"


TYPES = """
from __future__ import annotations
from pydantic import BaseModel
from flask_routehandlers import Body, Created, Query

class Page{number}(BaseModel):
    limit: int = 20
    tag: str | None = None

class Item{number}(BaseModel):
    name: str
    tags: list[str]
"""

HANDLERS = {
    "plain": """
def GET(): return []
def POST(): return {{}}
""",
    "contracts": """
def GET(page: Query[Page{number}]) -> list[Item{number}]: return []
def POST(body: Body[Item{number}]) -> Created[Item{number}]: return body, 201
""",
}

START = """
import sys, time
from flask_routehandlers import RouteHandlers
from tests.support import bare_app
from pathlib import Path
app = bare_app(Path(sys.argv[1]))
begin = time.process_time()
RouteHandlers(app)
print(time.process_time() - begin)
"""


def measure_start(folder: Path, files: int = 500) -> Iterator[str]:
    for name, handlers in HANDLERS.items():
        for number in range(files):
            code = (TYPES + handlers).format(number=number)
            write_files(folder / name / "app/api", {f"a{number}/route.py": code})
    taken: dict[str, list[float]] = {"plain": [], "contracts": []}
    for _ in range(3):
        for name, times in taken.items():
            command = [sys.executable, "-c", START, str(folder / name)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            times.append(float(done.stdout))
    each = (min(taken["contracts"]) - min(taken["plain"])) / (2 * files)
    yield f"start of 1,000 handlers with contracts: {1000 * each:.2f} ms more for each"


#: One thread: several wait for each other, and no handler here waits for anything else.
GRANIAN = "granian --interface wsgi --blocking-threads 1 --port {port}"

SERVERS = {
    "granian, pydantic": f"{GRANIAN} wsgi:with_pydantic",
    "granian, msgspec": f"{GRANIAN} wsgi:with_msgspec",
    "granian, by hand": f"{GRANIAN} wsgi:by_hand",
    "gunicorn, pydantic": "gunicorn --threads 8 --bind 127.0.0.1:{port} wsgi:with_pydantic",
    "uvicorn, FastAPI": "uvicorn --no-access-log --log-level warning --port {port} wsgi:fastapi",
}

WSGI = """
from pathlib import Path
from tests.benchmarks import contract_apps as apps
here = Path(__file__).parent
with_pydantic = apps.with_route_files(here / "pydantic", apps.PYDANTIC)
with_msgspec = apps.with_route_files(here / "msgspec", apps.MSGSPEC)
by_hand = apps.by_hand()
fastapi = apps.with_fastapi()
"""

ARTICLES = "/api/articles?limit=20"

POST = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = [[{body}]]
"""


def measure_servers(folder: Path, rounds: int = 3) -> Iterator[str]:
    """Compare requests per second: one worker each, 8 connections, in turns."""
    write_files(folder, {"wsgi.py": WSGI, "post.lua": POST.format(body=BODY)})
    script = str(folder / "post.lua")
    rates: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for name, command in SERVERS.items():
            with python_server(folder, command) as server:
                for endpoint, options in (("list", ()), ("create", ("-s", script))):
                    send(server.port, ARTICLES, 1, *options)
                    rate = measure(server, ARTICLES, 4, *options).per_second
                    rates.setdefault((endpoint, name), []).append(rate)
    for endpoint in ("list", "create"):
        base = median(rates[endpoint, "uvicorn, FastAPI"])
        for name in SERVERS:
            rate = median(rates[endpoint, name])
            yield f"{endpoint}: {name}: {rate:.0f} requests per second, {rate / base:.2f}"


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from measure_views(folder / "views")
        yield from measure_start(folder / "start")
        if shutil.which("wrk"):
            yield from measure_servers(folder / "servers")
