"""Requests per second of one process: WSGI servers with route files, and Next.js with its own.

Needs wrk, and npm with access to a registry: it installs Next.js in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.load import Rate, measure, send
from tests.servers import Server, free_port, started, wsgi_server
from tests.support import write_files

ROUNDS = 5
WARM_UP = 5000
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
    "granian": ("granian", "wsgi:app", "--blocking-threads=1"),
    "granian, 8 threads": ("granian", "wsgi:app", "--blocking-threads=8"),
    "granian, function views": ("granian", "views:app", "--blocking-threads=1"),
}


def build_next(folder: Path) -> None:
    """Install and build the app in a new folder."""
    shutil.copytree(NEXT, folder)
    environment = os.environ | {"NEXT_TELEMETRY_DISABLED": "1"}
    for command in (["npm", "install", "--no-audit", "--no-fund"], ["npx", "next", "build"]):
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)


@contextmanager
def next_server(folder: Path, port: int) -> Iterator[Any]:
    """Run ``next start``, and end all of its processes: ``node`` may be a child of another."""
    command = [str(folder / "node_modules/.bin/next"), "start", "-p", str(port)]
    environment = os.environ | {"NEXT_TELEMETRY_DISABLED": "1"}
    options: dict[str, Any] = {"cwd": folder, "env": environment, "start_new_session": True}
    with started(command, port, folder / "output.txt", **options) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def warm_up(port: int) -> None:
    """Send requests until compilers have seen the code often enough."""
    for path in PATHS.values():
        sent = 0
        while sent < WARM_UP:
            sent += send(port, path, 1)[0]


def measure_all(folder: Path) -> dict[tuple[str, str], list[Rate]]:
    """Return the rates of each server for each path; the servers take turns."""
    rates: dict[tuple[str, str], list[Rate]] = {}
    with ExitStack() as stack:
        servers = {}
        for name, (kind, app, *options) in SERVERS.items():
            place = folder / name
            write_files(place, FILES | {"views.py": VIEWS})
            servers[name] = stack.enter_context(wsgi_server(place, kind, *options, app=app))
        port, output = free_port(), folder / "next/output.txt"
        process = stack.enter_context(next_server(folder / "next", port))
        servers["next start"] = Server(port, process, output)
        for server in servers.values():
            warm_up(server.port)
        for _ in range(ROUNDS):
            for name, server in servers.items():
                for label, path in PATHS.items():
                    rates.setdefault((label, name), []).append(measure(server, path, 3))
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
