"""Route files that conflict with each other or with the rules of an app."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import BaseConverter, IntegerConverter, UnicodeConverter

from flask_routehandlers import RouteHandlers, RouteTreeError
from flask_routehandlers.tree.conflicts import shape
from flask_routehandlers.tree.grammar import parse_segment
from tests.support import bare_app


def refusals(app: Flask, **options: Any) -> list[str]:
    """Return the problems for which a tree is refused, as text."""
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(app, **options)
    return [str(problem) for problem in caught.value.problems]


def file_of(route: str) -> str:
    return f"{route}/route.py".lstrip("/")


ONE_URL = (
    "These files have the same URL.",
    "Keep one of them, or rename a folder; groups are not part of the URL.",
)
ONE_PLACE = "Use one parameter name and one kind of brackets at each level of the tree."
ONE_SPELLING = "Use one spelling: not every file system distinguishes them."
OWN_NAME = "Give each parameter of a path a different name."


def same_place(folders: str) -> tuple[str, str]:
    return f"The folders {folders} match the same URLs.", ONE_PLACE


def same_spelling(folders: str) -> tuple[str, str]:
    reason = f"The folders {folders} differ only in letter case, Unicode form or percent-encoding."
    return reason, ONE_SPELLING


def also_above(folder: str) -> tuple[str, str]:
    reason = (
        f"{folder} also matches the URL of its parent folder, so these files have the same URL."
    )
    return reason, f"Remove one of them, or write {folder[1:-1]}."


def never_reached(catch_all: str, folder: str) -> tuple[str, str]:
    reason = f"{catch_all} matches the rest of the URL, so {folder} below it is never reached."
    return reason, f"Make {catch_all} the last folder."


def twice(name: str) -> tuple[str, str]:
    return f"The path has two parameters named {name!r}.", OWN_NAME


CONTRADICTIONS = {
    ("a", "(g)/a"): ONE_URL,
    ("", "(g)"): ONE_URL,
    ("(g)/a", "(h)/a", "(g)/(h)/a"): ONE_URL,
    ("a/(g)/[b]", "a/[b]"): ONE_URL,
    ("(g)/[...a]", "[...a]"): ONE_URL,
    ("(g)/[[...a]]", "[[...a]]"): ONE_URL,
    ("[a]", "[b]"): same_place("[a] and [b]"),
    ("[a]", "[b]", "[c]/x"): same_place("[a] and [b] and [c]"),
    ("x/[a]/y", "x/[b]/z"): same_place("[a] and [b]"),
    ("[a]", "(g)/[b]/y"): same_place("[a] and [b]"),
    ("[a]", "[a=string]"): same_place("[a=string] and [a]"),
    ("[a=default]", "[b]"): same_place("[a=default] and [b]"),
    ("[a=int]", "[b=int]"): same_place("[a=int] and [b=int]"),
    ("[a].x", "[b].x"): same_place("[a].x and [b].x"),
    ("[a]-[b]", "[b]-[a]"): same_place("[a]-[b] and [b]-[a]"),
    ("[...a]", "[...b]"): same_place("[...a] and [...b]"),
    ("[...a]", "[[...a]]"): same_place("[...a] and [[...a]]"),
    ("[[...a]]", "[[...b]]"): same_place("[[...a]] and [[...b]]"),
    ("users", "Users"): same_spelling("Users and users"),
    ("a/x", "(g)/A/y"): same_spelling("A and a"),
    ("straße", "STRASSE"): same_spelling("STRASSE and straße"),
    ("\u00e9", "e\u0301"): same_spelling("e\u0301 and \u00e9"),
    ("a_b", "a%5Fb"): same_spelling("a%5Fb and a_b"),
    ("a.b", "(g)/a%2Eb"): same_spelling("a%2Eb and a.b"),
    (".well-known", "%2Ewell-known"): same_spelling("%2Ewell-known and .well-known"),
    ("@[a]", "%40[a]"): same_spelling("%40[a] and @[a]"),
    ("[id]", "[ID]"): same_spelling("[ID] and [id]"),
    ("[a].JSON", "[a].json"): same_spelling("[a].JSON and [a].json"),
    ("\u00e9[a]", "e\u0301[a]"): same_spelling("e\u0301[a] and \u00e9[a]"),
    ("[a]_", "[a]%5F"): same_spelling("[a]%5F and [a]_"),
    ("a", "a/[[...b]]"): also_above("[[...b]]"),
    ("", "(g)/[[...b]]"): also_above("[[...b]]"),
    ("(g)", "[[...b]]/(h)"): also_above("[[...b]]"),
    ("[...a]/b",): never_reached("[...a]", "b"),
    ("x/[[...a]]/(g)/[b]",): never_reached("[[...a]]", "[b]"),
    ("[a]/[a]",): twice("a"),
    ("[a]-[a]",): twice("a"),
    ("[a=int]/b/[...a]",): twice("a"),
}


@pytest.mark.parametrize("routes", CONTRADICTIONS, ids=" + ".join)
def test_conflicting_route_files_are_all_named(tree, routes):
    reason, hint = CONTRADICTIONS[routes]
    files = sorted(map(file_of, routes))
    assert refusals(bare_app(tree({}, *routes))) == [
        "\n".join([*files, f"  {reason}", f"  {hint}"])
    ]


SEVERAL = {
    # A place is reported once, with the first file below each of its folders.
    ("[a]/x", "[a]/y", "[b]/x", "[b]/y"): [(("[a]/x", "[b]/x"), *same_place("[a] and [b]"))],
    ("(g)/a", "a", "A/b"): [
        (("(g)/a", "A/b"), *same_spelling("A and a")),
        (("(g)/a", "a"), *ONE_URL),
    ],
    ("", "(g)/[[...a]]", "[[...a]]"): [
        (("(g)/[[...a]]", "[[...a]]"), *ONE_URL),
        (("(g)/[[...a]]", "[[...a]]", ""), *also_above("[[...a]]")),
    ],
    ("[b]/[a]/x[a].[b]",): [
        (("[b]/[a]/x[a].[b]",), *twice("a")),
        (("[b]/[a]/x[a].[b]",), *twice("b")),
    ],
    # A file whose own path is impossible is not compared with others.
    ("[...a]/b", "[...c]"): [(("[...a]/b",), *never_reached("[...a]", "b"))],
    ("[a]/[a]", "[b]"): [(("[a]/[a]",), *twice("a"))],
}


@pytest.mark.parametrize("routes", SEVERAL, ids=" + ".join)
def test_each_conflict_is_reported_once(tree, routes):
    assert refusals(bare_app(tree({}, *routes))) == [
        "\n".join([*map(file_of, files), f"  {reason}", f"  {hint}"])
        for files, reason, hint in SEVERAL[routes]
    ]


@pytest.mark.parametrize(
    "routes",
    [
        ("", "a", "a/b"),
        ("(g)/a", "(h)/b", "(g)/(h)/c"),
        ("(a)", "a", "[a]"),
        ("[a]", "[...b]"),
        ("[a]", "[[...b]]"),
        ("a", "[a]", "[a=int]", "[b=float]", "[a=uuid]", "[a].json", "v[a]"),
        ("[a]/x", "[b=int]/x", "[...c]"),
        ("a", "a/[...b]"),
        ("[...a]/(g)",),
        ("[[...a]]/(g)/(h)",),
        ("[a]", "x/[b]", "[a]/[b]", "x/y/[a]"),
        ("[a]-[b]", "[a].[b]", "[a]-[b].x"),
        ("[id]", "[id]/[Id]"),
        ("users", "user_s", "users.", "üsers"),
    ],
    ids=" + ".join,
)
def test_files_with_different_urls_do_not_conflict(make_app, routes):
    app = make_app({}, *routes)
    served = [route.file.file for route in app.extensions["routehandlers"]["api"].routes]
    assert sorted(served) == sorted(map(file_of, routes))


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("Users", ("static", "users")),
        ("[a=int].X", ("dynamic", ("", "int"), ".x")),
        ("[a=string]", ("dynamic", ("", None))),
        ("[...a]", ("catch-all",)),
        ("[[...b]]", ("catch-all",)),
        ("(a)", ("group",)),
    ],
)
def test_the_shape_of_a_segment_is_what_it_matches(folder, expected):
    assert shape(parse_segment(folder)) == expected


# Converters of one regular expression


def with_converters(folder: Any) -> Flask:
    app = bare_app(folder)
    app.url_map.converters["number"] = type("Number", (IntegerConverter,), {})
    app.url_map.converters["count"] = type("Count", (IntegerConverter,), {})
    app.url_map.converters["slug"] = type("Slug", (UnicodeConverter,), {})
    app.url_map.converters["year"] = type("Year", (BaseConverter,), {"regex": r"y\d+"})
    return app


def one_regex(folders: str) -> tuple[str, str]:
    return (
        f"The folders {folders} match the same URLs: "
        "their converters have the same regular expression.",
        "Keep one of the files, or change the regex of your own converter.",
    )


@pytest.mark.parametrize(
    ("routes", "folders"),
    [
        (("[a=int]", "[b=number]"), "[a=int] and [b=number]"),
        (("[a=count]", "[b=int]", "[c=number]"), "[a=count] and [b=int] and [c=number]"),
        (("[a]", "[b=slug]"), "[a] and [b=slug]"),
        (("[a=slug]", "[b=string]"), "[a=slug] and [b=string]"),
        (("x/[a=int]/y", "x/(g)/[a=number]/y"), "[a=int] and [a=number]"),
        (("[a=int].x", "[b=number].x"), "[a=int].x and [b=number].x"),
        (("[a]-[b=int]", "[a]-[b=number]"), "[a]-[b=int] and [a]-[b=number]"),
        (("[a=int]/[...b]", "[a=number]/[...b]"), "[a=int] and [a=number]"),
        (("[a=int]/[[...b]]", "[a=number]/[[...b]]"), "[a=int] and [a=number]"),
    ],
    ids=lambda value: " + ".join(value) if isinstance(value, tuple) else "",
)
def test_converters_with_one_regex_conflict(tree, routes, folders):
    app = with_converters(tree({}, *routes))
    reason, hint = one_regex(folders)
    files = sorted(map(file_of, routes))
    assert refusals(app, url_prefix="/<lang>") == ["\n".join([*files, f"  {reason}", f"  {hint}"])]
    assert list(app.url_map.iter_rules()) == []


def test_conflicts_of_folders_are_reported_once(tree):
    routes = ("[a=int]/x", "[a=int]/y", "[b=int]/x", "[b=int]/y", "[c=number]/x", "[c=number]/y")
    assert refusals(with_converters(tree({}, *routes))) == [
        "\n".join([*map(file_of, files), f"  {reason}", f"  {hint}"])
        for files, (reason, hint) in [
            (("[a=int]/x", "[b=int]/x"), same_place("[a=int] and [b=int]")),
            (("[a=int]/y", "[c=number]/y"), one_regex("[a=int] and [c=number]")),
        ]
    ]


@pytest.mark.parametrize(
    "urls",
    [
        {"[a=int]": "7", "[b=year]": "y7", "[c=float]": "7.5", "[d]": "x", "[...e]": "x/y"},
        {"[a=int]/x": "7/x", "[b=number]/y": "7/y"},
        {"x/[a=int]": "x/7", "y/[a=number]": "y/7"},
        {"[a=int].x": "7.x", "[a=number].y": "7.y"},
        {"[a=int]-[b]": "7-x", "[a=number].[b]": "7.x"},
    ],
    ids=" + ".join,
)
def test_one_regex_at_different_places_is_fine(tree, urls):
    files = {file_of(route): f"def GET(params):\n    return {route!r}\n" for route in urls}
    app = with_converters(tree(files))
    RouteHandlers(app)
    client = app.test_client()
    assert {client.get(f"/api/{url}").text: url for url in urls.values()} == urls


# Rules that the app has already


def add_own(app: Flask, rule: str, **options: Any) -> None:
    app.add_url_rule(rule, "own", lambda **values: "own", **options)


def taken(file: str, rule: str, owner: str, endpoint: str = "own") -> str:
    return (
        f"{file}\n  The app already has a rule for {rule}: {owner} of the endpoint {endpoint!r}.\n"
        "  Remove one of them, or give RouteHandlers another url_prefix."
    )


@pytest.mark.parametrize(
    ("owner", "route", "rule"),
    [
        ("/api", "", "/api"),
        ("/api/users", "users", "/api/users"),
        ("/api/users", "(g)/users", "/api/users"),
        ("/api//users", "users", "/api/users"),
        ("/api/\u00e9", "e\u0301", "/api/\u00e9"),
        ("/api/users/<x>", "users/[id]", "/api/users/<id>"),
        ("/api/users/<string:x>", "users/[id]", "/api/users/<id>"),
        ("/api/users/<string(minlength=1):x>", "users/[id]", "/api/users/<id>"),
        ("/api/<int:n>", "[id=int]", "/api/<int:id>"),
        ("/api/<int(min=5):n>", "[id=int]", "/api/<int:id>"),
        ("/api/<float:n>/x", "[id=float]/x", "/api/<float:id>/x"),
        ("/api/r-<int:n>.<x>", "r-[year=int].[kind]", "/api/r-<int:year>.<kind>"),
        ("/api/<path:p>", "[...path]", "/api/<path:path>"),
        ("/api/<path:p>", "[[...path]]", "/api/<path:path>"),
        # Werkzeug would redirect every URL of the file to one with a slash.
        ("/api/<path:p>/", "[...path]", "/api/<path:path>"),
        ("/api/users/<x>/", "users/[id]", "/api/users/<id>"),
        ("/api", "[[...path]]", "/api"),
    ],
)
def test_a_rule_of_the_app_with_the_same_urls(tree, owner, route, rule):
    app = bare_app(tree({}, route))
    add_own(app, owner)
    assert refusals(app) == [taken(file_of(route), rule, owner)]


@pytest.mark.parametrize(
    "options",
    [
        {"methods": ["POST"]},
        {"redirect_to": "/elsewhere"},
        {"alias": True},
        {"defaults": {"x": 1}},
        {"strict_slashes": False},
    ],
)
def test_a_rule_of_the_app_with_any_options(tree, options):
    app = bare_app(tree({}, "users"))
    add_own(app, "/api/users", **options)
    assert refusals(app) == [taken("users/route.py", "/api/users", "/api/users")]


def test_a_catch_all_without_strict_slashes(tree):
    app = bare_app(tree({}, "[...path]"))
    app.url_map.strict_slashes = False
    add_own(app, "/api/<path:p>")
    assert refusals(app) == [taken("[...path]/route.py", "/api/<path:path>", "/api/<path:p>")]


def test_flasks_static_files_are_rules_of_the_app(tree):
    project = tree({}, "static/[...path]", "static/robots.txt")
    app = Flask("with_static", root_path=str(project))
    assert refusals(app, url_prefix="") == [
        taken(
            "static/[...path]/route.py",
            "/static/<path:path>",
            "/static/<path:filename>",
            "static",
        )
    ]


def test_rules_of_the_app_below_a_dynamic_prefix(tree):
    app = bare_app(tree({}, "", "users", "posts"))
    add_own(app, "/<x>/users")
    app.add_url_rule("/<x>", "home", lambda x: x)
    assert refusals(app, url_prefix="/<lang>") == [
        taken("route.py", "/<lang>", "/<x>", "home"),
        taken("users/route.py", "/<lang>/users", "/<x>/users"),
    ]


@pytest.mark.parametrize(
    ("owner", "options", "route", "own_url", "route_url"),
    [
        ("/users", {}, "users", "/users", "/api/users"),
        ("/api/Users", {}, "users", "/api/Users", "/api/users"),
        ("/api/users/", {}, "users", "/api/users/", "/api/users"),
        ("/api/users", {}, "users/[id]", "/api/users", "/api/users/1"),
        ("/api/users", {}, "[id]", "/api/users", "/api/1"),
        ("/api/<x>", {}, "users", "/api/1", "/api/users"),
        ("/api/<int:x>", {}, "[slug]", "/api/1", "/api/a"),
        ("/api/<x>", {}, "[id=int]", "/api/a", "/api/1"),
        ("/api/<string(length=2):x>", {}, "[slug]", "/api/aa", "/api/a"),
        ("/api/<any(a, b):x>", {}, "[slug]", "/api/a", "/api/c"),
        ("/api/<x>.json", {}, "[slug]", "/api/a.json", "/api/a"),
        ("/api/<x>-<y>", {}, "[a].[b]", "/api/a-b", "/api/a.b"),
        ("/api/<path:x>", {}, "[slug]", "/api/a/b", "/api/a"),
        ("/api/<path:x>/edit", {}, "[...path]", "/api/a/b/edit", "/api/a/b"),
        ("/api/<path:x>", {}, "users/[...path]", "/api/a", "/api/users/a"),
        ("/api/users", {"subdomain": "www"}, "users", "//www.localhost/api/users", "/api/users"),
        ("/api/users", {"subdomain": "<x>"}, "users", "//www.localhost/api/users", "/api/users"),
    ],
)
def test_a_similar_rule_of_the_app_is_no_conflict(tree, owner, options, route, own_url, route_url):
    app = Flask("own", root_path=str(tree({}, route)), static_folder=None, subdomain_matching=True)
    app.config["SERVER_NAME"] = "localhost"
    add_own(app, owner, **options)
    RouteHandlers(app)
    client = app.test_client()
    assert client.get(f"http:{own_url}" if "//" in own_url else own_url).text == "own"
    assert client.get(route_url).json["rule"].startswith("/api")


def test_a_build_only_rule_is_no_conflict(tree):
    app = bare_app(tree({}, "users"))
    add_own(app, "/api/users", build_only=True)
    RouteHandlers(app)
    assert app.test_client().get("/api/users").status_code == 200


def test_a_websocket_rule_is_no_conflict(tree):
    app = bare_app(tree({}, "users"))
    add_own(app, "/api/users", websocket=True)
    RouteHandlers(app)
    assert app.test_client().get("/api/users").json["rule"] == "/api/users"
