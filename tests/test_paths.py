"""Only clean paths reach a handler, unchanged, and nothing is redirected."""

from __future__ import annotations

import re
from time import process_time
from urllib.parse import quote, unquote_to_bytes

import pytest
from werkzeug.routing import BaseConverter
from werkzeug.test import create_environ, run_wsgi_app

from flask_routehandlers import RouteHandlers
from tests.support import bare_app

HANDLER = """
from flask import current_app, jsonify

def GET(params):
    current_app.config["RAN"].append(params)
    return jsonify(params)
"""

ROUTES = (
    "",
    "users/[slug]",
    "users/[slug]/posts/[post]",
    "numbers/[n=int]",
    "floats/[n=float]",
    "ids/[n=uuid]",
    "any/[n=anything]",
    "files/[name].json",
    "handles/@[user]",
    "reports/[a]-[b=int].csv",
    "docs/[...path]",
    "shop/[[...path]]",
    "plain/v1.0",
)


class Anything(BaseConverter):
    """An app's converter that accepts everything."""

    regex = "(?s:.+?)"


@pytest.fixture
def serve(tree):
    """Make an app, and return a function that requests a raw path and returns body or status."""

    def make(*routes, strict_slashes=True, merge_slashes=True, **options):
        app = bare_app(tree({f"{route}/route.py".lstrip("/"): HANDLER for route in routes}))
        app.config["RAN"] = []
        app.url_map.strict_slashes = strict_slashes
        app.url_map.merge_slashes = merge_slashes
        app.url_map.converters["anything"] = Anything
        RouteHandlers(app, **options)

        def ask(path, method="GET"):
            """``path`` is percent-encoded; a server decodes it once."""
            environ = create_environ("/", method=method)
            environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1")
            app.config["RAN"].clear()
            body, status, headers = run_wsgi_app(app, environ, buffered=True)
            assert not status.startswith("3"), f"{path} is redirected to {headers['Location']}"
            assert "Location" not in headers
            code = int(status[:3])
            assert len(app.config["RAN"]) == (code == 200)
            return app.json.loads(b"".join(body)) if code == 200 else code

        return ask

    return make


#: Segments that reach no handler, alone or with text around them.
UNCLEAN = (
    "a%00", "%00", "%00a", "a%0Ab", "%0A", "a%0A", "a%0D%0Ab", "%09", "a%1F", "%1Bc", "%7F",
    "a%C2%80", "%C2%9Fa", "%C2%85", "a%5Cb", "%5C", "..%5C", "%FF", "a%FFb", "%C3", "a%C3%28",
    "%C0%AE", "%C0%AE%C0%AE", "%ED%A0%80", "%F8%88%80%80%80", "%E2%82", "%EF%BF%BD",
)  # fmt: skip

#: Segments that reach no handler without text around them.
DOTS = (".", "..", "%2E", "%2e%2E", ".%2e")

#: Segments that look like one of those, and are clean.
CLEAN = (
    "a", "...", "....", ".a", "a.", "..a", "a..", ".%20.", "%20", "%20..", "a%20b", "~", "a;b=c",
    "a,b", "%3F", "%23", "a+b", "%25", "%252E%252E", "%252e", "%2500", "%252F", "%255C", "%25FF",
    "a%25b", "&", "=", "@", ":", "*", "%3Cscript%3E", "%E2%80%A8", "%E2%80%A9", "%C2%A0",
    "%E2%80%8B", "%E2%80%AE", "%F0%9F%98%80", "%E6%97%A5", "%C3%A9", "e%CC%81", "[slug]",
    "%EF%BC%8E%EF%BC%8E", "%EF%BC%BC", "%EF%BC%8F", "%7B%7D", "%7C", "%5E", "%22", "'", "(", "$",
    "%EE%80%80", "%EF%BF%BE", "x" * 5000,
)  # fmt: skip

#: Paths with a segment X, and the parameters that the handler receives.
PLACES = {
    "/users/X": {"slug": "X"},
    "/users/X/posts/3": {"slug": "X", "post": "3"},
    "/users/ann/posts/X": {"slug": "ann", "post": "X"},
    "/any/X": {"n": "X"},
    "/files/X.json": {"name": "X"},
    "/handles/@X": {"user": "X"},
    "/docs/X": {"path": ["X"]},
    "/docs/a/X": {"path": ["a", "X"]},
    "/docs/X/b": {"path": ["X", "b"]},
    "/docs/a/X/b/c": {"path": ["a", "X", "b", "c"]},
    "/shop/X": {"path": ["X"]},
    "/shop/X/b": {"path": ["X", "b"]},
}
PREFIXES = {"": "", "/api": "/api", "/<lang>/v1": "/de/v1"}


def filled(value, segment):
    """A value of PLACES with a segment, decoded, in place of X."""
    decoded = unquote_to_bytes(segment).decode()
    return (
        [v.replace("X", decoded) for v in value]
        if isinstance(value, list)
        else (value.replace("X", decoded))
    )


@pytest.mark.parametrize("strict_slashes", [True, False])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_clean_segments_arrive_and_unclean_do_not(serve, strict_slashes, prefix):
    ask = serve(*ROUTES, strict_slashes=strict_slashes, url_prefix=prefix)
    given = {"lang": "de"} if "<" in prefix else {}
    for place, values in PLACES.items():
        path = PREFIXES[prefix] + place
        for segment in UNCLEAN + DOTS * path.endswith(("/X", "/X/b", "/X/b/c")):
            assert ask(path.replace("X", segment)) == 404, (path, segment)
        for segment in CLEAN:
            expected = given | {name: filled(value, segment) for name, value in values.items()}
            assert ask(path.replace("X", segment)) == expected, (path, segment)


@pytest.mark.parametrize("strict_slashes", [True, False])
@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/numbers/7", {"n": 7}),
        ("/numbers/7%00", 404),
        ("/numbers/7%0A", 404),
        ("/numbers/%0A7", 404),
        ("/numbers/-7", 404),
        ("/numbers/7.", 404),
        ("/numbers/..", 404),
        ("/floats/1.5", {"n": 1.5}),
        ("/floats/1.5%0A", 404),
        ("/floats/.", 404),
        ("/floats/..", 404),
        ("/floats/nan", 404),
        (
            f"/ids/{'0' * 8}-0000-0000-0000-{'0' * 12}",
            {"n": "00000000-0000-0000-0000-" + "0" * 12},
        ),
        (f"/ids/{'0' * 8}-0000-0000-0000-{'0' * 12}%0A", 404),
        ("/ids/..", 404),
        ("/reports/a-3.csv", {"a": "a", "b": 3}),
        ("/reports/..-3.csv", {"a": "..", "b": 3}),
        ("/reports/a%5C-3.csv", 404),
        ("/reports/a%FF-3.csv", 404),
        ("/reports/-3.csv", 404),
        ("/reports/a-3.csv%0A", 404),
        # Text in a folder can make a segment of dots.
        ("/dots/a.", {"a": "a"}),
        ("/dots/...", {"a": ".."}),
        ("/dots/..", 404),
        ("/plain/v1.0", {}),
        ("/plain/v1.0%0A", 404),
        ("/plain/v1.0%00", 404),
        ("/plain/%76%31%2e%30", {}),
        ("/plain/v1%252E0", 404),
        ("/plain/V1.0", 404),
        ("/plain/./v1.0", 404),
        ("/plain/../plain/v1.0", 404),
        ("/users/a/../posts/3", 404),
        # A server decodes %2F before anything can distinguish it from a slash.
        ("/users/a%2Fposts%2F3", {"slug": "a", "post": "3"}),
        ("/docs/a%2Fb", {"path": ["a", "b"]}),
        ("/docs/a%2F..%2Fb", 404),
        ("/docs/a%2F%2Fb", 404),
        ("/docs/%2Fb", 404),
    ],
)
def test_a_path_is_decoded_once(serve, strict_slashes, path, answer):
    ask = serve(*ROUTES, "dots/[a].", strict_slashes=strict_slashes)
    assert ask(f"/api{path}") == answer


#: Paths with an empty segment, for any app.
EMPTY_SEGMENTS = (
    "//users/ann", "/users//ann", "/users/ann//", "/users//", "//", "///", "/users//posts/3",
    "/users/ann/posts//", "/users/ann//posts/3", "/any//", "/numbers//7", "/numbers/7//",
    "/docs//", "/docs//a", "/docs/a//", "/docs/a//b", "/docs/a/b//", "/docs/a///b", "/shop//",
    "/shop///", "/shop//a", "/shop/a//", "/shop/a//b", "/plain//v1.0", "/plain/v1.0//",
    "//plain/v1.0", "/files//a.json", "/reports//a-3.csv",
)  # fmt: skip


@pytest.mark.parametrize("merge_slashes", [True, False])
@pytest.mark.parametrize("strict_slashes", [True, False])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_an_empty_segment_reaches_no_handler(tree, serve, merge_slashes, strict_slashes, prefix):
    ask = serve(
        *ROUTES, strict_slashes=strict_slashes, merge_slashes=merge_slashes, url_prefix=prefix
    )
    for path in EMPTY_SEGMENTS:
        assert ask(PREFIXES[prefix] + path) == 404, path
        assert ask("/" + PREFIXES[prefix] + path) == 404, path
    if prefix:
        assert ask(PREFIXES[prefix].replace("/", "//") + "/users/ann") == 404


#: Paths with one slash more at their end: what the handler gets when the app allows it.
TRAILING = {
    "/users/ann/": {"slug": "ann"},
    "/users/ann/posts/3/": {"slug": "ann", "post": "3"},
    "/numbers/7/": {"n": 7},
    "/floats/1.5/": {"n": 1.5},
    "/any/x/": {"n": "x"},
    "/files/a.json/": {"name": "a"},
    "/handles/@ann/": {"user": "ann"},
    "/reports/a-3.csv/": {"a": "a", "b": 3},
    "/docs/a/": {"path": ["a"]},
    "/docs/a/b/": {"path": ["a", "b"]},
    "/docs/": 404,
    "/docs": 404,
    "/shop/": {"path": []},
    "/shop/a/": {"path": ["a"]},
    "/plain/v1.0/": {},
    "/users/": 404,
    "/users/../": 404,
    "/docs/../": 404,
    "/shop/./": 404,
    "/users/a%0A/": 404,
    "/docs/a%FF/": 404,
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_trailing_slash_is_another_url(serve, prefix):
    strict = serve(*ROUTES, url_prefix=prefix)
    loose = serve(*ROUTES, url_prefix=prefix, strict_slashes=False)
    given = {"lang": "de"} if "<" in prefix else {}
    for path, answer in TRAILING.items():
        expected = 404 if answer == 404 else given | answer
        assert strict(PREFIXES[prefix] + path) == 404, path
        assert loose(PREFIXES[prefix] + path) == expected, path


@pytest.mark.parametrize("strict_slashes", [True, False])
def test_the_root_of_a_tree_is_the_prefix(serve, strict_slashes):
    ask = serve("", strict_slashes=strict_slashes)
    assert ask("/api") == {}
    assert ask("/api/") == (404 if strict_slashes else {})
    assert [ask(path) for path in ("", "/", "//api", "/api//", "api", "/api/.")] == [404] * 6
    ask = serve("", strict_slashes=strict_slashes, url_prefix="")
    assert ask("/") == {}
    assert ask("") == {}  # an application at a mount point of its server
    assert [ask(path) for path in ("//", "///", "/.", "/..", "/%00")] == [404] * 5


@pytest.mark.parametrize("strict_slashes", [True, False])
def test_a_path_needs_a_slash_at_its_start(serve, strict_slashes):
    ask = serve(*ROUTES, strict_slashes=strict_slashes, url_prefix="")
    assert [ask(path) for path in ("users/ann", "plain/v1.0", "docs/a", ".")] == [404] * 4


@pytest.mark.parametrize("segment", [*UNCLEAN, *DOTS, ""])
def test_a_dynamic_prefix_takes_clean_segments(serve, segment):
    ask = serve(*ROUTES, url_prefix="/<lang>/v1")
    assert ask(f"/{segment}/v1/users/ann") == 404
    assert ask(f"/{segment}/v1") == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "TRACE"])
def test_nothing_is_redirected(tree, method):
    app = bare_app(tree({}, *ROUTES))
    app.url_map.redirect_defaults = app.url_map.merge_slashes = True
    app.url_map.converters["anything"] = Anything
    RouteHandlers(app)
    for path in ("", "/", "/shop", "/shop/", "/shop//", "/users//a", "/users/a/", "//users/a"):
        environ = create_environ("/", method=method)
        environ["PATH_INFO"] = f"/api{path}"
        _, status, headers = run_wsgi_app(app, environ, buffered=True)
        assert (status[:3] == "404") is (path not in ("", "/shop"))
        assert "Location" not in headers


# Work that a path can cause is bounded.

SEVERAL = {"[a]-[b]": 1024, "[a]-[b]-[c]": 128, "[a]-[b]-[c]-[d]": 64, "[a].[b]-[c]_[d]x[e]": 64}


@pytest.mark.parametrize(("folder", "limit"), SEVERAL.items())
def test_several_parameters_have_a_limit(serve, folder, limit):
    ask = serve(folder)
    text = re.sub(r"\[\w\]", "y", folder)
    for length, found in ((limit, True), (limit + 1, False)):
        path = "/api/" + "y" * (length - len(text)) + text
        answer = ask(path)
        assert (answer != 404) is found
        if found:
            assert sum(map(len, answer.values())) + len(text.replace("y", "")) == limit


def test_limits_count_characters_not_bytes(serve):
    ask = serve("[a]-[b]-[c]-[d]")
    assert ask("/api/" + quote("é" * 58 + "-b-c-d")) == {
        "a": "é" * 58,
        "b": "b",
        "c": "c",
        "d": "d",
    }
    assert ask("/api/" + quote("é" * 59 + "-b-c-d")) == 404


def test_a_number_has_as_many_digits_as_python_reads(serve):
    ask = serve("[n=int]", "v[n=int]", "[a=int]-[b=int]")
    assert ask("/api/" + "9" * 4300) == {"n": int("9" * 4300)}
    assert ask("/api/v" + "9" * 4299) == {"n": int("9" * 4299)}
    for path in ("9" * 4301, "v" + "9" * 4301, "0" * 100_000, "9" * 1024 + "-1"):
        assert ask("/api/" + path) == 404


@pytest.mark.parametrize(
    "segment",
    ["-" * 100_000, "a-" * 50_000, "a" * 100_000, ".-_x" * 25_000, "9" * 100_000,
     "\u0661" * 50_000, "a-" * 32, "a-" * 64, "-" * 63 + "\n", "a-" * 512,
     "/" * 100_000, "a/" * 50_000 + "\n"],
    ids=lambda segment: f"{segment[:4]!a} x {len(segment)}",
)  # fmt: skip
def test_no_path_takes_long(serve, segment):
    ask = serve(*SEVERAL, "n/[n=int]", "f/[n=float]", "[a=int]_[b=int]_[c=int]!", "docs/[...path]")
    start = process_time()
    for folder in ("", "n/", "f/", "docs/"):
        ask(f"/api/{folder}{quote(segment)}")
    # Unbounded backtracking would take minutes.
    assert process_time() - start < 20
