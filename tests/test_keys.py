"""Keys: what a handler could distinguish has different keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from flask_routehandlers import RouteHandlers, RouteTreeError
from flask_routehandlers.caching.keys import (
    LONGEST_PATH,
    file_prefix,
    make_key,
    namespace_of,
)
from tests.servers import RedisServer, redis_server
from tests.support import SEEDED, bare_app

PREFIX = file_prefix("shop", "posts/[id]/route.py", b"", "1")
PATHS = st.text(max_size=300).map("/".__add__)


def test_a_prefix_depends_on_every_part():
    parts = ["a", "b", "ab", "", 'a","b', "a/b", "\n", "\na"]
    prefixes = [file_prefix(a, b, c.encode(), d) for a, b, c, d in product(parts, repeat=4)]
    assert len(set(prefixes)) == len(prefixes)
    assert {len(prefix) for prefix in prefixes} == {32}


@SEEDED
@given(PATHS, PATHS)
def test_different_paths_have_different_keys(path, other):
    assert (make_key(PREFIX, path) == make_key(PREFIX, other)) == (path == other)


def test_a_path_has_a_key_in_each_file():
    other = file_prefix("shop", "posts/[slug]/route.py", b"", "1")
    assert make_key(PREFIX, "/posts/1") != make_key(other, "/posts/1")


@pytest.mark.parametrize("path", ["/" + "x" * 100_000, "/" + "é" * 500, "/\udcff" * 200])
def test_long_paths_have_short_keys(path):
    assert len(make_key(PREFIX, path)) < LONGEST_PATH
    assert make_key(PREFIX, path) != make_key(PREFIX, path + "x")


# Apps.


def app_named(
    folder: Path, import_name: str = "wsgi", secret: str | bytes | None = "a secret"
) -> Flask:
    app = Flask(import_name, root_path=str(folder))
    app.config["SECRET_KEY"] = secret
    return app


def test_a_namespace_is_that_of_a_project(tmp_path):
    """The name of the module and the place of the project do not matter."""
    app, root = app_named(tmp_path / "blue"), f"{tmp_path}/blue/app/api"
    namespace = namespace_of(app, root, "api")
    again = app_named(tmp_path / "green", "uwsgi_file_wsgi")
    assert namespace_of(again, f"{tmp_path}/green/app/api", "api") == namespace
    assert namespace_of(app_named(tmp_path / "blue", secret=b"a secret"), root, "api") == namespace
    others = [
        namespace_of(app, f"{tmp_path}/blue/app/v2", "api"),
        namespace_of(app, root, "v2"),
        namespace_of(app_named(tmp_path / "blue", secret="other"), root, "api"),
        namespace_of(app_named(tmp_path / "blue", secret=None), root, "api"),
    ]
    assert len({namespace, *others}) == 5


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def tenant(redis: RedisServer, tree: Callable[..., Path]) -> Callable[..., Flask]:
    """Make an app for a tenant, whose name its static handler returns."""
    code = "from flask import current_app\nrevalidate = 60\n"
    code += "def GET():\n    return current_app.config['TENANT']\n"
    folder = tree({"name/route.py": code})
    with redis.client() as client:
        client.flushall()

    def make(name: str, **settings: Any) -> Flask:
        app = bare_app(folder)
        app.config["TENANT"] = name
        app.config["SECRET_KEY"] = "a secret"
        app.config["ROUTE_HANDLERS_CACHE_URL"] = redis.url
        app.config["ROUTE_HANDLERS_CACHE_TIMEOUT"] = 5
        app.config.from_mapping(settings)
        RouteHandlers(app)
        return app

    return make


def names(*apps: Flask) -> list[str]:
    return [app.test_client().get("/api/name").text for app in apps]


def test_an_app_with_other_settings_is_refused(tenant):
    first = tenant("E")
    with pytest.raises(RouteTreeError) as caught:
        tenant("F")
    [problem] = caught.value.problems
    assert problem.reason == (
        "Another app of this process, with different settings, stores its responses under the "
        "same keys of the same server."
    )
    assert problem.hint == (
        "Set ROUTE_HANDLERS_CACHE_PREFIX in app.config to a different string for each app, or to "
        "the same one if they may serve each other's responses."
    )
    assert names(first) == ["E"]


def test_a_factory_may_make_an_app_twice(tenant):
    """Objects that it makes each time do not make it another app."""
    first, second = tenant("E", ENGINE=object()), tenant("E", ENGINE=object())
    assert names(first, second) == ["E", "E"]
    response = second.test_client().get("/api/name")
    assert "; hit" in response.headers["Cache-Status"]


def test_tests_may_make_many_different_apps(tenant):
    apps = [tenant("E", TESTING=True), tenant("F", TESTING=True), tenant("E"), tenant("E")]
    apps[3].testing = True
    assert len(apps) == 4


def test_apps_with_different_prefixes_are_apart(tenant):
    assert names(
        tenant("E", ROUTE_HANDLERS_CACHE_PREFIX="e:"),
        tenant("F", ROUTE_HANDLERS_CACHE_PREFIX="f:"),
    ) == ["E", "F"]


def test_apps_with_different_secrets_are_apart(tenant):
    first, second = tenant("E"), tenant("F", SECRET_KEY="another")
    assert names(first, second, first, second) == ["E", "F", "E", "F"]
    hits = [app.test_client().get("/api/name").headers["Cache-Status"] for app in (first, second)]
    assert all("; hit" in hit for hit in hits)


def test_apps_with_a_common_prefix_share(tenant):
    assert names(
        tenant("E", ROUTE_HANDLERS_CACHE_PREFIX="x:"),
        tenant("F", ROUTE_HANDLERS_CACHE_PREFIX="x:"),
    ) == ["E", "E"]


def test_an_app_that_is_gone_leaves_its_keys(tenant):
    assert names(tenant("E")) == ["E"]
    assert names(tenant("F")) == ["E"]


def test_apps_with_their_own_memory_are_apart(tenant):
    assert names(
        tenant("E", ROUTE_HANDLERS_CACHE_URL=None), tenant("F", ROUTE_HANDLERS_CACHE_URL=None)
    ) == ["E", "F"]
