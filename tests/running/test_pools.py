"""Clients and pools that all requests of a process share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from flask_routehandlers.running.modes import run_async
from tests.servers import needs_postgres, postgres, redis_server
from tests.support import running

THREADS = 8

sizes = pytest.mark.parametrize("requests", [80, pytest.param(1000, marks=pytest.mark.ci)])


def serve(work: Callable[[int], Coroutine[Any, Any, int]], requests: int) -> None:
    """Run a coroutine in requests of many threads, and compare what each returns."""
    app = Flask(__name__)

    @app.get("/<int:number>")
    def view(number: int) -> dict[str, int]:
        return {"result": run_async(work(number))}

    failures: list[object] = []

    def use(first: int) -> None:
        client = app.test_client()
        for number in range(first, requests, THREADS):
            response = client.get(f"/{number}")
            if response.json != {"result": number}:
                failures.append(response.text)

    # One after the other first: the second request finds what the first has opened.
    for _ in range(3):
        use(requests - 1)
    threads = [threading.Thread(target=use, args=(first,)) for first in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert failures == []


@pytest.fixture
def upstream() -> Iterator[str]:
    app = Flask(__name__)

    @app.get("/<int:number>")
    def view(number: int) -> dict[str, int]:
        return {"number": number}

    with running(app) as port:
        yield f"http://127.0.0.1:{port}"


@sizes
def test_httpx_client_is_shared(upstream: str, requests: int, any_loop: str) -> None:
    httpx = pytest.importorskip("httpx")
    client = httpx.AsyncClient()

    async def ask(number: int) -> int:
        response = await client.get(f"{upstream}/{number}", timeout=60)
        return int(response.json()["number"])

    try:
        serve(ask, requests)
    finally:
        run_async(client.aclose())


@sizes
def test_aiohttp_session_is_shared(upstream: str, requests: int, any_loop: str) -> None:
    aiohttp = pytest.importorskip("aiohttp")
    sessions: list[Any] = []

    async def ask(number: int) -> int:
        if not sessions:
            sessions.append(aiohttp.ClientSession())
        async with sessions[0].get(f"{upstream}/{number}") as response:
            return int((await response.json())["number"])

    try:
        serve(ask, requests)
    finally:
        run_async(sessions[0].close())


@sizes
def test_redis_pool_is_shared(requests: int, any_loop: str) -> None:
    redis = pytest.importorskip("redis.asyncio")
    with redis_server() as server:
        client = redis.Redis(port=server.port)

        async def ask(number: int) -> int:
            async with client.pipeline() as pipeline:
                pipeline.set(f"key{number}", number)
                pipeline.get(f"key{number}")
                _, value = await pipeline.execute()
            assert await client.get(f"key{number}") == value
            return int(value)

        try:
            serve(ask, requests)
        finally:
            # The method that closes a client is not the same in all versions.
            run_async(client.connection_pool.disconnect())


def use_sqlalchemy(url: str, requests: int) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    ext = pytest.importorskip("sqlalchemy.ext.asyncio")
    engine = ext.create_async_engine(url)
    session = ext.async_sessionmaker(engine)
    metadata = sqlalchemy.MetaData()
    notes = sqlalchemy.Table(
        "notes",
        metadata,
        sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True),
        sqlalchemy.Column("number", sqlalchemy.Integer),
    )

    async def create() -> None:
        rows = [{"id": number + 1, "number": number} for number in range(requests)]
        async with engine.begin() as connection:
            await connection.run_sync(metadata.drop_all)
            await connection.run_sync(metadata.create_all)
            await connection.execute(notes.insert(), rows)

    async def ask(number: int) -> int:
        query = sqlalchemy.select(notes.c.number).where(notes.c.id == number + 1)
        async with session() as current, current.begin():
            return int((await current.execute(query)).scalar_one())

    try:
        run_async(create())
        serve(ask, requests)
    finally:
        run_async(engine.dispose())


@sizes
def test_sqlalchemy_shares_aiosqlite(tmp_path: Path, requests: int, any_loop: str) -> None:
    pytest.importorskip("aiosqlite")
    use_sqlalchemy(f"sqlite+aiosqlite:///{tmp_path}/notes.db", requests)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.mark.ci
@needs_postgres
def test_sqlalchemy_shares_asyncpg(database: str, any_loop: str) -> None:
    pytest.importorskip("asyncpg")
    use_sqlalchemy(database.replace("postgresql:", "postgresql+asyncpg:"), 1000)


@pytest.mark.ci
@needs_postgres
def test_asyncpg_pool_is_shared(database: str, any_loop: str) -> None:
    asyncpg = pytest.importorskip("asyncpg")

    async def connect() -> Any:
        return await asyncpg.create_pool(database, min_size=1, max_size=4)

    pool = run_async(connect())

    async def ask(number: int) -> int:
        async with pool.acquire() as connection, connection.transaction():
            return int(await connection.fetchval("select $1::int", number))

    try:
        serve(ask, 1000)
    finally:
        run_async(pool.close())
