"""Random histories of a static handler, compared with a short model of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask

from flask_routehandlers import revalidate_path, revalidate_tag
from flask_routehandlers.caching import cache_of
from tests.servers import RedisServer, redis_server
from tests.stores import pass_time_in
from tests.support import Clock, configured, settle

FILE = """
from flask import Response, abort

revalidate = 1_000_000
runs = []
answers = {}


def cache_tags(n):
    return [f"tag {int(n) % 2}", "all"]


def GET(n):
    runs.append(n)
    return make(*answers[n])


def make(kind, text):
    if kind == "fails":
        raise ValueError(text)
    if kind == "aborts":
        abort(410)
    status = {"moved": 308, "missing": 404, "broken": 503}.get(kind, 200)
    headers = {"cookie": {"Set-Cookie": "a=1"}, "vary": {"Vary": "Cookie"}}.get(kind, {})
    if kind == "streams":
        return Response(iter([text[:3], text[3:]]))
    return text, status, headers
"""
STATUS = {"moved": 308, "missing": 404, "broken": 503, "fails": 500, "aborts": 410}
#: The reason why it is not stored; where the handler raises there is no response of its own.
DETAIL = {
    "missing": "status-404", "broken": "status-503", "cookie": "set-cookie", "vary": "vary",
}  # fmt: skip
STORED = ("fine", "streams", "moved")
KINDS = (*STORED, *STORED, *DETAIL, "fails", "aborts")
NUMBERS = ("0", "1", "2", "3")


class Model:
    """The stored response of each URL, and how often its handler ran."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, str]] = {}
        self.stored: dict[str, tuple[str, str]] = {}
        self.stale: set[str] = set()
        self.runs: Counter[str] = Counter()

    def get(self, n: str) -> tuple[tuple[str, str], str]:
        """Return the answer and its ``Cache-Status``, and record its effects."""
        kind, _ = new = self.answers[n]
        if n not in self.stored:
            self.runs[n] += 1
            if kind in STORED:
                self.stored[n] = new
                return new, "fwd=miss; stored"
            return new, f"fwd=miss; detail={DETAIL[kind]}" if kind in DETAIL else ""
        old = self.stored[n]
        if n not in self.stale:
            return old, "hit; ttl="
        self.runs[n] += 1
        if kind in STORED:
            self.stored[n] = new
            self.stale.discard(n)
        elif kind not in ("fails", "broken"):
            self.forget(n)
        return old, "hit; ttl=-"

    def forget(self, n: str) -> None:
        self.stored.pop(n, None)
        self.stale.discard(n)


class Site:
    """The app itself."""

    def __init__(self, app: Flask, server: RedisServer | None) -> None:
        cache = cache_of(app)
        assert cache is not None
        cache.now = clock = Clock()
        self.app = app
        self.module = app.view_functions["api./[n]"].module
        self._clock = clock
        self._pass_in_store = pass_time_in(server) if server else None

    def pass_time(self, seconds: float) -> None:
        self._clock.forward(seconds)
        if self._pass_in_store is not None:
            self._pass_in_store(seconds)

    def ask(self, n: str, method: str, headers: dict[str, str]) -> Any:
        client = self.app.test_client(use_cookies=False)
        response = client.open(f"/api/{n}", method=method, headers=headers)
        settle(self.app)
        self.pass_time(61)  # the longest pause after a failure, in which nothing gets stale
        return response

    def clear(self) -> None:
        self.module.runs.clear()
        with self.app.app_context():
            revalidate_tag("all")


def check(response: Any, method: str, expected: tuple[tuple[str, str], str], etags: Any) -> str:
    """Compare an answer with what the model expects; return its kind."""
    (kind, text), cache_status = expected
    said = response.headers.get("Cache-Status", "").removeprefix("flask-routehandlers; ")
    assert said.startswith(cache_status), (said, expected)
    assert bool(said) == bool(cache_status)
    control = response.headers.get("Cache-Control", "")
    assert ("s-maxage" in control) <= (kind in STORED), (control, expected)
    if response.status_code == 304:
        assert response.headers["ETag"] == etags[text] != "moved"
        return "unchanged"
    assert response.status_code == STATUS.get(kind, 200), expected
    if kind not in ("fails", "aborts"):
        assert response.text == ("" if method == "HEAD" else text)
    if kind in STORED:
        etags[text] = response.headers["ETag"]
    return said.partition("=")[0] + said.partition("ttl=")[2][:1].strip("0123456789") or "error"


def go_through_histories(site: Site, count: int, steps: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in range(count):
        rng = Random(f"{count} {seed}")
        model = Model()
        site.clear()
        history: list[str] = []
        etags: dict[str, str] = {}
        for number in range(steps):
            for n in NUMBERS:
                if not number or rng.random() < 0.1:
                    model.answers[n] = rng.choice(KINDS), f"text {seed} {number} {n}"
            site.module.answers |= model.answers
            n = rng.choice(NUMBERS)
            step = rng.choice(["get"] * 8 + ["older", "older", "path", "tag", "file"])
            history.append(f"{step} {n} {model.answers[n]}")
            try:
                if step == "get":
                    method = rng.choice(["GET", "GET", "HEAD"])
                    known = rng.choice([None, *etags.values()])
                    headers = {} if known is None else {"If-None-Match": known}
                    expected = model.get(n)
                    response = site.ask(n, method, headers)
                    seen[check(response, method, expected, etags)] += 1
                elif step == "older":
                    site.pass_time(1_000_000)
                    model.stale |= set(model.stored)
                else:
                    gone = {"path": [n], "file": NUMBERS, "tag": NUMBERS[int(n) % 2 :: 2]}[step]
                    with site.app.app_context():
                        if step == "tag":
                            revalidate_tag(f"tag {int(n) % 2}")
                        else:
                            revalidate_path(f"/api/{n}" if step == "path" else "/api/[n]")
                    for number_gone in gone:
                        model.forget(number_gone)
                assert Counter(site.module.runs) == model.runs
            except AssertionError as error:
                raise AssertionError(f"history {seed}: {history}") from error
    return seen


@pytest.fixture(params=["memory", "redis"])
def site(request: pytest.FixtureRequest, tree: Callable[..., Path]) -> Any:
    with ExitStack() as stack:
        server = stack.enter_context(redis_server()) if request.param == "redis" else None
        settings = {"url": server.url} if server else {}
        app = configured(tree({"[n]/route.py": FILE}), **settings)
        app.logger.disabled = True  # handlers fail on purpose
        yield Site(app, server)
        cache_of(app).coordinator._refreshes.close(20)


def test_random_histories_follow_the_model(site):
    seen = go_through_histories(site, 8, 40)
    for what in ("hit; ttl", "hit; ttl-", "fwd", "unchanged", "error"):
        assert seen[what] > 3, what


@pytest.mark.soak
def test_1000_histories_follow_the_model(site):
    seen = go_through_histories(site, 1_000, 40)
    print(f"\n1,000 histories of 40 steps as described: {dict(seen)}")
