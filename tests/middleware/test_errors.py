"""Exceptions in a chain of middleware."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.middleware.support import OK, both_kinds, tracer, variant

CATCHER = """
def middleware(call_next):
    try:
        return call_next()
    except Exception as error:
        return [type(error).__name__], 299
"""


@both_kinds
@pytest.mark.parametrize("between", ["sync", "async"])
@pytest.mark.parametrize("define", ["def", "async def"])
def test_errors_below_can_be_caught(make_client, define, between, kind):
    route = f"""
import flask
{define} GET(): return {{}}["missing"]
{define} POST(): flask.abort(409)
{define} PUT(): return None
"""
    files = {"middleware.py": variant(CATCHER, kind), "x/middleware.py": tracer("x", between)}
    client = make_client(files, route)
    for method, error in {
        "GET": "KeyError",
        "HEAD": "KeyError",
        "POST": "Conflict",
        "PUT": "TypeError",
        "PATCH": "MethodNotAllowed",
        "MADEUP": "MethodNotAllowed",
    }.items():
        response = client.open("/api/x", method=method)
        assert response.status_code == 299
        assert method == "HEAD" or response.json == [error]


@both_kinds
def test_errors_of_middleware_are_handled(make_client, kind):
    code = (
        "import flask\n"
        "def middleware(request):\n"
        "    flask.abort(401) if request.method == 'POST' else {}['lost']\n"
    )
    client = make_client(variant(code, kind))
    app = client.application
    app.register_error_handler(KeyError, lambda error: (f"handled {error}", 418))
    response = client.post("/api/x")
    assert (response.status_code, response.mimetype) == (401, "application/problem+json")
    response = client.get("/api/x")
    assert (response.status_code, response.text) == (418, "handled 'lost'")


@pytest.mark.parametrize("kinds", ["sync sync", "async async", "sync async", "async sync"])
def test_an_error_keeps_its_traceback(make_client, kinds):
    outer, inner = kinds.split()
    files = {"middleware.py": tracer("a", outer), "x/middleware.py": tracer("b", inner)}
    client = make_client(files, "def GET(): raise LookupError('below')\n")
    with pytest.raises(LookupError, match="below") as caught:
        client.get("/api/x")
    frames = inspect.getinnerframes(caught.value.__traceback__)
    shown = [f.filename.partition("/app/api/")[2] for f in frames if "/app/api/" in f.filename]
    assert shown == ["middleware.py", "x/middleware.py", "x/route.py"]


#: Prints the status for each of the URLs that it is called with.
CLIENT = """
import json, sys
import flask
from flask_routehandlers import RouteHandlers

app = flask.Flask("child", root_path=sys.argv[1], static_folder=None)
app.config["PROPAGATE_EXCEPTIONS"] = False
RouteHandlers(app)
print(json.dumps([app.test_client().get(url).status_code for url in sys.argv[2:]]))
"""


def test_stop_iteration_in_a_loop_is_an_error(tree):
    # What next() raises at the end of an iterator. Before Python 3.12 a future refuses it, and
    # the request would wait forever: in a separate process, which can be stopped.
    passing = "def middleware(call_next): return call_next()\n"
    folder = tree(
        {
            "middleware.py": tracer("root", "async"),
            "a/middleware.py": "def middleware(): return next(iter([]))\n",
            "a/route.py": OK,
            "b/middleware.py": passing,
            "b/route.py": "def GET(): return next(iter([]))\n",
            "c/route.py": OK,
        }
    )
    child = subprocess.run(
        [sys.executable, "-c", CLIENT, folder, "/api/a", "/api/b", "/api/c"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert child.returncode == 0, child.stderr
    assert json.loads(child.stdout) == [500, 500, 200]
    assert child.stderr.count("RuntimeError: StopIteration was raised by sync code") == 2
