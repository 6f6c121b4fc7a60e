"""Handlers that requests do not reach: each URL that is named is answered as it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import (
    BaseConverter,
    IntegerConverter,
    RequestRedirect,
    Rule,
    UnicodeConverter,
    ValidationError,
)

from flask_routehandlers import RouteHandlers, RouteTreeError
from flask_routehandlers.cli.check.reachability import find_hidden, find_late_rules
from flask_routehandlers.mount import mounts_of
from tests.support import bare_app, write_files

HANDLERS = "def GET(): ...\n\n\ndef POST(): ...\n"


class Anything(UnicodeConverter):
    """Any segment, tried before all others."""

    weight = 1


class Digits(IntegerConverter):
    weight = 1


class Rest(BaseConverter):
    regex = ".*?"
    part_isolating = False
    weight = 1


class Two(BaseConverter):
    regex = "[a-z]{2}"


class Strange(BaseConverter):
    """No sample is like this."""

    regex = "§[A-Z]{9}§"


CONVERTERS = {"any_": Anything, "digits": Digits, "rest": Rest, "two": Two, "strange": Strange}


@pytest.fixture
def mounted(tree: Callable[..., Path]) -> Callable[..., Flask]:
    """An app with its own rules, and a tree with these routes that handle GET and POST."""

    def make(
        own: dict[str, dict[str, Any]],
        *routes: str,
        config: dict[str, Any] | None = None,
        is_strict: bool = True,
        **options: Any,
    ) -> Flask:
        app = bare_app(tree({f"{route}/route.py".lstrip("/"): HANDLERS for route in routes}))
        app.config.update(config or {})
        app.url_map.converters |= CONVERTERS
        app.url_map.strict_slashes = is_strict
        for number, (rule, given) in enumerate(own.items()):
            app.add_url_rule(rule, f"own{number}", lambda **values: "own", **given)
        RouteHandlers(app, **options)
        return app

    return make


def hidden(app: Flask) -> list[tuple[str, str, str, str]]:
    """For each finding: the folder of the route, a URL, the rule that answers, the methods."""
    return [
        (route.file.file.removesuffix("/route.py"), path, rule.rule, " ".join(methods))
        for mount in mounts_of(app)
        for route, path, rule, methods in find_hidden(app, mount)
    ]


BOTH = "GET POST"
EVERY: dict[str, Any] = {"methods": ["GET", "POST"]}
UUID = "0f8fad5b-d9cb-469f-a165-708677289510"

#: A rule of the app, a route, and what of it is not reached: a URL and methods.
HIDDEN = [
    ("/api/<any_:x>", EVERY, "[id=int]", ("/api/7310", BOTH)),
    ("/api/<any_:x>", {}, "[id=int]", ("/api/7310", "GET")),
    ("/api/<any_:x>", {"methods": ["POST", "PUT"]}, "[id=int]", ("/api/7310", "POST")),
    ("/api/<any_:x>/a", EVERY, "[id=two]/a", ("/api/zq/a", BOTH)),
    ("/api/<any_:x>/<any_:y>", EVERY, "[id=int]/[n=uuid]", (f"/api/7310/{UUID}", BOTH)),
    ("/api/<any_:x>/<any_:y>", EVERY, "[id=int]/[n=float]", ("/api/7310/73.5", BOTH)),
    ("/api/<any_:x>/<path:y>", EVERY, "[a=int]/[...b]", ("/api/7310/zq7x/x7", BOTH)),
    # Werkzeug redirects before it tries the route.
    ("/api/<any_:x>/", EVERY, "[id=int]", ("/api/7310", BOTH)),
    ("/api/<any_:x>/", {"methods": ["POST"]}, "[id=int]", ("/api/7310", "POST")),
    # Other URLs.
    ("/api/<any_:x>", EVERY, "a", None),
    ("/api/<any_:x>", EVERY, "v[id=int]", None),
    ("/api/<any_:x>", EVERY, "[id=int]/a", None),
    ("/api/<any_:x>/<path:y>", EVERY, "[id=int]", None),
    ("/api/<digits:x>", EVERY, "[id]", None),
    ("/api/<digits:x>", EVERY, "[id=two]", None),
    ("/api/<any(a, b):x>", EVERY, "[id]", None),
    ("/api/<any_:x>", EVERY, "[...all]", None),
    ("/api/<any_:x>", EVERY | {"build_only": True}, "[id=int]", None),
    ("/api/<any_:x>", {"websocket": True}, "[id=int]", None),
    # A route without a sample is not asked for.
    ("/api/<any_:x>", EVERY, "[id=strange]", None),
]


@pytest.mark.parametrize(
    ("rule", "options", "route", "expected"),
    HIDDEN,
    ids=[f"{rule} {' '.join(o.get('methods', ()))} {route}" for rule, o, route, _ in HIDDEN],
)
def test_a_rule_of_the_app_can_hide_a_route(mounted, rule, options, route, expected):
    app = mounted({rule: options}, route)
    assert hidden(app) == ([(route, expected[0], rule, expected[1])] if expected else [])


def test_two_rules_can_hide_one_route(mounted):
    own = {"/api/<any_:x>": {}, "/api/<any_:x>/": {"methods": ["POST"]}}
    assert hidden(mounted(own, "[id=int]")) == [
        ("[id=int]", "/api/7310", "/api/<any_:x>", "GET"),
        ("[id=int]", "/api/7310", "/api/<any_:x>/", "POST"),
    ]


def test_a_route_of_another_tree_can_hide_one(mounted, tmp_path):
    app = mounted({}, "[id=int]")
    root = write_files(tmp_path / "pages", {"[name=any_]/route.py": HANDLERS})
    RouteHandlers(app, root, url_prefix="/api")
    assert hidden(app) == [("[id=int]", "/api/7310", "/api/<any_:name>", BOTH)]


def test_a_route_of_its_own_tree_can_hide_one(mounted):
    assert hidden(mounted({}, "[id=int]", "[name=any_]", "[id=int]/x")) == [
        ("[id=int]", "/api/7310", "/api/<any_:name>", BOTH)
    ]


@pytest.mark.parametrize(
    ("prefix", "beginning"),
    [
        ("", ""),
        ("/<lang>", "/zq7x"),
        ("/v<int:n>/<any_:x>", "/v7310/zq7x"),
        ("/<any(de, en):lang>", "/de"),
    ],
)
def test_parameters_of_a_prefix_are_filled_in(mounted, prefix, beginning):
    app = mounted({f"{prefix}/<any_:own>": EVERY}, "[id=int]", url_prefix=prefix)
    assert hidden(app) == [("[id=int]", f"{beginning}/7310", f"{prefix}/<any_:own>", BOTH)]


def test_a_prefix_without_a_sample_is_not_tried(mounted):
    app = mounted({"/<strange:a>/<any_:x>": EVERY}, "[id=int]", url_prefix="/<strange:a>")
    assert hidden(app) == []


def test_a_rule_for_the_rest_does_not_hide_the_root(mounted):
    assert hidden(mounted({"/<path:x>": EVERY}, "", url_prefix="")) == []


@pytest.mark.parametrize(
    "config",
    [
        {"SERVER_NAME": "example.com"},
        {"TRUSTED_HOSTS": ["example.com"]},
        {"TRUSTED_HOSTS": [".example.com"]},
        {"PREFERRED_URL_SCHEME": "https"},
    ],
    ids=str,
)
def test_the_host_is_one_that_the_app_serves(mounted, config):
    app = mounted({"/api/<any_:x>": EVERY}, "[id=int]", config=config)
    assert hidden(app) == [("[id=int]", "/api/7310", "/api/<any_:x>", BOTH)]


def test_a_broken_file_has_no_handlers_to_reach(tree):
    app = bare_app(tree({"[id=int]/route.py": "1 / 0"}))
    app.debug = True
    app.url_map.converters |= CONVERTERS
    app.add_url_rule("/api/<any_:x>", "own", lambda x: x)
    RouteHandlers(app)
    assert hidden(app) == []


def test_a_converter_that_refuses_its_sample(mounted, monkeypatch):
    class Picky(IntegerConverter):
        def to_python(self, value: str) -> int:
            raise ValidationError

    monkeypatch.setitem(CONVERTERS, "picky", Picky)
    assert hidden(mounted({}, "[n=picky]")) == []
    assert hidden(mounted({"/api/<any_:x>": {"methods": ["PUT"]}}, "[n=picky]")) == []


@pytest.mark.parametrize("rule", ["/<path:x>", "/<path:x>/"])
def test_a_rule_that_redirects_elsewhere_is_passed(mounted, rule):
    app = mounted({}, "[id=int]", url_prefix="")
    app.url_map.add(Rule("/<any_:x>", endpoint="moved", redirect_to="/elsewhere"))
    app.url_map.add(Rule(rule, endpoint="all", redirect_to="/elsewhere"))
    assert hidden(app) == []


@pytest.mark.parametrize(
    ("route", "rule", "is_same"),
    [
        ("users/[id]", "/api/users/<name>", True),
        ("users/[id=int]", "/api/users/<int:number>", True),
        ("users", "/api/users", True),
        ("[...all]", "/api/<path:rest>", True),
        ("users/[id]", "/api/users/<int:id>", False),
        ("users/[id]", "/api/users/me", False),
        ("users/[id]", "/api/users/<path:rest>", False),
    ],
)
def test_a_rule_that_was_added_too_late(mounted, route, rule, is_same):
    app = mounted({}, route, "other")
    app.add_url_rule(rule, "late", lambda **values: "late")
    app.add_url_rule(rule, "built", build_only=True)
    [mount] = mounts_of(app)
    late = [(r.file.file, rule.endpoint) for r, rule in find_late_rules(app, mount)]
    assert late == ([(f"{route}/route.py", "late")] if is_same else [])


# Many apps ------------------------------------------------------------------------------------

SEGMENTS = ["a", "[x]", "[x=int]", "[x=any_]", "[x=digits]", "[x=two]", "a[x]", "[...r]",
            "[[...r]]", "(g)"]  # fmt: skip
OWN = ["<any_:x>", "a", "<x>", "<int:x>", "<digits:x>", "a<x>", "<path:x>", "<rest:x>",
       "<any(a,b):x>"]  # fmt: skip


def random_app(rng: Random, folder: Path) -> Flask | None:
    """An app with a random tree and random rules; ``None`` if they cannot be in one app."""
    lengths = [rng.randint(1, 3), rng.randint(0, 2)]
    routes = {"/".join(name_parameters(rng.choices(SEGMENTS, k=length))) for length in lengths}
    files = {f"app/api/{route}/route.py".replace("//", "/"): HANDLERS for route in routes}
    app = bare_app(write_files(folder, files))
    app.url_map.converters |= CONVERTERS
    app.url_map.strict_slashes = rng.random() < 0.7
    for number in range(rng.randint(1, 3)):
        # Most rules are as long as a route, and have something to hide.
        parts = rng.choices(OWN, weights=[5, *[1] * (len(OWN) - 1)], k=rng.choice(lengths) or 1)
        rule = f"/api/{'/'.join(name_parameters(parts))}{rng.choice(['', '', '/'])}"
        options: dict[str, Any] = rng.choice([EVERY, EVERY, {"methods": ["POST"]}])
        if rng.random() < 0.2:
            options = options | {"strict_slashes": rng.random() < 0.5}
        app.add_url_rule(rule, f"own{number}", lambda **values: "", **options)
    try:
        RouteHandlers(app)
    except RouteTreeError:
        return None
    return app


def name_parameters(parts: Iterable[str]) -> Iterator[str]:
    """Segments whose parameters have different names in the path."""
    for number, part in enumerate(parts):
        for end in ("]", "=", ">", "r]"):
            part = part.replace(f"x{end}", f"x{number}{end}")
        yield part


def endpoint_for(app: Flask, path: str, method: str) -> str | None:
    """The endpoint that answers a path, or to whose URL it is redirected."""
    adapter = app.url_map.bind("localhost")
    try:
        return adapter.match(path, method)[0]
    except RequestRedirect as redirect:
        return endpoint_for(app, redirect.new_url.removeprefix("http://localhost"), method)
    except HTTPException:
        return None


@pytest.mark.parametrize(
    "count",
    [60, pytest.param(600, marks=pytest.mark.ci), pytest.param(5000, marks=pytest.mark.soak)],
)
def test_each_named_url_is_answered_as_said(count, tmp_path):
    rng = Random(count)
    findings = 0
    for number in range(count):
        app = random_app(rng, tmp_path / str(number))
        if app is None:
            continue
        [mount] = mounts_of(app)
        for route, path, rule, methods in find_hidden(app, mount):
            rules = [(rule.rule, rule.methods) for rule in app.url_map.iter_rules()]
            for method in methods:
                findings += 1
                answered_by = endpoint_for(app, path, method)
                assert answered_by == rule.endpoint != route.endpoint, (path, rules)
    print(f"{findings} handlers are hidden")
    assert findings > count / 10
