"""The cost of three middleware for a request, against what Flask offers for the same."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, make_response

from flask_routehandlers import RouteHandlers
from tests.benchmarks.requests import STATIC, compare
from tests.support import bare_app, write_files

MIDDLEWARE = "def middleware(request, call_next):\n    return call_next()\n"
FOLDERS = ("", "a/", "a/b/")
PATH = "/api/a/b/health"


def route_files(folder: Path, *, middleware: bool) -> Flask:
    files = {"a/b/health/route.py": STATIC}
    if middleware:
        files |= {f"{place}middleware.py": MIDDLEWARE for place in FOLDERS}
    write_files(folder / "app/api", files)
    app = bare_app(folder)
    RouteHandlers(app)
    return app


def function_view(*, nested: int = 0, hooks: int = 0) -> Flask:
    """Create an app whose view is inside functions that build a Response, or between hooks."""

    def health() -> Any:
        return {"status": "ok"}

    def around(view: Callable[[], Any]) -> Callable[[], Any]:
        def outer() -> Any:
            return make_response(view())

        return outer

    view: Callable[[], Any] = health
    for _ in range(nested):
        view = around(view)
    blueprint = Blueprint("api", __name__, url_prefix="/api")
    blueprint.add_url_rule("/a/b/health", "health", view)
    for _ in range(hooks):
        blueprint.before_request(lambda: None)
        blueprint.after_request(lambda response: response)
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(blueprint)
    return app


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        apps = {
            "route": route_files(folder / "without", middleware=False),
            "chain": route_files(folder / "with", middleware=True),
            "view": function_view(),
            "nested": function_view(nested=len(FOLDERS)),
            "hooks": function_view(hooks=len(FOLDERS)),
        }
        times = compare(apps, PATH)
    chain = times["chain"] - times["route"]
    nested = times["nested"] - times["view"]
    hooks = times["hooks"] - times["view"]
    ratios = {
        "added by three middleware, against three nested functions": chain / nested,
        "the same against three pairs of before_request and after_request": chain / hooks,
        "a request through three middleware, against none": times["chain"] / times["route"],
        "a route without middleware, against a function view": times["route"] / times["view"],
    }
    for what, ratio in ratios.items():
        yield f"{what} {ratio:.3f}"
