"""A tree among the other features of Flask: commands, slashes, mounts, hooks, classes."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Blueprint, Flask, Request, Response, g, url_for
from flask.cli import routes_command
from flask.views import MethodView

from flask_routehandlers import RouteHandlers
from tests.support import bare_app


def test_flask_routes_lists_the_methods(make_app):
    app = make_app(
        {
            "users/route.py": "def GET(): ...\ndef POST(): ...",
            "users/[id]/route.py": "def DELETE(): ...",
            "(g)/files/[[...path]]/route.py": "def GET(): ...",
        }
    )
    runner = app.test_cli_runner()
    output = runner.invoke(routes_command).output
    assert [line.rstrip() for line in output.splitlines()] == [
        "Endpoint              Methods    Rule",
        "--------------------  ---------  ----------------------",
        "api./files/[[*path]]  GET        /api/files",
        "api./files/[[*path]]  GET        /api/files/<path:path>",
        "api./users            GET, POST  /api/users",
        "api./users/[id]       DELETE     /api/users/<id>",
    ]
    output = runner.invoke(routes_command, ["--all-methods"]).output
    assert "api./users            GET, HEAD, OPTIONS, POST  /api/users" in output


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("users", None),
        ("users/7", None),
        ("files/a/b", ["a", "b"]),
        ("opt/a", ["a"]),
        ("opt", []),
        ("", None),
    ],
)
def test_a_trailing_slash_is_another_url(tree, url, path):
    project = tree({}, "", "users", "users/[id]", "files/[...path]", "opt/[[...path]]")
    strict, lax = bare_app(project), bare_app(project)
    lax.url_map.strict_slashes = False
    url = f"/api/{url}".rstrip("/")
    for app, status in ((strict, 404), (lax, 200)):
        RouteHandlers(app)
        client = app.test_client()
        assert client.get(url).status_code == 200
        assert client.get(f"{url}/").status_code == status
        assert client.get(f"{url}//").status_code == 404
    assert lax.test_client().get(f"{url}/").json["params"].get("path") == path


def test_an_empty_path_is_not_redirected(make_app):
    client = make_app({}, "", url_prefix="").test_client()
    for environ in (
        {"PATH_INFO": ""},
        {"PATH_INFO": "/"},
        {"SCRIPT_NAME": "/at", "PATH_INFO": ""},
    ):
        assert client.get("/", environ_overrides=environ).json["rule"] == "/"


def test_urls_are_built_below_the_mount_point(make_app):
    source = "from flask import url_for\ndef GET(id): return url_for('api./users/[id]', id=id)\n"
    app = make_app({"users/[id]/route.py": source})
    client = app.test_client()
    response = client.get("/api/users/7", environ_overrides={"SCRIPT_NAME": "/at"})
    assert response.text == "/at/api/users/7"
    app.config.update(APPLICATION_ROOT="/root", SERVER_NAME="localhost")
    with app.app_context():
        assert url_for("api./users/[id]", id=7) == "http://localhost/root/api/users/7"
    assert client.get("/root/api/users/7", base_url="http://localhost/").status_code == 404


def test_a_tree_is_on_the_default_subdomain(tree):
    project = tree({}, "users/[id]")
    app = Flask("own", root_path=str(project), static_folder=None, subdomain_matching=True)
    app.url_map.default_subdomain = "api"
    app.config["SERVER_NAME"] = "example.org"
    RouteHandlers(app, url_prefix="")
    client = app.test_client()
    assert client.get("/users/7", base_url="http://api.example.org").json["params"] == {"id": "7"}
    assert client.get("/users/7", base_url="http://www.example.org").status_code == 404
    with app.app_context():
        assert url_for("api./users/[id]", id=7) == "http://api.example.org/users/7"


def test_hooks_of_the_blueprint_run(make_app):
    app = make_app({"route.py": "from flask import g\ndef GET(): return '-'.join(g.ran)\n"})

    def recorder(name: str) -> Any:
        return lambda: (g.setdefault("ran", []).append(name), None)[1]

    app.before_request(recorder("app"))
    app.before_request_funcs.setdefault("api", []).append(recorder("api"))
    app.before_request_funcs.setdefault("other", []).append(recorder("other"))

    def add_header(response: Response) -> Response:
        response.headers["X-Ran"] = "api"
        return response

    app.after_request_funcs.setdefault("api", []).append(add_header)
    response = app.test_client().get("/api")
    assert (response.text, response.headers["X-Ran"]) == ("app-api", "api")


@pytest.mark.parametrize("scope", [None, "api"])
def test_url_defaults_may_carry_a_value(make_app, scope):
    app = make_app(
        {
            "users/[id]/route.py": "from flask import g, url_for\n"
            "def GET(id): return url_for('api./users/[id]', id=id) + ' ' + g.lang\n"
            "def POST(params): return params\n"
        },
        url_prefix="/<lang>/api",
    )

    def pull_lang(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.lang = values.pop("lang")

    def add_lang(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("lang", g.lang)

    app.url_value_preprocessors.setdefault(scope, []).append(pull_lang)
    app.url_default_functions.setdefault(scope, []).append(add_lang)
    assert app.test_client().get("/de/api/users/7").text == "/de/api/users/7 de"
    assert app.test_client().post("/de/api/users/7").json == {"id": "7"}


def test_a_preprocessor_may_change_values(make_app):
    app = make_app({"[id]/route.py": "def GET(id, **more): return {'id': id, 'more': more}"})

    @app.url_value_preprocessor
    def change(endpoint: str | None, values: dict[str, Any] | None) -> None:
        values["id"] = values["id"].upper()
        values["added"] = 1

    assert app.test_client().get("/api/a").json["id"] == "A"


def test_classes_of_the_app_are_used(tree):
    class OwnRequest(Request):
        own = "own request"

    class OwnResponse(Response):
        default_mimetype = "text/x-own"

    class OwnFlask(Flask):
        request_class = OwnRequest
        response_class = OwnResponse

    project = tree({"route.py": "def GET(request): return request.own"})
    app = OwnFlask("own_classes", root_path=str(project), static_folder=None)
    RouteHandlers(app)
    response = app.test_client().get("/api")
    assert (response.text, response.mimetype) == ("own request", "text/x-own")
    with app.test_request_context("/api", method="OPTIONS"):
        answer = app.dispatch_request()
    assert (type(answer), answer.status_code) == (OwnResponse, 204)


def test_routes_are_added_by_add_url_rule(tree):
    added = []

    class WrappingFlask(Flask):
        def add_url_rule(self, rule, endpoint=None, view_func=None, **options):
            added.append((rule, endpoint, sorted(options["methods"])))
            view = view_func and (lambda **values: (view_func(**values), {"X-Wrapped": "yes"}))
            return super().add_url_rule(rule, endpoint, view, **options)

    files = {
        "users/[id]/route.py": "def GET(id): return id\ndef PUT(id): return id\n",
        "docs/[[...path]]/route.py": "def GET(path): return '/'.join(path)\n",
    }
    app = WrappingFlask("wrapping", root_path=str(tree(files)), static_folder=None)
    RouteHandlers(app)
    assert added == [
        ("/api/docs", "api./docs/[[*path]]", ["GET", "HEAD", "OPTIONS"]),
        ("/api/docs/<path:path>", "api./docs/[[*path]]", ["GET", "HEAD", "OPTIONS"]),
        ("/api/users/<id>", "api./users/[id]", ["GET", "HEAD", "OPTIONS", "PUT"]),
    ]
    assert [rule.rule for rule in app.url_map.iter_rules()] == [rule for rule, _, _ in added]
    client = app.test_client()
    for url, answer in {"/api/users/3": "3", "/api/docs/a/b": "a/b", "/api/docs": ""}.items():
        response = client.get(url)
        assert (response.text, response.headers["X-Wrapped"]) == (answer, "yes")


def test_other_rules_have_their_usual_class(make_app):
    app = make_app({}, "users")
    app.add_url_rule("/own", view_func=lambda: "own", endpoint="own")
    [rule] = app.url_map.iter_rules("own")
    assert type(rule) is Flask.url_rule_class
    assert app.test_client().get("/own").text == "own"


#: What tools read from a rule.
ATTRIBUTES = (
    "rule", "endpoint", "methods", "arguments", "subdomain", "host", "is_leaf",
    "is_branch", "strict_slashes", "build_only", "alias", "redirect_to", "websocket",
)  # fmt: skip


def test_rules_look_as_if_written_by_hand(make_app):
    class Users(MethodView):
        def get(self, id: int) -> str:
            return ""

        def put(self, id: int) -> str:
            return ""

    app = make_app({"users/[id=int]/route.py": "def GET(id): ...\ndef PUT(id): ...\n"})
    blueprint = Blueprint("own", __name__, url_prefix="/api")
    blueprint.add_url_rule("/users/<int:id>", view_func=Users.as_view("/users/[id=int]"))
    plain = Flask("plain", static_folder=None)
    plain.register_blueprint(blueprint)
    ours, theirs = next(app.url_map.iter_rules()), next(plain.url_map.iter_rules())
    for name in ATTRIBUTES:
        expected = getattr(theirs, name)
        if name == "endpoint":
            expected = expected.replace("own", "api")
        assert getattr(ours, name) == expected, name
        assert type(getattr(ours, name)) is type(expected), name
    assert str(ours) == str(theirs)
