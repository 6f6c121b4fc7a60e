"""Requests per second of one process: WSGI servers with route files, and Next.js with its own.

Needs wrk, and npm with access to a registry: it installs Next.js in a temporary folder.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from tests.servers import free_port, started, wsgi_server
from tests.support import write_files

ROUNDS = 5
WARM_UP = 5000
TICKS = os.sysconf("SC_CLK_TCK")
NEXT = Path(__file__).with_name("next")
PATHS = {"static": "/api/health", "one parameter": "/api/users/7"}

FILES = {
    "wsgi.py": "from flask import Flask\nfrom flask_routehandlers import RouteHandlers\n"
    "app = Flask(__name__, static_folder=None)\nRouteHandlers(app)\n",
    "app/api/health/route.py": 'def GET():\n    return {"status": "ok"}\n',
    "app/api/users/[id]/route.py": 'def GET(id):\n    return {"id": id}\n',
}
#: Flask's own views, for comparison.
VIEWS = "from tests.benchmarks.requests import function_views\napp = function_views()\n"

#: The name of the server, the module of the app, and options.
SERVERS = {
    "gunicorn sync": ("gunicorn", "wsgi:app"),
    "gunicorn sync, function views": ("gunicorn", "views:app"),
    "gunicorn gthread, 8 threads": ("gunicorn", "wsgi:app", "--threads=8"),
    "waitress, 8 threads": ("waitress", "wsgi:app", "--threads=8"),
    "granian": ("granian", "wsgi:app"),
    "granian, function views": ("granian", "views:app"),
}


class Rate(NamedTuple):
    """Requests per second, and per second of processor time: other load does not change that."""

    per_second: float
    per_cpu_second: float


def build_next(folder: Path) -> None:
    """Install and build the app in a new folder."""
    shutil.copytree(NEXT, folder)
    environment = os.environ | {"NEXT_TELEMETRY_DISABLED": "1"}
    for command in (["npm", "install", "--no-audit", "--no-fund"], ["npx", "next", "build"]):
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


def next_server(folder: Path, port: int) -> AbstractContextManager[Any]:
    """Run ``next start`` itself: npx would be its parent, and would not end it."""
    command = [str(folder / "node_modules/.bin/next"), "start", "-p", str(port)]
    environment = os.environ | {"NEXT_TELEMETRY_DISABLED": "1"}
    return started(command, port, folder / "output.txt", cwd=folder, env=environment)


def descendants(pid: int) -> Iterator[int]:
    """Yield a process and all that it has started, with threads that may have done so."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from descendants(int(child))


def processor_seconds(pid: int) -> float:
    """Return the time of the processors that a server has taken, with its workers."""
    ticks = 0
    for process in descendants(pid):
        # The name of the program may contain spaces; it ends with the last parenthesis.
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def send(port: int, path: str, seconds: int) -> tuple[int, float]:
    """Send requests by 8 connections; return how many, and in how many seconds."""
    command = ["wrk", "-t1", "-c8", f"-d{seconds}", f"http://127.0.0.1:{port}{path}"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "Non-2xx" not in done.stdout, done.stdout
    [(requests, taken)] = re.findall(r"(\d+) requests in (\S+)s", done.stdout)
    return int(requests), float(taken)


def warm_up(port: int) -> None:
    """Send requests until compilers have seen the code often enough."""
    for path in PATHS.values():
        sent = 0
        while sent < WARM_UP:
            sent += send(port, path, 1)[0]


def measure(port: int, pid: int, path: str) -> Rate:
    before = processor_seconds(pid)
    requests, seconds = send(port, path, 3)
    return Rate(requests / seconds, requests / (processor_seconds(pid) - before))


def measure_all(folder: Path) -> dict[tuple[str, str], list[Rate]]:
    """Return the rates of each server for each path; the servers take turns."""
    rates: dict[tuple[str, str], list[Rate]] = {}
    with ExitStack() as stack:
        ports = {}
        for name, (server, app, *options) in SERVERS.items():
            place = folder / name
            write_files(place, FILES | {"views.py": VIEWS})
            running = stack.enter_context(wsgi_server(place, server, *options, app=app))
            ports[name] = (running.port, running.process.pid)
        port = free_port()
        process = stack.enter_context(next_server(folder / "next", port))
        ports["next start"] = (port, process.pid)
        for port, _ in ports.values():
            warm_up(port)
        for _ in range(ROUNDS):
            for name, (port, pid) in ports.items():
                for label, path in PATHS.items():
                    rates.setdefault((label, name), []).append(measure(port, pid, path))
    return rates


def run() -> Iterator[str]:
    if not shutil.which("wrk") or not shutil.which("npm"):
        yield "wrk or npm is missing"
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_next(folder / "next")
        with redirect_stdout(StringIO()):  # the servers' output
            rates = measure_all(folder)
    for (label, server), taken in rates.items():
        rate, base = _median(taken), _median(rates[label, "next start"])
        yield (
            f"{label}: {server}: {rate.per_second:.0f} requests per second, "
            f"{rate.per_second / base.per_second:.2f} x next start; {rate.per_cpu_second:.0f} per "
            f"second of processor time, {rate.per_cpu_second / base.per_cpu_second:.2f} x"
        )


def _median(rates: list[Rate]) -> Rate:
    return Rate(*(median(column) for column in zip(*rates, strict=True)))
