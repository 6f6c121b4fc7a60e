"""Greenlets in place of threads: gevent below gunicorn, and a thousand requests at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.servers import RedisServer, gunicorn, redis_server
from tests.support import write_files

pytest.importorskip("gevent")
pytestmark = pytest.mark.ci

FILES = {
    "wsgi.py": """
import os

from flask import Flask

from flask_routehandlers import RouteHandlers

app = Flask(__name__)
app.config["SECRET_KEY"] = "shared by all"
app.config["ROUTE_HANDLERS_CACHE_URL"] = os.environ["REDIS"]
app.config["ROUTE_HANDLERS_CACHE_TIMEOUT"] = float(os.environ.get("TIMEOUT", "0.1"))
app.config["ROUTE_HANDLERS_CACHE_MAX_WAIT"] = 30
RouteHandlers(app)
""",
    "app/api/[key]/route.py": """
import os
import time

from redis import Redis

revalidate = 60


def GET(key):
    run = Redis.from_url(os.environ["REDIS"]).incr(key)
    time.sleep(0.2)
    return str(run)
""",
    # Callers that begin before any of them ends.
    "callers.py": """
from gevent import monkey

monkey.patch_all()

import json
import logging
import sys

from gevent import spawn
from werkzeug.test import create_environ

from wsgi import app

messages = []


class Recorder(logging.Handler):
    def emit(self, record):
        messages.append(record.getMessage())


app.logger.addHandler(Recorder())


def call():
    statuses = []
    body = b"".join(app(create_environ(sys.argv[1]), lambda status, *_: statuses.append(status)))
    return statuses[0], body.decode()


greenlets = [spawn(call) for _ in range(int(sys.argv[2]))]
print(json.dumps([[greenlet.get() for greenlet in greenlets], messages]))
""",
}


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def folder(redis: RedisServer, tmp_path: Path) -> Path:
    with redis.client() as client:
        client.flushall()
    return write_files(tmp_path, FILES)


def ask(port: int, path: str, times: int = 1) -> list[tuple[int, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    found = []
    for _ in range(times):
        connection.request("GET", path)
        response = connection.getresponse()
        found.append((response.status, response.read().decode()))
    connection.close()
    return found


@pytest.mark.parametrize("options", [(), ("--preload",)], ids=["plain", "preload"])
def test_gunicorn_with_gevent_fails_no_request(folder, redis, options):
    options = "--worker-class=gevent", "--workers=2", *options
    with (
        gunicorn(folder, *options, REDIS=redis.url, TIMEOUT="5") as server,
        ThreadPoolExecutor(40) as pool,
    ):
        calls = [pool.submit(ask, server.port, f"/api/{number % 4}", 20) for number in range(40)]
        answers = Counter(answer for call in calls for answer in call.result())
        assert answers == {(200, "1"): 800}, server.output


def call(folder: Path, redis: RedisServer, path: str, count: int) -> Any:
    environment = os.environ | {"REDIS": redis.url, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "callers.py", path, str(count)],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("is_stored", [True, False], ids=["fresh", "cold"])
def test_a_thousand_greenlets_cause_one_run(folder, redis, is_stored):
    if is_stored:
        call(folder, redis, "/api/popular", 1)
    answers, messages = call(folder, redis, "/api/popular", 1000)
    assert answers == [["200 OK", "1"]] * 1000
    assert messages == []
