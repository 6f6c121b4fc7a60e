"""The route config of a file: its meaning, and what keeps the app from starting."""

from __future__ import annotations

import sys

import pytest
from flask import Flask

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


def start_warnings(app: Flask) -> list[str]:
    """Return the warnings of a start, each of which points to this file."""
    with pytest.warns(RouteHandlersWarning) as caught:
        RouteHandlers(app)
    assert {warning.filename for warning in caught} == {__file__}
    return [str(warning.message).replace(f"{app.root_path}/app/api/", "") for warning in caught]


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
    assert start_warnings(app) == [
        f"{FILE}: {name} is a name of Next.js and has no effect. {hint}"
    ]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("REVALIDATE = 60", "REVALIDATE has no effect. Did you mean revalidate?"),
        ("revalidat = 60", "revalidat has no effect. Did you mean revalidate?"),
        ("revaldiate = 60", "revaldiate has no effect. Did you mean revalidate?"),
        ("Dynamic = 'error'", "Dynamic has no effect. Did you mean dynamic?"),
        ("dynamc = 'error'", "dynamc has no effect. Did you mean dynamic?"),
        ("dynamic_param = True", "dynamic_param has no effect. Did you mean dynamic_params?"),
        ("cache_tag = []", "cache_tag has no effect. Did you mean cache_tags?"),
        ("cachetags = []", "cachetags has no effect. Did you mean cache_tags?"),
        ("def cache_tag(id): ...", "cache_tag has no effect. Did you mean cache_tags?"),
        (
            "def generate_static_param(): ...",
            "generate_static_param has no effect. Did you mean generate_static_params?",
        ),
        pytest.param(
            "revalidate: 60",
            "revalidate is annotated without a value. Write revalidate = ..., not revalidate: ...",
            marks=pytest.mark.skipif(
                sys.version_info >= (3, 14), reason="annotations are not evaluated"
            ),
        ),
    ],
)
def test_a_similar_name_is_warned_about(tree, code, message):
    app = bare_app(tree({FILE: f"{code}\n{GET}"}))
    assert start_warnings(app) == [f"{FILE}: {message}"]


@pytest.mark.parametrize(
    ("count", "place"),
    [
        (1, "f000/route.py"),
        (2, "f000/route.py and f001/route.py"),
        (104, "f000/route.py and 103 other files"),
    ],
)
def test_there_is_one_warning_for_each_name(tree, count, place):
    code = f"maxDuration = 5\nrevalidat = 60\n{GET}"
    app = bare_app(tree({f"f{number:03}/route.py": code for number in range(count)}))
    assert start_warnings(app) == [
        f"{place}: maxDuration is a name of Next.js and has no effect. "
        "It is not supported here: remove it.",
        f"{place}: revalidat has no effect. Did you mean revalidate?",
    ]
    warnings = app.extensions["routehandlers"]["api"].warnings
    assert [len(warning.files) for warning in warnings] == [count, count]


@pytest.mark.parametrize(
    "code",
    [
        "dynamo = revalidator = validate = 1",
        "def revalidates(): ...",
        "def dynamics(): ...",
        "from math import hypot as dynamics",
        "cache = tags = params = 1",
    ],
)
def test_other_names_are_not_warned_about(make_app, code):
    app = make_app({FILE: f"{code}\n{GET}"})
    assert app.test_client().get("/api/posts/1").status_code == 200


def test_a_constant_in_use_is_not_warned_about(make_app):
    code = "REVALIDATE = 60\nrevalidate: int = REVALIDATE\n"
    app = make_app({FILE: f"{code}{GET}"})
    assert app.test_client().get("/api/posts/1").status_code == 200


def test_a_likely_own_name_is_not_warned_about(make_app):
    app = make_app({FILE: f"runtime = 'python3.11'\n{GET}"})
    assert app.test_client().get("/api/posts/1").status_code == 200
