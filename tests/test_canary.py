"""A secret in everything that a client sends: nobody else is ever answered with it, and the store
never has it."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask, Response, g, request, session
from werkzeug.test import EnvironBuilder, run_wsgi_app

from flask_routehandlers.caching.sandbox import CLIENT_INPUTS
from tests.servers import RedisServer, redis_server
from tests.support import configured

THREADS = 4
CANARY = re.compile(r"canary[0-9a-f]{16}")

#: Tells whatever it can find out of its request, and of all that surrounds it.
CURIOUS = f"""
from itertools import count
from flask import current_app, g, request, session
from tests.test_canary import tell

runs = count(1)
NAMES = {sorted(CLIENT_INPUTS)!r}
"""

GUARD = """
from contextvars import ContextVar
from flask import g, session

var = ContextVar("var")

def middleware(request, call_next):
    secret = request.args.get("q", "")
    g.secret = session["secret"] = secret
    var.set(secret)
    response = call_next()
    if not response.is_streamed and response.status_code == 200:
        response.set_data(response.get_data() + secret.encode())
    response.headers["X-Secret"] = secret
    response.set_cookie("secret", secret)
    return response
"""

FILES = {
    "page/route.py": f"{CURIOUS}\nrevalidate = 1\ndef GET():\n    return str(next(runs))\n",
    "empty/[n]/route.py": f"{CURIOUS}\ndynamic = 'force-static'\nrevalidate = 1\n"
    "def GET(n):\n    return [next(runs), n, tell(NAMES)]\n",
    "strict/[n]/route.py": f"{CURIOUS}\nrevalidate = 1\n"
    "def GET(n):\n    return getattr(request, NAMES[int(n) % len(NAMES)])\n",
    "guarded/middleware.py": GUARD,
    "guarded/page/route.py": f"{CURIOUS}\nrevalidate = 1\n"
    "def GET():\n    return str(next(runs))\n",
    "guarded/empty/route.py": f"{CURIOUS}\nfrom contextvars import copy_context\n"
    "dynamic = 'force-static'\nrevalidate = 1\n"
    "def GET():\n    found = [str(value) for value in copy_context().values()]\n"
    "    return [next(runs), tell(NAMES), found]\n",
    "stream/route.py": f"{CURIOUS}\ndynamic = 'force-static'\nrevalidate = 1\n"
    "def GET():\n    yield str(next(runs))\n    yield from (str(t) for t in tell(NAMES))\n",
    "async/route.py": f"{CURIOUS}\ndynamic = 'force-static'\nrevalidate = 1\n"
    "async def GET():\n    return [next(runs), tell(NAMES)]\n",
    "moved/route.py": f"{CURIOUS}\nfrom flask import redirect, url_for\nrevalidate = 1\n"
    "def GET():\n    return redirect(url_for('api./page', _external=True), 308)\n",
    "once/route.py": f"{CURIOUS}\nfrom flask import Response\nrevalidate = 1\n"
    "def GET():\n    return Response(str(next(runs)), headers={'Cache-Control': 'private'})\n",
    "tagged/[n]/route.py": f"{CURIOUS}\ndynamic = 'force-static'\nrevalidate = 1\n"
    "def cache_tags(n):\n    return ['tag', *filter(None, tell(NAMES))]\n"
    "def GET(n):\n    return str(next(runs))\n",
    "closed/[n]/route.py": f"{CURIOUS}\nrevalidate = 1\ndynamic_params = False\n"
    "def generate_static_params():\n    return [{'n': '1'}, {'n': '2'}]\n"
    "def GET(n):\n    return n\n",
    "posts/route.py": f"{CURIOUS}\n"
    "from flask_routehandlers import revalidate_path, revalidate_tag\n"
    "revalidate = False\ncache_tags = ['tag']\ndef GET():\n    return str(next(runs))\n"
    "def POST():\n    revalidate_tag('tag')\n    revalidate_path('/api/posts')\n"
    "    return [request.get_data(as_text=True), request.args, dict(request.headers)]\n"
    "def OPTIONS():\n    return dict(request.headers)\n",
    "echo/[secret]/route.py": "def GET(request, secret):\n"
    "    return [secret, request.args, dict(request.headers), request.remote_addr]\nPOST = GET\n",
}
PATHS = (
    "/api/page", "/api/empty/1", "/api/empty/2", "/api/strict/{n}", "/api/guarded/page",
    "/api/guarded/empty", "/api/stream", "/api/async", "/api/moved", "/api/once", "/api/tagged/1",
    "/api/closed/1", "/api/closed/{canary}", "/api/posts", "/api/echo/{canary}", "/api/{canary}",
    "/{canary}",
)  # fmt: skip
HEADERS = (
    "Accept", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers",
    "Access-Control-Request-Method", "Authorization", "Cache-Control", "Content-MD5", "Cookie",
    "Forwarded", "From", "If-Match", "If-None-Match", "If-Range", "Origin", "Pragma", "Range",
    "Referer", "User-Agent", "Via", "X-Api-Key", "X-Forwarded-For", "X-Forwarded-Host",
    "X-Forwarded-Prefix", "X-Forwarded-Proto", "X-HTTP-Method-Override", "X-Original-URL",
    "X-Rewrite-URL", "X-Request-Id",
)  # fmt: skip
METHODS = ("GET",) * 8 + ("HEAD", "POST", "PUT", "OPTIONS", "MADEUP")


def tell(names: tuple[str, ...]) -> list[str]:
    """All that a handler can find out, as texts."""
    found = [getattr(request, name) for name in names if name not in ("json", "get_json")]
    found += [
        request.get_data(),
        request.get_json(silent=True),
        request.environ,
        request.url,
        request.host,
        request.full_path,
        dict(session),
    ]
    found += [g.get("secret"), g.get("before"), vars(request), vars(g)]
    # Without the addresses of objects.
    return [re.sub(r"0x[0-9a-f]+", "", str(value)) for value in found]


def worker(folder: Path, server: RedisServer) -> Flask:
    """An app as one of several workers has it, with hooks that look at each client."""
    app = configured(folder, url=server.url)
    app.logger.disabled = True  # what fails here is meant to

    @app.before_request
    def note() -> None:
        g.before = request.args.get("q")

    @app.after_request
    def set_cookie(response: Response) -> Response:
        if request.args.get("visit"):
            session["visit"] = g.before
            response.headers["X-Visit"] = g.before
        return response

    return app


def send(rng: Random, app: Flask, canary: str) -> tuple[str, str, Any]:
    """A request with a canary wherever one fits: its method and path, and what is answered."""
    path = rng.choice(PATHS).format(canary=canary, n=rng.randrange(100))
    method = rng.choice(METHODS)
    chosen = HEADERS if rng.random() < 0.5 else rng.sample(HEADERS, rng.randrange(4))
    headers = dict.fromkeys(chosen, canary)
    if "Cookie" in headers:
        headers["Cookie"] = f"session={canary}; other={canary}"
    if "If-None-Match" in headers:
        headers["If-None-Match"] = f'"{canary}"'
    query = {"q": canary} if rng.random() < 0.8 else {}
    if rng.random() < 0.1:
        query["visit"] = canary
    body: dict[str, Any] = rng.choice(
        [{}, {"json": {"q": canary}}, {"data": {"q": canary}}, {"data": canary.encode()}]
    )
    host = rng.choice(["localhost", f"{canary}.example", f"{canary}.example:81"])
    builder = EnvironBuilder(
        path=path, method=method, headers=headers, query_string=query,
        base_url=f"{rng.choice(['http', 'https'])}://{host}", **body,
        environ_overrides={"REMOTE_ADDR": canary, "REMOTE_USER": canary, "X_CANARY": canary},
    )  # fmt: skip
    try:
        environ = builder.get_environ()
    finally:
        builder.close()
    return method, path, run_wsgi_app(app, environ, buffered=True)


def is_shareable(headers: Any) -> bool:
    said = headers.get("Cache-Control", "")
    return "s-maxage" in said or "public" in said


def ask(
    seed: str, apps: list[Flask], count: int, server: RedisServer
) -> tuple[Counter[str], list[Any]]:
    """Send so many requests. What they went through, and which answers have what they may not."""
    rng = Random(seed)
    seen: Counter[str] = Counter()
    wrong = []
    for number in range(count):
        if number % 100 == 99:
            server.make_stale(2)
        canary = f"canary{rng.getrandbits(64):016x}"
        method, path, (body, status, headers) = send(rng, rng.choice(apps), canary)
        text = f"{status}\n{headers}\n{b''.join(body).decode()}"
        found = set(CANARY.findall(text))
        if found - {canary} or (found and is_shareable(headers)):
            wrong.append((method, path, canary, text))
        if path.startswith(("/api/empty", "/api/stream", "/api/async", "/api/tagged")):
            # Not its own either, unless a hook said it.
            own = set(CANARY.findall(b"".join(body).decode()))
            if own and status[:3] == "200":
                wrong.append((method, path, canary, text))
        cache = headers.get("Cache-Status", "")
        seen["hit" if "hit" in cache else "miss" if "stored" in cache else "not stored"] += 1
        seen["stale"] += "ttl=-" in cache
        seen["its own"] += bool(found)
        seen[status[:3]] += 1
    return seen, wrong


def send_canaries(folder: Path, count: int) -> Counter[str]:
    with redis_server() as server:
        apps = [worker(folder, server) for _ in range(2)]
        with ThreadPoolExecutor(THREADS) as pool:
            runs = [
                pool.submit(ask, f"{count} {number}", apps, count // THREADS, server)
                for number in range(THREADS)
            ]
            results = [run.result() for run in runs]
        for app in apps:
            app.extensions["routehandlers_cache"].coordinator._refreshes.close(20)
        with server.client() as client:
            keys = list(client.scan_iter())
            stored = [client.dump(key) for key in keys]
            values = [
                client.hgetall(key) if client.type(key) == b"hash" else client.get(key)
                for key in keys
            ]
            assert [key for key in keys if b"canary" in key] == []
            assert [value for value in stored if value and b"canary" in value] == []
            assert [value for value in values if b"canary" in repr(value).encode()] == []
            entries = [value for value in values if isinstance(value, dict) and b"data" in value]
            assert len(entries) >= 10, "nothing is stored in which it could be"
    assert [wrong for _, some in results for wrong in some][:3] == []
    return sum((seen for seen, _ in results), Counter())


@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")
def test_no_secret_reaches_others_or_the_store(tree):
    seen = send_canaries(tree(FILES), 600)
    for what in ("hit", "stale", "miss", "its own", "200", "308", "404", "405", "500"):
        assert seen[what] > 2, what


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:.*:ResourceWarning")
def test_no_secret_in_100000_requests_is_stored(tree):
    seen = send_canaries(tree(FILES), 100_000)
    print(f"\n100,000 requests with canaries, 0 found where they may not be: {dict(seen)}")
