"""A hit against a plain Flask view, a long body against a short one, a stale hit against a hit."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import sleep

from flask import Blueprint, Flask, Response

from flask_routehandlers import RouteHandlers
from tests.benchmarks.requests import compare, function_views
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


def floor() -> Flask:
    """A view that returns a response which is ready: no view in Flask costs less."""
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
