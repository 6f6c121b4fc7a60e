"""A static GET in a whole app: when its handler runs, what is stored, and what is not."""

from __future__ import annotations

import gc
import logging
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any

import pytest
from werkzeug.test import create_environ

from flask_routehandlers import RouteHandlers, StaticRequestError
from flask_routehandlers.caching import cache_of
from tests.servers import redis_server
from tests.support import (
    bare_app,
    configured,
    grow_older,
    running,
    settle,
    static_route_of,
    until,
)

COUNT = "import time\nfrom itertools import count\nfrom flask import Response\nruns = count(1)\n"
STORED = "flask-routehandlers; fwd=miss; stored"
ROUTE = "posts/[id]/route.py"
PATH = "/api/posts/7"


def counted(returns: str = "{'run': next(runs)}", config: str = "revalidate = 60") -> str:
    """Return a route file whose GET counts its runs."""
    return f"{COUNT}{config}\n\ndef GET(id):\n    return {returns}\n"


def of(response: Any) -> tuple[int, Any, str]:
    """Return status, body and Cache-Status of a response."""
    body = response.get_json() if response.is_json else response.text
    return response.status_code, body, response.headers["Cache-Status"]


def run_of(response: Any) -> int:
    """Return the number of the run that a response comes from."""
    assert response.status_code == 200, response.text
    return response.get_json()["run"]


# When the handler runs.


def test_the_handler_runs_for_the_first_request(make_app):
    client = make_app({ROUTE: counted()}).test_client()
    assert of(client.get(PATH)) == (200, {"run": 1}, STORED)
    assert of(client.get(PATH)) == (200, {"run": 1}, "flask-routehandlers; hit; ttl=60")
    assert of(client.get("/api/posts/8")) == (200, {"run": 2}, STORED)
    assert of(client.get("/api/posts/8?page=2"))[1] == {"run": 2}
    assert of(client.get(PATH))[1] == {"run": 1}


def test_a_dynamic_handler_runs_for_each_request(make_app):
    client = make_app({ROUTE: counted(config="")}).test_client()
    for run in (1, 2):
        response = client.get(PATH)
        assert run_of(response) == run
        assert {"Cache-Control", "Cache-Status", "Age", "ETag"} & {
            *response.headers.keys()
        } == set()


def test_a_stale_answer_is_given_at_once(make_app):
    file = "import threading\ngo = threading.Event()\n" + counted(
        "go.wait(20) and {'run': next(runs)}"
    )
    app = make_app({ROUTE: file})
    go = app.view_functions["api./posts/[id]"].module.go
    client = app.test_client()
    go.set()
    client.get(PATH)
    grow_older(app, 60.5)
    go.clear()
    # The refresh has begun, and cannot end yet.
    for _ in range(3):
        assert of(client.get(PATH)) == (200, {"run": 1}, "flask-routehandlers; hit; ttl=-1")
    go.set()
    settle(app)
    assert of(client.get(PATH)) == (200, {"run": 2}, "flask-routehandlers; hit; ttl=60")


def test_until_revalidated_nothing_gets_stale(make_app):
    app = make_app({ROUTE: counted(config="revalidate = False")})
    client = app.test_client()
    client.get(PATH)
    grow_older(app, 10**9)
    assert of(client.get(PATH)) == (200, {"run": 1}, "flask-routehandlers; hit")


def test_concurrent_requests_run_it_once(make_app):
    file = "import threading\ngo = threading.Event()\n" + counted(
        "go.wait(20) and {'run': next(runs)}"
    )
    app = make_app({ROUTE: file})

    def ask(_: int) -> tuple[int, str]:
        response = app.test_client().get(PATH)
        return run_of(response), response.headers["Cache-Status"]

    with ThreadPoolExecutor(20) as pool:
        answers = pool.map(ask, range(20))
        app.view_functions["api./posts/[id]"].module.go.set()
        answers = list(answers)
    assert {run for run, _ in answers} == {1}
    said = [status.removeprefix("flask-routehandlers; ") for _, status in answers]
    assert said.count("fwd=miss; stored") == 1
    assert set(said) <= {"fwd=miss; stored", "fwd=miss; collapsed", "hit; ttl=60"}


def test_a_failed_refresh_is_logged_once(make_app, caplog):
    app = make_app({ROUTE: counted("{'run': 1 // (next(runs) < 2) and 1}")})
    client = app.test_client()
    client.get(PATH)
    grow_older(app, 61)
    assert run_of(client.get(PATH)) == 1
    assert until(lambda: bool(caplog.records))
    assert run_of(client.get(PATH)) == 1
    [record] = caplog.records
    assert record.getMessage() == (
        "Refreshing GET in posts/[id]/route.py for /api/posts/7 failed: the stored response is "
        "served until a refresh succeeds"
    )
    assert record.exc_info[0] is ZeroDivisionError


def test_an_error_is_handled_as_in_any_view(make_app):
    app = make_app({ROUTE: counted("1 / 0")})
    assert app.test_client().get(PATH).status_code == 500
    app.testing = True
    with pytest.raises(ZeroDivisionError):
        app.test_client().get(PATH)


def test_an_entry_that_became_404_is_dropped(make_app):
    file = "from flask import abort\n" + counted("{'run': 1} if next(runs) == 1 else abort(404)")
    app = make_app({ROUTE: file})
    client = app.test_client()
    assert run_of(client.get(PATH)) == 1
    grow_older(app, 61)
    assert until(lambda: client.get(PATH).status_code == 404)


def test_async_handlers_are_static_too(make_app):
    file = counted().replace("def GET", "async def GET")
    client = make_app({ROUTE: file}).test_client()
    assert of(client.get(PATH)) == (200, {"run": 1}, STORED)
    assert run_of(client.get(PATH)) == 1


@pytest.mark.parametrize("config", ["dynamic = 'force-static'", "dynamic = 'error'"])
def test_dynamic_alone_makes_a_file_static(make_app, config):
    client = make_app({ROUTE: counted(config=config)}).test_client()
    client.get(PATH)
    assert of(client.get(PATH)) == (200, {"run": 1}, "flask-routehandlers; hit")


def test_force_static_ignores_the_query(make_app):
    file = COUNT + (
        "dynamic = 'force-static'\n"
        "def GET(request, id):\n    return {'run': next(runs), 'q': request.args.get('q')}\n"
    )
    client = make_app({ROUTE: file}).test_client()
    for query in ("?q=mine", "?q=theirs", ""):
        assert client.get(PATH + query).get_json() == {"run": 1, "q": None}


def test_parameters_are_read_from_the_path(make_app):
    file = f"{COUNT}revalidate = 60\n\ndef GET(params):\n    return [next(runs), params]\n"
    client = make_app({"[a=int]/[...rest]/route.py": file}).test_client()
    expected = {"a": 7, "rest": ["ä b", "c"]}
    for path in ("/api/7/%C3%A4%20b/c", "/api/%37/ä b/%63", "/api/7/%C3%A4%20b%2Fc"):
        assert client.get(path).get_json() == [1, expected]
    assert client.get("/api/7/%C3%A4%20b/C").get_json()[0] == 2


def test_each_file_has_its_own_entries(make_app):
    file = f"{COUNT}revalidate = 60\n\ndef GET():\n    return [__name__, next(runs)]\n"
    client = make_app({"route.py": file, "a/route.py": file, "(g)/b/route.py": file}).test_client()
    bodies = [client.get(path).text for path in ("/api", "/api/a", "/api/b") * 2]
    assert len(set(bodies)) == 3
    assert bodies[:3] == bodies[3:]


# Other methods.

METHODS = "\n".join(
    f"def {method}(id):\n    return {{'{method}': next(runs)}}\n" for method in ("POST", "DELETE")
)


def test_head_uses_and_fills_the_entry(make_app):
    client = make_app({ROUTE: counted()}).test_client()
    head = client.head(PATH)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Cache-Status"] == STORED
    get = client.get(PATH)
    assert run_of(get) == 1
    again = client.head(PATH)
    assert again.data == b""
    assert again.headers["Content-Length"] == head.headers["Content-Length"] == str(len(get.data))
    assert dict(again.headers) == dict(get.headers)


def test_a_custom_head_runs_for_each_request(make_app):
    file = counted() + "\ndef HEAD(id):\n    return '', {'X-Run': str(next(runs))}\n"
    client = make_app({ROUTE: file}).test_client()
    assert [client.head(PATH).headers["X-Run"] for _ in range(2)] == ["1", "2"]
    assert run_of(client.get(PATH)) == 3
    assert "Cache-Status" not in client.head(PATH).headers


def test_other_methods_are_not_stored(make_app):
    client = make_app({ROUTE: f"{counted()}\n{METHODS}"}).test_client()
    for run in (1, 2):
        response = client.post(PATH)
        assert response.get_json() == {"POST": run}
        assert "Cache-Status" not in response.headers
    assert client.delete(PATH).get_json() == {"DELETE": 3}
    assert of(client.get(PATH)) == (200, {"run": 4}, STORED)
    assert client.post(PATH).get_json() == {"POST": 5}
    assert run_of(client.get(PATH)) == 4


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "MADEUP", "TRACE"])
def test_a_refused_method_does_not_use_the_entry(make_app, method):
    client = make_app({ROUTE: counted()}).test_client()
    for _ in range(2):
        refused = client.open(PATH, method=method)
        assert refused.status_code == 405
        assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert "Cache-Status" not in refused.headers
        assert run_of(client.get(PATH)) == 1


def test_method_override_headers_do_nothing(make_app):
    client = make_app({ROUTE: f"{counted()}\n{METHODS}"}).test_client()
    headers = {"X-HTTP-Method-Override": "GET", "X-HTTP-Method": "GET"}
    assert client.post(f"{PATH}?_method=GET", headers=headers).get_json() == {"POST": 1}
    assert run_of(client.get(PATH, headers={"X-HTTP-Method-Override": "POST"})) == 2


def test_options_does_not_run_the_handler(make_app):
    client = make_app({ROUTE: counted()}).test_client()
    for _ in range(2):
        response = client.options(PATH)
        assert (response.status_code, response.data) == (204, b"")
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert "Cache-Status" not in response.headers
    assert run_of(client.get(PATH)) == 1


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_custom_preflight_is_not_stored(make_app, kind):
    file = counted("{'run': next(runs)}").replace("def GET", f"{kind} GET")
    file += "\nGET.provide_automatic_options = False\n"
    client = make_app({ROUTE: file}).test_client()
    headers = {"Access-Control-Request-Method": "GET", "Origin": "https://example.org"}
    for run in (1, 2):
        response = client.options(PATH, headers=headers)
        assert response.get_json() == {"run": run}
        assert "Cache-Status" not in response.headers
    assert of(client.get(PATH)) == (200, {"run": 3}, STORED)


# What is stored.


@pytest.mark.parametrize(
    ("returns", "status", "stored"),
    [
        ("Response(str(next(runs)))", 200, True),
        ("(str(next(runs)), 200)", 200, True),
        ("(str(next(runs)), 301, {'Location': '/api/new'})", 301, True),
        ("(str(next(runs)), 308, {'Location': '/api/new'})", 308, True),
        ("(str(next(runs)), 302, {'Location': '/api/new'})", 302, "status-302"),
        ("(str(next(runs)), 307, {'Location': '/api/new'})", 307, "status-307"),
        ("(str(next(runs)), 201)", 201, "status-201"),
        ("(str(next(runs)), 404)", 404, "status-404"),
        ("(str(next(runs)), 405)", 405, "status-405"),
        ("(str(next(runs)), 503)", 503, "status-503"),
        ("(str(next(runs)), {'Set-Cookie': 'a=1'})", 200, "set-cookie"),
        ("(str(next(runs)), {'Vary': 'Cookie'})", 200, "vary"),
        ("(str(next(runs)), {'Cache-Control': 'private, max-age=5'})", 200, "private"),
        ("(str(next(runs)), {'Cache-Control': 'no-store'})", 200, "no-store"),
        ("'x' * 1_048_577 if next(runs) else ''", 200, "too-long"),
        ("'x' * 1_048_576 if next(runs) else ''", 200, True),
    ],
)
def test_cache_status_says_why_not_stored(make_app, returns, status, stored):
    app = make_app({ROUTE: counted(returns)})
    client = app.test_client()
    answers = [client.get(PATH) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [status] * 2
    runs = next(app.view_functions["api./posts/[id]"].module.runs) - 1
    first, second = (answer.headers["Cache-Status"] for answer in answers)
    if stored is True:
        assert (runs, first, second) == (1, STORED, "flask-routehandlers; hit; ttl=60")
        assert answers[0].data == answers[1].data
    else:
        assert runs == 2
        assert first == second == f"flask-routehandlers; fwd=miss; detail={stored}"
        assert "Age" not in answers[1].headers
        assert "s-maxage" not in answers[1].headers.get("Cache-Control", "")
    assert answers[1].headers.get("Location") == (
        "/api/new" if status in range(300, 309) else None
    )


@pytest.mark.parametrize("status", [401, 404, 405, 410, 500])
def test_an_http_error_is_not_stored(make_app, status):
    file = "from flask import abort\n" + counted(f"next(runs) and abort({status})")
    app = make_app({ROUTE: file})
    client = app.test_client()
    for _ in range(2):
        response = client.get(PATH)
        assert response.status_code == status
        assert "Cache-Status" not in response.headers
        assert "ETag" not in response.headers
    assert next(app.view_functions["api./posts/[id]"].module.runs) == 3


def test_returning_none_is_an_error(make_app):
    app = make_app({ROUTE: counted("None")})
    app.testing = True
    with pytest.raises(TypeError) as caught:
        app.test_client().get(PATH)
    assert str(caught.value).startswith("GET in posts/[id]/route.py returned None.")


# Streams.

STREAM = """
closed = []

class Chunks:
    def __init__(self, chunks):
        self.chunks = iter(chunks)
    def __iter__(self):
        return self
    def __next__(self):
        return next(self.chunks)
    def close(self):
        closed.append(True)

def chunks(id):
    from flask import request
    run = next(runs)
    yield f"run {run} of {request.path}: "
    yield from ("x" * 1000 for _ in range(int(id)))
    if id == "13":
        raise ValueError("in the middle")
    yield "end"
"""


def streaming(returns: str) -> dict[str, str]:
    return {ROUTE: f"{COUNT}{STREAM}\nrevalidate = 60\n\ndef GET(id):\n    return {returns}\n"}


@pytest.mark.parametrize(
    "returns", ["chunks(id)", "(chunks(id), 200, {'X': 'y'})", "Response(Chunks(chunks(id)))"]
)
def test_a_complete_stream_is_stored(make_app, returns):
    client = make_app(streaming(returns)).test_client()
    for status in (STORED, "flask-routehandlers; hit; ttl=60"):
        response = client.get(PATH)
        assert response.text == f"run 1 of {PATH}: " + "x" * 7000 + "end"
        assert response.headers["Content-Length"] == str(len(response.data))
        assert response.headers["Cache-Status"] == status


@pytest.mark.parametrize("returns", ["chunks(id)", "Response(Chunks(chunks(id)))"])
def test_a_failing_stream_is_a_500(make_app, returns):
    app = make_app(streaming(returns))
    module = app.view_functions["api./posts/[id]"].module
    client = app.test_client()
    for run in (1, 2):
        response = client.get("/api/posts/13")
        assert response.status_code == 500
        assert "run" not in response.text
        assert len(module.closed) == (run if "Chunks" in returns else 0)
    assert next(module.runs) == 3


@pytest.mark.parametrize("returns", ["chunks(id)", "Response(Chunks(chunks(id)))"])
def test_a_long_stream_reaches_its_client(make_app, returns):
    app = make_app(streaming(returns))
    module = app.view_functions["api./posts/[id]"].module
    torn_down = []
    app.teardown_request(lambda error: torn_down.append(error))
    for run in (1, 2):
        response = app.test_client().get("/api/posts/2000")
        assert response.text == f"run {run} of /api/posts/2000: " + "x" * 2_000_000 + "end"
        detail = "flask-routehandlers; fwd=miss; detail=too-long"
        assert response.headers["Cache-Status"] == detail
        assert "Content-Length" not in response.headers
        response.close()
        assert len(module.closed) == (run if "Chunks" in returns else 0)
    assert torn_down == [None] * 4


def test_a_long_stream_ends_with_its_client(make_app):
    app = make_app(streaming("Response(Chunks(chunks(id)))"))
    response = app.test_client().get("/api/posts/5000", buffered=False)
    assert next(response.response).startswith(b"run 1")
    body = response.response
    response.close()
    response.close()
    assert app.view_functions["api./posts/[id]"].module.closed == [True]
    assert list(body) == []


def test_head_ends_a_long_stream(make_app):
    app = make_app(streaming("Response(Chunks(chunks(id)))"))
    torn_down = []
    app.teardown_request(lambda error: torn_down.append(error))
    response = app.test_client().head("/api/posts/2000")
    assert response.headers["Cache-Status"].endswith("detail=too-long")
    assert response.data == b""
    response.close()
    assert app.view_functions["api./posts/[id]"].module.closed == [True]
    assert torn_down == [None, None]


@pytest.mark.parametrize("path", [PATH, "/api/posts/13", "/api/posts/2000"])
def test_call_on_close_is_called_once(make_app, path):
    file = streaming("answer(id)")[ROUTE] + (
        "\ndone = []\ndef answer(id):\n"
        "    response = Response(Chunks(chunks(id)))\n"
        "    response.call_on_close(lambda: done.append(id))\n"
        "    return response\n"
    )
    app = make_app({ROUTE: file})
    response = app.test_client().get(path)
    response.get_data()
    response.close()
    module = app.view_functions["api./posts/[id]"].module
    assert module.done == [path.rpartition("/")[2]]
    assert len(module.closed) == 1


def test_a_long_stream_that_fails_is_not_stored(make_app):
    returns = "Response(Chunks(chunks(id)) if id == '1' else (c for c in broken()))"
    file = streaming(returns)[ROUTE] + (
        "\ndef broken():\n    yield 'x' * 2_000_000\n    raise ValueError('at last')\n"
    )
    client = make_app({ROUTE: file}).test_client()
    for _ in range(2):
        with pytest.raises(ValueError, match="at last"):
            client.get(PATH).get_data()


def test_a_body_announced_as_long_is_not_read(make_app):
    returns = "Response(Chunks(chunks(id)), headers={'Content-Length': '2000000'})"
    app = make_app(streaming(returns))
    said: list[Any] = []
    body = app(create_environ(PATH), lambda *arguments: said.append(arguments))
    assert said[0][0] == "200 OK"
    assert dict(said[0][1])["Cache-Status"].endswith("detail=too-long")
    # Not a chunk was made for it yet.
    assert next(app.view_functions["api./posts/[id]"].module.runs) == 1
    assert b"".join(body) == b"run 2 of /api/posts/7: " + b"x" * 7000 + b"end"
    body.close()


def test_send_file_is_stored_without_ranges(make_app, tmp_path):
    (tmp_path / "file.txt").write_text("0123456789")
    returns = f"send_file({str(tmp_path / 'file.txt')!r})"
    client = make_app({ROUTE: "from flask import send_file\n" + counted(returns)}).test_client()
    for _ in range(2):
        response = client.get(PATH, headers={"Range": "bytes=2-3"})
        assert (response.status_code, response.text) == (200, "0123456789")
        assert "Accept-Ranges" not in response.headers


# Which parameters there are.

LISTED = """
dynamic_params = False
listed = [{"id": "1"}, {"id": "ä b"}]

def generate_static_params():
    return listed

"""


def test_unlisted_parameters_are_404(make_app):
    app = make_app({ROUTE: LISTED + counted() + METHODS})
    client = app.test_client()
    assert run_of(client.get("/api/posts/1")) == 1
    assert run_of(client.get("/api/posts/ä b")) == 2
    for _ in range(2):
        assert client.get("/api/posts/2").status_code == 404
        assert client.head("/api/posts/2").status_code == 404
    assert run_of(client.get("/api/posts/1")) == 1
    # Only GET is static: it is the other methods' own affair which parameters there are.
    assert client.post("/api/posts/2").get_json() == {"POST": 3}


def test_dynamic_params_serve_unlisted_ones(make_app):
    file = LISTED.replace("False", "True") + counted()
    client = make_app({ROUTE: file}).test_client()
    assert run_of(client.get("/api/posts/2")) == 1
    assert run_of(client.get("/api/posts/2")) == 1


def test_a_stale_list_is_computed_again(make_app):
    app = make_app({ROUTE: LISTED + counted()})
    listed = app.view_functions["api./posts/[id]"].module.listed
    client = app.test_client()
    assert client.get("/api/posts/2").status_code == 404
    listed.append({"id": "2"})
    assert client.get("/api/posts/2").status_code == 404
    grow_older(app, 61)
    assert until(lambda: client.get("/api/posts/2").status_code == 200)


def test_an_entry_taken_off_the_list_is_404(make_app):
    app = make_app({ROUTE: LISTED + counted()})
    client = app.test_client()
    assert client.get("/api/posts/1").status_code == 200
    del app.view_functions["api./posts/[id]"].module.listed[0]
    # The list may be refreshed after the answer that was on it.
    assert until(lambda: grow_older(app, 61) or client.get("/api/posts/1").status_code == 404)


def test_an_invalid_list_is_an_error(make_app):
    app = make_app({ROUTE: LISTED + "listed = 7\n" + counted()})
    assert app.test_client().get("/api/posts/1").status_code == 500
    app.testing = True
    with pytest.raises(TypeError) as caught:
        app.test_client().get("/api/posts/1")
    assert str(caught.value) == (
        "generate_static_params in posts/[id]/route.py returned 7. "
        "It must return a list of dicts, each of the form {'id': ...}."
    )


@pytest.mark.parametrize(
    ("value", "kind"),
    [(["a", "b"], "list"), (("a",), "tuple"), ({"a": 1}, "dict"), (b"a", "bytes")],
)
def test_a_parameter_is_not_made_a_string(make_app, value, kind):
    app = make_app({ROUTE: LISTED + f"listed = [{{'id': {value!r}}}]\n" + counted()})
    app.testing = True
    with pytest.raises(ValueError, match="generate_static_params") as caught:
        app.test_client().get("/api/posts/1")
    assert str(caught.value) == (
        "generate_static_params in posts/[id]/route.py returned the parameters "
        f"{{'id': {value!r}}}, but 'id' must be a str, not a {kind}."
    )


def test_an_async_list_is_awaited(make_app):
    file = LISTED.replace("def gen", "async def gen").replace(
        "return listed",
        "from flask import has_request_context\n    return [{'id': str(has_request_context())}]",
    )
    client = make_app({ROUTE: file + counted()}).test_client()
    assert client.get("/api/posts/False").status_code == 200
    assert client.get("/api/posts/True").status_code == 404


# Tags.


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", []),
        ("cache_tags = ['a', 'b']", ["a", "b"]),
        ("cache_tags = ('a',)", ["a"]),
        ("def cache_tags(): return ['a']", ["a"]),
        ("def cache_tags(id): return [f'post:{id}', 'posts']", ["post:7", "posts"]),
        ("def cache_tags(params): return (params['id'],)", ["7"]),
        ("async def cache_tags(id): return [f'post:{id}']", ["post:7"]),
        ("def cache_tags(id):\n  from flask import request\n  return [request.path]", [PATH]),
    ],
)
def test_an_entry_has_the_tags_of_its_file(make_app, tags, expected):
    app = make_app({ROUTE: f"{tags}\n{counted()}"})
    route = static_route_of(app)
    assert app.test_client().get(PATH).status_code == 200
    entry = cache_of(app).store.get(route.key_of(PATH)).entry
    assert list(entry.tags) == [route.file_tag, *expected]


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        ("'posts'", "'posts' is not a list"),
        ("None", "None is not a list"),
        ("['a', 7]", "7 is not a tag"),
        ("['']", "'' is not a tag"),
    ],
)
def test_invalid_tags_are_an_error(make_app, returned, problem):
    app = make_app({ROUTE: f"def cache_tags(id): return {returned}\n{counted()}"})
    app.testing = True
    with pytest.raises(TypeError) as caught:
        app.test_client().get(PATH)
    assert str(caught.value) == (
        f"cache_tags in posts/[id]/route.py returned {returned}, but {problem}. "
        "It must return a list of strings."
    )


def test_tags_cannot_depend_on_the_client(make_app):
    file = "from flask import request\ndef cache_tags(id): return [request.args['q']]\n"
    app = make_app({ROUTE: file + counted()})
    app.testing = True
    with pytest.raises(StaticRequestError, match=r"posts/\[id\]/route\.py used request\.args"):
        app.test_client().get(f"{PATH}?q=tag")


# Middleware.

NOTE = """
from flask import request

def middleware(request, call_next):
    seen = request.headers.get("X-Token")
    if seen == "none":
        return {"error": "who are you?"}, 401
    response = call_next()
    response.headers["X-Seen"] = f"{seen} {request.method}"
    return response
"""


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_middleware_runs_before_method_and_cache(make_app, kind):
    note = NOTE
    if kind == "async":
        note = NOTE.replace("def mid", "async def mid").replace("= call_next", "= await call_next")
    client = make_app({ROUTE: counted(), "middleware.py": note}).test_client()
    for token in ("a", "b"):
        response = client.get(PATH, headers={"X-Token": token})
        assert run_of(response) == 1
        assert response.headers["X-Seen"] == f"{token} GET"
        assert client.get(PATH, headers={"X-Token": "none"}).status_code == 401
        assert client.post(PATH, headers={"X-Token": "none"}).status_code == 401
        assert client.post(PATH, headers={"X-Token": token}).status_code == 405
    assert client.head(PATH, headers={"X-Token": "c"}).headers["X-Seen"] == "c HEAD"


def test_changes_of_middleware_are_not_stored(make_app):
    note = (
        "from flask import g\n"
        "def middleware(request, call_next):\n"
        "    g.user = request.headers['X-Token']\n"
        "    response = call_next()\n"
        "    response.set_data(response.get_data() + g.user.encode())\n"
        "    response.set_cookie('user', g.user)\n"
        "    return response\n"
    )
    file = counted("'hello '")
    client = make_app({ROUTE: file, "middleware.py": note}).test_client()
    for user in ("ann", "bob", "cid"):
        response = client.get(PATH, headers={"X-Token": user})
        assert response.text == f"hello {user}"
        assert response.headers.getlist("Set-Cookie") == [f"user={user}; Path=/"]
        assert response.headers["Cache-Control"] == "private, no-cache"


def test_an_answer_of_middleware_is_not_stored(make_app):
    answer = "def middleware(request, call_next):\n    return {'run': 0}\n"
    app = make_app({ROUTE: counted(), "middleware.py": answer})
    response = app.test_client().get(PATH)
    assert (response.get_json(), "Cache-Status" in response.headers) == ({"run": 0}, False)
    assert len(cache_of(app).store.kept) == 0


# Bounds and settings.


def test_max_entries_bounds_the_memory(tree):
    app = configured(tree({ROUTE: counted()}), max_entries=2)
    client = app.test_client()
    for number in range(10):
        client.get(f"/api/posts/{number}")
        assert len(cache_of(app).store.kept) <= 2
    assert run_of(client.get("/api/posts/9")) == 10
    assert run_of(client.get("/api/posts/0")) == 11


def test_max_bytes_bounds_the_memory(tree):
    app = configured(tree({ROUTE: counted("'x' * 40_000")}), max_bytes=100_000)
    for number in range(10):
        app.test_client().get(f"/api/posts/{number}")
    assert len(cache_of(app).store.kept) == 2
    assert 80_000 < cache_of(app).store.kept.size <= 100_000


@pytest.mark.ci
@pytest.mark.parametrize(
    ("tags", "returns"),
    [
        ([], "{'run': next(runs)}"),
        (["all", "some"], "'x' * 500, {f'X-{n}': 'v' * 30 for n in range(8)}"),
    ],
)
def test_counted_bytes_are_about_those_in_memory(tree, tags, returns):
    file = f"def cache_tags(id): return {tags!r} + [f'post:{{id}}']\n{counted(returns)}"
    app = configured(tree({ROUTE: file}))
    client = app.test_client()
    client.get("/api/posts/first")
    store = cache_of(app).store
    before, count = store.kept.size, 500
    gc.collect()
    tracemalloc.start()
    for number in range(count):
        path = f"/api/posts/{number}"
        client.get(path)
        # A hit of each kind, for which headers are kept.
        etag = client.get(path).headers["ETag"]
        client.get(path, headers={"If-None-Match": etag, "Authorization": "x"})
    gc.collect()
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(store.kept) == count + 1
    assert 0.8 < taken / (store.kept.size - before) < 1.2


def test_an_answer_without_room_is_private(tree):
    app = configured(tree({ROUTE: counted()}), max_bytes=100)
    for run in (1, 2):
        response = app.test_client().get(PATH)
        assert of(response) == (200, {"run": run}, "flask-routehandlers; fwd=miss")
        assert response.headers["Cache-Control"] == "private, no-cache"


def test_max_body_bounds_what_is_stored(tree):
    app = configured(tree({ROUTE: counted("'x' * int(id)")}), max_body=10)
    client = app.test_client()
    assert of(client.get("/api/posts/10"))[2] == STORED
    assert of(client.get("/api/posts/11"))[2] == "flask-routehandlers; fwd=miss; detail=too-long"


def test_max_wait_bounds_waiting_for_others(tree):
    file = "import threading\ngo = threading.Event()\n" + counted(
        "{'run': r} if (r := next(runs)) > 1 or go.wait(20) else {}"
    )
    app = configured(tree({ROUTE: file}), max_wait=0.1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(app.test_client().get, PATH)
        module = app.view_functions["api./posts/[id]"].module
        assert until(lambda: repr(module.runs) == "count(2)")
        assert run_of(app.test_client().get(PATH)) == 2
        module.go.set()
        assert run_of(first.result()) == 1


def test_a_few_refreshes_run_concurrently(tree):
    file = "import threading\ngo = threading.Event()\nrunning = []\n" + counted(
        "running.append(id) or go.wait(20) and {'run': next(runs)}"
    )
    app = configured(tree({ROUTE: file}), threads=2)
    client, module = app.test_client(), app.view_functions["api./posts/[id]"].module
    module.go.set()
    paths = [f"/api/posts/{number}" for number in range(8)]
    for path in paths:
        client.get(path)
    module.running.clear()
    module.go.clear()
    grow_older(app, 61)
    for path in paths:
        client.get(path)
    assert until(lambda: len(module.running) == 2)
    assert not until(lambda: len(module.running) > 2, 0.1)
    module.go.set()
    assert until(lambda: len(module.running) == 8)


def test_workers_share_what_is_stored(tree):
    folder = tree({ROUTE: counted()})
    with redis_server() as server:
        apps = [configured(folder, url=server.url) for _ in range(2)]
        assert of(apps[0].test_client().get(PATH)) == (200, {"run": 1}, STORED)
        status = apps[1].test_client().get(PATH).headers["Cache-Status"]
        assert status.startswith("flask-routehandlers; hit; ttl=")
        with server.client() as client:
            assert all(key.startswith(b"{flask-routehandlers}:") for key in client.scan_iter())
            assert client.dbsize() > 0
        # Another version of the code, by its bytes or by its name, begins again.
        assert of(configured(folder, url=server.url, version="2").test_client().get(PATH)) == (
            200, {"run": 2}, STORED,
        )  # fmt: skip
        route = folder / "app/api" / ROUTE
        route.write_text(route.read_text() + "# another version\n")
        assert of(configured(folder, url=server.url).test_client().get(PATH)) == (
            200,
            {"run": 3},
            STORED,
        )
        assert run_of(apps[1].test_client().get(PATH)) == 1


def test_responses_that_are_not_stored_leave_little(tree):
    """Any client can ask for paths that do not exist."""
    file = "def cache_tags(id):\n    return [f'post:{id}']\n" + counted("('', 404)")
    with redis_server() as server:
        client = configured(tree({ROUTE: file}), url=server.url).test_client()
        assert [client.get(f"/api/posts/{n}").status_code for n in range(20)] == [404] * 20
        with server.client() as redis:
            lives = [redis.ttl(name) for name in redis.scan_iter()]
    assert len(lives) > 20
    assert all(0 < life <= 60 for life in lives)


def test_keys_begin_with_the_prefix(tree):
    with redis_server() as server:
        app = configured(tree({ROUTE: counted()}), url=server.url, prefix="mine/")
        assert of(app.test_client().get(PATH))[2] == STORED
        with server.client() as client:
            assert {key[:5] for key in client.scan_iter()} == {b"mine/"}


def test_another_secret_reads_no_entries(tree):
    folder = tree({ROUTE: counted()})
    with redis_server() as server:
        assert run_of(configured(folder, url=server.url).test_client().get(PATH)) == 1
        other = configured(folder, url=server.url)
        stranger = bare_app(folder)
        stranger.config |= other.config | {"SECRET_KEY": "of somebody else"}
        RouteHandlers(stranger)
        assert run_of(stranger.test_client().get(PATH)) == 2


def test_a_lock_lasts_as_long_as_configured(tree):
    file = "import threading\ngo = threading.Event()\n" + counted("go.wait(20) and {'run': 1}")
    with redis_server() as server:
        app = configured(tree({ROUTE: file}), url=server.url, lock=3)
        with ThreadPoolExecutor(1) as pool, server.client() as client:
            first = pool.submit(app.test_client().get, PATH)
            assert until(lambda: bool(client.keys("*}:l:*")))
            [lock] = client.keys("*}:l:*")
            assert 0 < client.pttl(lock) <= 3000
            app.view_functions["api./posts/[id]"].module.go.set()
            assert run_of(first.result()) == 1
            assert until(lambda: not client.exists(lock))


def test_a_silent_server_fails_no_request(tree, caplog):
    caplog.set_level(logging.WARNING)
    with redis_server() as server:
        app = configured(tree({ROUTE: counted()}), url=server.url, timeout=0.4)
        assert run_of(app.test_client().get(PATH)) == 1
        server.hang()
        began = time.monotonic()
        # It goes on with its own store.
        assert run_of(app.test_client().get(PATH)) == 2
        assert time.monotonic() - began >= 0.4
        assert run_of(app.test_client().get(PATH)) == 2
        server.go_on()
    [record] = caplog.records
    assert record.getMessage() == (
        "The cache store is down, each process keeps its own entries meanwhile: "
        "no answer within 0.4 seconds"
    )


def test_head_and_304_have_no_body(make_app):
    app = make_app({ROUTE: counted()})
    with running(app) as port:
        connection = HTTPConnection("127.0.0.1", port)
        tags = []
        for method in ("GET", "HEAD", "GET", "HEAD"):
            headers = {"If-None-Match": tags[0]} if len(tags) == 2 else {}
            connection.request(method, PATH, headers=headers)
            response = connection.getresponse()
            tags.append(response.headers["ETag"])
            body = response.read()
            assert (response.status, bool(body)) == (
                (304, False) if headers else (200, method == "GET")
            )
        connection.close()
    assert len(set(tags)) == 1
