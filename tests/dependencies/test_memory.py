"""Requests leave nothing behind: no cycles, and no growth of memory."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest
from werkzeug.test import create_environ

from tests.dependencies.support import LOG

KINDS = {
    "fine": "return 'fine'",
    "abort": "abort(404)",
    "error": "1 / 0",
    "redirect": "abort(redirect('/there'))",
    "stream": "return (piece for piece in 'ab')",
    "broken stream": "return (1 / 0 for piece in 'ab')",
    "failing commit": "g.fails = True; return ''",
    "failing commit after a stream": "g.fails = True; return (piece for piece in 'ab')",
}

CODE = """
def db():
    try:
        yield {}
        if g.get("fails"): raise Conflict()
    finally:
        pass

def user(db, name: Query[str] = "ada"): return name
def page(number: Query[int]): return number
"""

ASYNC = CODE.replace("def db", "async def db")

MIDDLEWARE = """
def middleware(user, call_next):
    response = call_next()
    return response
"""


@pytest.fixture(params=["sync", "async"])
def client(request, serve):
    """A client of routes of each kind: plain ones, and ones with dependencies."""
    files = {"dependencies.py": CODE, "m/middleware.py": MIDDLEWARE}
    if request.param == "async":
        files["dependencies.py"] = ASYNC
    for name, code in KINDS.items():
        folder = name.replace(" ", "-")
        files[f"plain/{folder}/route.py"] = f"def GET(): {code}"
        files[f"d/{folder}/route.py"] = f"def GET(db, user): {code}"
        files[f"m/{folder}/route.py"] = f"def GET(db): {code}"
    for place in "dm":
        files[f"{place}/invalid/route.py"] = "def GET(db, page): return ''"
    return serve(files)


def ask(client, path: str) -> None:
    """Do what a server does. Werkzeug's client leaves cycles itself."""
    environ = create_environ(path)
    body = client.application(environ, lambda *_: None)
    try:
        for _ in body:
            pass
    except Exception as error:  # of a stream
        del error
    finally:
        if hasattr(body, "close"):
            body.close()


def count_cycles(client, path: str) -> int:
    """Return how many objects of ten requests only the garbage collector can free."""
    for _ in range(10):
        ask(client, path)
    return gc.collect()


def test_a_request_leaves_no_cycle(client):
    places = [f"/api/{place}" for place in "dm"]
    kinds = ["fine", "abort", "failing-commit", "stream", "invalid"]
    paths = [f"{place}/{kind}" for place in places for kind in kinds]
    for path in ("/api/plain/fine", *paths):
        ask(client, path)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        usual = count_cycles(client, "/api/plain/fine")
        cycles = {path: count_cycles(client, path) for path in paths}
    finally:
        gc.enable()
        gc.unfreeze()
    # Flask leaves the request, and the request again for each stream.
    expected = {path: 4 * usual if "stream" in path else usual for path in paths}
    assert {path: count for path, count in cycles.items() if count > expected[path]} == {}


def resident() -> int:
    """Return the memory of this process in bytes."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def check_growth(client, requests: int) -> None:
    kinds = [kind.replace(" ", "-") for kind in (*KINDS, "invalid")]
    paths = [f"/api/{place}/{kind}" for place in "dm" for kind in kinds]

    def run(count: int) -> tuple[int, int]:
        for number in range(count):
            ask(client, paths[number % len(paths)])
        LOG.clear()
        gc.collect()
        return len(gc.get_objects()), resident()

    run(requests // 10)
    objects, memory = run(requests // 10)
    later_objects, later_memory = run(requests)
    # A request that left an object, or 100 bytes, would show.
    assert later_objects - objects < requests / 20
    assert later_memory - memory < max(100 * requests, 4_000_000)


@pytest.mark.ci
def test_5000_requests_leave_nothing(client):
    check_growth(client, 5_000)


@pytest.mark.soak
def test_200000_requests_leave_nothing(client):
    check_growth(client, 200_000)
