"""One app under every name that servers import it by: all find what is stored."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.servers import RedisServer, Server, redis_server, wsgi_server
from tests.support import write_files

pytestmark = pytest.mark.ci

FILES = {
    "wsgi.py": """
import os

from flask import Flask

from flask_routehandlers import RouteHandlers

app = Flask(__name__)
app.config["SECRET_KEY"] = "shared by all"
app.config["ROUTE_HANDLERS_CACHE_URL"] = os.environ["REDIS"]
app.config["ROUTE_HANDLERS_CACHE_TIMEOUT"] = 5
RouteHandlers(app)

if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
""",
    "app/api/run/route.py": """
import os

from redis import Redis

revalidate = 60


def GET():
    return str(Redis.from_url(os.environ["REDIS"]).incr("runs"))
""",
}

#: For each way the name of the server, and the options of its command.
WAYS = {
    "uwsgi --wsgi-file": ("uwsgi", "--wsgi-file=wsgi.py", "--enable-threads"),
    "uwsgi --mount": ("uwsgi", "--mount=/=wsgi.py", "--manage-script-name", "--processes=2"),
    "gunicorn": ("gunicorn", "--workers=2"),
    "python wsgi.py": ("python",),
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


def get(server: Server) -> str:
    """Return the body of a static response; its handler returns the number of its run."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", "/api/run")
        response = connection.getresponse()
        body = response.read().decode()
        assert response.status == 200, (body, server.output)
        return body
    finally:
        connection.close()


def revalidate(folder: Path, redis: RedisServer) -> None:
    command = [sys.executable, "-m", "flask", "--app=wsgi", "route-handlers", "revalidate"]
    environment = {"REDIS": redis.url, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(
        [*command, "/api/run"], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "Revalidated /api/run\n"), done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_the_command_reaches_every_server(folder, redis, way):
    name, *options = WAYS[way]
    with wsgi_server(folder, name, *options, REDIS=redis.url) as server:
        assert [get(server), get(server)] == ["1", "1"]
        revalidate(folder, redis)
        assert [get(server), get(server)] == ["2", "2"]
