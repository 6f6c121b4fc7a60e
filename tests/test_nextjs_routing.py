"""What Next.js answered to recorded requests, asked of the same tree over a real socket.

A table lists the answers of this project that differ, with the reasons; all others are equal.
"""

from __future__ import annotations

import http.client
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, running, write_files

RECORDED = json.loads((Path(__file__).parent / "data/nextjs_routing.json").read_text("utf-8"))
CASES: dict[str, dict[str, Any]] = {case["id"]: case for case in RECORDED["cases"]}
HANDLER = "def {0}(request, params):\n    return {{'route': {1!r}, 'params': params}}\n"

#: Stands for the ``Allow`` that Next.js gives when it is asked for the OPTIONS of the same URL.
AS_FOR_OPTIONS = "as for OPTIONS"

#: Cases, the answer that differs from the recorded one, and the reason.
DIFFERENCES: list[tuple[list[str], dict[str, Any], str]] = [
    (
        [name for name, case in CASES.items() if case["status"] == 405],
        {"allow": AS_FOR_OPTIONS},
        "RFC 9110 wants Allow in a 405.",
    ),
    (
        [name for name in CASES if name.startswith("m.unknown.") and name[-3:].isupper()],
        {"status": 405, "allow": AS_FOR_OPTIONS},
        "A method that the file does not have is 405, whether the server knows it or not.",
    ),
    (
        ["m.unknown.get.get", "m.unknown.get.Get"],
        {"status": 200, "route": "m/get", "params": {}},
        "Werkzeug reads the method in any letter case; Node.js refuses all but upper case.",
    ),
    (
        ["path.017./o", "path.020./o2"],
        {"params": {"slug": []}},
        "An optional catch-all without a segment gives an empty list; there the key is missing.",
    ),
    (["path.027./p2"], {"params": {"all": []}}, "As above."),
    (["path.041./p4"], {"params": {"rest": []}}, "As above."),
    (
        ["path.060./%5Funderscore", "path.061./%5funderscore"],
        {"status": 200, "route": "%5Funderscore", "params": {}},
        "WSGI decodes the path once, before it is matched.",
    ),
    (
        ["path.063./g/%5Fesc/7"],
        {"status": 200, "route": "g/%5Fesc/[id]", "params": {"id": "7"}},
        "As above.",
    ),
    (["path.074./d/data.json/"], {"status": 404}, "Nothing is redirected."),
    (
        [
            "path.093./pg",
            "path.095./pg/bob",
            "path.096./",
            "path.097./robots.txt",
            "path.098./sitemap.xml",
            "path.099./manifest.webmanifest",
            "path.100./rss.xml",
            "path.101./file.txt",
        ],
        {"status": 404},
        "There a page, a metadata file or a public file answers, not a route handler.",
    ),
    (
        ["path.102./p/static2"],
        {"route": "p/[slug]", "params": {"slug": "static2"}},
        "There a page at this very path is before the parameter.",
    ),
]
DIFFERENT = {name: answer for names, answer, _ in DIFFERENCES for name in names}

NOT_FOUND = (404, None, None)
#: More that Next.js 16.4 does and this project does not: the target, the answer there, the answer
#: here (status, route, parameters).
ELSEWHERE = [
    # A path is not normalised: there dot segments are resolved, slashes merged by redirects.
    ("/s/x/../static", (200, "s/static", {}), NOT_FOUND),
    ("/s/%2e%2e/api", (200, "api", {}), NOT_FOUND),
    ("/s/.", (308, None, None), NOT_FOUND),
    ("/s//abc", (308, None, None), NOT_FOUND),
    ("/s/abc/", (308, None, None), NOT_FOUND),
    ("/o/", (308, None, None), NOT_FOUND),
    ("/nothing/", (308, None, None), NOT_FOUND),
    ("/s\\abc", (308, None, None), NOT_FOUND),
    # WSGI decodes the whole path: an encoded slash is a slash, an encoded letter a letter.
    ("/s/a%2Fb", (200, "s/[slug]", {"slug": "a/b"}),
                 (200, "s/[slug]/[id]", {"slug": "a", "id": "b"})),
    ("/c/a%2Fb", (200, "c/[...slug]", {"slug": ["a/b"]}),
                 (200, "c/[...slug]", {"slug": ["a", "b"]})),
    ("/s/%73tatic", (200, "s/[slug]", {"slug": "static"}), (200, "s/static", {})),
    ("/s%2Fstatic", NOT_FOUND, (200, "s/static", {})),
    ("/s/abc%2F", (200, "s/[slug]", {"slug": "abc/"}), NOT_FOUND),
    ("/s/..%2fx", (200, "s/[slug]", {"slug": "../x"}), NOT_FOUND),
    # Control characters, backslashes and what is not UTF-8 reach no handler.
    ("/s/a%00b", (200, "s/[slug]", {"slug": "a\0b"}), NOT_FOUND),
    ("/s/a%0D%0Ab", (200, "s/[slug]", {"slug": "a\r\nb"}), NOT_FOUND),
    ("/s/a%7Fb", (200, "s/[slug]", {"slug": "a\x7fb"}), NOT_FOUND),
    ("/s/a%5Cb", (200, "s/[slug]", {"slug": "a\\b"}), NOT_FOUND),
    ("/s/%FF", (500, None, None), NOT_FOUND),
    ("/s/%C0%AF", (500, None, None), NOT_FOUND),
    ("/c/a/%ED%A0%80", (500, None, None), NOT_FOUND),
    # What is no escape stays as it is.
    ("/s/%ZZ", (500, None, None), (200, "s/[slug]", {"slug": "%ZZ"})),
    ("/s/a%2", (500, None, None), (200, "s/[slug]", {"slug": "a%2"})),
    # Other forms of a target.
    ("http://127.0.0.1/s/abc", (308, None, None), (200, "s/[slug]", {"slug": "abc"})),
    ("s/abc", (400, None, None), NOT_FOUND),
]  # fmt: skip

Ask = Callable[[str, str], tuple[http.client.HTTPResponse, bytes]]


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Send a method and a target, byte for byte, to a server of the recorded tree."""
    project = tmp_path_factory.mktemp("recorded")
    files = {
        f"app/{folder}/route.py": "".join(HANDLER.format(m, folder) for m in route["methods"])
        for folder, route in RECORDED["tree"].items()
    }
    app = bare_app(write_files(project, files))
    RouteHandlers(app, "app")
    with running(app) as port:

        def ask(method: str, target: str) -> tuple[http.client.HTTPResponse, bytes]:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.putrequest(method, target)
            connection.endheaders()
            response = connection.getresponse()
            body = response.read()
            connection.close()
            return response, body

        yield ask


def answered(response: http.client.HTTPResponse, body: bytes) -> dict[str, Any]:
    """An answer in the words of the recording."""
    ran = json.loads(body) if response.status == 200 and body else {}
    assert response.headers["Location"] is None
    return {
        "status": response.status,
        "route": ran.get("route"),
        "params": ran.get("params"),
        "allow": response.headers["Allow"],
    }


def expected(name: str) -> dict[str, Any]:
    case = CASES[name] | DIFFERENT.get(name, {})
    if case["allow"] == AS_FOR_OPTIONS:
        case["allow"] = next(
            other["allow"]
            for other in CASES.values()
            if (other["method"], other["target"]) == ("OPTIONS", case["target"])
        )
    return {key: case[key] for key in ("status", "route", "params", "allow")}


@pytest.mark.parametrize("name", CASES)
def test_recorded_requests_get_recorded_answers(ask, name):
    case = CASES[name]
    assert answered(*ask(case["method"], case["target"])) == expected(name)


def test_listed_differences_are_differences():
    assert len(CASES) == len(RECORDED["cases"]) == 177
    listed = Counter(name for names, _, _ in DIFFERENCES for name in names)
    assert set(listed) <= set(CASES)
    assert set(listed.values()) == {1}
    for name in listed:
        assert any(CASES[name][key] != value for key, value in expected(name).items()), name


@pytest.mark.parametrize(("target", "there", "here"), ELSEWHERE, ids=[row[0] for row in ELSEWHERE])
def test_known_differences_beyond_the_recording(ask, target, there, here):
    answer = answered(*ask("GET", target))
    assert (answer["status"], answer["route"], answer["params"]) == here != there


def test_options_of_no_url_reaches_no_handler(ask):
    response, _ = ask("OPTIONS", "*")
    assert (response.status, response.headers["Allow"]) == (404, None)
