"""Apps that are refused, and left as they were."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from flask import Blueprint, Flask

from flask_routehandlers import RouteHandlers, RouteTreeError
from tests.extension.support import COUNTER, NeedyConverter, messages
from tests.support import ECHO, bare_app, write_files


@pytest.mark.parametrize("thing", ["app/api", None, Blueprint("x", __name__), Flask])
def test_only_a_flask_app_is_accepted(thing):
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
    assert messages(app) == [
        f"{project}/app/api\n"
        "  The app uses host_matching=True, but a folder cannot name a host.\n"
        "  Serve the tree from a separate app, and dispatch to it by host."
    ]


def test_a_root_is_served_once_under_one_name(make_app):
    app = make_app({}, "hello")
    root = f"{app.root_path}/app/api"
    message = (
        f"{root}\n  The app already has a blueprint called 'api'.\n"
        "  Give this one another name: RouteHandlers(app, root, name=...)."
    )
    assert messages(app) == [message]
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers().init_app(app)
    assert str(caught.value) == f"1 problem in {root}:\n\n{message}"


def snapshot(value: Any) -> Any:
    """Return a copy of the containers within a value; the contents stay themselves."""
    if isinstance(value, dict):
        return {key: snapshot(item) for key, item in value.items()}
    if isinstance(value, list | set | tuple):
        return [*map(snapshot, value)]
    return value


def app_state(app: Flask) -> dict[str, Any]:
    """Return everything of an app that an extension could change."""
    return {
        **snapshot(vars(app)),
        "commands": dict(app.cli.commands),
        "rules": [*map(repr, app.url_map.iter_rules())],
        **{f"url_map.{name}": snapshot(value) for name, value in vars(app.url_map).items()},
    }


#: Faults that are found before anything is imported.
EARLY_FAULTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "no root": ({}, {"root": "nowhere"}),
    "prefix": ({}, {"url_prefix": "/<nope:x>"}),
    "name": ({}, {"name": "own"}),
}

#: Faults that are reported together with those of the modules: hello/route.py was imported.
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


@pytest.mark.parametrize("fault", [*EARLY_FAULTS, *LATE_FAULTS])
def test_a_failed_init_app_changes_nothing(tree, fault):
    files, options = (EARLY_FAULTS | LATE_FAULTS)[fault]
    app = bare_app(tree({"hello/route.py": ECHO, **files}))
    app.url_map.converters["needy"] = NeedyConverter
    app.register_blueprint(Blueprint("own", __name__))
    app.add_url_rule("/api/own", "own", lambda: "own")
    app.before_request(lambda: None)
    before, modules = app_state(app), set(sys.modules)
    with pytest.raises(RouteTreeError):
        RouteHandlers(app, **options)
    assert app_state(app) == before
    if fault in EARLY_FAULTS:
        assert set(sys.modules) == modules
    if fault in ("import", "exit"):
        assert not any(name.endswith(".x.route") for name in set(sys.modules) - modules)
    assert app.test_client().get("/api/own").text == "own"
    assert app.test_client().get("/api/hello").status_code == 404


def test_a_repaired_tree_can_be_served(tree):
    project = tree({"x/route.py": "1 / 0", "hello/route.py": COUNTER})
    app = bare_app(project)
    with pytest.raises(RouteTreeError):
        RouteHandlers(app)
    write_files(project, {"app/api/x/route.py": ECHO})
    RouteHandlers(app)
    assert app.test_client().get("/api/x").status_code == 200
    assert app.test_client().get("/api/hello").text == "1"


def test_flask_refuses_after_the_first_request(tree):
    app = bare_app(tree({}, "hello"))
    app.test_client().get("/")
    before = app_state(app)
    with pytest.raises(AssertionError, match="'register_blueprint' can no longer be called"):
        RouteHandlers(app)
    assert app_state(app) == before


def test_error_handlers_can_be_left_alone(tree):
    app = bare_app(tree({}, "hello"))
    before = snapshot(app.error_handler_spec)
    RouteHandlers(app, problem_details=False)
    assert app.error_handler_spec == before
    assert app.test_client().get("/api/nothing").mimetype == "text/html"
