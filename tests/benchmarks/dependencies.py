"""Three dependencies against a view by hand, and against FastAPI's ``Depends``.

The comparison of servers needs ``pip install --group benchmarks`` and wrk.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from flask import Blueprint, Flask

from flask_routehandlers import RouteHandlers
from tests.benchmarks.load import measure, python_server, send
from tests.benchmarks.requests import compare
from tests.support import bare_app, write_files

PATH = "/api/articles/hello"

#: The functions: a session that is closed, a user, an article.
FUNCTIONS = """
from collections.abc import Iterator

class Session:
    is_open = True

    def close(self):
        self.is_open = False

def db() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()

def user(db: Session) -> dict[str, str]:
    assert db.is_open
    return {"name": "Ada"}

def article(slug: str, db: Session) -> dict[str, str]:
    assert db.is_open
    return {"slug": slug, "title": "Hello"}
"""

HANDLER = """
def GET(user, article):
    return {"user": user, "article": article}
"""

NONE = """
def GET(slug):
    return {"slug": slug}
"""


def functions() -> dict[str, Any]:
    """Return the functions by name, in their own copy."""
    namespace: dict[str, Any] = {}
    exec(FUNCTIONS, namespace)
    return namespace


def route_files(folder: Path) -> Flask:
    """Create an app whose handler asks for them."""
    # As in an app: the article is defined below its path parameter.
    shared, article = FUNCTIONS.split("def article")
    files = {
        "dependencies.py": shared,
        "articles/[slug]/dependencies.py": f"def article{article}".replace(": Session", ""),
        "articles/[slug]/route.py": HANDLER,
        "plain/[slug]/route.py": NONE,
    }
    write_files(folder / "app/api", files)
    app = bare_app(folder)
    RouteHandlers(app)
    return app


def route_files_without(folder: Path) -> Flask:
    """Create an app that has none."""
    write_files(folder / "app/api", {"plain/[slug]/route.py": NONE})
    app = bare_app(folder)
    RouteHandlers(app)
    return app


def by_hand() -> Flask:
    """Create an app whose view calls them."""
    made = functions()
    open_session, find_user, find_article = made["db"], made["user"], made["article"]
    api = Blueprint("api", __name__, url_prefix="/api")

    @api.get("/articles/<slug>")
    def view(slug: str) -> Any:
        generator = open_session()
        db = next(generator)
        try:
            user = find_user(db)
            article = find_article(slug, db)
            return {"user": user, "article": article}
        finally:
            next(generator, None)

    app = Flask(__name__, static_folder=None)
    app.register_blueprint(api)
    return app


def with_fastapi(*, is_async: bool) -> Any:
    """Create an app whose path operation depends on them.

    :param is_async: as coroutine functions, which FastAPI calls without a thread.
    """
    from fastapi import Depends, FastAPI

    code = FUNCTIONS.replace("(db: Session)", "(db=Depends(db))")
    code = code.replace("db: Session", "db=Depends(db)")
    handler = """
@app.get("/api/articles/{slug}")
def get(user=Depends(user), article=Depends(article)):
    return {"user": user, "article": article}
"""
    code += handler
    if is_async:
        code = code.replace("\ndef ", "\nasync def ").replace("Iterator", "AsyncIterator")
    app = FastAPI()
    exec(code, {"app": app, "Depends": Depends})
    return app


def measure_views(folder: Path) -> Iterator[str]:
    apps = {"ours": route_files(folder / "with"), "by hand": by_hand()}
    times = compare(apps, PATH)
    yield f"three dependencies, against a view by hand {times['ours'] / times['by hand']:.3f}"
    apps = {"with": apps["ours"], "without": route_files_without(folder / "without")}
    times = compare(apps, "/api/plain/hello")
    yield (
        "a handler that asks for none, in a tree with dependencies against one without "
        f"{times['with'] / times['without']:.3f}"
    )


WSGI = """
from pathlib import Path
from tests.benchmarks import dependencies as apps
ours = apps.route_files(Path(__file__).parent / "ours")
by_hand = apps.by_hand()
"""

ASGI = """
from tests.benchmarks import dependencies as apps
is_sync = apps.with_fastapi(is_async=False)
is_async = apps.with_fastapi(is_async=True)
"""

UVICORN = "uvicorn --no-access-log --log-level warning --port {port}"
GRANIAN = "granian --workers 1 --port {port} --interface"

SERVERS = {
    "FastAPI with async def, uvicorn": f"{UVICORN} asgi:is_async",
    "FastAPI with def, uvicorn": f"{UVICORN} asgi:is_sync",
    "FastAPI with async def, granian": f"{GRANIAN} asgi asgi:is_async",
    "dependencies.py, granian": f"{GRANIAN} wsgi --blocking-threads 1 wsgi:ours",
    "a view by hand, granian": f"{GRANIAN} wsgi --blocking-threads 1 wsgi:by_hand",
}


def measure_servers(folder: Path, rounds: int = 5) -> Iterator[str]:
    """Compare requests per second of processor time: one worker each, in turns."""
    write_files(folder, {"wsgi.py": WSGI, "asgi.py": ASGI})
    rates: dict[str, list[float]] = {name: [] for name in SERVERS}
    for _ in range(rounds):
        for name, command in SERVERS.items():
            with python_server(folder, command) as server:
                send(server.port, PATH, 1)
                rates[name].append(measure(server, PATH, 3).per_cpu_second)
    base = median(rates["FastAPI with async def, uvicorn"])
    for name, taken in rates.items():
        rate = median(taken)
        yield f"{name}: {rate:.0f} requests per second of processor time, {rate / base:.2f}"


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield from measure_views(folder)
        if shutil.which("wrk") and find_spec("fastapi"):
            yield from measure_servers(folder / "servers")
