"""Sessions of SQLAlchemy commit and roll back under load, in SQLite and in PostgreSQL."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

pytest.importorskip("sqlalchemy")

from sqlalchemy import create_engine, text

from flask_routehandlers.running.modes import run_async
from flask_routehandlers.testing import route
from tests.servers import POSTGRES, postgres

ACCOUNTS = 20
START = 1000

TABLES = """
CREATE TABLE accounts (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
CREATE TABLE transfers (id VARCHAR(40) PRIMARY KEY)
"""

ENGINE = {
    "sync": """
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
engine = create_engine({url!r}, pool_size={size}, max_overflow=0, pool_timeout=60)
""",
    "async": """
from sqlalchemy.ext.asyncio import AsyncSession as Session, create_async_engine
engine = create_async_engine({url!r}, pool_size={size}, max_overflow=0, pool_timeout=60)
""",
}

DEPENDENCIES = """
from sqlalchemy import text
from ._lib.engine import Session, engine

{define} db() -> {iterator}[Session]:
    {with_} Session(engine) as session, session.begin():
        yield session

{define} account(db: Session, source: Query[int]) -> int | NotFound:
    query = text("SELECT id FROM accounts WHERE id = :id")
    return ({wait}db.execute(query, {"id": source})).scalar() or NotFound()

{define} moved(
    db: Session, account: int, target: Query[int], amount: Query[int], key: Query[str]
) -> str:
    {wait}db.execute(text("INSERT INTO transfers VALUES (:key)"), {"key": key})
    # In one order, so that no two requests wait for each other.
    for number, change in sorted([(account, -amount), (target, amount)]):
        {wait}db.execute(
            text("UPDATE accounts SET amount = amount + :change WHERE id = :id"),
            {"id": number, "change": change},
        )
    return key
"""

ROUTE = """
from .._lib.engine import engine

{define} POST(moved, end: Query[str]) -> str:
    if end == "abort": abort(409)
    if end == "error": raise ZeroDivisionError
    if end == "return": return Conflict()
    if end == "redirect": abort(redirect("/there"))
    if end == "status": return moved, 409
    return moved

{define} PUT(moved, end: Query[str]):
    for number in range(3):
        if end == "error" and number == 2: raise ZeroDivisionError
        yield moved
"""

#: The ends of a request, and whether what it did stays.
ENDS = {
    ("POST", "fine"): True,
    ("POST", "redirect"): True,
    ("POST", "status"): True,
    ("POST", "abort"): False,
    ("POST", "error"): False,
    ("POST", "return"): False,
    ("PUT", "fine"): True,
    ("PUT", "error"): False,
}


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.ci)]
)
def url(request, tmp_path_factory) -> Iterator[str]:
    """A database."""
    folder = tmp_path_factory.mktemp("database")
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/test.db"
        return
    if not POSTGRES:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    pytest.importorskip("psycopg")
    with postgres(folder) as server:
        yield server.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def database(url):
    """The engine of a test, with fresh tables."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in ("accounts", "transfers"):
            connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
        for statement in TABLES.split(";"):
            connection.execute(text(statement))
        for number in range(1, ACCOUNTS + 1):
            connection.execute(text(f"INSERT INTO accounts VALUES ({number}, {START})"))
    yield engine
    engine.dispose()


@pytest.fixture(params=["sync", "async"])
def client(request, url, serve):
    """A client of an app with sessions of a kind."""
    words = {"define": "def", "iterator": "Iterator", "with_": "with", "wait": ""}
    if request.param == "async":
        url = url.replace("sqlite:", "sqlite+aiosqlite:").replace("+psycopg", "+asyncpg")
        words = {"define": "async def", "iterator": "AsyncIterator", "with_": "async with"}
        words["wait"] = "await "
    dependencies, code = DEPENDENCIES, ROUTE
    for word, value in words.items():
        dependencies = dependencies.replace(f"{{{word}}}", value)
        code = code.replace(f"{{{word}}}", value)
    # SQLite has one writer: the pool lets requests wait for it.
    size = 1 if "sqlite" in url else 8
    engine = ENGINE[request.param].format(url=url, size=size)
    client = serve({"_lib/engine.py": engine, "dependencies.py": dependencies, "x/route.py": code})
    yield client
    engine = route(client.application, "x").engine
    assert engine.pool.checkedout() == 0
    if request.param == "async":
        run_async(engine.dispose())
    else:
        engine.dispose()


def check(client, database, threads: int, requests: int) -> None:
    expected = Counter(dict.fromkeys(range(1, ACCOUNTS + 1), START))
    kept: set[str] = set()
    faults: list[object] = []
    lock = threading.Lock()

    def work(thread: int) -> None:
        rng = random.Random(thread)
        mine = client.application.test_client()
        for number in range(requests):
            key = f"{thread}-{number}"
            source, target = rng.sample(range(1, ACCOUNTS + 3), 2)
            amount = rng.randrange(1, 100)
            (method, end), stays = rng.choice(list(ENDS.items()))
            query = {"source": source, "target": target, "amount": amount, "key": key, "end": end}
            try:
                response = mine.open("/api/x", method=method, query_string=query)
                is_streamed = response.text == key * 3
            except ZeroDivisionError:  # of a stream
                is_streamed = False
            if source > ACCOUNTS:
                faults.extend([query] * (response.status_code != 404))
                continue
            faults.extend([query] * (method == "PUT" and is_streamed is not stays))
            if stays:
                with lock:
                    kept.add(key)
                    expected[source] -= amount
                    expected[target] += amount

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with database.connect() as connection:
        amounts = dict(connection.execute(text("SELECT id, amount FROM accounts")).all())
        keys = set(connection.execute(text("SELECT id FROM transfers")).scalars())
    assert faults == []
    assert keys == kept
    assert amounts == {number: expected[number] for number in amounts}


def test_sessions_commit_and_roll_back(client, database):
    check(client, database, 4, 10)


@pytest.mark.ci
def test_sessions_commit_and_roll_back_under_load(client, database):
    check(client, database, 16, 80)


@pytest.mark.soak
def test_sessions_commit_and_roll_back_for_long(client, database):
    check(client, database, 16, 1_000)
