"""Raw request targets, most of them hostile: handlers run only for clean paths.

A clean path is defined here a second time, from the bytes of the target, and the oracle knows
which file answers it. So each target has one right answer: status, ``Allow`` and what ran.
"""

from __future__ import annotations

import http.client
import io
import random
import re
import socket
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import pytest
from flask import Flask
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers
from tests.oracle import CONVERTERS, answer
from tests.support import bare_app, path_for, running, write_files

#: The folders of the route files, and the methods of each.
ROUTES = {
    "": "GET",
    "users": "GET POST",
    "users/me": "GET",
    "users/[id=int]": "GET DELETE",
    "users/[name]": "GET PUT QUERY",
    "users/[name]/posts/[slug]": "GET HEAD",
    "sitemap.xml": "GET",
    ".well-known/security.txt": "GET",
    "%5Fraw": "GET OPTIONS",
    "files/[...path]": "GET DELETE PATCH",
    "docs/[[...rest]]": "GET QUERY",
    "(group)/admin/(inner)/[key=upper]": "GET",
    "(group)/admin": "POST",
    "mixed/[name].json": "GET",
    "mixed/@[user]": "GET",
    "mixed/[base]-to-[rest]": "GET",
    "mixed/[stem]..[ending]": "GET",
    "mixed/report-[year=int].csv": "GET",
    "n/[x=float]": "GET",
    "n/[x=uuid]/[y=int]": "GET",
    "é/日本": "GET",
    "a b/[c]": "GET",
}


class Upper(BaseConverter):
    """Its regex is the default one, which takes all that is no slash."""

    def to_python(self, value: str) -> str:
        return value.upper()


CONVERTERS["upper"] = (bool, str.upper)

HANDLER = """
def {0}(params):
    current_app.extensions["ran"].append(({1!r}, {0!r}, params))
    return ""
"""


@dataclass
class Served:
    """An app that serves the tree: how its URLs begin, and what its handlers have noted."""

    app: Flask
    prefix: str
    ran: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.prefixed = [f"{self.prefix}/{route}" for route in ROUTES]
        self.app.extensions["ran"] = self.ran

    def expected(self, method: str, path: bytes) -> tuple[int, list[Any], str | None]:
        """Status, what runs and ``Allow``."""
        if unclean(path):
            return 404, [], None
        text = path.decode()
        if text != "/" and not self.app.url_map.strict_slashes:
            text = text.removesuffix("/")
        found = answer(self.prefixed, text)
        if found is None:
            return 404, [], None
        route = found[0].removeprefix(f"{self.prefix}/")
        methods = set(ROUTES[route].split())
        runs = "GET" if method == "HEAD" and "HEAD" not in methods else method
        if runs in methods:
            return 200, [(route, runs, found[1])], None
        allowed = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        return 204 if method == "OPTIONS" else 405, [], ", ".join(sorted(allowed))


APPS = {
    "below /api": ({"url_prefix": "/api"}, "/api", True),
    "below /api, trailing slashes allowed": ({"url_prefix": "/api"}, "/api", False),
    "without a prefix": ({"url_prefix": ""}, "", True),
    "below /<lang>/api": ({"url_prefix": "/<lang>/api"}, "/[lang]/api", True),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Served]:
    files = {
        f"app/api/{route}/route.py": "from flask import current_app\n"
        + "".join(HANDLER.format(method, route) for method in methods.split())
        for route, methods in ROUTES.items()
    }
    project = write_files(tmp_path_factory.mktemp("targets"), files)
    found = {}
    for name, (options, prefix, strict) in APPS.items():
        app = bare_app(project)
        app.url_map.converters["upper"] = Upper
        app.url_map.strict_slashes = strict
        RouteHandlers(app, **options)
        found[name] = Served(app, prefix)
    return found


def unclean(path: bytes) -> str | None:
    """Why a path, decoded once, reaches no handler. A trailing slash is no reason."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        return "not UTF-8"
    # What many servers put in the place of bytes that are not UTF-8.
    if "\N{REPLACEMENT CHARACTER}" in text:
        return "not UTF-8"
    if any(unicodedata.category(character) == "Cc" for character in text):
        return "control character"
    if "\\" in text:
        return "backslash"
    before, *segments = text.split("/")
    if before:
        return "no slash in front"
    if {".", ".."} & set(segments):
        return "dot segment"
    return "empty segment" if "" in segments[:-1] else None


_WORDS = """
    users me api posts mixed raw constructor a.b x.json ... ..x x.. % %2e %2F a+b ;x=1 <x> [a]
    * ~ : @ @me | 7 007 1.5 ٣ é e\u0301 日本 😀 \u202e \uff0e\uff0e \uff0f \u2215 \ufeff \u200b
"""
#: Values for parameters that are unusual, and clean.
WORDS = (*_WORDS.split(), "x y", "x\u00a0y", "\u2028")
_TOKENS = rb"""
    . .. ... / // /// /. /.. /./ /../ \ \\ \..\ %5c %5C ; ;x=1 ? ?/../ # #/.. * + @ : ~ | ^ ` < > [ ] { }
    %2e %2E %2e%2e .%2e /%2e/ /%2e%2e/ %2e%2e%2f ..%2f %2f %2F %2f%2f %252e %252f %255c %u002e % %2 %zz
    %00 %01 %08 %09 %0a %0A %0d%0a %1b %1f %20 %7f %c2%80 %c2%85 %c2%9f %c2%a0 %c3 %e6%97
    %80 %ff %fe%ff %c0%af %c0%ae%c0%ae %c1%9c %e0%80%af %ed%a0%80 %ed%a0%80%ed%b0%80 %f4%90%80%80
    %f8%88%80%80%80 %ef%bf%bd %ef%bf%be %ef%bb%bf %e2%80%a8 %e2%80%ae %ef%bc%8e%ef%bc%8e %ef%bc%8f
    %e2%88%95 %e3%80%82 %f0%9f%98%80 e%cc%81 %c3%a9 http://h https://h:1/ //h/
    /api /en/api api/ /users /files /docs /mixed/ .json -to-
"""  # noqa: E501
_RAW = b"\x01 \x1b \x1f \x7f \x80 \x85 \xa0 \xe9 \xff \xc3\xa9 \xc2\x85"
#: What is put anywhere into a target.
TOKENS = (*_TOKENS.split(), *_RAW.split(b" "))
#: What hurts as a whole segment.
WHOLE = b"/./../%2e/%2E%2e/.%2e/%2e%2E/\\/%5c../%c2%85".split(b"/")
LONG = (b"a" * 5000, b"9" * 5000, b"/x" * 1500, b"/.." * 500, b"%2e" * 1000, b"%e6%97%a5" * 700)
METHODS = (*["GET"] * 8, "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE",
           "CONNECT", "PROPFIND", "M-SEARCH", "BREW", "X" * 300)  # fmt: skip
#: Headers that must not change anything.
NOISE = (
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-HTTP-Method", "POST"),
    ("X-Method-Override", "PUT"),
    ("X-Original-URL", "/api/users/me"),
    ("X-Rewrite-URL", "/api/admin/x"),
    ("X-Forwarded-Prefix", "/../api"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "javascript"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Script-Name", "/api"),
    ("Forwarded", "host=evil.example;proto=https"),
    ("Cookie", "session=x; _method=DELETE; path=/api/users"),
    ("Accept", "text/html, application/json;q=0.5"),
    ("Accept-Language", "../../x"),
    ("Content-Type", "application/x-www-form-urlencoded"),
    ("Upgrade", "h2c"),
)
HOSTS = ("localhost", "evil.example", "127.0.0.1:1", "[::1]", "admin.localhost", "xn--e1afmkfd")


def percent_encoded(rng: random.Random, path: str) -> bytes:
    """The path with the escapes that it needs, and now and then some more."""
    if rng.random() < 0.5:
        return quote(path, safe="/;:@+~*()!$&',=").encode()
    return b"".join(
        byte if byte == b"/" or (byte.isalnum() and rng.random() < 0.8) else b"%%%02x" % byte[0]
        for byte in (bytes((n,)) for n in path.encode())
    )


def a_target(rng: random.Random, routes: list[str]) -> bytes:
    """A request target, hostile or not: about half of them clean."""
    if rng.random() < 0.08:
        target = b"/" + b"".join(rng.choices(TOKENS, k=rng.randint(1, 6)))
    else:
        target = percent_encoded(rng, path_for(rng, rng.choice(routes), WORDS))
    for _ in range(rng.choice((0, 0, 0, 1, 1, 1, 2, 3))):
        # Closer to the end: a path that differs in the prefix is simply not found.
        n = max(rng.randint(0, len(target)), rng.randint(0, len(target)))
        if rng.random() < 0.5:
            # At the border of a segment, where it hurts most.
            n = (target + b"/").index(b"/", n)
        kind = rng.random()
        if kind < 0.45:
            target = target[:n] + rng.choice(TOKENS) + target[n:]
        elif kind < 0.7:
            segments = target.split(b"/")
            segments[target[:n].count(b"/")] = rng.choice(rng.choice((TOKENS, WHOLE)))
            target = b"/".join(segments)
        elif kind < 0.8:
            target = target[:n] + bytes((rng.randrange(256),)) + target[n + 1 :]
        elif kind < 0.9:
            target = target[:n] + target[n + rng.randint(1, 3) :]
        elif kind < 0.995:
            target = target[: n + rng.randint(1, 20)] + target[n:]
        else:
            target = target[:n] + rng.choice(LONG) + target[n:]
    form = rng.random()
    if form < 0.02:
        target = rng.choice((b"http://evil.example", b"https://h:1", b"ftp:", b"x:")) + target
    elif form < 0.04:
        target = target[1:]
    elif form < 0.045:
        target = b"*"
    elif form < 0.06:
        target = b"/" + target
    if rng.random() < 0.15:
        target += b"?_method=DELETE&slug=../x&lang=//evil.example&path=%2e%2e%ff"
    return target


def path_in(target: bytes) -> bytes:
    """The path of a target as a server hands it on, decoded once; the bytes stay as they are."""
    path = re.split(rb"[?#]", target, maxsplit=1)[0]
    return unquote_to_bytes(re.sub(rb"\A(?i:https?)://[^/]*", b"", path))


def judge(served: Served, method: str, path: bytes, status: int, headers: Any, case: Any) -> str:
    """Compare an answer with the right one, and name its kind."""
    ran, served.ran[:] = list(served.ran), []
    expected = served.expected(method, path)
    assert repr((status, ran, headers.get("Allow"))) == repr(expected), case
    assert "Location" not in headers, case
    reason = unclean(path)
    if reason is None:
        return str(status)
    # Would it end in a file if nothing kept unclean paths away?
    within = path[:1] == b"/" and answer(served.prefixed, path.decode(errors="replace"))
    return f"{reason}, within a route" if within else reason


#: The least that 10,000 targets have of each kind; of fewer targets only that there are some.
LEAST = {
    "200": 1000,
    "204": 80,
    "404": 800,
    "405": 1200,
    "not UTF-8": 500,
    "not UTF-8, within a route": 100,
    "control character": 400,
    "control character, within a route": 70,
    "backslash": 120,
    "backslash, within a route": 25,
    "dot segment": 250,
    "dot segment, within a route": 40,
    "empty segment": 120,
    "no slash in front": 100,
}


def sizes(plain: int, ci: int, soak: int) -> Any:
    marked = [
        plain,
        pytest.param(ci, marks=pytest.mark.ci),
        pytest.param(soak, marks=pytest.mark.soak),
    ]
    return pytest.mark.parametrize("size", marked, ids=[f"{n:,}" for n in (plain, ci, soak)])


def assert_enough(counts: Counter[str], size: int, record_property: Callable[..., None]) -> None:
    print(dict(counts))
    record_property("counts", dict(counts))
    for kind, least in LEAST.items():
        if least * size >= 1_000_000:
            assert counts[kind] * 10_000 >= least * size, kind


@sizes(1_000, 10_000, 170_000)
@pytest.mark.parametrize("name", APPS)
def test_only_clean_paths_run_handlers_in_process(served, name, size, caplog, record_property):
    one = served[name]
    rng = random.Random(f"in process {name}")
    counts: Counter[str] = Counter()
    errors = io.StringIO()
    started: list[Any] = []
    environ = {
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": errors,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for n in range(size):
        target = a_target(rng, one.prefixed)
        method = rng.choice(METHODS)
        noise = rng.choices(NOISE, k=rng.choice((0, 0, 1, 3)))
        path = path_in(target)
        request = environ | {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.decode("latin-1"),
            "QUERY_STRING": target.partition(b"?")[2].decode("latin-1"),
            "HTTP_HOST": rng.choice(HOSTS),
            **{"HTTP_" + key.upper().replace("-", "_"): value for key, value in noise},
        }
        response = one.app(request, lambda *arguments: started.append(arguments))
        b"".join(response)
        response.close()
        status, headers = started.pop()[:2]
        case = (n, name, method, target, noise)
        counts[judge(one, method, path, int(status[:3]), dict(headers), case)] += 1
    assert errors.getvalue() == ""
    assert caplog.records == []
    assert_enough(counts, size, record_property)


#: The targets that the server passes on unchanged. It rewrites others: it merges slashes at the
#: start, and removes scheme, host and everything else before the first slash.
ORIGIN_FORM = re.compile(rb"/(?!/)[!-~]*")


@sizes(200, 2_000, 30_000)
@pytest.mark.parametrize("name", APPS)
def test_only_clean_paths_run_handlers_over_sockets(served, name, size, caplog, record_property):
    one = served[name]
    rng = random.Random(f"over sockets {name}")
    counts: Counter[str] = Counter()
    arrived: list[str] = []

    def noting(environ: dict[str, Any], start_response: Any) -> Any:
        arrived.append(environ["PATH_INFO"])
        return one.app(environ, start_response)

    with running(noting) as port:
        for n in range(size):
            target = a_target(rng, one.prefixed).replace(b"\n", b"%0a") or b"*"
            if not target.decode("latin-1").split():
                continue
            method = rng.choice(METHODS)
            noise = {"Host": rng.choice(HOSTS)} | dict(rng.choices(NOISE, k=rng.choice((0, 1, 3))))
            case = (n, name, method, target, noise)
            lines = [f"{method} ".encode() + target + b" HTTP/1.1"]
            lines += [f"{key}: {value}".encode() for key, value in noise.items()]
            arrived.clear()
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(b"\r\n".join((*lines, b"", b"")))
                response = http.client.HTTPResponse(connection, method=method)
                try:
                    response.begin()
                except http.client.RemoteDisconnected:
                    # Brackets that are no address: the server's own failure, before the app.
                    with pytest.raises(ValueError):  # noqa: PT011
                        urlsplit(target.decode("latin-1"))
                    counts["disconnected"] += 1
                    continue
                response.read()
            if response.status == 400 and not ORIGIN_FORM.fullmatch(target):
                # White space, or a host that is none.
                assert one.ran == [], case
                counts["refused by the server"] += 1
                continue
            as_sent = ORIGIN_FORM.fullmatch(target)
            path = path_in(target) if as_sent else arrived[0].encode("latin-1")
            counts[judge(one, method, path, response.status, response.headers, case)] += 1
    assert caplog.records == []
    assert_enough(counts, size, record_property)
