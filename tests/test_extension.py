"""``RouteHandlers``: where a tree is served, under which names, and what it does to an app."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Request, Response, g, url_for
from flask.cli import routes_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers, RouteTreeError
from tests.support import ECHO, bare_app, write_files

#: Counts its calls: a second copy of the module would count anew.
COUNTER = "from itertools import count\nnumbers = count(1)\ndef GET(): return f'{next(numbers)}'\n"


def mounted(project: Path, root: str | os.PathLike[str], **options: Any) -> Flask:
    """An app that serves ``hello/route.py`` below a root, which is made."""
    app = bare_app(project)
    write_files(project / root, {"hello/route.py": ECHO})
    RouteHandlers(app, root, **options)
    return app


def rules(app: Flask) -> list[str]:
    return [rule.rule for rule in app.url_map.iter_rules()]


def told(app: Flask, *arguments: Any, **options: Any) -> list[str]:
    """What is refused, problem by problem."""
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(app, *arguments, **options)
    return [str(problem) for problem in caught.value.problems]


# The prefix


@pytest.mark.parametrize(
    ("root", "prefix"),
    [
        ("app/api", "/api"),
        ("app", ""),
        ("src/app/api/v2", "/api/v2"),
        ("routes", ""),
        ("application/api", ""),
        (".", ""),
        ("./app//api/", "/api"),
        ("app/x/../api", "/api"),
        ("app/app/api", "/app/api"),
        ("app/api/app", "/api/app"),
        ("app/(public)/api", "/api"),
        ("app/v1.0/.well-known", "/v1.0/.well-known"),
        ("app/%5Fv1", "/_v1"),
        ("app/e\u0301", "/\u00e9"),
    ],
)
def test_the_prefix_is_the_part_of_the_root_below_its_app_folder(tmp_path, root, prefix):
    app = mounted(tmp_path, root)
    assert rules(app) == [f"{prefix}/hello"]
    assert app.test_client().get(f"{prefix}/hello").status_code == 200


@pytest.mark.parametrize(
    ("root_path", "root", "prefix"),
    [
        ("app", "routes", ""),
        ("app", "api", ""),
        ("app", "app/api", "/api"),
        ("app/site", "../api", ""),
        ("site/scripts/..", "app/api", "/api"),
        ("site/", "app/api", "/api"),
    ],
)
def test_only_the_part_below_the_folder_of_the_app_is_read_for_the_prefix(
    tmp_path, root_path, root, prefix
):
    (tmp_path / root_path.rstrip(".")).mkdir(parents=True)
    app = Flask("own", root_path=f"{tmp_path}/{root_path}", static_folder=None)
    write_files(tmp_path / root_path / root, {"hello/route.py": ECHO})
    RouteHandlers(app, root)
    assert rules(app) == [f"{prefix}/hello"]


def test_an_absolute_root_has_a_prefix_where_it_is_below_the_folder_of_the_app(tmp_path):
    inside, elsewhere = tmp_path / "site/app/api", tmp_path / "other/app/api"
    write_files(inside, {"hello/route.py": ECHO})
    write_files(elsewhere, {"hello/route.py": ECHO})
    app = bare_app(tmp_path / "site")
    RouteHandlers(app, inside)
    RouteHandlers(app, str(elsewhere), name="other")
    assert rules(app) == ["/api/hello", "/hello"]


@pytest.mark.parametrize(
    ("root", "folder"),
    [
        ("app/[lang]", "[lang]"),
        ("app/api/v[n=int]/x", "v[n=int]"),
        ("app/[[...path]]", "[[...path]]"),
        ("app/@x", "@x"),
        ("app/x<y>", "x<y>"),
    ],
)
def test_a_prefix_is_not_guessed_where_the_root_has_more_than_text(tmp_path, root, folder):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole text follows
        mounted(tmp_path, root)
    assert str(caught.value) == (
        f"The root {tmp_path}/{root} has no default URL prefix, because of its folder {folder}. "
        'Pass one: RouteHandlers(app, root, url_prefix="/api").'
    )
    assert rules(mounted(tmp_path, root, url_prefix="/<x>", name="x")) == ["/<x>/hello"]


@pytest.mark.parametrize(
    ("prefix", "url", "params"),
    [
        ("", "/hello", {}),
        ("/v1/api", "/v1/api/hello", {}),
        ("/a b/é", "/a%20b/%C3%A9/hello", {}),
        ("/<lang>/api", "/de/api/hello", {"lang": "de"}),
        ("/<int:n>", "/7/hello", {"n": 7}),
        ("/v<int:n>.<string(length=2):x>", "/v7.ab/hello", {"n": 7, "x": "ab"}),
        ("/<any(en, de):lang>", "/en/hello", {"lang": "en"}),
    ],
)
def test_an_explicit_prefix_is_a_flask_rule_and_its_parameters_are_the_handlers(
    tmp_path, prefix, url, params
):
    app = mounted(tmp_path, "app/api", url_prefix=prefix)
    assert rules(app) == [f"{prefix}/hello"]
    client = app.test_client()
    assert client.get(url).json == {"rule": f"{prefix}/hello", "params": params}
    with app.test_request_context():
        assert url_for("api./hello", **params) == url


@pytest.mark.parametrize(
    "url", ["/fr/hello", "/./hello", "/../hello", "/%00/hello", "/a%5Cb/hello", "/%FF/hello"]
)
def test_a_parameter_of_the_prefix_matches_clean_segments_that_its_converter_takes(tmp_path, url):
    app = mounted(tmp_path, "app/api", url_prefix="/<any(en, '.', '..', '\0', '\\\\'):lang>")
    assert app.test_client().get("/en/hello").status_code == 200
    assert app.test_client().get(url).status_code == 404


SHAPE = (
    "must start with a slash, must not end with one, and cannot have an empty segment, . or .. "
    "in it."
)
FOR_NONE = "Write url_prefix='' for none."


@pytest.mark.parametrize(
    ("prefix", "hint"),
    [
        ("api", "Did you mean '/api'?"),
        ("/api/", "Did you mean '/api'?"),
        ("/api//v2", "Did you mean '/api/v2'?"),
        ("./api", "Did you mean '/api'?"),
        ("/api/../v2", "Did you mean '/api/v2'?"),
        ("/<lang>/", "Did you mean '/<lang>'?"),
        ("/", FOR_NONE),
        ("//", FOR_NONE),
        ("..", FOR_NONE),
    ],
)
def test_a_prefix_that_no_clean_path_begins_with_is_refused_at_once(prefix, hint):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole text follows
        RouteHandlers(url_prefix=prefix)
    assert str(caught.value) == f"The url_prefix {prefix!r} {SHAPE} {hint}"


@pytest.mark.parametrize("prefix", ["/a\\b", "/a\tb", "/<x>/a\x7f", "/\ufffd"])
def test_a_prefix_of_characters_that_no_clean_path_has_is_refused(tree, prefix):
    with pytest.raises((ValueError, RouteTreeError), match="The url_prefix "):
        RouteHandlers(bare_app(tree({}, "hello")), url_prefix=prefix)


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        ("/<path:p>/api", "its parameter 'p' can match several segments"),
        ("/<nope:x>", "the converter 'nope' does not exist"),
        ("/<x", "malformed url rule: '/<x'"),
        ("/<int(min=-1):x>", "Cannot parse converter argument 'min=-'"),
        ("/<int(x=1):n>", "NumberConverter.__init__() got an unexpected keyword argument 'x'"),
    ],
)
def test_a_prefix_that_is_no_rule_of_the_app_is_refused(tree, prefix, reason):
    project = tree({}, "hello")
    assert told(bare_app(project), url_prefix=prefix) == [
        f"{project}/app/api\n  The url_prefix {prefix!r} cannot be used: {reason}.\n"
        "  Write it as a Flask rule, for example /api or /<lang>/api."
    ]


@pytest.mark.parametrize("prefix", ["/<a>/<a>", "/<request>", "/v<params>", "/<call_next>"])
def test_parameters_of_a_prefix_have_names_of_their_own(tree, prefix):
    (problem,) = told(bare_app(tree({}, "hello")), url_prefix=prefix)
    assert f"\n  The url_prefix {prefix!r} cannot be used: " in problem


def test_a_parameter_of_the_prefix_and_of_a_folder_cannot_share_a_name(tree):
    app = bare_app(tree({}, "[lang]", "x/[...lang]", "y"))
    problem = (
        "{}/route.py\n  The url_prefix '/<lang>' has a parameter 'lang' too.\n"
        "  Give each parameter of a path a different name."
    )
    expected = [problem.format(folder) for folder in ("[lang]", "x/[...lang]")]
    assert told(app, url_prefix="/<lang>") == expected


# Names


@pytest.mark.parametrize(
    ("root", "name"), [("app/api", "api"), ("app", "app"), ("app/v1.0", "v1_0"), ("(x)", "(x)")]
)
def test_the_blueprint_is_called_like_the_last_folder_of_the_root(tmp_path, root, name):
    app = mounted(tmp_path, root)
    assert list(app.blueprints) == list(app.extensions["routehandlers"]) == [name]
    assert list(app.view_functions) == [f"{name}./hello"]


def test_the_blueprint_can_have_another_name(tmp_path):
    app = mounted(tmp_path, "app/api", name="v1")
    assert list(app.blueprints) == list(app.extensions["routehandlers"]) == ["v1"]
    with app.test_request_context():
        assert url_for("v1./hello") == "/api/hello"


@pytest.mark.parametrize("name", ["", "a.b"])
def test_a_name_that_flask_refuses_is_refused_at_once(name):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole text follows
        RouteHandlers(name=name)
    assert str(caught.value) == (
        f"The name {name!r} cannot name a blueprint: it is empty or contains a dot."
    )


def name_taken(root: str, name: str) -> str:
    return (
        f"{root}\n  The app already has a blueprint called {name!r}.\n"
        "  Give this one another name: RouteHandlers(app, root, name=...)."
    )


def test_a_name_that_the_app_has_is_refused(tree):
    project = tree({}, "hello")
    app = bare_app(project)
    app.register_blueprint(Blueprint("api", __name__))
    assert told(app) == [name_taken(f"{project}/app/api", "api")]
    RouteHandlers(app, name="files")
    assert rules(app) == ["/api/hello"]


# Endpoints and URLs


@pytest.mark.parametrize(
    ("route", "endpoint", "values", "url"),
    [
        ("", "/", {}, "/api"),
        ("users", "/users", {}, "/api/users"),
        ("(admin)/users", "/users", {}, "/api/users"),
        ("(admin)", "/", {}, "/api"),
        ("sitemap.xml", "/sitemap%2Exml", {}, "/api/sitemap.xml"),
        (".well-known/x", "/%2Ewell-known/x", {}, "/api/.well-known/x"),
        ("%5Fname", "/%5Fname", {}, "/api/_name"),
        ("a b?#", "/a b?#", {}, "/api/a%20b%3F%23"),
        ("日本", "/日本", {}, "/api/%E6%97%A5%E6%9C%AC"),
        ("users/[id]", "/users/[id]", {"id": "a b"}, "/api/users/a%20b"),
        ("[id=int]/x", "/[id=int]/x", {"id": 7}, "/api/7/x"),
        ("[id].json", "/[id]%2Ejson", {"id": "a"}, "/api/a.json"),
        ("r-[a]~[b=int].csv", "/r-[a]~[b=int]%2Ecsv", {"a": "x", "b": 7}, "/api/r-x~7.csv"),
        ("[a]...[b]", "/[a]%2E%2E%2E[b]", {"a": "x", "b": "y"}, "/api/x...y"),
        ("[...path]", "/[*path]", {"path": ["a", "b"]}, "/api/a/b"),
        ("[...path]/(g)", "/[*path]", {"path": (1, "é")}, "/api/1/%C3%A9"),
        ("x/[[...path]]", "/x/[[*path]]", {"path": ["a.b", "c"]}, "/api/x/a.b/c"),
        ("x/[[...path]]", "/x/[[*path]]", {"path": []}, "/api/x"),
        ("x/[[...path]]", "/x/[[*path]]", {"path": ()}, "/api/x"),
        ("x/[[...path]]", "/x/[[*path]]", {}, "/api/x"),
        ("[[...path]]", "/[[*path]]", {"path": []}, "/api"),
    ],
)
def test_an_endpoint_is_the_route_as_its_folders_spell_it(make_app, route, endpoint, values, url):
    app = make_app({}, route)
    assert list(app.view_functions) == [f"api.{endpoint}"]
    with app.test_request_context():
        assert url_for(f"api.{endpoint}", **values) == url
        assert url_for(f"api.{endpoint}", **values, q="1") == f"{url}?q=1"
    assert app.test_client().get(url).status_code == 200


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ("a/b", TypeError, "A catch-all takes a list or tuple of segments, not 'a/b'. "
                           "Did you mean ['a', 'b']?"),
        (7, TypeError, "A catch-all takes a list or tuple of segments, not 7. "
                       "Did you mean ['7']?"),
        ([], ValueError, "A catch-all takes at least one segment; the list is empty."),
        (["a", ""], ValueError, "'' cannot be a segment of a URL: the URL would lead elsewhere."),
        (["."], ValueError, "'.' cannot be a segment of a URL: the URL would lead elsewhere."),
        (["..", "a"], ValueError,
         "'..' cannot be a segment of a URL: the URL would lead elsewhere."),
        (["a/b"], ValueError,
         "'a/b' cannot be a segment of a URL: the URL would lead elsewhere."),
    ],
)  # fmt: skip
def test_url_for_refuses_what_no_catch_all_gives_back(make_app, value, error, text):
    app = make_app({}, "[...path]")
    with app.test_request_context(), pytest.raises(error) as caught:
        url_for("api./[*path]", path=value)
    assert str(caught.value) == text


#: Text that can stand in a clean path between two slashes.
segments = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\\ufffd"),
    min_size=1,
    max_size=60,
).filter(lambda text: text not in (".", ".."))
floats = st.floats(min_value=0, max_value=1e15).filter(lambda x: {*"-e"}.isdisjoint(str(x)))
paths = st.lists(segments, min_size=1, max_size=5)
VALUES = {
    "users/[id]": {"id": segments},
    "users/[id]/[key]/x": {"id": segments, "key": segments},
    "n/[n=int]": {"n": st.integers(min_value=0)},
    "f/[x=float]": {"x": floats},
    "u/[key=uuid]": {"key": st.uuids()},
    "u/[key=string]/y": {"key": segments},
    "@[user].json": {"user": segments},
    "[year=int]-[n=int].csv": {"year": st.integers(0, 9999), "n": st.integers(0, 10**9)},
    "v[n=int].[rest]": {"n": st.integers(min_value=0, max_value=99), "rest": segments},
    "files/[...path]": {"path": paths},
    "docs/[lang]/[[...path]]": {"lang": segments, "path": paths | st.just([])},
}
ANSWER = "def GET(params):\n    return repr(sorted(params.items()))\n"


@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_what_url_for_takes_comes_back_from_the_url(round_trip_client, data):
    route = data.draw(st.sampled_from(sorted(VALUES)))
    values = data.draw(st.fixed_dictionaries({"lang_code": segments, **VALUES[route]}))
    app = round_trip_client.application
    endpoint = f"api./{route}".replace("...", "*").replace(".", "%2E").replace("api%2E", "api.")
    with app.test_request_context():
        url = url_for(endpoint, **values)
    assert round_trip_client.get(url).text == repr(sorted(values.items()))


@pytest.fixture
def round_trip_client(make_app):
    files = {f"{route}/route.py": ANSWER for route in VALUES}
    return make_app(files, url_prefix="/<lang_code>/api").test_client()


# Several roots, several apps


def test_several_roots_live_on_one_app(tmp_path):
    app = mounted(tmp_path, "app/api")
    for root, options in {"app/admin": {}, "app/v2/api": {"name": "v2"}}.items():
        write_files(tmp_path / root, {"hello/route.py": ECHO})
        RouteHandlers(app, root, **options)
    assert rules(app) == ["/api/hello", "/admin/hello", "/v2/api/hello"]
    assert list(app.extensions["routehandlers"]) == ["api", "admin", "v2"]
    with app.test_request_context():
        urls = [url_for(f"{name}./hello") for name in ("api", "admin", "v2")]
    assert [app.test_client().get(url).json["rule"] for url in urls] == urls


def test_two_roots_cannot_answer_one_url(tree):
    project = tree({}, "hello", "[...path]")
    app = bare_app(project)
    RouteHandlers(app)
    taken = (
        "{}/route.py\n  The app already has a rule for {}: {} of the endpoint {!r}.\n"
        "  Remove one of them, or give RouteHandlers another url_prefix."
    )
    assert told(app, "app", url_prefix="", name="all") == [
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


def test_two_apps_serve_one_tree_from_the_same_modules(tree):
    project = tree({"route.py": COUNTER})
    first, second = bare_app(project), Flask("second", root_path=str(project), static_folder=None)
    RouteHandlers(first)
    RouteHandlers(second, url_prefix="/second", name="own")
    assert first.test_client().get("/api").text == "1"
    assert second.test_client().get("/second").text == "2"
    assert first.test_client().get("/second").status_code == 404
    assert first.extensions["routehandlers"].keys() == {"api"}
    assert second.extensions["routehandlers"].keys() == {"own"}


def test_one_instance_serves_two_apps_each_from_its_own_folder(tree):
    handlers = RouteHandlers(url_prefix="/x")
    before = copy.deepcopy(vars(handlers))
    first, second = bare_app(tree({}, "a")), bare_app(tree({}, "b"))
    assert handlers.init_app(first) is None
    handlers.init_app(second)
    assert (rules(first), rules(second)) == (["/x/a"], ["/x/b"])
    assert vars(handlers) == before
    assert first.extensions["routehandlers"]["api"].root == f"{first.root_path}/app/api"


def test_a_factory_can_be_called_again_and_again(tree):
    project = tree({"route.py": COUNTER})
    handlers = RouteHandlers()

    def create_app() -> Flask:
        app = bare_app(project)
        handlers.init_app(app)
        return app

    assert [create_app().test_client().get("/api").text for _ in range(3)] == ["1", "2", "3"]


def test_the_state_of_an_app_is_in_its_extensions(make_app):
    app = make_app({}, "users/[id]", "[[...path]]", url_prefix="/v1")
    mount = app.extensions["routehandlers"]["api"]
    assert (mount.name, mount.url_prefix) == ("api", "/v1")
    assert mount.root == app.blueprints["api"].root_path == f"{app.root_path}/app/api"
    assert [(route.file.file, [rule.rule for rule in route.rules]) for route in mount.routes] == [
        ("[[...path]]/route.py", ["/v1", "/v1/<path:path>"]),
        ("users/[id]/route.py", ["/v1/users/<id>"]),
    ]
    assert {route.endpoint: route.view for route in mount.routes} == app.view_functions


# What is refused, and leaves the app as it was


@pytest.mark.parametrize("thing", ["app/api", None, Blueprint("x", __name__), Flask])
def test_only_a_flask_app_can_be_given(thing):
    with pytest.raises(TypeError) as caught:
        RouteHandlers().init_app(thing)
    assert str(caught.value) == (
        f"RouteHandlers needs a Flask app, not {thing!r}. "
        "Write RouteHandlers(app, root=...), or RouteHandlers(root=...).init_app(app)."
    )


def test_a_root_in_place_of_the_app_is_refused():
    with pytest.raises(TypeError, match=r"^RouteHandlers needs a Flask app, not 'app/api'\."):
        RouteHandlers("app/api")


def test_an_app_that_matches_hosts_is_refused(tree):
    project = tree({}, "hello")
    app = Flask("hosts", root_path=str(project), static_folder=None, host_matching=True)
    assert told(app) == [
        f"{project}/app/api\n"
        "  The app uses host_matching=True, but a folder cannot name a host.\n"
        "  Serve the tree from a separate app, and dispatch to it by host."
    ]


def test_a_root_is_served_once_under_one_name(make_app):
    app = make_app({}, "hello")
    root = f"{app.root_path}/app/api"
    assert told(app) == [name_taken(root, "api")]
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers().init_app(app)
    assert str(caught.value) == f"1 problem in {root}:\n\n{name_taken(root, 'api')}"


def frozen(value: Any) -> Any:
    """A copy of the containers within a value; what is in them stays itself."""
    if isinstance(value, dict):
        return {key: frozen(each) for key, each in value.items()}
    return [*map(frozen, value)] if isinstance(value, list | set | tuple) else value


def state(app: Flask) -> dict[str, Any]:
    """Everything of an app that an extension could change."""
    return {
        **frozen(vars(app)),
        "commands": dict(app.cli.commands),
        "rules": [*map(repr, app.url_map.iter_rules())],
        **{f"url_map.{name}": frozen(value) for name, value in vars(app.url_map).items()},
    }


class Needy(BaseConverter):
    def __init__(self, url_map: Any, argument: str) -> None:
        super().__init__(url_map)


#: Faults that are found before anything is imported.
FAULTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "no root": ({}, {"root": "nowhere"}),
    "prefix": ({}, {"url_prefix": "/<nope:x>"}),
    "name": ({}, {"name": "own"}),
}
#: Faults that are told together with those of the modules: hello/route.py has been imported.
LATE_FAULTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "segment": ({"[]/route.py": ECHO}, {}),
    "conflict": ({"[a]/route.py": ECHO, "[b]/route.py": ECHO}, {}),
    "module names": ({"a.b/route.py": ECHO, "a_b/route.py": ECHO}, {}),
    "converter": ({"[a=needy]/route.py": ECHO}, {}),
    "unknown converter": ({"[a=nope]/route.py": ECHO}, {}),
    "import": ({"x/route.py": "1 / 0"}, {}),
    "exit": ({"x/route.py": "raise SystemExit(3)"}, {}),
    "no handler": ({"x/route.py": ""}, {}),
    "argument": ({"x/route.py": "def GET(id): ..."}, {}),
    "prefix parameter": ({"[x]/route.py": ECHO}, {"url_prefix": "/<x>"}),
    "rule of the app": ({"own/route.py": ECHO}, {}),
}


@pytest.mark.parametrize("fault", [*FAULTS, *LATE_FAULTS])
def test_a_failed_init_app_leaves_the_app_as_it_was(tree, fault):
    files, options = (FAULTS | LATE_FAULTS)[fault]
    app = bare_app(tree({"hello/route.py": ECHO, **files}))
    app.url_map.converters["needy"] = Needy
    app.register_blueprint(Blueprint("own", __name__))
    app.add_url_rule("/api/own", "own", lambda: "own")
    app.before_request(lambda: None)
    before, modules = state(app), set(sys.modules)
    with pytest.raises(RouteTreeError):
        RouteHandlers(app, **options)
    assert state(app) == before
    if fault in FAULTS:
        assert set(sys.modules) == modules
    if fault in ("import", "exit"):
        assert not any(name.endswith(".x.route") for name in set(sys.modules) - modules)
    assert app.test_client().get("/api/own").text == "own"
    assert app.test_client().get("/api/hello").status_code == 404


def test_after_a_failed_start_the_mended_tree_can_be_served(tree):
    project = tree({"x/route.py": "1 / 0", "hello/route.py": COUNTER})
    app = bare_app(project)
    with pytest.raises(RouteTreeError):
        RouteHandlers(app)
    write_files(project, {"app/api/x/route.py": ECHO})
    RouteHandlers(app)
    assert app.test_client().get("/api/x").status_code == 200
    assert app.test_client().get("/api/hello").text == "1"


def test_after_the_first_request_flask_itself_refuses(tree):
    app = bare_app(tree({}, "hello"))
    app.test_client().get("/")
    before = state(app)
    with pytest.raises(AssertionError, match="'register_blueprint' can no longer be called"):
        RouteHandlers(app)
    assert state(app) == before


# Converters of the app


class Hex(BaseConverter):
    regex = "[0-9a-f]+"

    def to_python(self, value: str) -> int:
        return int(value, 16)

    def to_url(self, value: int) -> str:
        return f"{value:x}"


class Many(BaseConverter):
    regex = "[a-z/]+"


class Nothing(BaseConverter):
    regex = "[a-z]*"


class Raising(BaseConverter):
    def __init__(self, url_map: Any) -> None:
        raise RuntimeError("no database")


class Broken(BaseConverter):
    regex = "("


def test_a_converter_of_the_app_gives_the_handler_its_values(tree):
    app = bare_app(tree({"c/[color=hex].png/route.py": ANSWER}))
    app.url_map.converters["hex"] = Hex
    RouteHandlers(app)
    with app.test_request_context():
        assert url_for("api./c/[color=hex]%2Epng", color=255) == "/api/c/ff.png"
    assert app.test_client().get("/api/c/ff.png").text == "[('color', 255)]"
    assert app.test_client().get("/api/c/fg.png").status_code == 404


@pytest.mark.parametrize("weight", [1, 100, 1000])
def test_a_converter_of_the_app_comes_before_none_whatever_its_weight(tree, weight):
    app = bare_app(tree({}, "[slug]", "[color=hex]"))
    app.url_map.converters["hex"] = type("Weighted", (Hex,), {"weight": weight})
    RouteHandlers(app)
    client = app.test_client()
    assert client.get("/api/ff").json["params"] == {"color": 255}
    assert client.get("/api/fg").json["params"] == {"slug": "fg"}


KNOWN = (
    "It has any, float, int, path, string, uuid. "
    "Add your own to app.url_map.converters before RouteHandlers."
)
NO_ARGUMENTS = "Register your own converter that needs none."
AT_LEAST_ONE = "Register your own converter whose regex needs at least one character."


@pytest.mark.parametrize(
    ("converter", "reason", "hint"),
    [
        (None, "The app has no converter 'own'.", KNOWN),
        (Needy, "The converter 'own' cannot be created without arguments: "
         "Needy.__init__() missing 1 required positional argument: 'argument'.", NO_ARGUMENTS),
        (Raising, "The converter 'own' cannot be created without arguments: no database.",
         NO_ARGUMENTS),
        (Many, "The converter 'own' can match several segments.",
         "Write [...id] for a catch-all."),
        (Nothing, "The converter 'own' also matches an empty string, so it would match other "
         "URLs.",
         AT_LEAST_ONE),
    ],
)  # fmt: skip
def test_a_converter_that_a_folder_cannot_name_is_refused(tree, converter, reason, hint):
    app = bare_app(tree({}, "x/[id=own]"))
    if converter:
        app.url_map.converters["own"] = converter
    assert told(app) == [f"x/[id=own]/route.py\n  {reason}\n  {hint}"]


@pytest.mark.parametrize(
    ("converter", "reason", "hint"),
    [
        ("path", "The converter 'path' can match several segments.",
         "Write [...id] for a catch-all."),
        ("any", "The converter 'any' also matches an empty string, so it would match other URLs.",
         AT_LEAST_ONE),
        ("Int", "The app has no converter 'Int'.", KNOWN),
    ],
)  # fmt: skip
def test_flasks_own_converters_are_held_to_the_same(tree, converter, reason, hint):
    app = bare_app(tree({}, f"[id={converter}]"))
    assert told(app) == [f"[id={converter}]/route.py\n  {reason}\n  {hint}"]


def test_the_converters_that_the_app_has_are_listed(tree):
    app = bare_app(tree({}, "[id=number]"))
    app.url_map.converters["hex"] = Hex
    (problem,) = told(app)
    assert "\n  It has any, float, hex, int, path, string, uuid. Add your own " in problem


def test_a_converter_with_a_broken_regex_is_a_problem_of_the_tree(tree):
    app = bare_app(tree({}, "x/[id=own]"))
    app.url_map.converters["own"] = Broken
    (problem,) = told(app)
    assert problem.startswith("x/[id=own]/route.py\n  The converter 'own' ")


# In the company of Flask


def test_flask_routes_lists_the_methods_that_each_file_has(tree):
    app = bare_app(
        tree(
            {
                "users/route.py": "def GET(): ...\ndef POST(): ...",
                "users/[id]/route.py": "def DELETE(): ...",
                "(g)/files/[[...path]]/route.py": "def GET(): ...",
            }
        )
    )
    RouteHandlers(app)
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
def test_a_trailing_slash_is_another_url_unless_the_app_says_otherwise(tree, url, path):
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


def test_an_empty_path_is_the_root_and_is_not_redirected(make_app):
    client = make_app({}, "", url_prefix="").test_client()
    for environ in (
        {"PATH_INFO": ""},
        {"PATH_INFO": "/"},
        {"SCRIPT_NAME": "/at", "PATH_INFO": ""},
    ):
        assert client.get("/", environ_overrides=environ).json["rule"] == "/"


def test_urls_are_built_below_the_place_where_the_app_is_mounted(make_app):
    source = "from flask import url_for\ndef GET(id): return url_for('api./users/[id]', id=id)\n"
    app = make_app({"users/[id]/route.py": source})
    client = app.test_client()
    response = client.get("/api/users/7", environ_overrides={"SCRIPT_NAME": "/at"})
    assert response.text == "/at/api/users/7"
    app.config.update(APPLICATION_ROOT="/root", SERVER_NAME="localhost")
    with app.app_context():
        assert url_for("api./users/[id]", id=7) == "http://localhost/root/api/users/7"
    assert client.get("/root/api/users/7", base_url="http://localhost/").status_code == 404


def test_a_tree_is_served_on_the_default_subdomain_of_the_app(tree):
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


def test_hooks_of_the_app_and_of_the_blueprint_run_around_a_handler(make_app):
    app = make_app({"route.py": "from flask import g\ndef GET(): return '-'.join(g.ran)\n"})
    ran = lambda name: lambda: (g.setdefault("ran", []).append(name), None)[1]  # noqa: E731
    app.before_request(ran("app"))
    app.before_request_funcs.setdefault("api", []).append(ran("api"))
    app.before_request_funcs.setdefault("other", []).append(ran("other"))

    def add_header(response: Response) -> Response:
        response.headers["X-Ran"] = "api"
        return response

    app.after_request_funcs.setdefault("api", []).append(add_header)
    response = app.test_client().get("/api")
    assert (response.text, response.headers["X-Ran"]) == ("app-api", "api")


@pytest.mark.parametrize("scope", [None, "api"])
def test_url_defaults_and_preprocessors_may_carry_a_value(make_app, scope):
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


def test_a_preprocessor_may_change_or_add_a_value(make_app):
    app = make_app({"[id]/route.py": "def GET(id, **more): return {'id': id, 'more': more}"})

    @app.url_value_preprocessor
    def change(endpoint: str | None, values: dict[str, Any] | None) -> None:
        values["id"] = values["id"].upper()
        values["added"] = 1

    assert app.test_client().get("/api/a").json["id"] == "A"


def test_without_problem_details_an_app_keeps_its_error_handlers_as_they_are(tree):
    app = bare_app(tree({}, "hello"))
    before = frozen(app.error_handler_spec)
    RouteHandlers(app, problem_details=False)
    assert app.error_handler_spec == before
    assert app.test_client().get("/api/nothing").mimetype == "text/html"


def test_classes_of_an_app_are_used_for_requests_and_responses(tree):
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
