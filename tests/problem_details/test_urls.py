"""The URLs whose errors are problem details, and the member that names them."""

from __future__ import annotations

import re

import pytest
from flask import abort
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import create_environ, run_wsgi_app

from flask_routehandlers import RouteHandlers
from tests.problem_details.support import (
    CANARY,
    NOT_FOUND,
    PAGE,
    PROBLEM,
    own_answer,
    problem,
    raw_answer,
)
from tests.support import ECHO, bare_app, write_files

#: For each prefix, paths that no rule matches, and whether they are the tree's.
PLACES = {
    None: {"/api": 1, "/api/": 1, "/api/x": 1, "/api/x/y": 1, "/apix": 0, "/": 0, "/x/api/x": 0,
           "/API/x": 0, "/api.json": 0, "/api%2Fx": 1, "/api%00": 0, "/ap%69/x": 1},
    "": {"/": 0, "/x": 0, "/api/x": 0},
    "/a.b+c/v1": {"/a.b+c/v1/x": 1, "/a.b+c/v1": 1, "/axb+c/v1/x": 0, "/a.b+c": 0, "/aab/v1/x": 0},
    "/<lang>/api": {"/en/api/x": 1, "/en/api": 1, "/en/apix": 0, "/en": 0, "/en/x/api/x": 0,
                    "/%C3%A9/api/x": 1, "//api/x": 0},
    "/v<int:version>": {"/v1/x": 1, "/v12": 1, "/v1x": 0, "/v/x": 0, "/vx/x": 0},
    "/<any(en, fr):lang>": {"/en/x": 1, "/fr": 1, "/de/x": 0, "/enx": 0},
}  # fmt: skip


@pytest.mark.parametrize("url_prefix", PLACES)
def test_unmatched_urls_of_a_prefix_are_problems(make_app, url_prefix):
    app = make_app({}, "things", url_prefix=url_prefix)
    for path, is_ours in PLACES[url_prefix].items():
        status, body, content_type = raw_answer(app, path)
        assert (status, content_type) == (404, PROBLEM if is_ours else PAGE), path
        if is_ours:
            assert app.json.loads(body)["detail"] == NOT_FOUND


UNCLEAN = ("/api/../things", "/api/./things", "/api//things", "/api/things/", "/api/a%00",
           "/api/%FF", "/api/a%5Cb", "/api/a%0Ab", "/api/%C3%28", "//api/things",
           "///api///things")  # fmt: skip


@pytest.mark.parametrize("path", UNCLEAN)
def test_unclean_paths_are_problems_too(make_app, path):
    app = make_app({}, "things", "[slug]")
    status, body, content_type = raw_answer(app, path)
    assert (status, content_type) == (404, PROBLEM)
    assert app.json.loads(body)["detail"] == NOT_FOUND


def test_a_rule_of_the_app_keeps_its_errors(make_app):
    app = make_app({}, "things")
    app.add_url_rule("/api/own/<name>", view_func=lambda name: abort(404), endpoint="own")
    client = app.test_client()
    for method, status in (("GET", 404), ("POST", 405)):
        response = client.open("/api/own/x", method=method)
        assert response.status_code == status
        assert response.content_type == PAGE
        assert "Vary" not in response.headers


def test_a_redirect_of_the_app_keeps_its_errors(make_app):
    app = make_app({}, "things")
    app.add_url_rule("/api/own/", view_func=lambda: "own", endpoint="own")
    app.before_request(lambda: abort(401))
    client = app.test_client()
    assert client.get("/api/own").content_type == PAGE
    assert problem(client.get("/api/owned"))["status"] == 401


def test_routes_without_a_prefix_have_problems(failing_app):
    client = failing_app(lambda: abort(404), url_prefix="").test_client()
    assert problem(client.get("/things"))["instance"] == "/things"
    assert problem(client.put("/things"))["status"] == 405
    assert client.get("/nothing").content_type == PAGE


def test_an_untrusted_host_is_a_problem(make_app):
    app = make_app({}, "things")
    app.config["TRUSTED_HOSTS"] = ["example.com"]
    client = app.test_client()
    assert problem(client.get("/api/things", headers={"Host": "evil.com"}))["status"] == 400
    assert client.get("/api/things", headers={"Host": "example.com"}).status_code == 200


# Several trees, several apps.


def test_each_tree_has_its_own_setting(tree):
    folder = tree({"things/route.py": "def POST(): ..."})
    trees = [
        {"url_prefix": "/with", "name": "with"},
        {"url_prefix": "/without", "name": "without", "problem_details": False},
        {"url_prefix": "/with/out", "name": "inner", "problem_details": False},
        {"url_prefix": "/without/with", "name": "innermost"},
    ]
    for order in (trees, trees[::-1]):
        app = bare_app(folder)
        for options in order:
            RouteHandlers(app, **options)
        client = app.test_client()
        for url in ("/things", "/nothing", ""):
            assert problem(client.get(f"/with{url}"))
            assert problem(client.get(f"/without/with{url}"))
            assert client.get(f"/without{url}").content_type == PAGE
            assert client.get(f"/with/out{url}").content_type == PAGE


def test_each_app_has_its_own_setting(tree):
    folder = tree({}, "things")
    extension = RouteHandlers(root="app/api")
    first, second, third = bare_app(folder), bare_app(folder), bare_app(folder)
    first.register_error_handler(404, own_answer)
    extension.init_app(first)
    extension.init_app(second)
    RouteHandlers(third, problem_details=False)
    assert first.test_client().get("/api/nothing").text == "own NotFound"
    assert problem(second.test_client().get("/api/nothing"))
    assert third.test_client().get("/api/nothing").content_type == PAGE


# The member ``instance``.


def test_the_instance_begins_with_the_mount_point(failing_app):
    app = failing_app(lambda: abort(404))
    for url in ("/api/things", "/api/nothing"):
        response = app.test_client().get(url, base_url="http://localhost/mounted/here%20now")
        assert problem(response)["instance"] == f"/mounted/here%20now{url}"
    app.config["APPLICATION_ROOT"] = "/root"
    assert problem(app.test_client().get("/api/things"))["instance"] == "/root/api/things"


INSTANCES = {
    "/api/a%0D%0ASet-Cookie:%20a=b": "/api/a%0D%0ASet-Cookie:%20a=b",
    "/api/%22%7D%3Cscript%3E": "/api/%22%7D%3Cscript%3E",
    "/api/caf%C3%A9/日本": "/api/caf%C3%A9/%E6%97%A5%E6%9C%AC",
    "/api/%FF": "/api/%EF%BF%BD",
    "/api/%2525%23%3F": "/api/%2525%23%3F",
    "/api/a/../b": "/api/a/../b",
    "/api/%00%7F": "/api/%00%7F",
    "/api/a;b=1,2:@!$&'()*+~_-.": "/api/a;b=1,2:@!$&'()*+~_-.",
    "//api/things": "/api/things",
    "/api/things?token=secret#part": "/api/things%3Ftoken=secret%23part",
}


@pytest.mark.parametrize(("path", "instance"), INSTANCES.items())
def test_the_instance_is_percent_encoded(make_app, path, instance):
    app = make_app({}, "things")
    _, body, _ = raw_answer(app, path)
    assert app.json.loads(body)["instance"] == instance


def test_the_instance_leaves_the_query_out(make_app):
    response = make_app({}, "things").test_client().get(f"/api/nothing?token={CANARY}")
    assert problem(response)["instance"] == "/api/nothing"
    assert CANARY not in response.text


#: RFC 3986: an absolute path of segments, and not the ``//`` of another host.
ABSOLUTE_PATH = re.compile(r"/(?!/)(?:[\w\-.~!$&'()*+,;=:@/]|%[0-9A-F]{2})*", re.ASCII)
BYTES = st.one_of(
    st.binary(max_size=24),
    st.text(max_size=16).map(lambda text: text.encode(errors="surrogatepass")),
    st.lists(st.sampled_from([b"..", b".", b"", b"things", b"%2e", b"7", b"x"])).map(b"/".join),
)


@pytest.fixture(scope="module")
def varied_app(tmp_path_factory):
    """Return an app with routes of several kinds below a prefix with a parameter."""
    routes = ("things", "things/[n=int]", "[slug]/x", "deep/[...rest]")
    files = {f"app/api/{route}/route.py": ECHO for route in routes}
    app = bare_app(write_files(tmp_path_factory.mktemp("varied"), files))
    RouteHandlers(app, url_prefix="/<lang>/api")
    return app


@settings(max_examples=100, database=None)
@given(
    st.sampled_from(["/", "//", ""]),
    st.sampled_from([b"en", "é".encode(), b"%", b"..", b"\r\n"]),
    BYTES,
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "BREW"]),
    st.sampled_from(["", "/mounted", "/\xc3\xa9"]),
)
@example("/", b"en", b"\xff\x00\r\n\xed\xa0\x80", "GET", "")
def test_any_path_gives_a_valid_problem(varied_app, start, lang, path, method, script_name):
    environ = create_environ("/", method=method)
    environ["PATH_INFO"] = start + (lang + b"/api/" + path).decode("latin-1")
    environ["SCRIPT_NAME"] = script_name
    body, status, headers = run_wsgi_app(varied_app, environ, buffered=True)
    assert int(status[:3]) < 500
    if status.startswith("2"):
        return
    assert status in ("404 NOT FOUND", "405 METHOD NOT ALLOWED")
    assert headers["Content-Type"] == PROBLEM
    content = b"".join(body)
    if method == "HEAD":
        assert content == b""
        return
    details = varied_app.json.loads(content.decode("ascii"))
    assert details.keys() == {"type", "title", "status", "detail", "instance"}
    assert details["status"] == int(status[:3])
    assert ABSOLUTE_PATH.fullmatch(details["instance"])
