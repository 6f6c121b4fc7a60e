"""Handlers that no request reaches: what is said is true of every URL, and nothing is guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter, IntegerConverter, UnicodeConverter, ValidationError

from flask_routehandlers import RouteHandlers, RouteTreeError
from flask_routehandlers.cli.check.reachability import find_hidden
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
    """Nothing that comes to mind."""

    regex = "§[A-Z]{9}§"


CONVERTERS = {
    "any_": Anything,
    "digits": Digits,
    "rest": Rest,
    "two": Two,
    "strange": Strange,
}


@pytest.fixture
def mounted(tree: Callable[..., Path]) -> Callable[..., Flask]:
    """An app with rules of its own, and a tree with these routes that handle GET and POST."""

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


def hidden(app: Flask) -> list[tuple[str, str, str]]:
    """For each tree: the folder of a route, the rule that hides it, and the methods."""
    return [
        (route.file.file.removesuffix("/route.py"), rule.rule, " ".join(methods))
        for mount in mounts_of(app)
        for route, rule, methods in find_hidden(app, mount)
    ]


BOTH = "GET POST"
EVERY: dict[str, Any] = {"methods": ["GET", "POST"]}

#: A rule of the app, a route, and the methods that never come through.
HIDDEN = [
    ("/api/<any_:x>", EVERY, "[id=int]", BOTH),
    ("/api/<any_:x>", {}, "[id=int]", "GET"),
    ("/api/<any_:x>", {"methods": ["POST", "PUT"]}, "[id=int]", "POST"),
    ("/api/<any_:x>/a", EVERY, "[id=two]/a", BOTH),
    ("/api/<any_:x>/<any_:y>", EVERY, "[id=int]/[n=uuid]", BOTH),
    ("/api/<any_:x>/<any_:y>", EVERY, "[id=int]/[n=float]", BOTH),
    ("/api/<rest:x>", EVERY, "[id=int]", None),
    # Behind the parameter there is nothing that the route could have for itself.
    ("/api/<any_:x>/<path:y>", EVERY, "[a=int]/[...b]", BOTH),
    # Werkzeug redirects before it tries the route.
    ("/api/<any_:x>/", EVERY, "[id=int]", BOTH),
    ("/api/<any_:x>/", {"methods": ["POST"]}, "[id=int]", "POST"),
    # Another kind of path.
    ("/api/<any_:x>", EVERY, "a", None),
    ("/api/<any_:x>", EVERY, "v[id=int]", None),
    ("/api/<any_:x>", EVERY, "[id=int]/a", None),
    ("/api/<any_:x>/<path:y>", EVERY, "[id=int]", None),
    ("/api/<digits:x>", EVERY, "[id]", None),
    ("/api/<digits:x>", EVERY, "[id=two]", None),
    ("/api/<any(a, b):x>", EVERY, "[id]", None),
    ("/api/<any_:x>", EVERY | {"build_only": True}, "[id=int]", None),
    ("/api/<any_:x>", {"websocket": True}, "[id=int]", None),
    # Other regular expressions are not compared, and what comes to no mind is not tried.
    ("/api/<two:x>", EVERY, "[id=int]", None),
    ("/api/<any_:x>", EVERY, "[id=strange]", None),
]


@pytest.mark.parametrize(
    ("rule", "options", "route", "methods"),
    HIDDEN,
    ids=[f"{rule} {' '.join(o.get('methods', ()))} {route}" for rule, o, route, _ in HIDDEN],
)
def test_a_route_is_hidden_by_a_rule_that_takes_every_url_of_it(
    mounted, rule, options, route, methods
):
    app = mounted({rule: options}, route)
    assert hidden(app) == ([(route, rule, methods)] if methods else [])


def test_two_rules_can_hide_the_methods_of_one_route(mounted):
    own = {"/api/<any_:x>": {}, "/api/<any_:x>/": {"methods": ["POST"]}}
    assert hidden(mounted(own, "[id=int]")) == [
        ("[id=int]", "/api/<any_:x>", "GET"),
        ("[id=int]", "/api/<any_:x>/", "POST"),
    ]


def test_an_optional_catch_all_is_hidden_when_both_of_its_rules_are(mounted):
    longer = {"/api/<any_:x>/<path:y>": EVERY}
    assert hidden(mounted(longer, "[a=int]/[[...b]]")) == []
    assert hidden(mounted({"/api/<any_:x>": EVERY} | longer, "[a=int]/[[...b]]")) == [
        ("[a=int]/[[...b]]", "/api/<any_:x>/<path:y>", BOTH)
    ]


def test_a_route_is_hidden_by_one_of_another_tree(mounted, tmp_path):
    app = mounted({}, "[id=int]")
    root = write_files(tmp_path / "pages", {"[name=any_]/route.py": HANDLERS})
    RouteHandlers(app, root, url_prefix="/api")
    assert hidden(app) == [("[id=int]", "/api/<any_:name>", BOTH)]


def test_a_route_is_hidden_by_one_of_its_own_tree(mounted):
    assert hidden(mounted({}, "[id=int]", "[name=any_]", "[id=int]/x")) == [
        ("[id=int]", "/api/<any_:name>", BOTH)
    ]


@pytest.mark.parametrize("prefix", ["", "/<lang>", "/v<int:n>/<any_:x>", "/<any(de, en):lang>"])
def test_a_prefix_of_any_kind_is_filled_in(mounted, prefix):
    app = mounted({f"{prefix}/<any_:own>": EVERY}, "[id=int]", url_prefix=prefix)
    assert hidden(app) == [("[id=int]", f"{prefix}/<any_:own>", BOTH)]


def test_a_prefix_that_nothing_comes_to_mind_for_is_not_tried(mounted):
    app = mounted({"/<strange:a>/<any_:x>": EVERY}, "[id=int]", url_prefix="/<strange:a>")
    assert hidden(app) == []


def test_the_root_itself_is_tried(mounted):
    app = mounted({"/<path:x>": EVERY}, "", url_prefix="")
    assert hidden(app) == []
    assert app.test_client().get("/").status_code == 500  # it returns None


def test_a_url_with_a_slash_at_its_end_can_be_all_that_is_left(mounted):
    # Then both are URLs of the route, and the rule of the app takes one of them.
    app = mounted({"/api/<any_:x>": EVERY | {"strict_slashes": True}}, "[id=int]", is_strict=False)
    assert hidden(app) == []
    client = app.test_client()
    assert client.get("/api/7").text == "own"
    assert client.get("/api/7/").status_code == 500


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
def test_the_app_is_asked_for_a_host_that_it_serves(mounted, config):
    app = mounted({"/api/<any_:x>": EVERY}, "[id=int]", config=config)
    assert hidden(app) == [("[id=int]", "/api/<any_:x>", BOTH)]


def test_in_debug_mode_a_file_that_cannot_be_used_has_no_handlers_to_reach(tree):
    app = bare_app(tree({"[id=int]/route.py": "1 / 0"}))
    app.debug = True
    app.url_map.converters |= CONVERTERS
    app.add_url_rule("/api/<any_:x>", "own", lambda x: x)
    RouteHandlers(app)
    assert hidden(app) == []


def test_of_a_converter_that_refuses_what_its_regex_takes_nothing_is_said(mounted, monkeypatch):
    class Picky(IntegerConverter):
        def to_python(self, value: str) -> int:
            raise ValidationError

    monkeypatch.setitem(CONVERTERS, "picky", Picky)
    # No URL reaches either of them, and of neither it is known.
    assert hidden(mounted({}, "[n=picky]")) == []
    assert hidden(mounted({"/api/<any_:x>": {"methods": ["PUT"]}}, "[n=picky]")) == []


def test_of_several_rules_that_redirect_the_one_is_told_that_takes_every_url(mounted):
    own = {"/api/<two:y>/": EVERY, "/api/x/": EVERY, "/api/<any_:x>/": EVERY}
    assert hidden(mounted(own, "[id=int]")) == [("[id=int]", "/api/<any_:x>/", BOTH)]


# Many apps ------------------------------------------------------------------------------------

SEGMENTS = ["a", "[x]", "[x=int]", "[x=any_]", "[x=digits]", "[x=two]", "a[x]", "[...r]",
            "[[...r]]", "(g)"]  # fmt: skip
OWN = ["<any_:x>", "a", "<x>", "<int:x>", "<digits:x>", "a<x>", "<path:x>", "<rest:x>",
       "<any(a,b):x>"]  # fmt: skip
TEXTS = ["a", "7", "ab", "a7", "zq3x", "1.5"]
PATHS = [
    f"/api{''.join(f'/{text}' for text in texts)}{slash}"
    for length in range(4)
    for texts in product(TEXTS, repeat=length)
    for slash in ("", "/")
]


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
    """Segments whose parameters have names of their own in the path."""
    for number, part in enumerate(parts):
        for end in ("]", "=", ">", "r]"):
            part = part.replace(f"x{end}", f"x{number}{end}")
        yield part


def reached(app: Flask) -> Counter[tuple[str, str]]:
    """For each endpoint and method, how many of the paths it answers."""
    adapter = app.url_map.bind("localhost")
    found: Counter[tuple[str, str]] = Counter()
    for path, method in product(PATHS, ("GET", "POST")):
        with suppress(HTTPException):
            found[adapter.match(path, method)[0], method] += 1
    return found


@pytest.mark.parametrize("count", [150, pytest.param(5000, marks=pytest.mark.soak)])
def test_no_path_reaches_what_is_said_to_be_hidden(count, tmp_path):
    rng = Random(count)
    said = silent = 0
    for number in range(count):
        app = random_app(rng, tmp_path / str(number))
        if app is None:
            continue
        [mount] = mounts_of(app)
        answered = reached(app)
        told = {
            (route.endpoint, method)
            for route, _, methods in find_hidden(app, mount)
            for method in methods
        }
        rules = [(rule.rule, rule.methods) for rule in app.url_map.iter_rules()]
        assert not [one for one in told if answered[one]], rules
        every = set(product((route.endpoint for route in mount.routes), ("GET", "POST")))
        said += len(told)
        silent += sum(not answered[one] for one in every - told)
    print(f"{said} handlers are said to be hidden, {silent} more answered none of the paths")
    assert said > count / 10
