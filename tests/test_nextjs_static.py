"""What Next.js answers for static handlers, asked of the same handlers here over a real socket.

Where this project answers something else, a table says what, and why; all the rest is equal.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import NotFound
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flask_routehandlers import RouteHandlers, RouteTreeError
from tests.support import bare_app, grow_older, running, settle, stop_clock, write_files

REPOSITORY = Path(__file__).parents[1]
RECORDED = json.loads((Path(__file__).parent / "data/nextjs_static.json").read_text("utf-8"))
CASES: dict[str, dict[str, Any]] = {case["id"]: case for case in RECORDED["cases"]}

COUNTED = "from itertools import count\nfrom flask import abort\nruns = count(1)\n"
RUN = "def GET(): return {'run': next(runs)}\n"
READS = "def GET(request): return {'run': next(runs), 'a': request.args.get('a')}\n"
LIST = "def generate_static_params(): return [{'id': 'a'}]\n"
SEES = (
    "return {'sees': {'query': request.args, 'headers': [k for k, _ in request.headers"
    " if k.startswith('X-')]"
)
REVALIDATE = "from flask_routehandlers import revalidate_path, revalidate_tag\n"


def answers(response: str) -> str:
    """A static handler whose return statement is given."""
    return f"dynamic = 'force-static'\ndef GET(): {response}\n"


def fails_later(how: str) -> str:
    """A handler that is well in its first run alone."""
    return (
        "revalidate = 2\ndef GET():\n    run = next(runs)\n"
        f"    if run > 1: {how}\n    return {{'run': run}}\n"
    )


def revalidates(call: str) -> str:
    return f"{REVALIDATE}def POST():\n    {call}\n    return ''\n"


#: The handlers that were recorded, as they are written here: for each case its route files.
TREES: dict[str, dict[str, str]] = {
    "default": {"default": RUN},
    "build": {"build": f"dynamic = 'force-static'\n{RUN}"},
    "force": {"force": f"dynamic = 'force-static'\n{RUN}"},
    "rev-false": {"rev-false": f"revalidate = False\n{RUN}"},
    "rev2": {"rev2": f"revalidate = 2\n{RUN}"},
    "rev2-head": {"rev2-head": f"revalidate = 2\n{RUN}"},
    "rev-0": {
        "rev-0": f"revalidate = 0\n{RUN}",
        "fdyn": f"dynamic = 'force-dynamic'\n{RUN}",
    },
    "fdyn-rev": {"fdyn-rev": f"dynamic = 'force-dynamic'\nrevalidate = 60\n{RUN}"},
    "if-none-match": {"if-none-match": f"dynamic = 'force-static'\n{RUN}"},
    "range": {"range": f"dynamic = 'force-static'\n{RUN}"},
    "query": {"query": f"dynamic = 'force-static'\n{READS}"},
    "sees": {
        "sees": "dynamic = 'force-static'\n"
        f"def GET(request): {SEES}, 'cookies': request.cookies}}}}\n"
    },
    "rev2-dynamic": {"rev2-dynamic": f"revalidate = 60\n{READS}"},
    "error": {"error": f"dynamic = 'error'\n{READS}"},
    "own-cc": {
        "own-cc": answers("return {'run': 1}, {'Cache-Control': 'public, max-age=7'}"),
    },
    "own-headers": {"own-headers": answers("return {'run': 1}, {'X-Own': '1'}")},
    "set-cookie": {
        "set-cookie": answers("return {'run': next(runs)}, {'Set-Cookie': 'a=1; Path=/'}")
    },
    "created": {
        "created": answers("return {'run': next(runs)}, 201"),
        "notfound": answers("abort(404)"),
        "redirect": answers("return '', 307, {'Location': '/x'}"),
    },
    "moved": {"moved": answers("return '', 308, {'Location': '/x'}")},
    "204": {"204": answers("return '', 204")},
    "throws": {"throws": answers("return {'run': 1 / 0}")},
    "flaky": {"flaky": fails_later("raise ValueError('flaky')")},
    "flaky-status": {"flaky-status": fails_later("return {'run': run}, 503")},
    "method": {"method": f"dynamic = 'force-static'\n{RUN}"},
    "options": {"options": f"dynamic = 'force-static'\n{RUN}"},
    "method-id": {"method-id/[id]": f"dynamic = 'force-static'\n{LIST}{RUN}"},
    "poison": {"poison/[id]": f"dynamic = 'force-static'\n{RUN}"},
    "force-post": {
        "force-post": f"dynamic = 'force-static'\n{RUN}def POST(request): {SEES}}}}}\n"
    },
    "gsp": {"gsp/[id]": f"dynamic = 'force-static'\n{LIST}{RUN}"},
    "gsp-encoded": {
        "gsp-encoded/[id]": "dynamic = 'force-static'\ndynamic_params = False\n"
        f"def generate_static_params(): return [{{'id': v}} for v in ('c d', 'é', 'a')]\n{RUN}"
    },
    "gsp-open": {"gsp-open/[id]": f"dynamic = 'force-static'\n{LIST}{RUN}"},
    "force-nogsp": {"force-nogsp/[id]": f"dynamic = 'force-static'\n{RUN}"},
    "gsp-closed": {
        "gsp-closed/[id]": f"dynamic = 'force-static'\ndynamic_params = False\n{LIST}{RUN}"
    },
    "gsp-closed-post": {
        "gsp-closed-post/[id]": f"dynamic = 'force-static'\ndynamic_params = False\n{LIST}{RUN}"
    },
    "gsp-closed-empty": {
        "gsp-closed-empty/[id]": "dynamic = 'force-static'\ndynamic_params = False\n"
        f"def generate_static_params(): return []\n{RUN}"
    },
    "closed-fallthrough": {
        "closed-fallthrough/[id]": "dynamic = 'force-static'\ndynamic_params = False\n"
        f"{LIST}{RUN}",
        "closed-fallthrough/[...rest]": RUN,
    },
    "closed-nogsp": {
        "closed-nogsp/[id]": f"dynamic = 'force-static'\ndynamic_params = False\n{RUN}"
    },
    "gsp-closed-other": {
        "gsp-closed-other/[id]": "dynamic = 'force-static'\ndynamic_params = False\n"
        f"{LIST}{RUN}def POST(): return ''\n"
    },
    "gsp-no-list": {
        "gsp-no-list/[id]": "dynamic = 'force-static'\ndynamic_params = False\n"
        f"def generate_static_params(): return {{'id': 'a'}}\n{RUN}"
    },
    "bad-config": {
        "bad-config/a": f"dynamic = 'foo'\n{RUN}",
        "bad-config/b": f"revalidate = 'x'\n{RUN}",
        "bad-config/c": f"revalidate = 1.5\n{RUN}",
        "bad-config/d": f"revalidate = True\n{RUN}",
        "bad-config/e": f"revalidate = -1\n{RUN}",
    },
    "computed-config": {"computed-config": f"revalidate = 60 * 2\n{RUN}"},
    "ondemand-path": {
        "ondemand-path": f"revalidate = False\n{RUN}",
        "ondemand": revalidates("revalidate_path('/ondemand-path')"),
    },
    "ondemand-pattern": {
        "ondemand-pattern/[id]": f"revalidate = False\n{RUN}",
        "ondemand": revalidates("revalidate_path('/ondemand-pattern/[id]')"),
    },
    "ondemand-tag": {
        "ondemand-tag": f"revalidate = False\ncache_tags = ['tag']\n{RUN}",
        "ondemand": revalidates("revalidate_tag('tag')"),
    },
    "ondemand-tag-max": {
        "ondemand-tag-max": f"revalidate = False\ncache_tags = ['tag']\n{RUN}",
        "ondemand": revalidates("revalidate_tag('tag')"),
    },
    "dev": {"dev": f"dynamic = 'force-static'\n{RUN}"},
}

REFUSED = "the app does not start"


def a(status: int = 200, cache: str | None = None, run: int | None = None, **more: Any) -> Any:
    return {"status": status, "cache": cache, "run": run, **more}


#: The cases, what is answered there instead of the recorded answers, and the reason.
DIFFERENCES: dict[str, tuple[list[dict[str, Any]], str]] = {
    "build": ([a(cache="MISS", run=1), a(cache="HIT", run=1)], "Nothing runs in advance."),
    "gsp": ([a(cache="MISS", run=1)], "Nothing runs in advance."),
    "fdyn-rev": ([a(REFUSED)], "They contradict each other."),
    "if-none-match": ([a(304, "HIT")], "An ETag saves the body."),
    "rev2-dynamic": ([a(500)] * 2, "No one would notice that the route is no longer static."),
    "error": ([a(500)], "Nothing runs in advance; the first request shows it."),
    "set-cookie": (
        [
            a(run=2, set_cookie="a=1; Path=/"),
            a(run=3, set_cookie="a=1; Path=/"),
        ],
        "A cookie is for one client.",
    ),
    "created": (
        [a(201, run=2), a(201, run=3), a(404), a(404), a(307), a(307)],
        "They are for one request or one moment.",
    ),
    "204": ([a(204)] * 2, "It is an ordinary answer; it is not stored."),
    "throws": ([a(500)], "Nothing runs in advance; the next request tries again."),
    "flaky-status": (
        [{}, a(cache="STALE", run=1), {}, a(cache="STALE", run=1)],
        "It is a failure like an exception.",
    ),
    "method": ([a(405, allow="GET, HEAD, OPTIONS")] * 2, "OPTIONS is answered."),
    "options": ([a(204, allow="GET, HEAD, OPTIONS")], "As for any other route."),
    "method-id": ([a(405, allow="GET, HEAD, OPTIONS")], "A POST is not a GET."),
    "poison": ([a(405), a(cache="MISS", run=1)], "Only GET and HEAD fill an entry."),
    "force-post": (
        [
            a(cache="MISS", run=1),
            a(cache="HIT", run=1),
            a(sees={"query": {"a": "1"}, "headers": ["X-A"]}),
        ],
        "Route config is for GET; a POST is for one client.",
    ),
    "closed-fallthrough": ([a(404)], "The path decides which file answers, then the file."),
    "closed-nogsp": ([a(REFUSED)], "Every URL would be 404."),
    "gsp-closed-other": ([a(404)], "The setting applies to every path."),
    "gsp-closed-post": ([a(405, allow="GET, HEAD, OPTIONS")], "The setting is for GET."),
    "gsp-no-list": ([a(500)], "Nothing runs in advance; the first request shows it."),
    "computed-config": ([a(cache="MISS", run=1)], "A route file is Python."),
    "ondemand-pattern": (
        [a(cache="HIT", run=1), a(), a(cache="MISS", run=2)],
        "A pattern names one file.",
    ),
    "ondemand-tag-max": (
        [a(cache="HIT", run=1), a(), a(cache="MISS", run=2)],
        "What was revalidated is not served again.",
    ),
    "dev": (
        [a(cache="MISS", run=1), a(cache="HIT", run=1)],
        "Mistakes with a cache show up while developing.",
    ),
}


def observed(response: http.client.HTTPResponse) -> dict[str, Any]:
    """An answer in the words of the recording."""
    body = response.read()
    is_json = response.status < 300 and body.startswith(b"{")
    found: dict[str, Any] = json.loads(body) if is_json else {}
    told = response.headers["Cache-Status"] or ""
    state = None
    if "; hit" in told:
        state = "STALE" if "ttl=-" in told else "HIT"
    elif "fwd=miss; stored" in told:
        state = "MISS"
    return {
        "status": response.status,
        "cache": state,
        "run": found.get("run"),
        "sees": found.get("sees"),
        "cache_control": response.headers["Cache-Control"],
        "allow": response.headers["Allow"],
        "set_cookie": response.headers["Set-Cookie"],
        "x_own": response.headers["X-Own"],
    }


def ask(port: int, method: str, target: str, headers: Mapping[str, str]) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, target, headers=dict(headers))
        return observed(connection.getresponse())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[int, dict[str, Any]]]:
    """A server of many apps, and the apps by their prefixes."""
    apps: dict[str, Any] = {"/none": NotFound()}  # an empty one would be another dict there
    with running(DispatcherMiddleware(NotFound(), apps)) as port:
        yield port, apps


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_case_has_its_answer(served, tmp_path, name):
    port, apps = served
    case = CASES[name]
    files = {f"app/{folder}/route.py": COUNTED + code for folder, code in TREES[name].items()}
    app = bare_app(write_files(tmp_path, files))
    app.debug = name == "dev"
    app.config["PROPAGATE_EXCEPTIONS"] = False
    expected = [answer for _, answer in case["requests"]]
    if name in DIFFERENCES:
        expected = DIFFERENCES[name][0]
    if expected == [a(REFUSED)] or name == "bad-config":
        with pytest.raises(RouteTreeError) as caught:
            RouteHandlers(app, "app")
        assert {f for p in caught.value.problems for f in p.files} == {
            f"{folder}/route.py" for folder in TREES[name]
        }
        return
    RouteHandlers(app, "app")
    stop_clock(app)
    apps[f"/{name}"] = app
    for target in case["built"]:  # there they run before the first request
        ask(port, "GET", f"/{name}{target}", {})
    for (request, _), answer in zip(case["requests"], expected, strict=True):
        if isinstance(request, dict):
            settle(app)
            grow_older(app, request["wait"])
            continue
        method, target, headers = request
        real = ask(port, method, f"/{name}{target}", headers)
        assert {key: real[key] for key in answer} == answer, request


def test_every_difference_is_a_recorded_case():
    assert len(CASES) == len(RECORDED["cases"]) == len(TREES) == 46
    for name, (answered, reason) in DIFFERENCES.items():
        assert answered != [answer for _, answer in CASES[name]["requests"]], name
        assert reason.endswith(".")


def test_the_page_on_nextjs_has_each_case():
    text = (REPOSITORY / "docs/nextjs.md").read_text(encoding="utf-8")
    section = text.partition("## Static handlers")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \|$", section, re.M)
    here = {what: told for what, _, told in rows if what in {c["what"] for c in CASES.values()}}
    assert len(here) == len(CASES)
    same = {case["what"] for name, case in CASES.items() if name not in DIFFERENCES}
    assert {what for what, told in here.items() if told == "the same"} == same
    for name, (_, reason) in DIFFERENCES.items():
        assert reason.rstrip(".").lower() in here[CASES[name]["what"]].lower(), name
