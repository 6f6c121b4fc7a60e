"""Start-up and memory against the same number of hand-written modules with one rule each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.support import write_files

RUNS = 7

_STATIC = 'def GET():\n    return {"status": "ok"}\n'
_DYNAMIC = 'def GET(id):\n    return {"id": id}\n'

# Runs in a new process each time: the cost for a worker before its first request.
_MEASURE = """
import gc, json, os, sys, time, tracemalloc
import flask
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "memory":
    tracemalloc.start()
begin = time.process_time()
import wsgi
wsgi.app.url_map.update()
seconds = time.process_time() - begin
gc.collect()
print(json.dumps({
    "time": seconds,
    "memory": tracemalloc.get_traced_memory()[0],
    "rules": len(list(wsgi.app.url_map.iter_rules())),
}))
"""


def place(number: int) -> tuple[str, bool]:
    """Return the folder of a route and whether it ends with a parameter."""
    dynamic = number % 2 == 1
    return f"area{number % 50}/thing{number}", dynamic


def write_route_files(folder: Path, count: int) -> None:
    files = {
        "wsgi.py": "from flask import Flask\nfrom flask_routehandlers import RouteHandlers\n"
        "app = Flask(__name__, static_folder=None)\nRouteHandlers(app)\n"
    }
    for number in range(count):
        path, dynamic = place(number)
        content = _DYNAMIC if dynamic else _STATIC
        files[f"app/api/{path}{'/[id]' if dynamic else ''}/route.py"] = content
    write_files(folder, files)


def write_modules(folder: Path, count: int) -> None:
    """Write the same by hand: in each module a view, and one rule on a Blueprint."""
    lines = [
        "from importlib import import_module",
        "from flask import Blueprint, Flask",
        "app = Flask(__name__, static_folder=None)",
        "from views import blueprint",
        f"for number in range({count}):",
        "    import_module(f'views.area{number % 50}.thing{number}')",
        "app.register_blueprint(blueprint)",
    ]
    files = {
        "wsgi.py": "\n".join(lines),
        "views/__init__.py": "from flask import Blueprint\n"
        "blueprint = Blueprint('api', __name__, url_prefix='/api')\n",
    }
    for number in range(count):
        path, dynamic = place(number)
        rule = f"/{path}" + ("/<id>" if dynamic else "")
        arguments, body = ("id", '{"id": id}') if dynamic else ("", '{"status": "ok"}')
        files[f"views/area{number % 50}/__init__.py"] = ""
        files[f"views/{path}.py"] = (
            "from views import blueprint\n\n"
            f"@blueprint.get({rule!r})\ndef get_thing{number}({arguments}):\n    return {body}\n"
        )
    write_files(folder, files)


def measure(folder: Path, what: str) -> float:
    """Start once, in a new process with bytecode on disk, as after the first start."""
    output = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(folder), what],
        capture_output=True,
        check=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
    ).stdout
    measured: dict[str, float] = json.loads(output)
    assert measured["rules"] == int(folder.name)
    return measured[what]


def run() -> Iterator[str]:
    for count in (1000, 5000):
        with tempfile.TemporaryDirectory() as name:
            ours, theirs = Path(name, f"ours/{count}"), Path(name, f"theirs/{count}")
            write_route_files(ours, count)
            write_modules(theirs, count)
            for what, runs in (("memory", 1), ("time", RUNS)):
                measured: dict[Path, list[float]] = {ours: [], theirs: []}
                for number in range(runs):
                    for folder in (ours, theirs) if number % 2 else (theirs, ours):
                        measured[folder].append(measure(folder, what))
                ratio = median(measured[ours]) / median(measured[theirs])
                yield f"{count} routes: {what} against hand-written modules {ratio:.2f}"
