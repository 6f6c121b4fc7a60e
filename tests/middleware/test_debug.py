"""Broken middleware in debug mode: every URL below it answers with its error."""

from __future__ import annotations

import inspect

import pytest

from flask_routehandlers import RouteHandlers, RouteImportError, RouteTreeError
from tests.middleware.support import FORM, METHODS, OK, UNKNOWN, WITNESS, raw_status
from tests.support import bare_app

BROKEN = {
    "1 / 0\n": "a/middleware.py could not be imported: ZeroDivisionError: division by zero",
    "raise SystemExit(4)\n": "a/middleware.py could not be imported: SystemExit: 4",
    "": f"a/middleware.py\n  The file has no middleware.\n  Write {FORM}.",
    "def middleware(user): pass\n": "a/middleware.py\n  middleware asks for 'user', "
    "which is not in the path.",
    "def check(call_next): return call_next()\nmiddleware = [check, 3]\n": "a/middleware.py\n"
    "  middleware[1] is not callable: its type is int.",
}


@pytest.fixture(params=BROKEN, ids=["error", "exit", "empty", "parameter", "list"])
def broken(tree, request):
    """Return an app in debug mode where the middleware of ``a`` is broken, and its error.

    ``app.config["RAN"]`` has what ran.
    """
    handlers = "from flask import current_app\n" + "".join(
        f"def {method}(): return current_app.config['RAN'].append('{method}') or 'handler'\n"
        for method in METHODS
    )
    routes = ("a", "a/[id]", "a/(g)/deep", "a/docs/[[...rest]]", "b", "(g)/c")
    files = dict.fromkeys(("middleware.py", "a/[id]/middleware.py", "b/middleware.py"), WITNESS)
    files |= {"a/middleware.py": request.param} | {f"{r}/route.py": handlers for r in routes}
    app = bare_app(tree(files))
    app.debug = True
    app.config.update(PROPAGATE_EXCEPTIONS=False, RAN=[])
    RouteHandlers(app)
    return app, BROKEN[request.param]


def test_every_url_below_answers_with_the_error(broken, caplog):
    app, message = broken
    for path in ("a", "a/1", "a/deep", "a/docs", "a/docs/1/2"):
        for method in (*METHODS, *UNKNOWN):
            caplog.clear()
            response = app.test_client().open(f"/api/{path}", method=method)
            assert response.status_code == 500, (path, method)
            assert message in str(caplog.records[0].exc_info[1])
    assert not set(app.config["RAN"]) & set(METHODS)


def test_other_routes_go_on_in_debug_mode(broken):
    app, _ = broken
    for path, files in (("b", 2), ("c", 1)):
        app.config["RAN"].clear()
        assert app.test_client().post(f"/api/{path}").text == "handler"
        assert app.config["RAN"] == ["middleware POST"] * files + ["POST"]
    assert app.test_client().get("/api/z").status_code == 404


def test_unclean_paths_below_it_are_404_too(broken):
    app, _ = broken
    for path in ("//api/a", "api/a", "/api//a", "/api/a/", "/api/a/\0", "/api/a/./1"):
        assert raw_status(app, path) == 404, path


def test_an_import_error_shows_its_line_each_time(tree):
    app = bare_app(tree({"a/middleware.py": "1 / 0\n", "a/route.py": OK}))
    app.debug = True
    RouteHandlers(app)
    for _ in range(2):
        with pytest.raises(RouteImportError) as caught:
            app.test_client().get("/api/a")
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        frames = inspect.getinnerframes(caught.value.__cause__.__traceback__)
        assert frames[-1].filename.endswith("/app/api/a/middleware.py")


def test_the_outermost_broken_file_is_shown(tree):
    files = {"middleware.py": "", "a/middleware.py": "1 / 0\n", "a/route.py": "1 / 0\n"}
    app = bare_app(tree(files))
    app.debug = True
    RouteHandlers(app)
    with pytest.raises(RouteTreeError, match=r"The file has no middleware\."):
        app.test_client().get("/api/a")
