"""One request against hand-written Flask: a function view and a MethodView in a Blueprint."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from flask import Blueprint, Flask, request
from flask.views import MethodView
from werkzeug.test import EnvironBuilder

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, write_files

ROUNDS = 800
REQUESTS = 40

STATIC = 'def GET():\n    return {"status": "ok"}\n'
DYNAMIC = 'def GET(id):\n    return {"id": id}\n'
REQUEST = 'def GET(request):\n    return {"path": request.path}\n'
CATCH_ALL = 'def GET(path):\n    return {"path": path}\n'
TEXT = 'def GET():\n    return "ok"\n'

PATHS = {
    "static": "/api/health",
    "one parameter": "/api/users/7",
    "request": "/api/request",
    "catch-all": "/api/files/a/b/c",
    "str": "/api/text",
}


def function_views() -> Flask:
    blueprint = Blueprint("api", __name__, url_prefix="/api")

    @blueprint.get("/health")
    def health() -> Any:
        return {"status": "ok"}

    @blueprint.get("/users/<id>")
    def user(id: str) -> Any:
        return {"id": id}

    @blueprint.get("/request")
    def asks_for_request() -> Any:
        return {"path": request.path}

    @blueprint.get("/files/<path:path>")
    def files(path: str) -> Any:
        return {"path": path.split("/")}

    @blueprint.get("/text")
    def text() -> Any:
        return "ok"

    app = Flask(__name__, static_folder=None)
    app.register_blueprint(blueprint)
    return app


def method_views() -> Flask:
    class Health(MethodView):
        def get(self) -> Any:
            return {"status": "ok"}

    class User(MethodView):
        def get(self, id: str) -> Any:
            return {"id": id}

    class AsksForRequest(MethodView):
        def get(self) -> Any:
            return {"path": request.path}

    class Files(MethodView):
        def get(self, path: str) -> Any:
            return {"path": path.split("/")}

    class Text(MethodView):
        def get(self) -> Any:
            return "ok"

    blueprint = Blueprint("api", __name__, url_prefix="/api")
    blueprint.add_url_rule("/health", view_func=Health.as_view("health"))
    blueprint.add_url_rule("/users/<id>", view_func=User.as_view("user"))
    blueprint.add_url_rule("/request", view_func=AsksForRequest.as_view("request"))
    blueprint.add_url_rule("/files/<path:path>", view_func=Files.as_view("files"))
    blueprint.add_url_rule("/text", view_func=Text.as_view("text"))
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(blueprint)
    return app


def route_files(folder: Path, more: int = 0) -> Flask:
    files = {
        "health/route.py": STATIC,
        "users/[id]/route.py": DYNAMIC,
        "request/route.py": REQUEST,
        "files/[...path]/route.py": CATCH_ALL,
        "text/route.py": TEXT,
    }
    for number in range(more):
        place = f"area{number % 50}/thing{number}" + ("/[id]" if number % 2 else "")
        files[f"{place}/route.py"] = DYNAMIC if number % 2 else STATIC
    write_files(folder / "app/api", files)
    app = bare_app(folder)
    RouteHandlers(app)
    return app


def compare(apps: dict[str, Flask], path: str) -> dict[str, float]:
    """Return the median processor time of a block of requests; the apps take turns."""
    calls = {name: _call(app, path) for name, app in apps.items()}
    times: dict[str, list[float]] = {name: [] for name in apps}
    for call in calls.values():
        for _ in range(200):
            call()
    gc.collect()
    gc.disable()
    for number in range(ROUNDS):
        order = list(calls.items())
        for name, call in order if number % 2 else reversed(order):
            begin = time.thread_time()
            for _ in range(REQUESTS):
                call()
            times[name].append(time.thread_time() - begin)
    gc.enable()
    return {name: median(taken) for name, taken in times.items()}


def _call(app: Flask, path: str) -> Callable[[], None]:
    environ = EnvironBuilder(path).get_environ()
    begun: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Callable[..., Any]:
        begun.append(status)
        return begun.append

    def call() -> None:
        begun.clear()
        body: Any = app(environ.copy(), start_response)
        b"".join(body)
        if hasattr(body, "close"):
            body.close()
        assert begun == ["200 OK"], begun

    return call


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = route_files(folder / "small", more=5)
        large = route_files(folder / "large", more=4995)
        apps = {
            "function": function_views(),
            "MethodView": method_views(),
            "route file": small,
        }
        for label, path in PATHS.items():
            times = compare(apps, path)
            ours = times["route file"]
            yield f"{label}: against a function view {ours / times['function']:.3f}"
            yield f"{label}: against a MethodView {ours / times['MethodView']:.3f}"
            yield f"{label}: MethodView against a function view " + (
                f"{times['MethodView'] / times['function']:.3f}"
            )
            times = compare({"10": small, "5000": large}, path)
            yield f"{label}: 5,000 routes against 10 {times['5000'] / times['10']:.3f}"
