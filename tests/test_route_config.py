"""The route config of a file: its meaning, and what keeps the app from starting."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flask_routehandlers import RouteHandlers, RouteHandlersWarning
from flask_routehandlers.handlers.config import RouteConfig
from tests.support import bare_app, refused

FILE = "posts/[id]/route.py"
GET = "def GET(): return ''\n"

DYNAMIC = "It must be one of 'auto', 'force-dynamic', 'error', 'force-static'."
REVALIDATE = (
    "Write whole seconds, revalidate = 60, or revalidate = False: until revalidated. "
    "Without it, or with 0, the handler runs for each request."
)
PARAMS = "Write def generate_static_params(), which returns a list of dicts."
TAGS = "Write a list of strings, or a function of path parameters that returns one."


def not_static(name: str) -> str:
    """Return the message about a name that only a static GET can have."""
    return (
        f"The file defines {name}, but its GET is not static. Make it static with "
        f"revalidate = 60 (seconds) or revalidate = False (until revalidated), or remove {name}."
    )


def contradiction(dynamic: str, revalidate: str, outcome: str) -> str:
    """Return the message about ``dynamic`` and ``revalidate`` that exclude each other."""
    return (
        f"dynamic = {dynamic!r} and revalidate = {revalidate} contradict each other: "
        f"according to dynamic, a response is {outcome}. Remove one of them."
    )


@pytest.mark.parametrize(
    ("code", "is_static"),
    [
        ("", False),
        ("dynamic = 'auto'", False),
        ("dynamic = 'force-dynamic'", False),
        ("revalidate = 0", False),
        ("revalidate = 0; dynamic = 'force-dynamic'", False),
        ("revalidate = 0; dynamic = 'auto'", False),
        ("revalidate = 1", True),
        ("revalidate = False", True),
        ("revalidate = 60; dynamic = 'auto'", True),
        ("dynamic = 'error'", True),
        ("dynamic = 'force-static'", True),
        ("dynamic = 'force-static'; revalidate = 60", True),
        ("dynamic = 'error'; revalidate = False", True),
    ],
)
def test_config_decides_whether_get_is_static(make_app, code, is_static):
    body = "from itertools import count\nn = count()\ndef GET(): return str(next(n))\n"
    client = make_app({FILE: f"{code}\n{body}"}).test_client()
    answers = [client.get("/api/posts/1").text for _ in range(3)]
    assert answers == (["0", "0", "0"] if is_static else ["0", "1", "2"])


@pytest.mark.parametrize(
    ("config", "lifetime"),
    [
        (RouteConfig(revalidate=7), 7),
        (RouteConfig(revalidate=False), None),
        (RouteConfig(dynamic="error"), None),
        (RouteConfig(dynamic="force-static"), None),
        (RouteConfig(dynamic="force-static", revalidate=7), 7),
    ],
)
def test_a_lifetime_is_in_seconds_or_endless(config, lifetime):
    assert config.lifetime == lifetime


@pytest.mark.parametrize(
    ("code", "messages"),
    [
        ("dynamic = 'foo'", [f"dynamic is 'foo'. {DYNAMIC}"]),
        (
            "dynamic = 'force_static'",
            [f"dynamic is 'force_static'. Did you mean 'force-static'? {DYNAMIC}"],
        ),
        ("dynamic = True", [f"dynamic is True. {DYNAMIC}"]),
        ("dynamic = None", [f"dynamic is None. {DYNAMIC}"]),
        ("revalidate = True", [f"revalidate is True. {REVALIDATE}"]),
        ("revalidate = None", [f"revalidate is None. {REVALIDATE}"]),
        ("revalidate = -1", [f"revalidate is -1. {REVALIDATE}"]),
        ("revalidate = 1.5", [f"revalidate is 1.5. {REVALIDATE}"]),
        ("revalidate = '60'", [f"revalidate is '60'. {REVALIDATE}"]),
        (
            "def revalidate(): ...",
            [f"revalidate is of the type function. {REVALIDATE}"],
        ),
        (
            "revalidate = 60; dynamic = 'force-dynamic'",
            [contradiction("force-dynamic", "60", "never stored")],
        ),
        (
            "revalidate = False; dynamic = 'force-dynamic'",
            [contradiction("force-dynamic", "False", "never stored")],
        ),
        (
            "revalidate = 0; dynamic = 'force-static'",
            [contradiction("force-static", "0", "stored")],
        ),
        ("revalidate = 0; dynamic = 'error'", [contradiction("error", "0", "stored")]),
        ("dynamic_params = True", [not_static("dynamic_params")]),
        ("cache_tags = ['posts']", [not_static("cache_tags")]),
        ("revalidate = 0; cache_tags = ['posts']", [not_static("cache_tags")]),
        (
            "def generate_static_params(): return []",
            [not_static("generate_static_params")],
        ),
        (
            "cache_tags = ['posts']; dynamic_params = False",
            [not_static("dynamic_params"), not_static("cache_tags")],
        ),
        (
            "revalidate = 60; dynamic_params = 'no'",
            ["dynamic_params is 'no'. Write True or False."],
        ),
        (
            "revalidate = 60; dynamic_params = False",
            [
                "dynamic_params is False, but there is no generate_static_params, so every URL "
                "of the file would be 404. Define generate_static_params(), which returns a list "
                "of dicts, or remove dynamic_params."
            ],
        ),
        (
            "revalidate = 60; generate_static_params = [{'id': 1}]",
            [f"generate_static_params is [{{'id': 1}}]. {PARAMS}"],
        ),
        (
            "revalidate = 60\nclass generate_static_params: ...",
            [f"generate_static_params is of the type type. {PARAMS}"],
        ),
        (
            "revalidate = 60\nasync def generate_static_params(): yield {}",
            [f"generate_static_params is of the type function. {PARAMS}"],
        ),
        (
            "revalidate = 60\ndef generate_static_params(params): ...",
            [
                "generate_static_params is a function with required arguments, but it is called "
                "without any. "
                f"{PARAMS}"
            ],
        ),
        (
            "revalidate = 60; cache_tags = 'posts'",
            ["cache_tags is 'posts'. Write a list: cache_tags = ['posts']."],
        ),
        ("revalidate = 60; cache_tags = ['']", [f"cache_tags is ['']. {TAGS}"]),
        ("revalidate = 60; cache_tags = [1]", [f"cache_tags is [1]. {TAGS}"]),
        ("revalidate = 60; cache_tags = {'a'}", [f"cache_tags is {{'a'}}. {TAGS}"]),
        ("revalidate = 60; cache_tags = None", [f"cache_tags is None. {TAGS}"]),
        (
            "revalidate = 60\nclass cache_tags: ...",
            [f"cache_tags is of the type type. {TAGS}"],
        ),
        (
            "revalidate = 60\ndef cache_tags(request): ...",
            [
                "cache_tags asks for 'request', which is not in the path. "
                "It can ask for 'id' and 'params'. Any other parameter needs a default."
            ],
        ),
        (
            "dynamic = 'foo'; revalidate = '60'; dynamic_params = 1; cache_tags = 'a'",
            [
                f"dynamic is 'foo'. {DYNAMIC}",
                f"revalidate is '60'. {REVALIDATE}",
                "dynamic_params is 1. Write True or False.",
                "cache_tags is 'a'. Write a list: cache_tags = ['a'].",
            ],
        ),
    ],
)
def test_invalid_config_is_refused(tree, code, messages):
    problems = refused(bare_app(tree({FILE: f"{code}\n{GET}"})))
    assert [f"{p.reason} {p.hint}" for p in problems] == messages
    assert {p.files for p in problems} == {(FILE,)}


def test_a_static_file_needs_a_get_handler(tree):
    code = "revalidate = 60\ndef POST(): return ''\n"
    [problem] = refused(bare_app(tree({FILE: code})))
    assert f"{problem.reason} {problem.hint}" == (
        "The file configures how its GET is stored, but it has no GET. "
        "Other methods are never stored. Define GET, or remove dynamic and revalidate."
    )


def test_a_single_argument_is_named_in_the_hint(tree):
    code = "revalidate = 60\ndef cache_tags(request): ...\ndef GET(): ...\n"
    [problem] = refused(bare_app(tree({"route.py": code})))
    assert problem.hint.startswith("It can ask for 'params'. Any other parameter needs a default.")


def test_static_params_need_a_parameter(tree):
    code = f"revalidate = 60\ndef generate_static_params(): return []\n{GET}"
    [problem] = refused(bare_app(tree({"posts/route.py": code})))
    assert f"{problem.reason} {problem.hint}" == (
        "generate_static_params has nothing to list: the path has no parameter. "
        "Remove it: without parameters there is one URL."
    )


@pytest.mark.parametrize(
    "code",
    [
        "revalidate = 60; cache_tags = []",
        "revalidate = 60; cache_tags = ('a', 'b')",
        "revalidate = 60\ndef cache_tags(): return []",
        "revalidate = 60\ndef cache_tags(id, params): return []",
        "revalidate = 60; cache_tags = lambda **values: []",
        "revalidate = 60\nasync def cache_tags(id): return []",
        "revalidate = 60\ndef generate_static_params(most=10): return []",
        "revalidate = 60\nasync def generate_static_params(): return []",
        "revalidate = 60\ndef generate_static_params(): yield {'id': 1}",
        "revalidate = 60; dynamic_params = True",
        "revalidate = 31536000 * 7",
    ],
)
def test_valid_config_is_accepted(make_app, code):
    assert make_app({FILE: f"{code}\n{GET}"}).test_client().get("/api/posts/1").status_code == 200


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("dynamicParams", "False", "Write dynamic_params."),
        ("generateStaticParams", "None", "Write generate_static_params."),
        ("cacheTags", "[]", "Write cache_tags."),
        ("fetchCache", "'auto'", "It is not supported here: remove it."),
        ("maxDuration", "5", "It is not supported here: remove it."),
        ("preferredRegion", "'home'", "It is not supported here: remove it."),
        ("runtime", "'edge'", "It is not supported here: remove it."),
    ],
)
def test_a_name_of_nextjs_is_warned_about(tree, name, value, hint):
    app = bare_app(tree({FILE: f"{name} = {value}\n{GET}"}))
    with pytest.warns(RouteHandlersWarning) as caught:
        RouteHandlers(app)
    assert [str(warning.message) for warning in caught] == [
        f"{FILE} defines {name}, a name of Next.js that has no effect. {hint}"
    ]
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("REVALIDATE = 60", "defines REVALIDATE, which has no effect. Did you mean revalidate?"),
        ("cache_tag = []", "defines cache_tag, which has no effect. Did you mean cache_tags?"),
        pytest.param(
            "revalidate: 60",
            "annotates revalidate without a value. Write revalidate = ..., not revalidate: ...",
            marks=pytest.mark.skipif(
                sys.version_info >= (3, 14), reason="annotations are not evaluated"
            ),
        ),
    ],
)
def test_a_similar_name_is_warned_about(tree, code, hint):
    app = bare_app(tree({FILE: f"{code}\n{GET}"}))
    with pytest.warns(RouteHandlersWarning) as caught:
        RouteHandlers(app)
    assert [str(warning.message) for warning in caught] == [f"{FILE} {hint}"]


def test_a_constant_in_use_is_not_warned_about(make_app):
    code = "REVALIDATE = 60\nrevalidate: int = REVALIDATE\n"
    app = make_app({FILE: f"{code}{GET}"})
    assert app.test_client().get("/api/posts/1").status_code == 200


def test_a_likely_own_name_is_not_warned_about(make_app):
    app = make_app({FILE: f"runtime = 'python3.11'\n{GET}"})
    assert app.test_client().get("/api/posts/1").status_code == 200


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
