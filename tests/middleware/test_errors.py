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
{define} GET(): return {{}}["missing"]
{define} PUT(): return None
"""
    files = {"middleware.py": variant(CATCHER, kind), "x/middleware.py": tracer("x", between)}
    client = make_client(files, route)
    for method, error in {"GET": "KeyError", "HEAD": "KeyError", "PUT": "TypeError"}.items():
        response = client.open("/api/x", method=method)
        assert response.status_code == 299
        assert method == "HEAD" or response.json == [error]


STAMP = """
def middleware(call_next):
    response = call_next()
    response.headers.add("Stamp", f"{response.status_code} {response.mimetype}")
    return response
"""


@both_kinds
@pytest.mark.parametrize("between", ["sync", "async"])
@pytest.mark.parametrize("define", ["def", "async def"])
def test_http_errors_arrive_as_responses(make_client, define, between, kind):
    route = f"""
import flask
{define} GET(): flask.abort(404, description="none")
{define} POST(): flask.abort(409)
{define} PUT(): flask.abort(flask.Response("over", 410))
{define} DELETE(): flask.abort(500)
"""
    files = {"middleware.py": variant(STAMP, kind), "x/middleware.py": tracer("x", between)}
    client = make_client(files, route)
    problem = "application/problem+json"
    for method, stamp in {
        "GET": f"404 {problem}",
        "HEAD": f"404 {problem}",
        "POST": f"409 {problem}",
        "PUT": "410 text/html",
        "DELETE": f"500 {problem}",
        "PATCH": f"405 {problem}",
        "MADEUP": f"405 {problem}",
    }.items():
        response = client.open("/api/x", method=method)
        assert response.headers.get("Stamp") == stamp
        assert response.status_code == int(stamp[:3])
    assert client.get("/api/x").json["detail"] == "none"
    assert client.patch("/api/x").headers["Allow"] == "DELETE, GET, HEAD, OPTIONS, POST, PUT"


@both_kinds
@pytest.mark.parametrize("define", ["def", "async def"])
def test_handled_exceptions_arrive_as_responses(make_client, define, kind):
    route = f"""
class Missing(LookupError): pass
{define} GET(): raise Missing("row")
{define} PUT(): raise ZeroDivisionError("zero")
"""
    client = make_client({"middleware.py": variant(STAMP, kind)}, route)
    app = client.application

    @app.errorhandler(LookupError)
    def answer_missing(error):
        return f"no {error}", 404

    @app.errorhandler(Exception)
    def answer_anything(error):
        return f"oh {error}", 503

    response = client.get("/api/x")
    assert (response.status_code, response.text) == (404, "no row")
    assert response.headers["Stamp"] == "404 text/html"
    # The last resort is outside of all middleware.
    response = client.put("/api/x")
    assert (response.status_code, response.text) == (503, "oh zero")
    assert "Stamp" not in response.headers


def test_an_error_handler_of_the_blueprint_counts(make_client):
    route = "def GET(): raise LookupError('row')"
    client = make_client({"middleware.py": STAMP}, route)
    blueprint = client.application.blueprints["api"]
    client.application.register_error_handler(LookupError, lambda error: ("app", 404))
    spec = client.application.error_handler_spec
    spec[blueprint.name][None][Exception] = lambda error: ("blueprint", 502)
    # Flask asks the blueprint first, and its handler is one of last resort.
    response = client.get("/api/x")
    assert (response.text, response.headers.get("Stamp")) == ("blueprint", None)


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
    assert (
        child.stderr.count(
            "RuntimeError: A sync function that async code called raised StopIteration."
        )
        == 2
    )
