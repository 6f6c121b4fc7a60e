"""The URL map of an app with a tree, as tools read it: that of a hand-written Blueprint."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask, g, request, url_for
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from flask_routehandlers import RouteHandlers
from flask_routehandlers.routing.rules import make_rules
from flask_routehandlers.tree.grammar import parse_segment
from tests.support import ECHO, bare_app, refused

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
    assert set(adapter.allowed_methods("/me")) == {"GET"}
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


# Settings of Flask.


@pytest.mark.parametrize("automatic", [True, False])
def test_automatic_options_can_be_turned_off(tree, automatic):
    app = bare_app(tree(FILES | {"own/route.py": "def OPTIONS(): return 'own'"}))
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = automatic
    RouteHandlers(app)
    plain = bare_app(tree({}, "x"))
    plain.config["PROVIDE_AUTOMATIC_OPTIONS"] = automatic
    plain.add_url_rule("/api/users", "users", lambda: "", methods=["GET", "POST"])
    answers = [site.test_client().options("/api/users") for site in (app, plain)]
    assert [answer.status_code // 100 for answer in answers] == [2 if automatic else 4] * 2
    assert [set(answer.allow) for answer in answers] == [
        {"GET", "HEAD", "POST"} | ({"OPTIONS"} if automatic else set())
    ] * 2
    (rule,) = app.url_map.iter_rules("api./users")
    assert ("OPTIONS" in rule.methods) is automatic
    assert app.test_client().options("/api/own").text == "own"


def with_subdomains(folder: Any, **options: Any) -> Flask:
    app = Flask("own", root_path=str(folder), static_folder=None, **options)
    app.config["SERVER_NAME"] = "example.org"
    return app


def test_a_tree_can_have_a_subdomain(tree):
    app = with_subdomains(tree({}, "users/[id]"), subdomain_matching=True)
    RouteHandlers(app, subdomain="api", url_prefix="/v1")
    app.add_url_rule("/v1/users/<id>", "own", lambda **_: "own")
    client = app.test_client()
    path = "/v1/users/7"
    assert client.get(path, base_url="http://api.example.org").json["params"] == {"id": "7"}
    assert client.get(path, base_url="http://example.org").text == "own"
    assert client.get(path, base_url="http://www.example.org").status_code == 404
    with app.test_request_context(base_url="http://example.org"):
        assert url_for("api./users/[id]", id=7) == "http://api.example.org/v1/users/7"
    with app.test_request_context(base_url="http://api.example.org"):
        assert url_for("api./users/[id]", id=7) == "/v1/users/7"
        with pytest.raises(ValueError, match="has no URL for"):
            url_for("api./users/[id]", id="a/b")
    assert app.blueprints["api"].subdomain == "api"


def test_a_subdomain_can_have_parameters(tree):
    code = "def GET(tenant, lang, params): return [tenant, lang, params]"
    files = {"users/route.py": code, "me/route.py": "def GET(): return 'me'"}
    app = with_subdomains(tree(files), subdomain_matching=True)
    RouteHandlers(app, subdomain="<tenant>.api", url_prefix="/<lang>")
    client = app.test_client()
    host = "http://acme.api.example.org"
    assert client.get("/de/users", base_url=host).json == [
        "acme",
        "de",
        {"tenant": "acme", "lang": "de"},
    ]
    with app.test_request_context():
        assert url_for("api./users", tenant="x", lang="en") == (
            "http://x.api.example.org/en/users"
        )


@pytest.mark.parametrize("tenant", ["", "evil.com/", "a/b", "..", "a b", "x@evil.com:80"])
def test_a_value_without_a_subdomain_is_an_error(tree, tenant):
    app = with_subdomains(tree({}, "users"), subdomain_matching=True)
    RouteHandlers(app, subdomain="<tenant>", url_prefix="")
    with app.test_request_context():
        assert url_for("api./users", tenant="a.b-c") == "http://a.b-c.example.org/users"
        with pytest.raises(ValueError, match=r"which the rule does not match\.$") as caught:
            url_for("api./users", tenant=tenant)
    assert str(caught.value) == (
        f"/users has no URL for {{'tenant': {tenant!r}}}: it would be /users on the subdomain "
        f"{tenant.replace(' ', '%20')!r}, which the rule does not match."
    )


@pytest.mark.parametrize("change", [{"subdomain_matching": False}, {"SERVER_NAME": None}])
def test_an_app_without_subdomains_is_refused(tree, change):
    app = with_subdomains(tree({}, "a"), subdomain_matching=change.get("subdomain_matching", True))
    app.config |= {key: value for key, value in change.items() if key == "SERVER_NAME"}
    (problem,) = refused(app, subdomain="api")
    assert (problem.reason, problem.hint) == (
        "The app matches no subdomains, so nothing would be served at 'api'.",
        "Create it as Flask(__name__, subdomain_matching=True), and set SERVER_NAME in its config "
        "before RouteHandlers(app).",
    )


@pytest.mark.parametrize(
    ("subdomain", "prefix", "reason"),
    [
        ("<x", "/v1", "malformed url rule: '<x'"),
        ("<nope:x>", "", "the converter 'nope' does not exist"),
        ("<x>", "/<x>", "two of its parameters have the same name"),
        ("<request>", "", "'request' is already an argument of handlers and middleware"),
    ],
)
def test_a_subdomain_that_is_no_rule_is_refused(tree, subdomain, prefix, reason):
    app = with_subdomains(tree({}, "a"), subdomain_matching=True)
    (problem,) = refused(app, subdomain=subdomain, url_prefix=prefix)
    assert problem.reason == (
        f"The subdomain {subdomain!r} with the url_prefix {prefix!r} cannot be used: {reason}."
    )


def test_parameters_of_a_subdomain_are_checked(tree):
    files = {"x/route.py": "def GET(tenant: int): ...", "[tenant]/route.py": ECHO}
    app = with_subdomains(tree(files), subdomain_matching=True)
    problems = {problem.files: problem.reason for problem in refused(app, subdomain="<tenant>")}
    assert problems == {
        ("x/route.py",): ("GET annotates tenant as int, but the subdomain <tenant> passes a str."),
        ("[tenant]/route.py",): "The subdomain '<tenant>' has a parameter 'tenant' too.",
    }


def test_a_static_get_needs_a_tree_without_subdomain(tree):
    app = with_subdomains(
        tree({"a/route.py": "revalidate = 60\ndef GET(): return ''"}), subdomain_matching=True
    )
    (problem,) = refused(app, subdomain="<tenant>")
    assert str(problem) == (
        "a/route.py\n  GET is static, which is not supported in a tree with a subdomain.\n"
        "  Remove revalidate and dynamic, or serve the file from a tree without a subdomain."
    )


def test_hooks_for_one_tree(tree):
    # A blueprint takes no more hooks once it is registered.
    app = bare_app(tree({"a/route.py": "from flask import g\ndef GET(): return g.seen"}))
    RouteHandlers(app)
    app.add_url_rule("/other", "other", lambda: str("seen" in g))

    @app.before_request
    def mark():
        if request.blueprint == "api":
            g.seen = "seen"

    client = app.test_client()
    assert [client.get(path).text for path in ("/api/a", "/other")] == ["seen", "False"]
