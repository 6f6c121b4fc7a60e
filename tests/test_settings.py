"""The settings of the cache: what is refused, what comes too late, who shares a cache."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flask_routehandlers import RouteHandlers
from flask_routehandlers.caching.settings import Settings
from tests.support import bare_app, refused

FILE = "posts/[id]/route.py"
GET = "def GET(id): return id\n"
STATIC = f"revalidate = 60\n{GET}"
EXPECTED_URL = "It must be the URL of a server, redis://localhost:6379/0, or None."
USE_URL = "Write redis://HOST:PORT/NUMBER, and percent-encode special characters of a password."
REFUSALS = {
    "a number for a URL": (
        {"URL": 1},
        [f"ROUTE_HANDLERS_CACHE_URL in app.config is not valid. {EXPECTED_URL}"],
    ),
    "a URL with a line break": (
        {"URL": "redis://:s3cret@localhost\n"},
        [f"ROUTE_HANDLERS_CACHE_URL in app.config is not valid. {EXPECTED_URL}"],
    ),
    "no secret key": (
        {"URL": "redis://localhost"},
        [
            "ROUTE_HANDLERS_CACHE_URL is set in app.config, but SECRET_KEY is not: entries in a "
            "shared store are signed with it. Set app.config['SECRET_KEY'] before RouteHandlers, "
            "to the same value in every process."
        ],
    ),
    "no scheme": (
        {"URL": "localhost:6379"},
        [
            "ROUTE_HANDLERS_CACHE_URL in app.config cannot be used: redis-py cannot parse it. "
            f"{USE_URL}"
        ],
    ),
    "a password that is not encoded": (
        {"URL": "redis://:s3cret/word@localhost:6379"},
        [
            "ROUTE_HANDLERS_CACHE_URL in app.config cannot be used: redis-py cannot parse it. "
            f"{USE_URL}"
        ],
    ),
    "no entries": (
        {"MAX_ENTRIES": 0},
        [
            "ROUTE_HANDLERS_CACHE_MAX_ENTRIES in app.config is 0. "
            "It must be a whole number, 1 or more."
        ],
    ),
    "a string of seconds": (
        {"MAX_WAIT": "2"},
        [
            "ROUTE_HANDLERS_CACHE_MAX_WAIT in app.config is '2'. "
            "It must be a number of seconds, more than 0."
        ],
    ),
    "two of them": (
        {"VERSION": 7, "THREADS": True},
        [
            "ROUTE_HANDLERS_CACHE_VERSION in app.config is 7. "
            "It must be a string of printable characters.",
            "ROUTE_HANDLERS_CACHE_THREADS in app.config is True. "
            "It must be a whole number, 1 or more.",
        ],
    ),
    "a typo": (
        {"MAXWAIT": 2},
        [
            "ROUTE_HANDLERS_CACHE_MAXWAIT in app.config is not a setting of the cache. "
            "Did you mean ROUTE_HANDLERS_CACHE_MAX_WAIT? ROUTE_HANDLERS_CACHE_ is followed by "
            "one of URL, PREFIX, VERSION, MAX_ENTRIES, MAX_BYTES, MAX_BODY, MAX_WAIT, LOCK, "
            "TIMEOUT, THREADS."
        ],
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_wrong_setting_is_refused(tree, case):
    settings, messages = REFUSALS[case]
    folder = tree({FILE: GET})
    app = bare_app(folder)
    if case != "no secret key":
        app.config["SECRET_KEY"] = "x"
    for name, value in settings.items():
        app.config[f"ROUTE_HANDLERS_CACHE_{name}"] = value
    problems = refused(app)
    assert [f"{problem.reason} {problem.hint}" for problem in problems] == messages
    assert {problem.files for problem in problems} == {(str(folder / "app/api"),)}
    assert "s3cret" not in str(problems)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis://localhost?nonsense=1", "unexpected keyword argument 'nonsense'"),
        ("redis://localhost?ssl_cert_reqs=none", "unexpected keyword argument 'ssl_cert_reqs'"),
        (
            "rediss://localhost?ssl_cert_reqs=CERT_NONE",
            "Invalid SSL Certificate Requirements Flag: CERT_NONE",
        ),
    ],
)
def test_wrong_options_of_a_url_are_refused(tree, url, reason):
    app = bare_app(tree({FILE: GET}))
    app.config |= {"SECRET_KEY": "x", "ROUTE_HANDLERS_CACHE_URL": url}
    [problem] = refused(app)
    start = "ROUTE_HANDLERS_CACHE_URL in app.config cannot be used: redis-py does not accept its "
    assert problem.reason.startswith(f"{start}options: ")
    assert problem.reason.endswith(f"{reason}.")
    assert problem.hint == USE_URL


def test_a_url_is_not_in_a_representation():
    """Tools that report errors show the variables of each frame."""
    settings = Settings(url="redis://:a%20password@localhost")
    assert "password" not in repr(settings)


def test_a_server_is_not_asked_at_start_up(tree):
    app = bare_app(tree({FILE: STATIC}))
    # Nothing listens there.
    app.config.update(SECRET_KEY="x", ROUTE_HANDLERS_CACHE_URL="redis://127.0.0.1:1/0")
    RouteHandlers(app)
    assert app.extensions["routehandlers_cache"].settings.url == "redis://127.0.0.1:1/0"


def test_a_late_setting_is_logged_once(tree, caplog):
    app = bare_app(tree({FILE: STATIC}))
    app.config["ROUTE_HANDLERS_CACHE_THREADS"] = 2
    RouteHandlers(app)
    app.config.update(
        ROUTE_HANDLERS_CACHE_URL="redis://127.0.0.1:1/0", ROUTE_HANDLERS_CACHE_MAX_WAIT=2.0
    )
    client = app.test_client()
    assert [client.get(f"/api/posts/{n}").status_code for n in (1, 2)] == [200, 200]
    assert caplog.messages == [
        "ROUTE_HANDLERS_CACHE_URL in app.config was set after RouteHandlers read it, and has no "
        "effect. Set it before RouteHandlers(app), or init_app(app), is called."
    ]


def test_the_trees_of_an_app_share_a_cache(make_app):
    app = make_app({FILE: STATIC}, name="one")
    RouteHandlers(app, "app/api", url_prefix="/two", name="two")
    one, two = app.extensions["routehandlers"].values()
    assert one.cache is two.cache is app.extensions["routehandlers_cache"]


def test_no_cache_is_made_without_need(tree):
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
