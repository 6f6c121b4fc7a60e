"""Async code, streams and callbacks below the servers that people use."""

from __future__ import annotations

import http.client
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import Server, wsgi_server
from tests.support import until

pytestmark = pytest.mark.ci

GTHREAD = ("--workers=1", "--worker-class=gthread", "--threads=4")

SERVERS: dict[str, tuple[str, ...]] = {
    "gunicorn sync": ("gunicorn", "--workers=2"),
    "gunicorn gthread": ("gunicorn", *GTHREAD),
    "gunicorn gthread preload": ("gunicorn", *GTHREAD, "--preload"),
    "gunicorn gevent": ("gunicorn", "--workers=1", "--worker-class=gevent"),
    "waitress": ("waitress", "--channel-request-lookahead=1"),
    "granian": ("granian", "--blocking-threads=4"),
    "flask": ("flask",),
}

#: Servers that SIGTERM ends before Python can do anything.
UNGRACEFUL = ("waitress", "flask")


@dataclass
class Running:
    """A server with the app for servers.

    :param notes: the file in which the app notes what happens.
    """

    server: Server
    notes: Path

    def events(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read().decode()
            assert response.status == 200, body
        finally:
            connection.close()
        return body


@contextmanager
def serving(folder: Path, name: str, *options: str, **environment: str) -> Iterator[Running]:
    shutil.copy(Path(__file__).with_name("app_for_servers.py"), folder / "wsgi.py")
    notes = folder / "notes.txt"
    server, *own = SERVERS[name]
    if name in UNGRACEFUL:
        environment["EXIT_ON_SIGTERM"] = "1"
    with wsgi_server(folder, server, *own, *options, NOTES=str(notes), **environment) as process:
        yield Running(process, notes)


every_server = pytest.mark.parametrize("name", SERVERS)


@every_server
def test_requests_share_a_loop(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, name) as app:
        bodies: list[str] = []

        def use() -> None:
            bodies.extend(app.get("/loop") for _ in range(10))

        threads = [threading.Thread(target=use) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(bodies) == 80
        # One for each process.
        assert len(set(bodies)) <= 2


@every_server
def test_streams_end_and_are_closed(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, name) as app:
        assert app.get("/stream?count=3") == "0\n1\n2\n"
        assert until(lambda: app.events() == ["stream cleaned up"], 10)


def leave(port: int, path: str) -> None:
    """Ask for a stream, and leave after its first bytes."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = b""
        while b"0\n" not in received:
            received += client.recv(100)


@every_server
def test_a_busy_stream_ends_with_its_client(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, name) as app:
        leave(app.server.port, "/stream?count=100000000")
        assert until(lambda: app.events() == ["stream cleaned up"], 20)


@pytest.mark.parametrize(
    "name",
    ["gunicorn sync", "gunicorn gthread", "gunicorn gthread preload", "waitress", "flask"],
)
def test_an_idle_stream_ends_with_its_client(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, name) as app:
        leave(app.server.port, "/stream?count=1&idle=1")
        assert until(lambda: app.events() == ["stream cleaned up"], 20)


@every_server
def test_no_callback_is_lost_at_the_end(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, name) as app:
        app.get("/after")
        code = app.server.stop()
        assert sorted(app.events()) == sorted(f"callback {number}" for number in range(20))
        assert code == 0


@every_server
def test_tasks_clean_up_at_the_end(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, name) as app:
        app.get("/task")
        app.server.stop()
        assert app.events() == ["task cleaned up"]


@pytest.mark.parametrize(
    "name",
    ["gunicorn sync", "gunicorn gthread", "gunicorn gthread preload", "gunicorn gevent"],
)
def test_requests_in_flight_are_answered(tmp_path: Path, name: str) -> None:
    with serving(tmp_path, name) as app:
        bodies: list[str] = []
        thread = threading.Thread(target=lambda: bodies.append(app.get("/wait")))
        thread.start()
        assert until(lambda: app.events() == ["waiting"], 10)
        app.get("/after")
        assert app.server.stop() == 0
        thread.join()
        assert bodies == ["waited"]
        assert len(app.events()) == 21


def test_a_reload_gives_another_loop(tmp_path: Path) -> None:
    # Werkzeug's reloader by time stamps: the other one depends on the version of watchdog.
    (tmp_path / "watchdog.py").write_text("raise ImportError")
    with serving(tmp_path, "flask", "--debug") as app:
        first = app.get("/loop")
        assert app.get("/loop") == first
        file = tmp_path / "wsgi.py"
        file.write_text(file.read_text() + "\n# changed\n")

        def has_changed() -> bool:
            try:
                return app.get("/loop") != first
            except OSError:
                return False

        assert until(has_changed, 30)
        second = app.get("/loop")
        assert app.get("/loop") == second
