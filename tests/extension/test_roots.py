"""Several roots on one app, several apps in one process, and where their state is."""

from __future__ import annotations

import copy

from flask import Flask, url_for

from flask_routehandlers import RouteHandlers
from tests.extension.support import COUNTER, messages, mounted_app, rules
from tests.support import ECHO, bare_app, write_files


def test_an_app_can_serve_several_roots(tmp_path):
    app = mounted_app(tmp_path, "app/api")
    for root, options in {"app/admin": {}, "app/v2/api": {"name": "v2"}}.items():
        write_files(tmp_path / root, {"hello/route.py": ECHO})
        RouteHandlers(app, root, **options)
    assert rules(app) == ["/api/hello", "/admin/hello", "/v2/api/hello"]
    assert list(app.extensions["routehandlers"]) == ["api", "admin", "v2"]
    with app.test_request_context():
        urls = [url_for(f"{name}./hello") for name in ("api", "admin", "v2")]
    assert [app.test_client().get(url).json["rule"] for url in urls] == urls


def test_two_roots_cannot_answer_one_url(tree):
    app = bare_app(tree({}, "hello", "[...path]"))
    RouteHandlers(app)
    taken = (
        "{}/route.py\n  The app already has a rule for {}: {} of the endpoint {!r}.\n"
        "  Remove one of them, or give RouteHandlers another url_prefix."
    )
    assert messages(app, "app", url_prefix="", name="all") == [
        taken.format("api/[...path]", "/api/<path:path>", "/api/<path:path>", "api./[*path]"),
        taken.format("api/hello", "/api/hello", "/api/hello", "api./hello"),
    ]


def test_a_root_within_a_root_shares_its_modules(tree):
    project = tree({"a/route.py": COUNTER, "v2/b/route.py": COUNTER, "_own/c/route.py": COUNTER})
    app = bare_app(project)
    RouteHandlers(app, "app/api/v2", url_prefix="/v2")
    RouteHandlers(app)
    RouteHandlers(app, "app/api/_own")
    assert sorted(rules(app)) == ["/api/_own/c", "/api/a", "/api/v2/b", "/v2/b"]
    client = app.test_client()
    answers = [client.get(url).text for url in ("/v2/b", "/api/v2/b", "/api/a", "/api/_own/c")]
    assert answers == ["1", "2", "1", "1"]


def test_two_apps_share_the_modules_of_a_tree(tree):
    project = tree({"route.py": COUNTER})
    first, second = bare_app(project), Flask("second", root_path=str(project), static_folder=None)
    RouteHandlers(first)
    RouteHandlers(second, url_prefix="/second", name="own")
    assert first.test_client().get("/api").text == "1"
    assert second.test_client().get("/second").text == "2"
    assert first.test_client().get("/second").status_code == 404
    assert first.extensions["routehandlers"].keys() == {"api"}
    assert second.extensions["routehandlers"].keys() == {"own"}


def test_an_instance_serves_several_apps(tree):
    handlers = RouteHandlers(url_prefix="/x")
    before = copy.deepcopy(vars(handlers))
    first, second = bare_app(tree({}, "a")), bare_app(tree({}, "b"))
    assert handlers.init_app(first) is None
    handlers.init_app(second)
    assert (rules(first), rules(second)) == (["/x/a"], ["/x/b"])
    assert vars(handlers) == before
    assert first.extensions["routehandlers"]["api"].root == f"{first.root_path}/app/api"


def test_a_factory_can_be_called_several_times(tree):
    project = tree({"route.py": COUNTER})
    handlers = RouteHandlers()

    def create_app() -> Flask:
        app = bare_app(project)
        handlers.init_app(app)
        return app

    assert [create_app().test_client().get("/api").text for _ in range(3)] == ["1", "2", "3"]


def test_the_state_is_in_the_extensions(make_app):
    app = make_app({}, "users/[id]", "[[...path]]", url_prefix="/v1")
    mount = app.extensions["routehandlers"]["api"]
    assert (mount.name, mount.url_prefix) == ("api", "/v1")
    assert mount.root == app.blueprints["api"].root_path == f"{app.root_path}/app/api"
    assert [(route.file.file, [rule.rule for rule in route.rules]) for route in mount.routes] == [
        ("[[...path]]/route.py", ["/v1", "/v1/<path:path>"]),
        ("users/[id]/route.py", ["/v1/users/<id>"]),
    ]
    assert {route.endpoint: route.view for route in mount.routes} == app.view_functions
