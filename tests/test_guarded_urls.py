"""Guarded URLs, in every spelling that has ever passed a guard somewhere.

A guard belongs to files, never to a URL string: however a request reaches a handler, its
middleware ran. And no spelling passes a rule of a proxy before the app.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPResponse
from itertools import product
from threading import Barrier
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from flask_routehandlers import RouteHandlers
from tests.servers import needs_nginx, nginx
from tests.support import QuietHandler, bare_app, running

GUARDED, OPEN = "/api/admin/users/7", "/api/docs/x"

#: Other spellings of GUARDED and its like: they reach the handler through its middleware.
SAME = (
    GUARDED,
    f"{GUARDED}?",
    f"{GUARDED}?/api/docs/x",
    f"{GUARDED}?_method=DELETE",
    "/api/%61dmin/users/7",
    "/api/%61%64%6d%69%6e/users/7",
    "/%61%70%69/%61dmin/%75sers/%37",
    "/api/admin/users/%37",
    "/api%2Fadmin%2Fusers%2F7",
    "/api%2fadmin/users/7",
    "/api/admin%2fusers/7",
    "/api/admin/users%2F7",
    "/api/admin/users/7.",
    "/api/admin/users/7.json",
    "/api/admin/users/7;x=1",
    "/api/admin/users/...",
    "/api/admin/users/%252e%252e",
    "/api/admin/users/%E2%80%AE",
)

#: Other URLs, or none, unless someone on the way repairs them.
OTHERS = (
    # Doubled.
    "//api/admin/users/7", "///api/admin/users/7", "/api//admin/users/7", "/api/admin//users/7",
    "/api/admin/users//7", "/api/admin/users/7/", "/api/admin/users/7//", "/%2fapi/admin/users/7",
    "/api/%2fadmin/users/7", "/api%2f%2fadmin/users/7", "//api//admin//users//7",
    # Dotted.
    "/./api/admin/users/7", "/../api/admin/users/7", "/api/./admin/users/7",
    "/api/../api/admin/users/7", "/api/docs/../admin/users/7", "/api/docs/x/../../admin/users/7",
    "/api/admin/../admin/users/7", "/api/admin/./users/7", "/api/admin/users/7/.",
    "/api/admin/users/7/../7", "/api/admin/users/.", "/api/admin/users/..",
    "/api/docs/..;/admin/users/7", "/api/docs/..;x=1/admin/users/7", "/api/.../admin/users/7",
    "/api/docs/.../../admin/users/7", "/api/admin./users/7", "/api/.admin/users/7",
    # Dotted, and encoded once or twice.
    "/api/docs/%2e%2e/admin/users/7", "/api/docs/.%2E/admin/users/7", "/api/%2e/admin/users/7",
    "/api/docs/%2e%2e%2fadmin/users/7", "/api/docs%2f..%2fadmin/users/7",
    "/api/docs/..%2fadmin/users/7", "/api/docs/%252e%252e/admin/users/7",
    "/api/docs/%252e%252e%252fadmin/users/7", "/api/docs/%25%32%65%25%32%65/admin/users/7",
    "/api/docs/x%2f..%2f..%2fadmin%2fusers%2f7",
    # Encoded twice, or not at all like this.
    "/api/%2561dmin/users/7", "/api%252fadmin/users/7", "/api/admin%252fusers/7",
    "/api/%u0061dmin/users/7", "/api/%zzadmin/users/7", "/api/admin%/users/7", "/api/admin%",
    # Cased.
    "/API/admin/users/7", "/api/ADMIN/users/7", "/api/Admin/users/7", "/api/admin/USERS/7",
    "/api/%41dmin/users/7", "/Api/Admin/Users/7",
    # Nearly the same to someone who folds or strips.
    "/api/adm%C4%B1n/users/7", "/api/adm%C4%B0n/users/7", "/api/%EF%BD%81dmin/users/7",
    "/api/ad%C2%ADmin/users/7", "/api/admin%E2%80%8B/users/7", "/api/%EF%BB%BFadmin/users/7",
    "/api/docs/%EF%BC%8E%EF%BC%8E/admin/users/7", "/api%EF%BC%8Fadmin/users/7",
    "/api%E2%88%95admin/users/7", "/api/admin%CC%81/users/7", "/api/admin+/users/7",
    "/api/admin%20/users/7", "/api/%20admin/users/7", "/api/admin~/users/7",
    # Bytes that are not UTF-8.
    "/api/docs/%C0%AE%C0%AE/admin/users/7", "/api%C0%AFadmin/users/7", "/api/admin%FF/users/7",
    "/api/%E0%80%AFadmin/users/7", "/api/admin/users/%FF", "/api/docs/%C0%AE%C0%AE%C0%AFadmin",
    # Control characters.
    "/api/admin%00/users/7", "/api/admin/users/7%00", "/api/%00admin/users/7",
    "/api/admin%0A/users/7", "/api/admin/users/7%0A", "/api/admin%0D%0A/users/7",
    "/api/%09admin/users/7", "/api/admin/users/7%7F", "/api/docs/%0A/../admin/users/7",
    # Backslashes and semicolons.
    "/api\\admin\\users\\7", "/api/\\admin/users/7", "/api/%5Cadmin/users/7",
    "/api/docs/..\\admin\\users\\7", "/api/docs/..%5Cadmin%5Cusers%5C7", "\\api\\admin\\users\\7",
    "/api/admin;/users/7", "/api/admin;x=1/users/7", "/api/;/admin/users/7",
    "/;/api/admin/users/7",
    # Another end of the path.
    "/api/docs/x?/../../admin/users/7", "/api/docs/x%3f/../../admin/users/7",
    "/api/docs/%23/../../admin/users/7", "/api/admin.json/users/7", "/api/admin",
    "/api/admin/", "/api/admin/users", "/api/admin/users/", "/api/admin/users/7/8",
)  # fmt: skip

#: Targets that only servers make a path of.
FORMS = (
    "http://localhost/api/admin/users/7",
    "HTTPS://localhost/api/admin/users/7",
    "http://localhost//api/admin/users/7",
    "http://localhost/api/docs/../admin/users/7",
    "http:///api/admin/users/7",
    "http:/api/admin/users/7",
    "x:/api/admin/users/7",
    "//localhost/api/admin/users/7",
    "//user@localhost/api/admin/users/7",
    "/http://localhost/api/admin/users/7",
    "api/admin/users/7",
    "./api/admin/users/7",
    "?/api/admin/users/7",
    "*",
    f"{GUARDED}#",
    f"{GUARDED}#/../../../docs/x",
    "/api/docs/x#/../../admin/users/7",
    "/api/docs/x#?/../../admin/users/7",
)

DOUBLED_AT_THE_BEGINNING = {
    "//api/admin/users/7",
    "///api/admin/users/7",
    "/%2fapi/admin/users/7",
    "http://localhost//api/admin/users/7",
}

METHODS = ("GET", "HEAD", "POST", "DELETE", "PUT", "OPTIONS", "MADEUP")

#: They note what runs, for which request.
GUARD = """
from flask import current_app

{define} middleware(request, call_next):
    current_app.config["RAN"].append((request.headers.get("X-Number"), {name!r}, request.method))
    return {wait}call_next()
"""
HANDLERS = "from flask import current_app\n" + "".join(
    f"""
def {method}(request, params):
    number = request.headers.get("X-Number")
    current_app.config["RAN"].append((number, "{{name}}", request.method))
    return {{{{"name": "{{name}}", "params": params}}}}
"""
    for method in ("GET", "POST", "DELETE")
)


def guard(name: str, *, is_async: bool = False) -> str:
    kind = {"define": "async def", "wait": "await "} if is_async else {"define": "def", "wait": ""}
    return GUARD.format(name=name, **kind)


def files(*, is_async: bool = False) -> dict[str, str]:
    """A guarded handler, and one that takes all that it can get."""
    return {
        "admin/middleware.py": guard("guard", is_async=is_async),
        "admin/users/[id]/route.py": HANDLERS.format(name="guarded"),
        "docs/middleware.py": guard("open guard"),
        "docs/[[...path]]/route.py": HANDLERS.format(name="open"),
    }


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def served(make_app, request) -> Flask:
    app = make_app(files(is_async=request.param))
    app.config["RAN"] = []
    return app


def in_process(app: Flask, target: str, method: str, headers: Any = ()) -> int:
    """Return the status for a target, decoded once as servers do."""
    path, _, query = target.partition("?")
    environ = create_environ("/", method=method, headers=headers, query_string=query)
    environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
    return int(run_wsgi_app(app, environ, buffered=True)[1][:3])


def over_socket(port: int, target: str, method: str, headers: Any = ()) -> int:
    """Return the status for a target that is sent as it is."""
    lines = [f"{method} {target} HTTP/1.1", "Connection: close", "Content-Length: 0"]
    lines += [f"{name}: {value}" for name, value in headers]
    if not any(name == "Host" for name, _ in headers):
        lines.append("Host: localhost")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        response = HTTPResponse(connection, method=method)
        with closing(response):
            response.begin()
            response.read()
            return response.status


def ran_for(app: Flask, method: str, case: Any, status: int) -> str:
    """Return the file that answered the last request; its middleware ran in any case."""
    ran, app.config["RAN"][:] = list(app.config["RAN"]), []
    assert all(seen == method for _, _, seen in ran), case
    names = [name for _, name, _ in ran]
    handled = method in ("GET", "HEAD", "POST", "DELETE")
    if not names:
        # Nothing ran, so no file has answered: not with an automatic OPTIONS or a 405 either.
        assert status in (400, 403, 404), case
        return "nothing"
    file = "guarded" if names[0] == "guard" else "open"
    assert names == [{"guarded": "guard", "open": "open guard"}[file], *[file] * handled], case
    assert status == (200 if handled else 204 if method == "OPTIONS" else 405), case
    return file


def test_there_are_enough_spellings():
    every = (*SAME, *OTHERS, *FORMS)
    assert len(set(every)) == len(every) >= 120


@pytest.mark.parametrize("method", METHODS)
def test_a_spelling_is_guarded_or_another_url(served, method):
    for target in SAME:
        status = in_process(served, target, method)
        assert ran_for(served, method, target, status) == "guarded", target
    for target in OTHERS:
        status = in_process(served, target, method)
        assert ran_for(served, method, target, status) in ("nothing", "open"), target


def test_the_guard_runs_with_trailing_slashes(tree):
    served = bare_app(tree(files()))
    served.config["RAN"] = []
    served.url_map.strict_slashes = False
    RouteHandlers(served)
    reached = set()
    for target, method in product((*SAME, *OTHERS), METHODS):
        status = in_process(served, target, method)
        if ran_for(served, method, target, status) == "guarded":
            reached.add(target)
    assert reached == {*SAME, f"{GUARDED}/"}


@pytest.mark.ci
def test_over_a_server_the_guard_always_runs(served):
    reached = set()
    with running(served) as port:
        for target in (*SAME, *OTHERS, *FORMS):
            for method in ("GET", "POST", "OPTIONS", "MADEUP"):
                status = over_socket(port, target, method)
                if ran_for(served, method, target, status) == "guarded":
                    reached.add(target)
    # The server drops scheme and host, and what comes before the path.
    assert set(SAME) <= reached <= {*SAME, *FORMS, *DOUBLED_AT_THE_BEGINNING}


# Behind a proxy with its own rule.

RULES = """
    merge_slashes {merge_slashes};
    location /api/admin/ {{ deny all; }}
    location / {{
        proxy_pass http://127.0.0.1:{upstream}{uri};
        proxy_set_header Host $http_host;
    }}
"""


class AsSent(QuietHandler):
    """A server that passes on the path as it was sent, as other servers do.

    Werkzeug's server merges slashes at its beginning.
    """

    def make_environ(self) -> dict[str, Any]:
        environ = super().make_environ()
        path = self.requestline.split()[1].partition("?")[0]
        environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
        return environ


@needs_nginx
@pytest.mark.ci
@pytest.mark.parametrize("merge_slashes", ["on", "off"])
@pytest.mark.parametrize("uri", ["", "/"], ids=["as it was sent", "normalized"])
@pytest.mark.parametrize("handler", [QuietHandler, AsSent], ids=["Werkzeug", "as sent"])
def test_no_spelling_passes_a_rule_of_nginx(served, tmp_path, handler, uri, merge_slashes):
    reached, denied, elsewhere = set(), set(), 0
    with (
        running(served, handler) as upstream,
        nginx(
            tmp_path, RULES.format(upstream=upstream, uri=uri, merge_slashes=merge_slashes)
        ) as port,
    ):
        for target in (OPEN, *SAME, *OTHERS, *FORMS):
            for method in ("GET", "POST"):
                status = over_socket(port, target, method)
                found = ran_for(served, method, target, status)
                elsewhere += found == "open"
                if found == "guarded":
                    reached.add(target)
                if status == 403:
                    denied.add(target)
    assert elsewhere >= 10
    assert set(SAME) <= denied
    if handler is QuietHandler and merge_slashes == "off":
        # Another URL to nginx, which Werkzeug's own server makes the same again before the app
        # sees it. Only the middleware is left, and has run.
        assert reached <= DOUBLED_AT_THE_BEGINNING
    else:
        assert reached == set()


# What a client sends in addition to the URL.

HEADERS = (
    *(
        ("X-Middleware-Subrequest", value)
        for value in (
            "middleware", "src/middleware", ":".join(["middleware"] * 5), "admin/middleware",
            "api.admin.middleware", "1",
        )
    ),
    ("X-Middleware-Next", "1"), ("X-Middleware-Rewrite", OPEN), ("X-Middleware-Skip", "1"),
    ("X-Middleware-Prefetch", "1"), ("X-Middleware-Invoke", "0"),
    ("X-Middleware-Override-Headers", "x-number"), ("X-Middleware-Set-Cookie", "a=b"),
    ("X-Invoke-Path", OPEN), ("X-Invoke-Status", "200"), ("X-Matched-Path", OPEN),
    ("X-Nextjs-Data", "1"), ("Next-Router-Prefetch", "1"), ("RSC", "1"), ("Purpose", "prefetch"),
    ("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method-Override", "OPTIONS"),
    ("X-HTTP-Method", "DELETE"), ("X-Method-Override", "HEAD"),
    ("X-Original-URL", OPEN), ("X-Original-URL", GUARDED), ("X-Rewrite-URL", OPEN),
    ("X-Rewrite-URL", GUARDED), ("X-Original-URI", OPEN), ("X-Forwarded-Uri", GUARDED),
    ("X-Forwarded-Path", GUARDED), ("X-Forwarded-Prefix", "/api/docs"), ("Script-Name", "/api"),
    ("X-Script-Name", "/api"), ("Path-Info", GUARDED), ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-Host", "admin.localhost"), ("X-Forwarded-Proto", "wss"),
    ("X-Forwarded-Port", "1"), ("X-Forwarded-Method", "DELETE"), ("X-Real-IP", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1;host=admin;proto=wss"), ("Client-IP", "127.0.0.1"),
    ("Host", "admin"), ("Host", "127.0.0.1:1"), ("Host", "[::1]"), ("Host", "docs.example"),
    ("Upgrade", "websocket"), ("Upgrade", "h2c"), ("Expect", "x"), ("TE", "trailers"),
    ("Range", "bytes=0-0"), ("If-None-Match", "*"), ("If-Modified-Since", "x"),
    ("Accept", "text/html"), ("Accept", "text/x-component"), ("Content-Type", "x/y"),
    ("Authorization", "Bearer x"), ("Authorization", "Basic"), ("Origin", "null"),
    ("Access-Control-Request-Method", "POST"), ("Referer", GUARDED), ("Max-Forwards", "0"),
    ("Cache-Control", "no-cache"), ("Pragma", "x-middleware-skip"), ("Sec-Fetch-Mode", "cors"),
    ("X-Requested-With", "XMLHttpRequest"), ("User-Agent", ""),
    ("Cookie", "_method=DELETE"), ("Cookie", "middleware=off; x-middleware-subrequest=1"),
    ("Cookie", "session=x; path=/api/docs"), ("Cookie", "; ;=;\\"),
)  # fmt: skip
QUERIES = (
    "_method=DELETE", "_method=OPTIONS&_method=HEAD", "method=DELETE", "middleware=0",
    "x-middleware-subrequest=middleware", "id=8", "path=/api/docs/x", "url=/api/docs/x",
    "__nextLocale=en", "nxtPid=8", "_rsc=1", "endpoint=api./docs", "..%2f..%2fdocs", "%00",
    "%FF", "a[]=1&a[b]=2", "&&==&", "?" * 10, "x" * 3000,
)  # fmt: skip


def noises() -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Queries with headers: each alone, and all that are not repeated together."""
    yield from (("", (header,)) for header in HEADERS)
    yield from ((f"?{query}", ()) for query in QUERIES)
    yield f"?{'&'.join(QUERIES[:-2])}", tuple(dict(HEADERS).items())


@pytest.mark.parametrize("method", METHODS)
def test_no_header_or_query_changes_what_runs(served, method):
    for query, headers in noises():
        case = (query, headers)
        for url, file in ((GUARDED, "guarded"), (OPEN, "open")):
            status = in_process(served, url + query, method, headers)
            assert ran_for(served, method, case, status) == file, case
        status = in_process(served, f"/api/nothing{query}", method, headers)
        assert (ran_for(served, method, case, status), status) == ("nothing", 404), case


@pytest.mark.ci
def test_over_a_server_no_header_changes_it(served):
    with running(served) as port:
        for query, headers in noises():
            case = (query, headers)
            for url, file in ((GUARDED, "guarded"), (OPEN, "open")):
                for method in ("GET", "POST", "OPTIONS"):
                    status = over_socket(port, url + query, method, headers)
                    assert ran_for(served, method, case, status) == file, case


@needs_nginx
@pytest.mark.ci
def test_no_header_passes_a_rule_of_nginx(served, tmp_path):
    with (
        running(served) as upstream,
        nginx(tmp_path, RULES.format(upstream=upstream, uri="", merge_slashes="on")) as port,
    ):
        for query, headers in noises():
            case = (query, headers)
            assert over_socket(port, GUARDED + query, "GET", headers) in (400, 403), case
            assert served.config["RAN"] == [], case
            status = over_socket(port, OPEN + query, "GET", headers)
            assert ran_for(served, "GET", case, status) in ("open", "nothing"), case


def test_a_websocket_handshake_is_guarded(served):
    headers = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
    ]
    for method in METHODS:
        for url in (GUARDED, OPEN):
            ran_for(served, method, url, in_process(served, url, method, headers))


@pytest.mark.parametrize(
    ("field", "value"), [("_method", "DELETE"), ("middleware", "off"), ("id", "8")]
)
def test_no_form_field_changes_what_runs(served, field, value):
    response = served.test_client().post(GUARDED, data={field: value})
    assert ran_for(served, "POST", field, response.status_code) == "guarded"
    assert response.json == {"name": "guarded", "params": {"id": "7"}}


# Many requests at once.

#: URLs, and the middleware that their files have.
CHAINS = {
    "/api/open": [],
    "/api/open/7": [],
    "/api/a": ["a"],
    "/api/a/7": ["a"],
    "/api/a/b/7": ["a", "b"],
    "/api/a/b/c/7": ["a", "b", "c"],
    "/api/d/7": ["d one", "d two"],
    "/api/e/7": ["group"],
}


@pytest.mark.ci
def test_64_threads_never_mix_their_chains(make_app):
    both = guard("d one").replace("middleware(", "one(")
    both += guard("d two", is_async=True).replace("middleware(", "two(")
    chains = {
        "a/middleware.py": guard("a"),
        "a/b/middleware.py": guard("b", is_async=True),
        "a/b/c/middleware.py": guard("c"),
        "d/middleware.py": f"{both}\nmiddleware = [one, two]\n",
        "(group)/middleware.py": guard("group"),
    }
    routes = ("open", "open/[id]", "a", "a/[id]", "a/b/[id]", "a/b/c/[id]", "d/[id]")
    handler = HANDLERS.format(name="handler")
    handlers = {f"{route}/route.py": handler for route in (*routes, "(group)/e/[id]")}
    app = make_app(chains | handlers)
    ran = app.config["RAN"] = []
    barrier = Barrier(64)

    def hammer(number: int) -> dict[str, list[tuple[str, str]]]:
        rng, client = random.Random(number), app.test_client()
        wanted = {}
        barrier.wait(60)
        for n in range(20):
            url, method = rng.choice(list(CHAINS)), rng.choice(METHODS)
            key = f"{number}-{n}"
            status = client.open(url, method=method, headers={"X-Number": key}).status_code
            handled = method in ("GET", "HEAD", "POST", "DELETE")
            assert status == (200 if handled else 204 if method == "OPTIONS" else 405)
            wanted[key] = [(name, method) for name in [*CHAINS[url], *["handler"] * handled]]
        return wanted

    with ThreadPoolExecutor(64) as pool:
        wanted = {}
        for part in pool.map(hammer, range(64)):
            wanted |= part
    found: dict[str, list[tuple[str, str]]] = {key: [] for key in wanted}
    for key, name, method in ran:
        found[key].append((name, method))
    assert found == wanted
