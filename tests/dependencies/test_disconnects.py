"""Clients that leave while a response streams, below the servers that people use."""

from __future__ import annotations

import http.client
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server, wsgi_server
from tests.support import until, write_files

pytestmark = pytest.mark.ci

SERVERS: dict[str, tuple[str, ...]] = {
    "gunicorn gthread": ("gunicorn", "--workers=1", "--worker-class=gthread", "--threads=8"),
    "gunicorn gevent": ("gunicorn", "--workers=1", "--worker-class=gevent"),
    "waitress": ("waitress", "--threads=8"),
}

WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers
app = Flask(__name__)
RouteHandlers(app, "app/api")
"""

SESSION = """
import os
from collections.abc import AsyncIterator, Iterator
from flask import request as current

def note(event):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"{event}\\n")

{define} db():
    note("open")
    try:
        yield "db"
        note("commit")
    except BaseException as error:
        note(f"rollback {type(error).__name__}")
        raise
    finally:
        note(f"close {current.path}")

__all__ = ["db"]
"""

STREAMS = {
    "generator": """
def GET(db):
    while True:
        yield "piece" * 1000
        time.sleep(0.01)
""",
    "iterator": """
class Pieces:
    def __iter__(self): return self
    def __next__(self):
        time.sleep(0.01)
        return 'piece' * 1000
def GET(db): return Response(Pieces())
""",
    "async-generator": (
        "async def GET(db):\n    while True:\n        yield 'piece' * 1000\n"
        "        await asyncio.sleep(0.01)"
    ),
    "short": "def GET(db): yield from 'abc'",
    "plain": "def GET(db): return 'fine'",
}


class Running:
    def __init__(self, server: Server, notes: Path) -> None:
        self.server = server
        self._notes = notes

    def take_notes(self) -> Counter[str]:
        events = Counter(self._notes.read_text().splitlines() if self._notes.exists() else [])
        self._notes.unlink(missing_ok=True)
        return events

    def notes(self) -> Counter[str]:
        return Counter(self._notes.read_text().splitlines() if self._notes.exists() else [])

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.request("GET", path)
        body = connection.getresponse().read().decode()
        connection.close()
        return body

    def begin(self, path: str) -> socket.socket:
        """Read the first bytes of a response."""
        client = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = b""
        while b"piece" not in received:
            received += client.recv(4096)
        return client


@pytest.fixture(params=SERVERS, scope="module")
def running(request, tmp_path_factory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("served")
    files = {}
    for kind, define in [("sync", "def"), ("async", "async def")]:
        files[f"app/api/{kind}/dependencies.py"] = SESSION.replace("{define}", define)
        for name, code in STREAMS.items():
            head = "import asyncio, time\nfrom flask import Response\n"
            files[f"app/api/{kind}/{name}/route.py"] = head + code
    write_files(folder, {"wsgi.py": WSGI, **files})
    notes = folder / "notes"
    with wsgi_server(folder, *SERVERS[request.param], NOTES=str(notes)) as server:
        yield Running(server, notes)


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("stream", ["generator", "iterator", "async-generator"])
def test_a_client_that_leaves_ends_the_session(running, kind, stream):
    path = f"/api/{kind}/{stream}"
    running.take_notes()
    clients = [running.begin(path) for _ in range(4)]
    for client in clients:
        client.close()
    expected = Counter({"open": 4, "rollback GeneratorExit": 4, f"close {path}": 4})
    assert until(lambda: running.notes() == expected, 60), running.notes()


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_stream_that_is_read_commits(running, kind):
    running.take_notes()
    for path, body in [(f"/api/{kind}/short", "abc"), (f"/api/{kind}/plain", "fine")]:
        assert running.get(path) == body
        expected = Counter({"open": 1, "commit": 1, f"close {path}": 1})
        assert until(lambda: running.notes() == expected, 60), running.notes()  # noqa: B023
        running.take_notes()
