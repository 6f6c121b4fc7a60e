"""Flask around a handler: hooks, preprocessors, error handlers and tracebacks."""

from __future__ import annotations

import traceback

import pytest
from flask import g, url_for
from werkzeug.exceptions import HTTPException


def test_hooks_of_app_and_blueprint_run(make_app):
    app = make_app(
        {"x/route.py": "from flask import g\ndef GET():\n    g.log.append('GET')\n    return ''"}
    )
    log = []

    @app.before_request
    def before_app():
        g.log = log
        log.append("before app")

    app.before_request_funcs["api"] = [lambda: log.append("before blueprint")]
    app.after_request_funcs["api"] = [lambda r: log.append("after blueprint") or r]
    app.after_request(lambda response: log.append("after app") or response)
    app.teardown_request_funcs["api"] = [lambda error: log.append("teardown blueprint")]
    app.teardown_request(lambda error: log.append("teardown app"))
    for method, handler in (("GET", ["GET"]), ("POST", []), ("OPTIONS", [])):
        log.clear()
        app.test_client().open("/api/x", method=method)
        assert log == [
            "before app",
            "before blueprint",
            *handler,
            "after blueprint",
            "after app",
            "teardown blueprint",
            "teardown app",
        ]


def test_before_request_can_answer_first(make_app):
    app = make_app({"x/route.py": "def GET(): 1 / 0"})
    app.before_request_funcs["api"] = [lambda: ("no entry", 403)]
    assert app.test_client().get("/api/x").text == "no entry"


def test_a_removed_value_is_not_passed(make_app):
    code = (
        "from flask import g\n"
        "def GET(id): return [g.lang, id]\n"
        "def POST(params): return params\n"
        "def PUT(id, lang='default'): return [lang, id]\n"
        "def PATCH(id, **rest): return [id, rest]\n"
    )
    app = make_app({"[id=int]/route.py": code}, url_prefix="/<lang>/api")

    @app.url_value_preprocessor
    def remove(endpoint, values):
        g.lang = values.pop("lang")

    @app.url_defaults
    def put_back(endpoint, values):
        values.setdefault("lang", "en")

    client = app.test_client()
    assert client.get("/de/api/3").json == ["de", 3]
    assert client.post("/de/api/3").json == {"id": 3}
    assert client.put("/de/api/3").json == ["default", 3]
    assert client.patch("/de/api/3").json == [3, {}]
    with app.test_request_context():
        assert url_for("api./[id=int]", id=4) == "/en/api/4"
        assert url_for("api./[id=int]", id=4, lang="fr") == "/fr/api/4"


def test_an_added_value_is_in_params(make_app):
    code = (
        "def GET(id): return [id]\n"
        "def POST(id, params): return [id, params]\n"
        "def PUT(id, extra='default'): return [id, extra]\n"
    )
    app = make_app({"[id=int]/route.py": code})

    @app.url_value_preprocessor
    def change(endpoint, values):
        values.update(id=values["id"] + 1, extra="added")

    client = app.test_client()
    assert client.get("/api/3").json == [4]
    assert client.post("/api/3").json == [4, {"id": 4, "extra": "added"}]
    assert client.put("/api/3").json == [4, "default"]


def test_a_renamed_value_is_not_passed(make_app):
    app = make_app({"[id]/route.py": "def GET(id='default'): return id"})

    @app.url_value_preprocessor
    def rename(endpoint, values):
        values["number"] = values.pop("id")

    assert app.test_client().get("/api/3").text == "default"


def test_error_handlers_of_the_app_answer(make_app):
    code = (
        "import flask\n"
        "class Lost(Exception): pass\n"
        "def GET(): flask.abort(404, 'no such user')\n"
        "def POST(): raise Lost('way')\n"
        "def PUT(): flask.abort(418)\n"
        "def DELETE():\n    yield from ()\n"
    )
    app = make_app({"x/route.py": code})
    lost = app.view_functions["api./x"].module.Lost
    app.register_error_handler(404, lambda error: ({"reason": error.description}, 404))
    app.register_error_handler(405, lambda error: (sorted(error.valid_methods), 405))
    app.register_error_handler(lost, lambda error: (f"lost {error}", 410))
    app.register_error_handler(HTTPException, lambda error: (f"any {error.code}", error.code))
    client = app.test_client()
    assert client.get("/api/x").json == {"reason": "no such user"}
    assert client.post("/api/x").text == "lost way"
    assert client.put("/api/x").text == "any 418"
    assert client.patch("/api/x").json == ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]
    assert client.delete("/api/x").text == ""


def test_a_thread_can_use_the_request(make_client):
    code = """
from concurrent.futures import ThreadPoolExecutor

def read(request):
    return request.path, request.args["q"], request.json, type(request).__name__

def POST(request):
    with ThreadPoolExecutor(1) as pool:
        return list(pool.submit(read, request).result(30))
"""
    response = make_client(code).post("/api/x?q=1", json={"a": 2})
    assert response.json == ["/api/x", "1", {"a": 2}, "Request"]


def test_params_is_a_new_dict_for_each_request(make_client):
    code = """
def GET(params):
    assert type(params) is dict
    params["seen"] = params.get("seen", 0) + 1
    return params
"""
    client = make_client({"[id]/route.py": code})
    assert [client.get("/api/3").json for _ in range(2)] == [{"id": "3", "seen": 1}] * 2


@pytest.mark.parametrize(("signature", "value"), [("path", "path"), ("params", "params['path']")])
def test_a_catch_all_is_a_new_list_each_time(make_client, signature, value):
    code = f"def GET({signature}):\n    {value}.append('more')\n    return {value}"
    client = make_client({"a/[...path]/route.py": code, "b/[[...path]]/route.py": code})
    for _ in range(2):
        assert client.get("/api/a/x/y").json == ["x", "y", "more"]
        assert client.get("/api/b/x").json == ["x", "more"]
        assert client.get("/api/b").json == ["more"]


FAILING = """
import functools

def plain(f):
    @functools.wraps(f)
    def wrapper(**values):
        return f(**values)
    return wrapper

def fail():
    raise RuntimeError("the cause")

def GET(id):
    fail()

def POST(id, request, params):
    fail()

def PUT():
    fail()

@plain
def PATCH(request):
    fail()

async def DELETE(id):
    fail()

def QUERY(id="x", **rest):
    fail()
"""


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
def test_a_traceback_has_few_frames_of_ours(make_app, method):
    app = make_app({"[id]/route.py": FAILING})
    app.testing = True
    with pytest.raises(RuntimeError, match="the cause") as caught:
        app.test_client().open("/api/3", method=method)
    frames = traceback.extract_tb(caught.tb)
    ours = [frame for frame in frames if "/flask_routehandlers/" in frame.filename]
    theirs = [frame for frame in frames if frame.filename.endswith("/[id]/route.py")]
    assert theirs[-1].line == 'raise RuntimeError("the cause")'
    assert theirs[-2].name == ("GET" if method == "HEAD" else method)
    assert theirs[-2].line == "fail()"
    # Async code has the frames of the event loop as well.
    assert len(ours) <= (7 if method == "DELETE" else 3)
