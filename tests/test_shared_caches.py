"""nginx as a cache that all clients share: it keeps what is for everyone, and nothing else."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask import Flask, Response, request, session

from tests.servers import needs_nginx, nginx
from tests.support import configured, running, until

pytestmark = [needs_nginx, pytest.mark.ci]

AROUND = "proxy_cache_path {folder}/cache levels=1 keys_zone=pages:1m use_temp_path=off;"
#: As a page on running behind a cache would have it: what to keep is said by the app alone.
CACHE = """
    location / {{
        proxy_pass http://127.0.0.1:{upstream};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection "";
        proxy_set_header Accept-Encoding $http_accept_encoding;
        proxy_cache pages;
        proxy_cache_lock on;
        proxy_cache_background_update on;
        proxy_cache_revalidate on;
        add_header X-Cache $upstream_cache_status always;
    }}
"""

COUNT = "from itertools import count\nruns = count(1)\n"
GUARD = (
    "def middleware(request, call_next):\n"
    "    if request.headers.get('Authorization') != 'ann':\n        return 'who?', 401\n"
    "    return call_next()\n"
)


def static(returns: str = "str(next(runs))", config: str = "revalidate = 60") -> str:
    return f"{COUNT}{config}\n\ndef GET():\n    return {returns}\n"


FILES = {
    "page/route.py": static(),
    "told/route.py": static(config="revalidate = False"),
    "quick/route.py": static(config="revalidate = 1"),
    "quick-same/route.py": static("'same'", config="revalidate = 1"),
    "guarded/route.py": static(),
    "guarded/middleware.py": GUARD,
    "moved/route.py": static("('', 308, {'Location': f'/api/{next(runs)}'})"),
    "own/route.py": static("str(next(runs)), {'Cache-Control': 'max-age=60'}"),
    "private/route.py": static("str(next(runs)), {'Cache-Control': 'private'}"),
    "cookie/route.py": static("str(next(runs)), {'Set-Cookie': 'a=1'}"),
    "missing/route.py": static("str(next(runs)), 404"),
    "long/route.py": static("str(next(runs)) + 'x' * 2_000_000"),
    "now/route.py": f"{COUNT}def GET():\n    return str(next(runs))\n",
    "revalidated/route.py": "from flask_routehandlers import revalidate_tag\ncache_tags = ['t']\n"
    + static("revalidate_tag('t') or str(next(runs))"),
}


class Answer(NamedTuple):
    status: int
    cache: str | None
    text: str
    headers: Any


class Client:
    """Asks nginx, and knows what the app behind it was asked for."""

    def __init__(self, port: int, asked: list[Any]) -> None:
        self._port = port
        self.asked = asked

    def __call__(self, path: str, method: str = "GET", **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(
                method, path, headers={k.replace("_", "-"): v for k, v in headers.items()}
            )
            response: HTTPResponse = connection.getresponse()
            body = response.read().decode()
            return Answer(response.status, response.headers["X-Cache"], body, response.headers)
        finally:
            connection.close()


@contextmanager
def behind_nginx(app: Flask, folder: Path) -> Iterator[Client]:
    asked: list[Any] = []
    app.before_request(
        lambda: asked.append((request.method, request.headers.get("If-None-Match")))
    )
    folder.chmod(0o755)
    with (
        running(app) as upstream,
        nginx(folder, CACHE.format(upstream=upstream), AROUND.format(folder=folder)) as port,
    ):
        yield Client(port, asked)


@pytest.fixture
def client(tree: Callable[..., Path], tmp_path: Path) -> Iterator[Client]:
    with behind_nginx(configured(tree(FILES), stops_clock=False), tmp_path) as client:
        yield client


def first_after_hits(client: Client, path: str) -> Answer:
    """The first answer that is not fresh any more."""
    while (answer := client(path)).cache == "HIT":
        time.sleep(0.05)
    return answer


@pytest.mark.parametrize("path", ["/api/page", "/api/told", "/api/own"])
def test_static_responses_are_kept(client, path):
    first = client(path)
    assert (first.status, first.cache, first.text) == (200, "MISS", "1")
    for _ in range(3):
        again = client(path)
        assert (again.status, again.cache, again.text) == (200, "HIT", "1")
        assert again.headers["ETag"] == first.headers["ETag"]
        assert again.headers["Cache-Status"] == "flask-routehandlers; fwd=miss; stored"
    assert len(client.asked) == 1


def test_a_static_redirect_is_kept(client):
    answers = [client("/api/moved") for _ in range(3)]
    assert [(a.status, a.cache, a.headers["Location"]) for a in answers] == [
        (308, "MISS", "/api/1"), (308, "HIT", "/api/1"), (308, "HIT", "/api/1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "texts"),
    [
        ("/api/private", ["1", "2", "3"]),
        ("/api/cookie", ["1", "2", "3"]),
        ("/api/missing", ["1", "2", "3"]),
        ("/api/now", ["1", "2", "3"]),
        ("/api/revalidated", ["1", "2", "3"]),
    ],
)
def test_what_the_app_does_not_store_is_not_kept(client, path, texts):
    answers = [client(path) for _ in range(3)]
    assert [answer.text for answer in answers] == texts
    assert {answer.cache for answer in answers} == {"MISS"}


def test_what_is_too_long_is_not_kept(client):
    assert [client("/api/long").text[:2] for _ in range(2)] == ["1x", "2x"]


def test_guarded_responses_are_not_kept(client):
    for _ in range(2):
        ann = client("/api/guarded", Authorization="ann")
        assert (ann.status, ann.cache, ann.text) == (200, "MISS", "1")
        for headers in ({}, {"Authorization": "bob"}):
            other = client("/api/guarded", **headers)
            assert (other.status, other.cache, "1" in other.text) == (401, "MISS", False)


@pytest.mark.parametrize("name", ["Cookie", "Authorization"])
def test_an_answer_to_credentials_is_not_kept(client, name):
    for _ in range(2):
        assert client("/api/page", **{name: "mine"}).cache == "MISS"
    assert client("/api/page").cache == "MISS"
    # It is the same for all, so who has credentials may have what another one was given.
    assert (client("/api/page", **{name: "mine"})[1:3]) == ("HIT", "1")


def test_an_answer_with_a_cookie_is_not_kept(tree, tmp_path):
    app = configured(tree(FILES), stops_clock=False)

    @app.after_request
    def hook(response: Response) -> Response:
        who = request.args.get("cookie") or request.args.get("session")
        if "cookie" in request.args:
            response.set_cookie("who", str(who))
        elif "session" in request.args:
            session["who"] = who
        elif "read" in request.args:
            response.headers["X-Who"] = session.get("who", "nobody")
        elif "text" in request.args:
            response.set_data(request.args["text"])
        return response

    with behind_nginx(app, tmp_path) as client:
        for query in ("cookie=a", "session=a", "text=a"):
            for _ in range(3):
                assert client(f"/api/page?{query}").cache == "MISS", query
        signed = client("/api/page?session=ann").headers["Set-Cookie"].partition(";")[0]
        assert client("/api/page?read=1", Cookie=signed).headers["X-Who"] == "ann"
        # The cookie changed nothing; what a hook reads of a session is for its client alone.
        assert client("/api/page?read=1").headers["X-Who"] == "nobody"
        assert client("/api/page?read=1").cache == "MISS"


def test_clients_of_nginx_get_a_304(client):
    etag = client("/api/page").headers["ETag"]
    for value in (etag, f"W/{etag}", f'"other", {etag}'):
        told = client("/api/page", If_None_Match=value)
        assert (told.status, told.cache, told.text) == (304, "HIT", "")
        assert told.headers["ETag"] == etag
    assert client("/api/page", If_None_Match='"other"').status == 200
    assert len(client.asked) == 1


def test_nginx_itself_gets_a_304_too(client):
    etag = client("/api/quick-same").headers["ETag"]
    # It answers with what it has, and asks whether that is still right.
    assert first_after_hits(client, "/api/quick-same")[:3] == (200, "STALE", "same")
    assert until(lambda: len(client.asked) == 2)
    assert client.asked[1] == ("GET", etag)
    assert until(lambda: client("/api/quick-same").cache == "HIT")


def test_nginx_serves_stale_while_it_fetches(client):
    assert client("/api/quick")[:3] == (200, "MISS", "1")
    assert first_after_hits(client, "/api/quick")[1:3] == ("STALE", "1")
    # Two caches in a row: what nginx fetches may be stale too, and is fetched anew in a second.
    texts = []
    assert until(lambda: texts.append(client("/api/quick").text) or texts[-1] >= "2", 10)
    assert set(texts) <= {"1", "2", "3"}


def test_head_is_answered_by_nginx(client):
    assert client("/api/page", "HEAD")[:3] == (200, "MISS", "")
    assert client("/api/page")[:3] == (200, "HIT", "1")
    assert client("/api/page", "HEAD")[:3] == (200, "HIT", "")
    assert len(client.asked) == 1


def test_other_methods_change_nothing(client):
    assert client("/api/page", "POST").status == 405
    assert client("/api/page", "OPTIONS").status == 204
    assert client("/api/page")[:3] == (200, "MISS", "1")
    assert client("/api/page", "POST").status == 405
    assert client("/api/page")[:3] == (200, "HIT", "1")


def test_one_answer_per_encoding_is_kept(tree, tmp_path):
    app = configured(tree(FILES), stops_clock=False)

    @app.after_request
    def compress(response: Response) -> Response:
        response.vary.add("Accept-Encoding")
        if request.headers.get("Accept-Encoding") == "gzip":
            response.set_data(gzip.compress(response.get_data()))
            response.content_encoding = "gzip"
        return response

    def ask(client: Client, encoding: str) -> tuple[str | None, str | None, str]:
        answer = client("/api/told", "HEAD", Accept_Encoding=encoding)
        return answer.cache, answer.headers["Content-Encoding"], answer.headers["ETag"]

    with behind_nginx(app, tmp_path) as client:
        plain, packed = ask(client, "identity"), ask(client, "gzip")
        assert (plain[:2], packed[:2]) == (("MISS", None), ("MISS", "gzip"))
        assert packed[2] == f"W/{plain[2]}"
        for _ in range(2):
            assert ask(client, "identity") == ("HIT", *plain[1:])
            assert ask(client, "gzip") == ("HIT", *packed[1:])
