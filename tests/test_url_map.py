"""The URL map of an app with a tree, as tools read it: that of a hand-written Blueprint."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from flask_routehandlers import RouteHandlers
from flask_routehandlers.routing.rules import make_rules
from flask_routehandlers.tree.grammar import parse_segment
from tests.support import bare_app

FILES = {
    "users/route.py": "def GET(): return 'all'\ndef POST(): return 'new'",
    "users/me/route.py": "def GET(): return 'me'",
    "users/[id]/route.py": "def GET(id): return id\ndef DELETE(id): return f'no {id}'",
    "docs/[[...path]]/route.py": "def QUERY(path): return path",
}

#: The methods that each path answers.
ANSWERED = {
    "/api/users": {"GET", "HEAD", "OPTIONS", "POST"},
    "/api/users/me": {"GET", "HEAD", "OPTIONS"},
    "/api/users/7": {"DELETE", "GET", "HEAD", "OPTIONS"},
    "/api/docs": {"OPTIONS", "QUERY"},
    "/api/docs/a/b": {"OPTIONS", "QUERY"},
}

METHODS = ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "QUERY", "FOO", "get", "")


@pytest.fixture
def site(make_app) -> Flask:
    return make_app(FILES)


def test_rules_have_the_methods_of_their_files(site):
    rules = {rule.rule: rule for rule in site.url_map.iter_rules()}
    for rule, path in [
        ("/api/users", "/api/users"),
        ("/api/users/me", "/api/users/me"),
        ("/api/users/<id>", "/api/users/7"),
        ("/api/docs", "/api/docs"),
        ("/api/docs/<path:path>", "/api/docs/a/b"),
    ]:
        methods = rules[rule].methods
        assert type(methods) is set
        assert methods == ANSWERED[path]
        assert [method in methods for method in METHODS] == [
            method in ANSWERED[path] for method in METHODS
        ]


@pytest.mark.parametrize("path", ANSWERED)
def test_allowed_methods_are_those_of_the_file(site, path):
    adapter = site.url_map.bind("localhost")
    assert set(adapter.allowed_methods(path)) == ANSWERED[path]
    assert [*adapter.allowed_methods("/api/nowhere")] == []


@pytest.mark.parametrize("path", ANSWERED)
def test_the_path_decides_before_the_method(site, path):
    adapter = site.url_map.bind("localhost")
    (endpoint,) = {adapter.match(path, method=method)[0] for method in METHODS}
    client = site.test_client()
    for method in METHODS[:-2]:
        answer = client.open(path, method=method)
        assert (answer.status_code == 405) is (method not in ANSWERED[path])
        if answer.status_code == 405:
            assert set(answer.allow) == ANSWERED[path]
    assert endpoint.startswith("api./")


def test_a_request_sees_the_rule_of_the_map(site):
    rules = {id(rule) for rule in site.url_map.iter_rules()}
    for method in ("GET", "DELETE", "FOO"):
        with site.test_request_context("/api/users/me", method=method) as context:
            assert id(context.request.url_rule) in rules
            assert context.request.url_rule.methods == ANSWERED["/api/users/me"]


def test_other_rules_of_the_app_are_matched_as_usual(site):
    for method in ("GET", "POST"):
        site.add_url_rule(
            "/plain/me", f"me {method}", lambda m=method: f"me {m}", methods=[method]
        )
    site.add_url_rule("/plain/<x>", "any", lambda x: x, methods=["DELETE"])
    adapter = site.url_map.bind("localhost")
    assert adapter.match("/plain/me", method="POST") == ("me POST", {})
    # Flask's own rules give way to less specific ones.
    assert adapter.match("/plain/me", method="DELETE") == ("any", {"x": "me"})
    assert set(adapter.allowed_methods("/plain/me")) >= {"GET", "POST", "DELETE"}
    with pytest.raises(MethodNotAllowed):
        adapter.match("/plain/me", method="PUT")


def test_a_map_keeps_its_rules_and_settings(tree):
    app = bare_app(tree({}, "a"))
    app.add_url_rule("/b", "b", lambda: "b")
    app.url_map.merge_slashes = False
    RouteHandlers(app)
    assert app.url_map.merge_slashes is False
    app.add_url_rule("/c", "c", lambda: "c")
    client = app.test_client()
    assert [client.get(path).status_code for path in ("/b", "/c", "/api/a", "//b")] == [
        200,
        200,
        200,
        404,
    ]


def test_a_refused_tree_leaves_the_map_as_it_was(tree):
    app = bare_app(tree({"a/route.py": "def get(): ..."}))
    matcher = app.url_map._matcher
    with pytest.raises(Exception, match="defines get"):
        RouteHandlers(app)
    assert app.url_map._matcher is matcher


def test_rules_are_matched_by_path_in_any_map():
    rules = make_rules("", (parse_segment("me"),), "me", ["GET"])
    adapter = Map([Rule("/<x>", endpoint="any"), *rules]).bind("localhost")
    assert adapter.match("/me", method="DELETE") == ("me", {})
    assert set(adapter.allowed_methods("/me")) == {"GET", "HEAD"}
    with pytest.raises(NotFound):
        adapter.match("/nowhere/at/all")


def test_urls_are_built_for_methods_of_the_file(site):
    adapter = site.url_map.bind("localhost")
    assert adapter.build("api./users", method="POST") == "/api/users"
    assert adapter.build("api./users") == "/api/users"


def _describe(app: Flask) -> list[tuple[Any, ...]]:
    return sorted(
        (rule.rule, sorted(rule.methods or ()), rule.endpoint, sorted(rule.arguments))
        for rule in app.url_map.iter_rules()
    )


def test_the_map_is_that_of_a_hand_written_blueprint(tree):
    # The endpoints of a tree have characters that only a Blueprint's name may not have.
    mine, other = bare_app(tree(FILES)), Flask("other", static_folder=None)
    RouteHandlers(mine)
    blueprint = Blueprint("api", "other", url_prefix="/api")
    for rule, methods in [
        ("/users", ["GET", "POST"]),
        ("/users/me", ["GET"]),
        ("/users/<id>", ["GET", "DELETE"]),
    ]:
        endpoint = rule.replace("<", "[").replace(">", "]")
        blueprint.add_url_rule(rule, endpoint, lambda **_: "", methods=methods)
    other.register_blueprint(blueprint)
    assert [row for row in _describe(mine) if "docs" not in row[0]] == _describe(other)
