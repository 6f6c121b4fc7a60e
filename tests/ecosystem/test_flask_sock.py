"""flask-sock: the sockets of docs/websockets.md, next to a tree on real servers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

pytest.importorskip("flask_sock")

from simple_websocket import Client, ConnectionClosed

from tests.pages import DOCS, blocks
from tests.servers import wsgi_server
from tests.support import write_files

ORIGIN = "https://shop.example.com"

SERVERS = {
    "flask": ("flask",),
    "gthread": ("gunicorn", "--threads=8"),
    "gevent": ("gunicorn", "--worker-class=gevent"),
}


@pytest.fixture(scope="module", params=SERVERS)
def port(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("project")
    page = blocks(DOCS / "websockets.md")
    write_files(folder, {block.file: block.text for block in page if block.file})
    with wsgi_server(folder, *SERVERS[request.param]) as server:
        yield server.port


@contextmanager
def connect(port: int) -> Iterator[Any]:
    client = Client(f"ws://127.0.0.1:{port}/api/rooms/7/live", headers={"Origin": ORIGIN})
    try:
        yield client
    finally:
        with suppress(ConnectionClosed):
            client.close()
        client.thread.join(60)
        client.sock.close()


def test_a_socket_answers_next_to_the_tree(port: int) -> None:
    with connect(port) as client:
        client.send("hello")
        assert client.receive(timeout=60) == "7: hello"
        with urlopen(f"http://127.0.0.1:{port}/api/rooms/7", timeout=60) as response:
            assert response.read() == b'{"room":"7"}\n'
        client.send("still here")
        assert client.receive(timeout=60) == "7: still here"


@pytest.mark.parametrize("origin", ["https://evil.example", f"{ORIGIN}.evil.example", None])
def test_another_origin_gets_no_socket(port: int, origin: str | None) -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    if origin is not None:
        headers["Origin"] = origin
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as client:
        client.request("GET", "/api/rooms/7/live", headers=headers)
        response = client.getresponse()
        assert response.status == 403
        response.read()


def test_a_long_message_ends_the_socket(port: int) -> None:
    with connect(port) as client:
        client.send("x" * (64 * 1024 + 1))
        with pytest.raises(ConnectionClosed) as raised:
            client.receive(timeout=60)
        assert raised.value.reason == 1009  # the message is too big
