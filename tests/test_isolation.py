"""A static handler runs apart from the request: its threads, sessions and contexts are others."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import format_exception
from types import ModuleType
from typing import Any

import pytest
from flask import Flask, Response, g
from werkzeug.test import create_environ

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, grow_older, settle, stop_clock, until

PATH = "/api/page"
STATIC = "revalidate = 60\n\n"


@pytest.fixture
def shop() -> Iterator[ModuleType]:
    """A module that route files import as ``shop``."""
    module = ModuleType("shop")
    sys.modules["shop"] = module
    try:
        yield module
    finally:
        del sys.modules["shop"]


@pytest.fixture
def make(tree: Callable[..., Path]) -> Callable[..., Flask]:
    """Make an app with a static ``page/route.py``, after ``prepare`` was called with it."""

    def make(prepare: Callable[[Flask], object] | None, code: str, middleware: str = "") -> Flask:
        files = {"page/route.py": STATIC + code}
        if middleware:
            files["page/middleware.py"] = middleware
        app = bare_app(tree(files))
        app.testing = True
        if prepare is not None:
            prepare(app)
        RouteHandlers(app)
        stop_clock(app)
        return app

    return make


# Threads.

#: A handler that returns what someone has left in a thread-local variable.
LOCAL = "from shop import local\n\ndef GET():\n    return getattr(local, 'user', 'nobody')\n"


def test_thread_local_values_do_not_leak(make, shop):
    shop.local = threading.local()
    app = make(None, LOCAL)
    app.before_request(lambda: setattr(shop.local, "user", "Alice"))
    assert app.test_client().get(PATH).text == "nobody"


def test_cache_tags_run_in_another_thread_too(make, shop):
    shop.local = threading.local()
    shop.seen = []
    code = (
        "from shop import local, seen\n"
        "def cache_tags():\n    seen.append(vars(local).copy())\n    return ['a']\n"
        "def GET():\n    return ''\n"
    )
    app = make(None, code)
    app.before_request(lambda: setattr(shop.local, "user", "Alice"))
    app.test_client().get(PATH)
    assert shop.seen == [{}]


def test_a_list_runs_in_another_thread_too(tree, shop):
    shop.local = threading.local()
    code = (
        "from shop import local\nrevalidate = 60\ndynamic_params = False\n"
        "def generate_static_params():\n    return [{'id': getattr(local, 'user', 'nobody')}]\n"
        "def GET(id):\n    return id\n"
    )
    app = bare_app(tree({"[id]/route.py": code}))
    RouteHandlers(app)
    app.before_request(lambda: setattr(shop.local, "user", "Alice"))
    client = app.test_client()
    assert client.get("/api/Alice").status_code == 404
    assert client.get("/api/nobody").text == "nobody"


def test_as_many_handlers_run_as_requests_wait(make, shop):
    count = 30
    shop.barrier = threading.Barrier(count)
    code = "from shop import barrier\n\ndef GET():\n    return str(barrier.wait(20))\n"
    apps = [make(None, code) for _ in range(count)]
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda app=app: answers.append(app.test_client().get(PATH).text))
        for app in apps
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, answers)) == list(range(count))


def test_a_cancelled_async_handler_is_logged(make, shop, caplog):
    shop.runs = []
    code = (
        "import asyncio\nfrom shop import runs\n\n"
        "async def GET():\n    runs.append(1)\n"
        "    if len(runs) > 1:\n        raise asyncio.CancelledError\n    return 'first'\n"
    )
    app = make(None, code)
    client = app.test_client()
    assert client.get(PATH).text == "first"
    for run in (2, 3):
        grow_older(app, 61)
        assert client.get(PATH).text == "first"
        settle(app)
        assert len(shop.runs) == run
    [record] = caplog.records
    assert "page/route.py for /api/page failed" in record.getMessage()


# Databases.


@pytest.mark.parametrize("is_stale", [False, True], ids=["cold", "stale"])
def test_a_scoped_session_stays_with_the_request(make, shop, is_stale):
    """The pattern for SQLAlchemy in the documentation of Flask."""
    orm = pytest.importorskip("sqlalchemy.orm")
    sqlalchemy = pytest.importorskip("sqlalchemy")

    class Base(orm.DeclarativeBase):
        pass

    class Row(Base):
        __tablename__ = "row"
        id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
        name = sqlalchemy.Column(sqlalchemy.String)

    def prepare(app: Flask) -> None:
        engine = shop.engine = sqlalchemy.create_engine(f"sqlite:///{app.root_path}/shop.db")
        Base.metadata.create_all(engine)
        shop.session = orm.scoped_session(orm.sessionmaker(bind=engine))
        shop.Row = Row
        app.teardown_appcontext(lambda error: shop.session.remove())

    code = (
        "from shop import Row, session\n\ndef GET():\n    return str(session.query(Row).count())\n"
    )
    note = (
        "from shop import Row, session\n"
        "def middleware(request, call_next):\n"
        "    row = Row(name='added')\n"
        "    session.add(row)\n"
        "    session.flush()\n"
        "    response = call_next()\n"
        "    response.headers['X-Name'] = row.name\n"  # a lazy attribute
        "    session.commit()\n"
        "    response.headers['X-Name'] = row.name\n"
        "    return response\n"
    )
    app = make(prepare, code, note)
    client = app.test_client()
    if is_stale:
        client.get(PATH)
        grow_older(app, 61)
    response = client.get(PATH)
    assert (response.text, response.headers["X-Name"]) == ("0", "added")
    assert shop.session.query(Row).count() == 1 + is_stale
    shop.session.remove()
    settle(app)
    shop.engine.dispose()


def test_flask_sqlalchemy_sessions_are_separate(make, shop):
    flask_sqlalchemy = pytest.importorskip("flask_sqlalchemy")
    db = shop.db = flask_sqlalchemy.SQLAlchemy()

    class Item(db.Model):
        id = db.Column(db.Integer, primary_key=True)

    shop.Item = Item

    def prepare(app: Flask) -> None:
        app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{app.root_path}/shop.db"
        db.init_app(app)
        with app.app_context():
            db.create_all()

    code = "from shop import Item\n\ndef GET():\n    return str(Item.query.count())\n"
    note = (
        "from shop import Item, db\n"
        "def middleware(request, call_next):\n"
        "    db.session.add(Item())\n"
        "    response = call_next()\n"
        "    db.session.commit()\n"
        "    return response\n"
    )
    app = make(prepare, code, note)
    assert app.test_client().get(PATH).text == "0"
    with app.app_context():
        assert Item.query.count() == 1
        db.session.remove()
        db.engine.dispose()


def test_a_peewee_transaction_survives_call_next(make, shop):
    peewee = pytest.importorskip("peewee")
    database = shop.database = peewee.SqliteDatabase(None)

    class Note(peewee.Model):
        class Meta:
            database = shop.database

    shop.Note = Note

    def prepare(app: Flask) -> None:
        database.init(f"{app.root_path}/shop.db")
        with database:
            database.create_tables([Note])
        app.before_request(lambda: database.connect() and None)

        @app.teardown_appcontext
        def close(error: BaseException | None) -> None:
            if not database.is_closed():
                database.close()

    code = "from shop import Note\n\ndef GET():\n    return str(Note.select().count())\n"
    note = (
        "from shop import Note, database\n"
        "def middleware(request, call_next):\n"
        "    with database.atomic():\n"
        "        Note.create()\n"
        "        return call_next()\n"
    )
    app = make(prepare, code, note)
    assert app.test_client().get(PATH).text == "0"
    with database:
        assert Note.select().count() == 1


# Teardown.


@pytest.fixture
def torn_down() -> list[str]:
    return []


def watching(torn_down: list[str]) -> Callable[[Flask], None]:
    """Record each end of a context in which a connection was opened."""

    def prepare(app: Flask) -> None:
        @app.teardown_appcontext
        def close(error: BaseException | None) -> None:
            if "connection" in g:
                torn_down.append(g.connection)

    return prepare


LONG = (
    "from flask import Response, g\n\n"
    "def chunks():\n    for _ in range(2000):\n        yield 'x' * 1000\n\n"
    "def GET():\n    g.connection = 'open'\n    return Response({body})\n"
)
BODIES = {"a stream": "chunks()", "a string": "'x' * 2_000_000", "short": "'x'"}
USES: dict[str, Callable[[Response], Response]] = {
    "as it is": lambda response: response,
    "replaced": lambda response: Response("other"),
    "failing": lambda response: 1 / 0,
    "closed early": lambda response: response.close() or Response("other"),
    "wrapped": lambda response: Response(iter(list(response.response)[:2])),
}


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("body", BODIES)
def test_teardown_happens_once(make, torn_down, body, use):
    app = make(watching(torn_down), LONG.replace("{body}", BODIES[body]))
    app.testing = False
    app.logger.disabled = True  # pytest keeps what is logged, tracebacks with responses too
    app.after_request(USES[use])
    for count in (1, 2, 3) if body != "short" else (1,):
        response = app.test_client().get(PATH)
        if use == "as it is":
            assert len(response.data) in (1, 2_000_000)
        response.close()
        gc.collect()
        assert until(lambda count=count: torn_down == ["open"] * count)


def test_a_client_that_leaves_ends_the_handler(make, torn_down):
    app = make(watching(torn_down), LONG.replace("{body}", "chunks()"))
    body = app(create_environ(PATH), lambda *arguments: None)
    assert len(next(iter(body))) > 1000
    assert torn_down == []
    body.close()
    assert torn_down == ["open"]
    body.close()
    assert torn_down == ["open"]


def test_a_long_stream_stays_in_its_thread(make, shop):
    """A connection of sqlite3 can be used in one thread only."""
    code = """
import sqlite3
import threading

def GET():
    connection = sqlite3.connect(":memory:")
    thread = threading.get_ident()

    def rows():
        for _ in range(3):
            assert threading.get_ident() == thread
            yield connection.execute("SELECT hex(zeroblob(1000000))").fetchone()[0]
        connection.close()

    return rows()
"""
    response = make(None, code).test_client().get(PATH)
    assert response.headers["Cache-Status"].endswith("detail=too-long")
    assert len(response.data) == 6_000_000


def test_an_error_in_teardown_is_an_error(make):
    def prepare(app: Flask) -> None:
        @app.teardown_appcontext
        def fail(error: BaseException | None) -> None:
            if "connection" in g:
                raise ZeroDivisionError("in teardown")

    app = make(prepare, LONG.replace("{body}", "'x'"))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - Flask 3.2 raises a group
        app.test_client().get(PATH)
    assert "ZeroDivisionError: in teardown" in "".join(format_exception(caught.value))
    app.testing = False
    assert app.test_client().get(PATH).status_code == 500


def test_an_error_keeps_the_frames_of_the_handler(make):
    app = make(None, "def GET():\n    return helper()\n\ndef helper():\n    return 1 / 0\n")
    with pytest.raises(ZeroDivisionError) as caught:
        app.test_client().get(PATH)
    names = [entry.name for entry in caught.traceback]
    assert names[-2:] == ["GET", "helper"]
    assert caught.value.__context__ is None


def test_every_request_with_an_error_has_its_own(make):
    app = make(None, "def GET():\n    raise ValueError('again')\n")
    errors: list[Any] = []
    for _ in range(2):
        with pytest.raises(ValueError, match="again") as caught:
            app.test_client().get(PATH)
        errors.append(caught.value)
    assert errors[0] is not errors[1]
