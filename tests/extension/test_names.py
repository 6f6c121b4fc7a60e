"""Blueprints, endpoints, and the URLs that ``url_for`` builds."""

from __future__ import annotations

import pytest
from flask import Blueprint, url_for
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_routehandlers import RouteHandlers
from tests.extension.support import PARAMS, messages, mounted_app, rules
from tests.support import bare_app


@pytest.mark.parametrize(
    ("root", "name"), [("app/api", "api"), ("app", "app"), ("app/v1.0", "v1_0"), ("(x)", "(x)")]
)
def test_a_blueprint_is_named_after_its_root(tmp_path, root, name):
    app = mounted_app(tmp_path, root)
    assert list(app.blueprints) == list(app.extensions["routehandlers"]) == [name]
    assert list(app.view_functions) == [f"{name}./hello"]


def test_a_blueprint_can_have_another_name(tmp_path):
    app = mounted_app(tmp_path, "app/api", name="v1")
    assert list(app.blueprints) == list(app.extensions["routehandlers"]) == ["v1"]
    with app.test_request_context():
        assert url_for("v1./hello") == "/api/hello"


@pytest.mark.parametrize("name", ["", "a.b"])
def test_an_impossible_name_is_refused_at_once(name):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message follows
        RouteHandlers(name=name)
    assert str(caught.value) == (
        f"The name {name!r} cannot name a blueprint: it is empty or contains a dot."
    )


def test_a_name_that_is_taken_is_refused(tree):
    project = tree({}, "hello")
    app = bare_app(project)
    app.register_blueprint(Blueprint("api", __name__))
    assert messages(app) == [
        f"{project}/app/api\n  The app already has a blueprint called 'api'.\n"
        "  Give this one another name: RouteHandlers(app, root, name=...)."
    ]
    RouteHandlers(app, name="files")
    assert rules(app) == ["/api/hello"]


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
def test_an_endpoint_spells_the_route(make_app, route, endpoint, values, url):
    app = make_app({}, route)
    assert list(app.view_functions) == [f"api.{endpoint}"]
    with app.test_request_context():
        assert url_for(f"api.{endpoint}", **values) == url
        assert url_for(f"api.{endpoint}", **values, q="1") == f"{url}?q=1"
    assert app.test_client().get(url).status_code == 200


@pytest.mark.parametrize(
    ("value", "error", "message"),
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
def test_url_for_refuses_impossible_catch_alls(make_app, value, error, message):
    app = make_app({}, "[...path]")
    with app.test_request_context(), pytest.raises(error) as caught:
        url_for("api./[*path]", path=value)
    assert str(caught.value) == message


#: A string that can be a segment of a clean path.
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


@pytest.fixture(scope="module")
def round_trip_client(tmp_path_factory):
    """Return a client of an app with the routes of ``VALUES`` below a prefix."""
    folder = tmp_path_factory.mktemp("round_trip")
    for route in VALUES:
        (folder / route).mkdir(parents=True)
        (folder / route / "route.py").write_text(PARAMS)
    app = bare_app(folder)
    RouteHandlers(app, ".", url_prefix="/<lang_code>/api", name="api")
    return app.test_client()


@settings(max_examples=100, database=None)
@given(data=st.data())
def test_the_values_of_url_for_come_back(round_trip_client, data):
    route = data.draw(st.sampled_from(sorted(VALUES)))
    values = data.draw(st.fixed_dictionaries({"lang_code": segments, **VALUES[route]}))
    endpoint = f"api./{route}".replace("...", "*").replace(".", "%2E").replace("api%2E", "api.")
    with round_trip_client.application.test_request_context():
        url = url_for(endpoint, **values)
    assert round_trip_client.get(url).text == repr(sorted(values.items()))
