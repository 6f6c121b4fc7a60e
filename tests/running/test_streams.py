"""Async generators as bodies of responses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask, Response, g, request, stream_with_context

from flask_routehandlers.running.modes import run_async
from flask_routehandlers.running.streams import StreamBody, watch
from tests.support import running, until

pytestmark = pytest.mark.usefixtures("any_loop")


def body_of(generator: AsyncGenerator[Any, None]) -> StreamBody:
    return StreamBody(generator, {})


async def count(events: list[str], end: int = 3) -> AsyncGenerator[str, None]:
    events.append("begin")
    try:
        for number in range(end):
            await asyncio.sleep(0)
            yield str(number)
    finally:
        await asyncio.sleep(0.001)
        events.append("end")


def test_pieces_arrive_in_order() -> None:
    events: list[str] = []
    assert list(body_of(count(events))) == ["0", "1", "2"]
    assert events == ["begin", "end"]


def test_the_next_piece_is_made_when_asked_for() -> None:
    made = []

    async def pieces() -> AsyncGenerator[str, None]:
        for number in range(3):
            made.append(number)
            yield str(number)

    body = body_of(pieces())
    assert made == []
    assert next(body) == "0"
    run_async(asyncio.sleep(0.01))
    assert made == [0]
    assert next(body) == "1"
    assert made == [0, 1]
    body.close()


def test_nothing_runs_if_no_piece_is_asked_for() -> None:
    events: list[str] = []
    body = body_of(count(events))
    body.close()
    assert list(body) == []
    assert events == []


def test_close_lets_a_generator_clean_up() -> None:
    events: list[str] = []
    body = body_of(count(events))
    next(body)
    body.close()
    body.close()
    assert events == ["begin", "end"]
    assert list(body) == []


def test_steps_run_in_one_task() -> None:
    async def tasks() -> AsyncGenerator[Any, None]:
        for _ in range(3):
            yield asyncio.current_task()
            await asyncio.sleep(0)

    assert len(set(body_of(tasks()))) == 1


def test_task_group_spans_a_yield() -> None:
    async def work(queue: asyncio.Queue[int]) -> None:
        for number in range(3):
            await queue.put(number)

    async def pieces() -> AsyncGenerator[int, None]:
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(work(queue))
            for _ in range(3):
                yield await queue.get()

    assert list(body_of(pieces())) == [0, 1, 2]


def test_close_cancels_a_task_group_around_a_yield() -> None:
    events: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            events.append("task")

    async def pieces() -> AsyncGenerator[int, None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            await asyncio.sleep(0)
            try:
                yield 1
            except asyncio.CancelledError:
                events.append("cancelled")
                raise

    body = body_of(pieces())
    assert next(body) == 1
    body.close()
    assert events == ["cancelled", "task"]


def test_close_ends_a_generator_that_goes_on() -> None:
    events: list[str] = []

    async def pieces() -> AsyncGenerator[int, None]:
        while True:
            try:
                yield 1
            except asyncio.CancelledError:
                events.append("cancelled")
            except GeneratorExit:
                events.append("closed")
                raise

    body = body_of(pieces())
    assert next(body) == 1
    body.close()
    assert events == ["cancelled", "closed"]


def test_timeout_spans_a_yield() -> None:
    async def pieces() -> AsyncGenerator[str, None]:
        try:
            async with asyncio.timeout(0.01):
                # Never waits: the time passes while the server writes, too.
                while True:
                    yield "tick"
        except TimeoutError:
            yield "timeout"

    received = list(body_of(pieces()))
    assert received[-1] == "timeout"
    assert set(received[:-1]) == {"tick"}


def test_an_exception_ends_the_stream() -> None:
    async def pieces() -> AsyncGenerator[str, None]:
        yield "first"
        raise KeyError("missing")

    body = body_of(pieces())
    assert next(body) == "first"
    with pytest.raises(KeyError, match="missing"):
        next(body)
    assert list(body) == []
    body.close()


def app_with(generator: Callable[[], AsyncGenerator[Any, None]]) -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def view() -> Response:
        g.value = "g"
        return Response(stream_with_context(StreamBody(generator(), request.environ)))

    return app


def test_request_and_g_work_in_a_stream() -> None:
    async def pieces() -> AsyncGenerator[str, None]:
        for _ in range(2):
            await asyncio.sleep(0)
            yield request.args["q"] + g.value

    assert app_with(pieces).test_client().get("/?q=x").text == "xgxg"


def test_head_runs_nothing_of_a_stream() -> None:
    events: list[str] = []
    client = app_with(lambda: count(events)).test_client()
    response = client.head("/")
    response.close()
    assert response.status_code == 200
    assert events == []


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flask_routehandlers.running.queued.LOOK_SECONDS", 0.02)


@pytest.mark.usefixtures("quick_looks")
def test_an_idle_stream_ends_with_its_client() -> None:
    events: list[str] = []

    async def pieces() -> AsyncGenerator[str, None]:
        yield "first"
        try:
            await asyncio.sleep(600)
        finally:
            await asyncio.sleep(0)
            events.append("cleaned up")

    with running(app_with(pieces)) as port:
        with closing(socket.create_connection(("127.0.0.1", port))) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while b"first" not in received:
                received += client.recv(1000)
            assert events == []
        assert until(lambda: events == ["cleaned up"], 10)


@pytest.mark.usefixtures("quick_looks")
def test_a_generator_may_go_on_without_client() -> None:
    async def pieces() -> AsyncGenerator[str, None]:
        yield "first"
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            yield "last"

    body = StreamBody(pieces(), {"waitress.client_disconnected": lambda: True})
    assert list(body) == ["first", "last"]


@pytest.fixture
def connection() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_socket_shows_that_its_client_left(
    connection: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = connection
    is_gone = watch({"gunicorn.socket": ours})
    assert is_gone is not None
    assert not is_gone()
    theirs.sendall(b"GET")
    assert not is_gone()
    assert ours.recv(3) == b"GET"
    theirs.close()
    assert is_gone()
    ours.close()
    assert is_gone()


def test_other_servers_show_no_client() -> None:
    assert watch({}) is None
    assert watch({"werkzeug.socket": object()}) is None
