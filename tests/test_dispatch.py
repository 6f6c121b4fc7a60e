"""From a request to a response: the path chooses the file, the method chooses the handler."""

from __future__ import annotations

import random
import socket
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from http.client import HTTPConnection

import pytest
from flask import Flask, g, url_for
from werkzeug.exceptions import HTTPException

from flask_routehandlers import RouteHandlers
from tests.support import running


@pytest.fixture
def client_of(make_app):
    """A client of an app with one route file, at ``/api/x``, or with several."""

    def make(files, **options):
        files = {"x/route.py": files} if isinstance(files, str) else files
        return make_app(files, **options).test_client()

    return make


def test_a_route_file_answers_the_url_of_its_folders(make_app):
    app = make_app({}, "users/[id]")
    assert app.test_client().get("/api/users/3").json == {
        "rule": "/api/users/<id>",
        "params": {"id": "3"},
    }


# What a handler returns.


@pytest.mark.parametrize(
    ("code", "status", "mimetype", "body"),
    [
        ("return 'text'", 200, "text/html", b"text"),
        ("return ''", 200, "text/html", b""),
        ("return b'\\x00\\xff'", 200, "text/html", b"\x00\xff"),
        ("return bytearray(b'bytes')", 200, "text/html", b"bytes"),
        ("return {'a': 1}", 200, "application/json", b'{"a":1}\n'),
        ("return {}", 200, "application/json", b"{}\n"),
        ("return [1, 'two']", 200, "application/json", b'[1,"two"]\n'),
        ("return 'made', 201", 201, "text/html", b"made"),
        ("return {'a': 1}, 202", 202, "application/json", b'{"a":1}\n'),
        ("return '', 204", 204, "text/html", b""),
        ("return 'x', '418 TEAPOT'", 418, "text/html", b"x"),
        ("return 'x', {'Content-Type': 'text/x'}", 200, "text/x", b"x"),
        ("return 'x', 203, [('Content-Type', 'text/y')]", 203, "text/y", b"x"),
        (
            "return flask.Response('r', 201, mimetype='text/plain')",
            201,
            "text/plain",
            b"r",
        ),
        ("return flask.Response('r'), 202", 202, "text/html", b"r"),
        ("return flask.jsonify(1)", 200, "application/json", b"1\n"),
        ("return flask.make_response('m', 203)", 203, "text/html", b"m"),
        ("return werkzeug.Response('w', 206)", 206, "text/plain", b"w"),
        ("return werkzeug.exceptions.Gone()", 410, "application/problem+json", None),
        ("flask.abort(flask.Response('over', 409))", 409, "text/html", b"over"),
        ("return wsgi", 299, "text/wsgi", b"from WSGI"),
        ("return iter(['a', 'b'])", 200, "text/html", b"ab"),
        ("return (c for c in 'abc')", 200, "text/html", b"abc"),
        ("return (c for c in 'abc'), 203", 203, "text/html", b"abc"),
    ],
)
@pytest.mark.parametrize("kind", ["def", "async def", "def with request"])
def test_a_handler_returns_what_a_flask_view_may_return(
    client_of, kind, code, status, mimetype, body
):
    arguments = "request, params" if kind == "def with request" else ""
    code = f"""
import flask, werkzeug, werkzeug.exceptions

def wsgi(environ, start_response):
    start_response("299 Odd", [("Content-Type", "text/wsgi")])
    return [b"from WSGI"]

{kind.removesuffix(" with request")} GET({arguments}):
    {code}
"""
    client = client_of(code)
    response = client.get("/api/x")
    assert response.status_code == status
    assert response.mimetype == mimetype
    assert body is None or response.data == body
    head = client.head("/api/x")
    assert (head.status_code, head.mimetype, head.data) == (status, mimetype, b"")


@pytest.mark.parametrize("signature", ["def GET()", "def GET(request)", "async def GET()"])
def test_a_handler_that_returns_none_is_an_error_that_names_file_and_method(
    client_of, caplog, signature
):
    client = client_of({"users/[id]/route.py": f"{signature}: pass\ndef POST(): return None"})
    for method in ("GET", "POST"):
        caplog.clear()
        assert client.open("/api/users/3", method=method).status_code == 500
        [record] = caplog.records
        assert record.exc_info[0] is TypeError
        assert str(record.exc_info[1]) == (
            f"{method} in users/[id]/route.py returned None. A handler returns a response: "
            'a str, a dict or list (JSON), a Response, or "", 204 for an empty one.'
        )


def test_a_head_request_that_get_answers_with_none_names_get(client_of, caplog):
    assert client_of("def GET(): pass").head("/api/x").status_code == 500
    assert str(caplog.records[0].exc_info[1]).startswith("GET in x/route.py returned None.")


# Async handlers.

ASYNC = """
import asyncio, functools
from flask import current_app, g, request as proxy, session

def plain(f):
    @functools.wraps(f)
    def wrapper(**values):
        return f(**values)
    return wrapper

def unnamed(f):
    return lambda **values: f(**values)

{decorator}
async def GET(id, request):
    await asyncio.sleep(0)
    assert proxy.path == request.path
    g.inside = id
    return [id, proxy.path, current_app.config["VAR"].get(), g.user]
"""


@pytest.mark.parametrize("decorator", ["", "@plain", "@plain\n@plain"])
def test_an_async_handler_is_awaited_in_the_context_of_its_request(make_app, decorator):
    app = make_app({"[id]/route.py": ASYNC.format(decorator=decorator)})
    app.config["VAR"] = ContextVar("var", default="unset")
    inside = []

    @app.before_request
    def prepare():
        app.config["VAR"].set("set before")
        g.user = "ann"

    app.teardown_request(lambda error: inside.append(g.inside))
    assert app.test_client().get("/api/3").json == ["3", "/api/3", "set before", "ann"]
    assert inside == ["3"]


def test_a_wrapper_without_a_name_may_return_a_coroutine(client_of):
    code = (
        "def unnamed(f): return lambda **values: f(**values)\n"
        "@unnamed\nasync def GET(id): return id\n"
        "async def late(): return 'late'\n"
        "def POST(): return late()\n"
    )
    client = client_of({"[id]/route.py": code})
    assert client.get("/api/3").text == "3"
    assert client.post("/api/3").text == "late"


def test_what_an_async_handler_raises_is_handled_like_any_error(make_app):
    code = (
        "import flask\n"
        "async def GET(): flask.abort(409)\n"
        "async def POST(): raise KeyError('lost')\n"
    )
    app = make_app({"x/route.py": code})
    app.register_error_handler(KeyError, lambda error: (f"handled {error}", 418))
    client = app.test_client()
    assert client.get("/api/x").status_code == 409
    response = client.post("/api/x")
    assert (response.status_code, response.text) == (418, "handled 'lost'")


def test_the_app_decides_how_coroutines_run(tree):
    class Loop(Flask):
        def async_to_sync(self, function):
            run = super().async_to_sync(function)
            return lambda *args: f"{run(*args)}, by the app"

    app = Loop("loop", root_path=str(tree({"x/route.py": "async def GET(): return 'run'"})))
    RouteHandlers(app)
    assert app.test_client().get("/api/x").text == "run, by the app"


# Streams.

STREAM = """
from flask import current_app, g, request

def GET(name):
    events = current_app.config["EVENTS"]
    try:
        for n in range(3):
            yield f"{n} {name} {request.args['q']} {g.user}\\n"
            assert events["go on"].acquire(timeout=10)
    finally:
        events["closed"].set()

def POST(name):
    return (f"{request.args['q']}{n}" for n in range(2))

def PATCH(name):
    return (f"{request.args['q']}{n}" for n in range(2)), 201, {"X-Name": name}

async def PUT(name):
    def lines():
        yield request.path
    return lines()
"""


@pytest.fixture
def streaming(make_app):
    app = make_app({"[name]/route.py": STREAM})
    app.config["EVENTS"] = {"go on": threading.Semaphore(0), "closed": threading.Event()}

    @app.before_request
    def prepare():
        g.user = "ann"

    return app


def test_a_generator_is_sent_piece_by_piece_with_its_request_at_hand(streaming):
    events = streaming.config["EVENTS"]
    with running(streaming) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/api/log?q=x")
        response = connection.getresponse()
        for n in range(3):
            # The server has not been told to go on: this piece came alone.
            assert response.readline() == f"{n} log x ann\n".encode()
            assert not events["closed"].is_set()
            events["go on"].release()
        assert response.read() == b""
        assert events["closed"].wait(10)
        connection.close()


def test_a_generator_is_closed_when_the_client_leaves(make_app):
    code = (
        "from flask import current_app\n"
        "def GET():\n"
        "    try:\n"
        "        for _ in range(10_000): yield 'x' * 10_000\n"
        "        current_app.config['ENDED'].append('exhausted')\n"
        "    finally:\n"
        "        current_app.config['CLOSED'].set()\n"
    )
    app = make_app({"x/route.py": code})
    app.config.update(ENDED=[], CLOSED=threading.Event())
    with running(app) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /api/x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert app.config["CLOSED"].wait(10)
    assert app.config["ENDED"] == []


def test_generators_that_a_handler_returns_keep_their_context_too(streaming):
    client = streaming.test_client()
    assert client.post("/api/log?q=x").text == "x0x1"
    assert client.put("/api/log").text == "/api/log"
    response = client.patch("/api/log?q=x")
    assert (response.status_code, response.text) == (201, "x0x1")
    assert response.headers["X-Name"] == "log"


def test_a_generator_that_fails_before_its_first_piece_is_not_a_success(client_of):
    code = "def GET():\n    raise ValueError('too early')\n    yield ''"
    client = client_of(code)
    with pytest.raises(ValueError, match="too early"):
        client.get("/api/x").get_data()


def test_head_of_a_generator_sends_nothing_and_starts_nothing(streaming):
    response = streaming.test_client().head("/api/log?q=x")
    assert (response.status_code, response.data) == (200, b"")
    assert not streaming.config["EVENTS"]["closed"].is_set()


# Methods.

LISTED = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY")
OTHERS = ("TRACE", "CONNECT", "PROPFIND", "MKCOL", "LOCK", "PURGE", "MADEUP", "GETT", "G")


@pytest.mark.parametrize("method", [*LISTED, *OTHERS])
@pytest.mark.parametrize(
    ("handled", "allow"),
    [
        (("GET",), "GET, HEAD, OPTIONS"),
        (("POST",), "OPTIONS, POST"),
        (("PUT", "POST", "GET"), "GET, HEAD, OPTIONS, POST, PUT"),
        (("HEAD",), "HEAD, OPTIONS"),
        (("QUERY", "PATCH", "DELETE"), "DELETE, OPTIONS, PATCH, QUERY"),
    ],
)
def test_a_method_without_a_handler_is_405_with_a_sorted_allow(client_of, method, handled, allow):
    code = "".join(f"def {name}(): return ''\n" for name in handled)
    response = client_of(code).open("/api/x", method=method)
    automatic = {"OPTIONS": 204} | ({"HEAD": 200} if "GET" in handled else {})
    expected = 200 if method in handled else automatic.get(method, 405)
    assert response.status_code == expected
    if expected == 405 or method == "OPTIONS":
        assert response.headers.getlist("Allow") == [allow]


def test_get_answers_head_without_its_body(client_of):
    client = client_of("def GET(request): return 'body', {'X-Method': request.method}")
    response = client.head("/api/x")
    assert (response.status_code, response.data) == (200, b"")
    assert response.headers["Content-Length"] == "4"
    assert response.headers["X-Method"] == "HEAD"


def test_a_file_may_have_its_own_head(client_of):
    client = client_of("def GET(): 1 / 0\ndef HEAD(): return '', {'X-Own': 'yes'}")
    response = client.head("/api/x")
    assert (response.status_code, response.headers["X-Own"]) == (200, "yes")


def test_options_is_answered_without_a_body(client_of):
    response = client_of("def POST(): return ''").options("/api/x")
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers["Allow"] == "OPTIONS, POST"
    assert "Content-Type" not in response.headers


def test_a_file_may_have_its_own_options(client_of):
    client = client_of("def OPTIONS(request): return 'own', 200, {'Allow': 'ALL'}")
    response = client.options("/api/x")
    assert (response.status_code, response.text, response.headers["Allow"]) == (200, "own", "ALL")


def test_the_most_specific_file_owns_the_url_whatever_the_method(client_of):
    client = client_of(
        {
            "users/me/route.py": "def GET(): return 'me'",
            "users/[id]/route.py": "def DELETE(id): return f'deleted {id}'",
            "users/[...path]/route.py": "def PUT(path): return '/'.join(path)",
        }
    )
    assert client.get("/api/users/me").text == "me"
    assert client.delete("/api/users/you").text == "deleted you"
    assert client.put("/api/users/a/b").text == "a/b"
    for method, path, allow in [
        ("DELETE", "/api/users/me", "GET, HEAD, OPTIONS"),
        ("PUT", "/api/users/me", "GET, HEAD, OPTIONS"),
        ("MADEUP", "/api/users/me", "GET, HEAD, OPTIONS"),
        ("GET", "/api/users/you", "DELETE, OPTIONS"),
        ("PUT", "/api/users/you", "DELETE, OPTIONS"),
        ("DELETE", "/api/users/a/b", "OPTIONS, PUT"),
    ]:
        response = client.open(path, method=method)
        assert (response.status_code, response.headers["Allow"]) == (405, allow)
        assert client.options(path).headers["Allow"] == allow


def test_query_is_a_method_with_a_body(client_of):
    client = client_of("def QUERY(request): return {'asked': request.json, 'by': request.method}")
    response = client.open("/api/x", method="QUERY", json={"name": "ann"})
    assert response.json == {"asked": {"name": "ann"}, "by": "QUERY"}


def test_no_header_and_no_form_field_changes_the_method(client_of):
    client = client_of("def POST(): return 'posted'\ndef DELETE(): return 'deleted'")
    response = client.post(
        "/api/x?_method=DELETE",
        data={"_method": "DELETE"},
        headers={"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "DELETE"},
    )
    assert response.text == "posted"


def test_an_unknown_url_is_404_for_every_method(client_of):
    client = client_of("def GET(): return ''")
    for method in (*LISTED, *OTHERS):
        assert client.open("/api/y", method=method).status_code == 404


# Flask around a handler.


def test_the_functions_of_the_app_and_of_the_blueprint_run(make_app):
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


def test_before_request_may_answer_instead(make_app):
    app = make_app({"x/route.py": "def GET(): 1 / 0"})
    app.before_request_funcs["api"] = [lambda: ("no entry", 403)]
    assert app.test_client().get("/api/x").text == "no entry"


def test_a_value_that_a_preprocessor_takes_out_is_not_given(make_app):
    code = (
        "from flask import g\n"
        "def GET(id): return [g.lang, id]\n"
        "def POST(params): return params\n"
        "def PUT(id, lang='default'): return [lang, id]\n"
        "def PATCH(id, **rest): return [id, rest]\n"
    )
    app = make_app({"[id=int]/route.py": code}, url_prefix="/<lang>/api")

    @app.url_value_preprocessor
    def take(endpoint, values):
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


def test_a_value_that_a_preprocessor_adds_or_changes_is_in_params(make_app):
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


def test_a_value_that_a_preprocessor_renames_is_not_given(make_app):
    app = make_app({"[id]/route.py": "def GET(id='default'): return id"})

    @app.url_value_preprocessor
    def rename(endpoint, values):
        values["number"] = values.pop("id")

    assert app.test_client().get("/api/3").text == "default"


def test_the_error_handlers_of_the_app_answer(make_app):
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
    app.register_error_handler(404, lambda error: ({"said": error.description}, 404))
    app.register_error_handler(405, lambda error: (sorted(error.valid_methods), 405))
    app.register_error_handler(lost, lambda error: (f"lost {error}", 410))
    app.register_error_handler(HTTPException, lambda error: (f"any {error.code}", error.code))
    client = app.test_client()
    assert client.get("/api/x").json == {"said": "no such user"}
    assert client.post("/api/x").text == "lost way"
    assert client.put("/api/x").text == "any 418"
    assert client.patch("/api/x").json == ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"]
    assert client.delete("/api/x").text == ""


def test_a_handler_may_use_its_request_in_a_thread(client_of):
    code = """
from concurrent.futures import ThreadPoolExecutor

def read(request):
    return request.path, request.args["q"], request.json, type(request).__name__

def POST(request):
    with ThreadPoolExecutor(1) as pool:
        return list(pool.submit(read, request).result(10))
"""
    response = client_of(code).post("/api/x?q=1", json={"a": 2})
    assert response.json == ["/api/x", "1", {"a": 2}, "Request"]


def test_params_is_a_dict_of_its_own_for_each_request(client_of):
    code = """
def GET(params):
    assert type(params) is dict
    params["seen"] = params.get("seen", 0) + 1
    return params
"""
    client = client_of({"[id]/route.py": code})
    assert [client.get("/api/3").json for _ in range(2)] == [{"id": "3", "seen": 1}] * 2


@pytest.mark.parametrize("signature", ["path", "params"])
def test_a_catch_all_gives_a_new_list_each_time(client_of, signature):
    taken = "params['path']" if signature == "params" else "path"
    code = f"def GET({signature}):\n    {taken}.append('more')\n    return {taken}"
    client = client_of({"a/[...path]/route.py": code, "b/[[...path]]/route.py": code})
    for _ in range(2):
        assert client.get("/api/a/x/y").json == ["x", "y", "more"]
        assert client.get("/api/b/x").json == ["x", "more"]
        assert client.get("/api/b").json == ["more"]


# Tracebacks.


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
def test_an_exception_shows_the_line_of_the_handler_and_little_of_ours(make_app, method):
    code = """
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
    app = make_app({"[id]/route.py": code})
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


# Many requests at once.


def test_many_threads_with_many_methods_each_get_their_own_answer(make_app):
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE", "QUERY")
    code = "import time\n" + "".join(
        f"{'async ' * (m == 'PATCH')}def {m}(id, request, params):\n"
        f"    time.sleep(0)\n"
        f"    return ['{m}', request.method, id, params['id'], request.headers['X-Number']]\n"
        for m in methods
    )
    code += "def HEAD(id):\n    return '', {'X-Id': id}\n"
    app = make_app({"[id]/route.py": code})
    barrier = threading.Barrier(64)

    def hammer(number):
        rng, client = random.Random(number), app.test_client()
        barrier.wait(30)
        for n in range(15):
            name = f"{number}-{n}"
            method = rng.choice((*methods, "HEAD", "OPTIONS", "TRACE"))
            response = client.open(f"/api/{name}", method=method, headers={"X-Number": name})
            if method == "HEAD":
                assert response.headers["X-Id"] == name
            elif method in methods:
                assert response.json == [method, method, name, name, name]
            else:
                assert response.status_code == {"OPTIONS": 204, "TRACE": 405}[method]
        return True

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(hammer, range(64)))
