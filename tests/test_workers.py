"""gunicorn with four workers and Redis: what is said of one process is true of all of them."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.servers import Gunicorn, RedisServer, gunicorn, redis_server
from tests.support import until, write_files

pytestmark = pytest.mark.ci

WORKERS, LOCK = 4, 2
#: Few connections each: otherwise one worker takes all that come at once.
THREADS = ("--worker-class=gthread", "--threads=8", "--worker-connections=4")

WSGI = """
import os
import time

from flask import Flask

from flask_routehandlers import RouteHandlers

app = Flask(__name__)
app.config["SECRET_KEY"] = "shared by all"
app.config["ROUTE_HANDLERS_CACHE_URL"] = os.environ["REDIS"]
app.config["ROUTE_HANDLERS_CACHE_TIMEOUT"] = 5
app.config["ROUTE_HANDLERS_CACHE_LOCK"] = {lock}
RouteHandlers(app)


@app.after_request
def tell(response):
    time.sleep(0.005)  # so that the others have something to do
    response.headers["X-Worker"] = str(os.getpid())
    return response
"""

#: The process has used its cache when it is forked: connections, threads, and work that waits.
USED = """
import threading
from flask_routehandlers.caching import cache_of

client = app.test_client()
assert client.get("/api/counted/preloaded").status_code == 200
assert client.get("/api/hangs/1").status_code == 200
store = redis_client()
for name in store.scan_iter("*}:e:*"):
    store.hincrby(name, "stored", -61_000)
assert client.get("/api/hangs/1").status_code == 200
assert client.get("/api/counted/preloaded").status_code == 200
time.sleep(0.3)
assert threading.active_count() >= 3
"""
REDIS = """
import os
import time
from redis import Redis

def redis_client():
    return Redis.from_url(os.environ["REDIS"], socket_timeout=5)
"""
FILES = {
    "wsgi.py": REDIS + WSGI.format(lock=LOCK),
    "used.py": f"{REDIS}\nfrom wsgi import app\n{USED}",
    # Each answer tells the number of its run in the whole fleet, and the process that it ran in.
    "app/api/counted/[key]/route.py": REDIS + "revalidate = 60\ncache_tags = ['counted']\n"
    "def GET(key):\n"
    "    run = redis_client().incr(f'runs of {key}')\n"
    "    time.sleep(0.3)\n"
    "    return {'run': run, 'pid': os.getpid()}\n",
    "app/api/value/route.py": REDIS + "revalidate = 60\ncache_tags = ['value']\n"
    "def GET():\n    return {'run': int(redis_client().get('value') or 0)}\n"
    "def POST(request):\n"
    "    from flask_routehandlers import revalidate_tag\n"
    "    redis_client().set('value', request.args['value'])\n"
    "    revalidate_tag('value')\n"
    "    return {'run': int(request.args['value'])}\n",
    # Its first run is quick, and each one after it hangs.
    "app/api/hangs/[key]/route.py": REDIS + "revalidate = 60\n"
    "def GET(key):\n"
    "    run = redis_client().incr(f'runs of {key}')\n"
    "    redis_client().set(f'runner of {key}', os.getpid())\n"
    "    if run == int(key):\n"
    "        return {'run': run}\n"
    "    if run == int(key) + 1:\n"
    "        time.sleep(600)\n"
    "    return {'run': run}\n",
    "app/api/threads/route.py": "import threading\n"
    "def GET():\n    return {'run': threading.active_count()}\n",
}


class Answer(NamedTuple):
    run: int
    worker: int
    status: str


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@contextmanager
def workers(
    folder: Path, server: RedisServer, *options: str, app: str = "wsgi:app"
) -> Iterator[Gunicorn]:
    """Four workers with an empty server."""
    write_files(folder, FILES)
    with server.client() as client:
        client.flushall()
    options = options or THREADS
    arguments = [f"--workers={WORKERS}", "--graceful-timeout=5", *options]
    with gunicorn(folder, *arguments, app=app, REDIS=server.url) as running:
        assert until(lambda: len(running.workers) == WORKERS, 20)
        yield running


@pytest.fixture
def running(tmp_path: Path, server: RedisServer) -> Iterator[Gunicorn]:
    with workers(tmp_path, server) as running:
        yield running


def ask(running: Gunicorn, path: str, method: str = "GET") -> Answer:
    connection = HTTPConnection("127.0.0.1", running.port, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        assert response.status == 200, (response.status, body, running.output)
        worker, status = response.headers["X-Worker"], response.headers["Cache-Status"] or ""
        return Answer(json.loads(body)["run"], int(worker), status)
    finally:
        connection.close()


def at_once(count: int, function: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return [call.result() for call in [pool.submit(function) for _ in range(count)]]


def ask_all(running: Gunicorn, path: str) -> dict[int, list[Answer]]:
    """Answers of every worker, by its process id."""
    found: dict[int, list[Answer]] = defaultdict(list)
    ends = time.monotonic() + 30
    while set(found) != running.workers:
        assert time.monotonic() < ends, f"{set(found)} answered, of {running.workers}"
        for answer in at_once(16, lambda: ask(running, path)):
            found[answer.worker].append(answer)
    return found


def runs(server: RedisServer, key: str) -> int:
    with server.client() as client:
        return int(client.get(f"runs of {key}") or 0)


@pytest.mark.parametrize("options", [THREADS, ("--worker-class=sync",)], ids=["threads", "sync"])
def test_a_key_is_computed_by_one_worker(tmp_path, server, options):
    with workers(tmp_path, server, *options) as running:
        for number in range(3):
            path = f"/api/counted/{number}"
            answers = at_once(40, lambda path=path: ask(running, path))
            assert {answer.run for answer in answers} == {1}
            assert len({answer.worker for answer in answers}) > 1
            said = [answer.status for answer in answers]
            assert said.count("flask-routehandlers; fwd=miss; stored") == 1
            # And one refresh.
            server.make_stale(61)
            answers = at_once(40, lambda path=path: ask(running, path))
            assert {answer.run for answer in answers} <= {1, 2}
            assert until(lambda path=path: ask(running, path).run == 2)
            assert {a.run for some in ask_all(running, path).values() for a in some} == {2}
            assert runs(server, str(number)) == 2


def test_every_worker_sees_a_revalidation(running):
    for value in range(1, 20):
        assert ask(running, f"/api/value?value={value}", "POST").run == value
        # Each has its own copy of what it has checked.
        answers = at_once(16, lambda: ask(running, "/api/value"))
        assert {answer.run for answer in answers} == {value}
    for some in ask_all(running, "/api/value").values():
        assert {answer.run for answer in some} == {value}


def test_an_app_in_use_can_be_forked(tmp_path, server):
    # With --preload the first process has connections and threads of its own; a handler hangs.
    with workers(tmp_path, server, *THREADS, "--preload", app="used:app") as running:
        assert runs(server, "1") == 2
        for number in range(3):
            path = f"/api/counted/fork{number}"
            assert {a.run for a in at_once(40, lambda path=path: ask(running, path))} == {1}
            assert {a.run for some in ask_all(running, path).values() for a in some} == {1}
        server.make_stale(61)
        ask_all(running, "/api/counted/fork0")
        assert until(lambda: ask(running, "/api/counted/fork0").run == 2)
        assert runs(server, "fork0") == 2
        # They serve what the first process has stored.
        for some in ask_all(running, "/api/hangs/1").values():
            assert {answer.run for answer in some} == {1}
        for value in range(1, 5):
            assert ask(running, f"/api/value?value={value}", "POST").run == value
            for some in ask_all(running, "/api/value").values():
                assert {answer.run for answer in some} == {value}


def test_a_hanging_refresh_does_not_keep_workers(running, server):
    for key in ("1", "2"):
        # Run 1 of the second one is not its quick one: it hangs at its second run too.
        with server.client() as client:
            client.set(f"runs of {key}", int(key) - 1)
        assert ask(running, f"/api/hangs/{key}").run == int(key)
    server.make_stale(61)
    for key in ("1", "2"):
        assert ask(running, f"/api/hangs/{key}").run == int(key)
        assert until(lambda key=key: runs(server, key) == int(key) + 1)
    began = time.monotonic()
    pids = running.workers
    running.process.terminate()
    assert running.process.wait(20) == 0
    # Not killed after the time that gunicorn waits for requests.
    assert time.monotonic() - began < 5, running.output
    assert "SIGKILL" not in running.output
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_replacing_workers_fails_no_request(running):
    before = running.workers
    running.process.send_signal(signal.SIGHUP)
    answers = []
    while running.workers & before or len(running.workers) < WORKERS:
        answers += at_once(4, lambda: ask(running, "/api/counted/x"))
    assert {answer.run for answer in answers} == {1}
    after = ask_all(running, "/api/counted/x")
    assert set(after).isdisjoint(before)


def test_threads_of_a_worker_stay_few(running, server):
    at_rest = {pid: some[0].run for pid, some in ask_all(running, "/api/threads").items()}
    for _ in range(5):
        server.make_stale(61)
        for number in range(20):
            ask(running, f"/api/counted/{number % 2}")
    # Eight for requests, four for refreshes, one that renews locks, and the main one.
    for pid, some in ask_all(running, "/api/threads").items():
        assert max(answer.run for answer in some) <= max(14, at_rest[pid])


def test_a_killed_worker_blocks_no_key(running, server):
    key = "1"
    assert ask(running, f"/api/hangs/{key}").run == 1
    server.make_stale(61)
    assert ask(running, f"/api/hangs/{key}").run == 1
    assert until(lambda: runs(server, key) == 2)
    with server.client() as client:
        victim = int(client.get(f"runner of {key}"))
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    numbers = []
    while not numbers or numbers[-1] != 3:
        numbers.append(ask(running, f"/api/hangs/{key}").run)
        assert time.monotonic() - killed < LOCK + 5
        time.sleep(0.02)
    # What was stored is served until the lock has expired and another worker is done.
    assert set(numbers) == {1, 3}
    assert until(lambda: len(running.workers - {victim}) == WORKERS, 20)
    assert victim not in ask_all(running, f"/api/hangs/{key}")


def test_waiting_for_a_killed_worker_ends(running, server):
    with server.client() as client:
        client.set("runs of 0", 0)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(ask, running, "/api/hangs/0")
        assert until(lambda: runs(server, "0") == 1)
        with server.client() as client:
            assert until(lambda: client.exists("runner of 0"))
            victim = int(client.get("runner of 0"))
        waiting = [pool.submit(ask, running, "/api/hangs/0") for _ in range(8)]
        time.sleep(0.3)
        os.kill(victim, signal.SIGKILL)
        results = []
        for asked in (first, *waiting):
            try:
                results.append(asked.result().run)
            except (HTTPException, OSError):
                results.append(0)  # a request to the worker itself
    assert results[0] == 0
    assert set(results) - {0}, "all of them asked the one that was killed"
    assert until(lambda: len(running.workers - {victim}) == WORKERS, 20)
    assert ask(running, "/api/hangs/0").run >= 2
