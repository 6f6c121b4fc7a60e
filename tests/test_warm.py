"""``flask route-handlers warm``: what is stored in advance, and what is printed."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from traceback import walk_stack

import pytest
from flask import Flask

from tests.commands import errors_at_terminal, invoke
from tests.servers import RedisServer, redis_server
from tests.support import configured, until

COUNT = "import threading\nimport time\nfrom itertools import count\nruns = count(1)\n"
HIT = "flask-routehandlers; hit; ttl="


def static(returns: str = "str(next(runs))", params: object = None, more: str = "") -> str:
    listed = f"def generate_static_params():\n    return {params!r}\n" if params else ""
    return f"{COUNT}{more}\nrevalidate = 60\n{listed}\ndef GET(params):\n    return {returns}\n"


def numbers(count: int) -> list[dict[str, str]]:
    return [{"n": str(n)} for n in range(count)]


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def shared(tree: Callable[..., Path], server: RedisServer) -> Callable[..., Flask]:
    """An app whose entries are in a server that is empty."""

    def make(files: dict[str, str]) -> Flask:
        return configured(tree(files), url=server.url)

    with server.client() as client:
        client.flushall()
    return make


def warm(app: Flask, *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of the command, in this process; files below ``app/api``."""
    status, output, errors = invoke(app, "warm", *arguments)
    root = f"{app.root_path}/app/api/"
    return status, output.replace(root, ""), re.sub(rf"^{root}", "", errors, flags=re.M)


def test_every_known_url_is_stored_in_advance(shared):
    files = {
        "route.py": static(),
        "posts/[n]/route.py": static(params=numbers(3)),
        "old/route.py": static("('', 308, {'Location': '/api'})"),
        "now/route.py": "def GET(): ...\n",
        "users/[id]/route.py": static(),
    }
    app = shared(files)
    assert warm(app) == (
        0,
        "not known   users/[id]/route.py has no generate_static_params\n"
        "Stored 5 URLs, 0 were fresh, 0 failed.\n",
        "",
    )
    client = app.test_client()
    for path in ("/api", "/api/posts/0", "/api/posts/1", "/api/posts/2", "/api/old"):
        assert client.get(path).headers["Cache-Status"].startswith(HIT)


def test_an_app_without_static_handlers(shared):
    app = shared({"route.py": "def GET(): ..."})
    assert warm(app) == (0, "Stored 0 URLs, 0 were fresh, 0 failed.\n", "")


def test_only_stale_entries_are_computed_again(shared, server):
    app = shared({"[n]/route.py": static(params=numbers(2))})
    assert warm(app)[1] == "Stored 2 URLs, 0 were fresh, 0 failed.\n"
    assert warm(app)[1] == "Stored 0 URLs, 2 were fresh, 0 failed.\n"
    assert next(app.view_functions["api./[n]"].module.runs) == 3
    server.make_stale(61)
    assert warm(app)[1] == "Stored 2 URLs, 0 were fresh, 0 failed.\n"
    status = app.test_client().get("/api/0").headers["Cache-Status"]
    assert 50 < int(status.removeprefix(HIT)) <= 60


def test_the_list_of_a_closed_file_is_renewed(shared):
    closed = "dynamic_params = False\nlisted = [{'n': '0'}]\n"
    file = static(more=closed).replace(
        "revalidate = 60", "revalidate = 60\ndef generate_static_params(): return listed"
    )
    app = shared({"[n]/route.py": file})
    assert app.test_client().get("/api/1").status_code == 404
    app.view_functions["api./[n]"].module.listed.append({"n": "1"})
    assert warm(app)[:2] == (0, "Stored 2 URLs, 0 were fresh, 0 failed.\n")
    assert app.test_client().get("/api/1").status_code == 200


def test_what_cannot_be_stored_is_no_failure(shared):
    app = shared(
        {
            "a/route.py": static("('x', {'Set-Cookie': 'a=1'})"),
            "b/route.py": static("('x', 404)"),
            "c/route.py": static("abort(410)", more="from flask import abort"),
            "d/route.py": static("'x' * 2_000_000"),
            "e/[n]/route.py": static("('x', 302, {'Location': '/'})", [{"n": "ä b"}]),
            "f/route.py": static(
                "revalidate_tag('f') or 'x'",
                more="from flask_routehandlers import revalidate_tag\ncache_tags = ['f']",
            ),
        }
    )
    assert warm(app) == (
        0,
        "not stored  /api/a: set-cookie\n"
        "not stored  /api/b: status-404\n"
        "not stored  /api/c: status-410\n"
        "not stored  /api/d: too-long\n"
        "not stored  /api/e/%C3%A4%20b: status-302\n"
        "not stored  /api/f: revalidated meanwhile\n"
        "Stored 0 URLs, 0 were fresh, 0 failed.\n",
        "",
    )


def test_entries_that_are_no_longer_there(shared):
    # Its list is revalidated by the next one: one thread takes them in turn.
    app = shared(
        {
            "a/route.py": static(more="cache_tags = ['a']"),
            "b/route.py": static(
                "revalidate_tag('a') or 'x'",
                more="from flask_routehandlers import revalidate_tag",
            ),
        }
    )
    assert warm(app, "--threads", "1")[1] == (
        "not stored  /api/a: no longer there\nStored 1 URL, 0 were fresh, 0 failed.\n"
    )


def test_failures_are_printed_and_the_rest_stored(shared):
    app = shared(
        {
            "a/route.py": static("1 / 0"),
            "b/route.py": static("('x', 503)"),
            "c/route.py": static(),
            "d/[n]/route.py": static(params=[{"m": "1"}]),
            "e/[n]/route.py": static(more="def generate_static_params(): return 1 / 0"),
            "f/[n]/route.py": static(
                more="dynamic_params = False\nturns = count()\n"
                "def generate_static_params():\n"
                "    return [{'n': '1'}] if next(turns) != 1 else 1 / 0\n"
            ),
            "g/route.py": static(more="def cache_tags(): return 'g'"),
            "h/route.py": static("abort(503)", more="from flask import abort"),
            "i/route.py": static("sys.exit()", more="import sys"),
        }
    )
    status, output, errors = warm(app, "--threads", "1")
    assert (status, output) == (1, "Stored 2 URLs, 0 were fresh, 8 failed.\n")
    lines = errors.replace(f"{app.root_path}/app/api/", "…/").split("\n\n")
    assert lines == [
        "d/[n]/route.py\n  generate_static_params in d/[n]/route.py returned {'m': '1'}. "
        "It must return a list of dicts, each of the form {'n': ...}.\n  Look at what it returns.",
        "e/[n]/route.py\n  generate_static_params failed: ZeroDivisionError: division by zero\n"
        "  Look at …/e/[n]/route.py, line 5.",
        "f/[n]/route.py\n  generate_static_params failed: ZeroDivisionError: division by zero\n"
        "  Look at …/f/[n]/route.py, line 8.",
        "a/route.py\n  GET for /api/a failed: ZeroDivisionError: division by zero\n"
        "  Look at …/a/route.py, line 9.",
        "b/route.py\n  GET for /api/b answers with status 503.\n  Look at what it returns.",
        "g/route.py\n  GET for /api/g failed: TypeError: cache_tags in g/route.py returned 'g', "
        "but 'g' is not a list. It must return a list of strings.\n  Look at what it returns.",
        "h/route.py\n  GET for /api/h answers with status 503.\n  Look at what it returns.",
        "i/route.py\n  GET for /api/i failed: SystemExit\n  Look at …/i/route.py, line 9.",
        "",
    ]


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_run_so_many_handlers_at_once(shared, threads):
    work = (
        f"barrier = threading.Barrier({threads})\nrunning = []\nmost = []\n"
        "def work(n):\n"
        "    running.append(n)\n"
        "    most.append(len(running))\n"
        "    barrier.wait(60)\n"
        "    running.remove(n)\n"
        "    return n\n"
    )
    app = shared({"[n]/route.py": static("work(params['n'])", numbers(12), work)})
    assert warm(app, "--threads", str(threads))[0] == 0
    assert max(app.view_functions["api./[n]"].module.most) == threads


def threads_in(module: str) -> int:
    """How many threads of this process run something in a module."""
    names = [
        {frame.f_globals["__name__"] for frame, _ in walk_stack(frame)}
        for frame in sys._current_frames().values()
    ]
    return sum(module in of_thread for of_thread in names)


def test_a_url_that_a_server_computes_runs_once(shared):
    waits = static("str(next(runs)) if go.wait(60) else ''", more="go = threading.Event()")
    app = shared({"route.py": waits})
    module = app.view_functions["api./"].module
    asked: list[str] = []
    asking = Thread(target=lambda: asked.append(app.test_client().get("/api").text))
    asking.start()
    coordinator = "flask_routehandlers.caching.coordinator"
    # The handler runs in another thread than the request.
    assert until(lambda: threads_in(coordinator) == 2, 60)
    warmed: list[object] = []
    warming = Thread(target=lambda: warmed.append(warm(app)))
    warming.start()
    assert until(lambda: threads_in(coordinator) == 3, 60)
    module.go.set()
    asking.join()
    warming.join()
    assert asked == ["1"]
    assert warmed == [(0, "Stored 1 URL, 0 were fresh, 0 failed.\n", "")]
    assert next(module.runs) == 2


def test_a_store_in_each_process_is_refused(tree):
    app = configured(tree({"route.py": static()}))
    status, output, errors = warm(app)
    assert (status, output) == (2, "")
    assert errors == (
        f"Error: The app {app.name!r} stores responses of static handlers in the memory of each "
        "process, which this command cannot reach.\n"
        "Set ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey server.\n"
    )


@pytest.mark.parametrize("moment", ["before", "meanwhile"])
def test_a_store_that_is_down_is_an_error(tree, moment):
    with redis_server() as server:
        app = configured(
            tree({"route.py": static("kill() or 'x'", more="kill = None")}), url=server.url
        )
        app.view_functions["api./"].module.kill = server.kill
        if moment == "before":
            server.kill()
        status, output, errors = warm(app)
    assert (status, output) == (2, "")
    assert errors.startswith("Error: The store cannot be reached: ")
    assert errors.endswith(". Look at ROUTE_HANDLERS_CACHE_URL in app.config.\n")


def test_progress_is_shown_at_a_terminal(shared):
    app = shared({"[n]/route.py": static(params=numbers(20))})
    errors = errors_at_terminal(app, "warm")
    assert "Warming" in errors
    assert "100%" in errors
