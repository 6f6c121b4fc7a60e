"""Settings of the cache in ``app.config``, and the cache that the trees of an app share."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flask_routehandlers import RouteHandlers
from tests.support import bare_app, refused

FILE = "posts/[id]/route.py"
GET = "def GET(): return ''\n"


@pytest.mark.parametrize(
    ("config", "messages"),
    [
        (
            {"ROUTE_HANDLERS_CACHE_URL": 1},
            [
                "ROUTE_HANDLERS_CACHE_URL in app.config is 1. "
                "It has to be the URL of a server, redis://localhost:6379/0, or None."
            ],
        ),
        (
            {"ROUTE_HANDLERS_CACHE_URL": "redis://localhost"},
            [
                "ROUTE_HANDLERS_CACHE_URL is in app.config, and SECRET_KEY is not: "
                "what is in a shared store is signed with it. "
                "Set app.config['SECRET_KEY'], the same for all processes, before RouteHandlers."
            ],
        ),
        (
            {"ROUTE_HANDLERS_CACHE_URL": "localhost:6379", "SECRET_KEY": "x"},
            [
                "ROUTE_HANDLERS_CACHE_URL in app.config is 'localhost:6379', and redis-py knows "
                "no such URL. Write redis://HOST:PORT/NUMBER."
            ],
        ),
        (
            {"ROUTE_HANDLERS_CACHE_MAX_ENTRIES": 0},
            [
                "ROUTE_HANDLERS_CACHE_MAX_ENTRIES in app.config is 0. "
                "It has to be a whole number, 1 or more."
            ],
        ),
        (
            {"ROUTE_HANDLERS_CACHE_MAX_WAIT": "2"},
            [
                "ROUTE_HANDLERS_CACHE_MAX_WAIT in app.config is '2'. "
                "It has to be a number of seconds, more than 0."
            ],
        ),
        (
            {"ROUTE_HANDLERS_CACHE_VERSION": 7, "ROUTE_HANDLERS_CACHE_THREADS": True},
            [
                "ROUTE_HANDLERS_CACHE_VERSION in app.config is 7. It has to be a text.",
                "ROUTE_HANDLERS_CACHE_THREADS in app.config is True. "
                "It has to be a whole number, 1 or more.",
            ],
        ),
        (
            {"ROUTE_HANDLERS_CACHE_MAXWAIT": 2},
            [
                "ROUTE_HANDLERS_CACHE_MAXWAIT is in app.config, and there is no such setting. "
                "Did you mean ROUTE_HANDLERS_CACHE_MAX_WAIT? Behind ROUTE_HANDLERS_CACHE_ stands "
                "one of URL, PREFIX, VERSION, MAX_ENTRIES, MAX_BYTES, MAX_BODY, MAX_WAIT, LOCK, "
                "TIMEOUT, THREADS."
            ],
        ),
    ],
)
def test_an_invalid_setting_is_refused(tree, config, messages):
    folder = tree({FILE: GET})
    app = bare_app(folder)
    app.config.update(config)
    problems = refused(app)
    assert [f"{p.reason} {p.hint}" for p in problems] == messages
    assert {p.files for p in problems} == {(str(folder / "app/api"),)}


def test_starting_does_not_connect_to_the_store(tree):
    app = bare_app(tree({FILE: f"revalidate = 60\n{GET}"}))
    # Nothing listens there.
    app.config.update(SECRET_KEY="x", ROUTE_HANDLERS_CACHE_URL="redis://127.0.0.1:1/0")
    RouteHandlers(app)
    assert app.extensions["routehandlers_cache"].settings.url == "redis://127.0.0.1:1/0"


def test_a_late_setting_is_logged_once(tree, caplog):
    app = bare_app(tree({FILE: f"revalidate = 60\n{GET}"}))
    app.config["ROUTE_HANDLERS_CACHE_THREADS"] = 2
    RouteHandlers(app)
    app.config.update(
        ROUTE_HANDLERS_CACHE_URL="redis://127.0.0.1:1/0", ROUTE_HANDLERS_CACHE_MAX_WAIT=2.0
    )
    client = app.test_client()
    assert [client.get(f"/api/posts/{n}").status_code for n in (1, 2)] == [200, 200]
    assert caplog.messages == [
        "ROUTE_HANDLERS_CACHE_URL in app.config was set after RouteHandlers had read it, and has "
        "no effect. Set it before RouteHandlers(app), or init_app(app), is called."
    ]


def test_the_trees_of_an_app_share_a_cache(make_app):
    app = make_app({FILE: f"revalidate = 60\n{GET}"}, name="one")
    RouteHandlers(app, "app/api", url_prefix="/two", name="two")
    one, two = app.extensions["routehandlers"].values()
    assert one.cache is two.cache is app.extensions["routehandlers_cache"]


def test_a_dynamic_tree_does_not_import_the_cache(tree):
    folder = tree({FILE: GET})
    code = (
        "import sys\n"
        "from flask import Flask\n"
        "from flask_routehandlers import RouteHandlers, revalidate_tag\n"
        f"app = Flask('shop', root_path={str(folder)!r})\n"
        "RouteHandlers(app)\n"
        "with app.app_context(): revalidate_tag('anything')\n"
        "assert 'routehandlers_cache' not in app.extensions\n"
        "assert not {'redis', 'flask_routehandlers.caching.cache'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
