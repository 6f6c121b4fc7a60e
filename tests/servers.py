"""A real Redis server for a test: on a free port, with nothing on disk, ended with the test."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from flask_routehandlers.caching.redis import PREFIX


class RedisServer:
    """A server that can be killed, stopped and started anew on its port."""

    def __init__(self, folder: str) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            pytest.skip("no redis-server: apt-get install redis-server")
        self._folder = folder
        self._program = program
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self, *options: str) -> None:
        call = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [*call, "--appendonly", "no", "--dir", self._folder, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as peer:
                peer.sendall(b"PING\r\n")
                if peer.recv(64).startswith(b"+PONG"):
                    return
            time.sleep(0.01)
        self.kill()
        pytest.fail("redis-server does not start")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """Let it accept connections, and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def client(self) -> Any:
        """A plain client, to look at what is in it."""
        import redis

        return redis.Redis(port=self.port, socket_timeout=5)

    def make_stale(self, seconds: float = 10_000) -> None:
        """Set back the time at which every entry was stored."""
        with self.client() as client:
            for name in client.scan_iter(f"{PREFIX}e:*"):
                client.hincrby(name, "stored", -round(seconds * 1000))


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A server for as long as the block lasts; the test is skipped where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(folder)
        try:
            yield server
        finally:
            server.kill()
