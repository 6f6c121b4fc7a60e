"""What ``explain`` says of a request is what happens to it, and every reason is true."""

from __future__ import annotations

import random
import re
from ast import literal_eval
from collections import Counter
from itertools import count
from urllib.parse import quote, unquote_to_bytes

import pytest
from flask import request
from hypothesis import given, note, settings
from hypothesis import strategies as st
from werkzeug.routing import BaseConverter, ValidationError
from werkzeug.test import create_environ, run_wsgi_app

from flask_routehandlers import RouteHandlers, RouteHandlersError
from flask_routehandlers.cli.explain import Explanation, PassedOver, explain
from flask_routehandlers.cli.steps import Step
from tests.oracle import CATCH_ALL, STATIC, fit, match, places
from tests.support import SEEDED, bare_app, path_for, write_files
from tests.test_precedence import PREFIXES, STATICS, WORDS, changed, endpoint, trees

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")

HANDLER = """
def {method}(request, params):
    request.environ["seen"].update(file={file!r}, params=params)
    return ""
"""
ONE_MIDDLEWARE = """
def middleware(request, call_next):
    request.environ["seen"]["through"].append(({file!r}, "middleware"))
    return call_next()
"""
TWO_MIDDLEWARE = """
def first(request, call_next):
    request.environ["seen"]["through"].append(({file!r}, "middleware[0] (first)"))
    return call_next()

def second(request, call_next):
    request.environ["seen"]["through"].append(({file!r}, "middleware[1] (second)"))
    return call_next()

middleware = [first, second]
"""

#: What each run goes through at least, as a share of all requests.
#: Too rare to be counted: one of two mixed folders that has more text.
MINIMUM = {200: 0.2, 404: 0.1, 405: 0.1, "middleware": 0.1, "refused": 0.05, "before": 0.1,
           "not rooted": 0.005}  # fmt: skip

_numbers = count()


def app_of(rng, routes, url_prefix, folder):
    """An app that notes in ``environ["seen"]`` what a request goes through."""
    files = {}
    for route in routes:
        file = f"{route}/route.py".lstrip("/")
        methods = rng.sample(METHODS, rng.choice((1, 2, 8)))
        files[file] = "".join(HANDLER.format(method=m, file=file) for m in methods)
        names = route.split("/") if route else []
        for n in range(len(names) + 1):
            if rng.random() < 0.2:
                file = "/".join((*names[:n], "middleware.py"))
                files[file] = rng.choice((ONE_MIDDLEWARE, TWO_MIDDLEWARE)).format(file=file)
    project = folder / f"explained{next(_numbers)}"
    write_files(project / "app/api", files)
    app = bare_app(project)
    RouteHandlers(app, url_prefix=url_prefix)

    @app.before_request
    def tell():
        request.environ["seen"].update(endpoint=request.endpoint, params=request.view_args)

    return app


def really(app, method, target):
    """What happens to a request: status, what it passed, and its path as it is matched."""
    environ = create_environ(method=method)
    environ["PATH_INFO"] = unquote_to_bytes(target.partition("?")[0]).decode("latin-1")
    environ["seen"] = seen = {"method": method, "endpoint": None, "through": []}
    _, status, _ = run_wsgi_app(app, environ, buffered=True)
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
    return int(status[:3]), seen, "/" + path.lstrip("/")


def disturbed(rng, path):
    """The path percent-encoded, sometimes with what makes it unclean, or with a query."""
    target = quote(path)
    if rng.random() < 0.15:
        cut = rng.randint(1, len(target))
        cut = target.rfind("/", 0, cut) + 1  # not in a percent-encoded character
        noise = rng.choice(("./", "../", "%00", "%FF", "/", "%5C", "%0A", "%2F", "%2e%2e/"))
        target = target[:cut] + noise + target[cut:]
    return (
        rng.choice(("", "", "", "/")) * (rng.random() < 0.1) + target + rng.choice(("", "?a=/b"))
    )


def is_unclean(text):
    return text in (".", "..") or re.search(r"[\x00-\x1f\x7f-\x9f\\\ufffd]", text) is not None


def takes(pieces, text):
    return not is_unclean(text) and fit(pieces, text) is not None


def refusing(route, path):
    """The places of a route, without a catch-all, whose texts are the only thing that differs."""
    texts, of = path.split("/")[1:], places(route)
    if len(texts) != len(of) or any(rank[0] >= CATCH_ALL for rank, _ in of):
        return []
    return [n for n, (_, pieces) in enumerate(of) if not takes(pieces, texts[n])]


def matches(route, path):
    return not any(map(is_unclean, path.split("/"))) and match(route, path) is not None


def shown(route):
    return [name for name in route.split("/") if name and name[0] != "("]


BEFORE = re.compile(
    r"(?:the static |the parameter |the (?:optional )?catch-all )?(\S+?)"
    r"(?:, which has (?:a converter|text around its parameter),)? comes before "
    r"(?:the static |the parameter |the (?:optional )?catch-all )?(\S+?)"
    r"(?:, which has (?:a converter|text around its parameter),)?"
)


def check_reason(reason, route, chosen, path):
    """Hold the reason why a route was passed over against the contract's sentences."""
    if found := re.fullmatch(r"(.+) does not match ('.*'|\".*\")", reason):
        folder, text = found[1], literal_eval(found[2])
        of = places(route)
        texts = path.split("/")[1:]
        if of[-1][0][0] < CATCH_ALL:
            (n,) = refusing(route, path)
        else:
            n = next(n for n, (_, pieces) in enumerate(of) if not takes(pieces, texts[n]))
        assert (shown(route)[n], texts[n]) == (folder, text)
        assert of[n][0] != (STATIC,), "a static folder is not what nearly matches"
        return "refused"
    assert matches(route, path)
    if chosen is None:
        assert reason == "the path does not begin with one slash"
        return "not rooted"
    pairs = zip(places(chosen), places(route), strict=False)
    n = next(n for n, (ours, theirs) in enumerate(pairs) if ours != theirs)
    first, second = shown(chosen)[n], shown(route)[n]
    assert places(chosen)[n][0] < places(route)[n][0]
    if reason == f"{first} has more text than {second}":
        return "more text"
    found = BEFORE.fullmatch(reason)
    assert found, reason
    assert found.groups() == (first, second)
    return "before"


def through(found):
    """File and name of each middleware of an explanation."""
    return [(step.file, step.name) for step in found.steps if step.kind == "middleware"]


def check_answer(found, status, seen, files):
    """Hold an explanation against what happened."""
    assert found.status == (200 if status == 204 else status)
    if status == 404:
        nothing = (found.file, found.rule, found.endpoint, found.parameters, found.methods)
        assert nothing == (None, None, None, {}, [])
        assert found.steps == [] == seen["through"]
        return
    assert found.endpoint == seen["endpoint"]
    assert found.file == files[found.endpoint] == seen.get("file", found.file)
    assert repr(found.parameters) == repr(seen["params"])
    assert through(found) == seen["through"]
    assert (seen["method"] in found.methods) == (status != 405)


def check_passed_over(found, path, routes, first):
    """Every reason is true, and no file is missing that matches alone or all but one segment.

    :param routes: for each file the folders that its URL is made of.
    :param first: how many of them are the prefix.
    :returns: the kinds of reasons.
    """
    chosen = routes.get(found.file)
    over = {other.file: other for other in found.passed_over}
    assert list(over) == [other.file for other in found.passed_over]
    assert list(over) == sorted(over, key=lambda file: file.split("/"))
    for file, route in routes.items():
        if file in over:
            yield check_reason(over[file].reason, route, chosen, path)
        elif file != found.file:
            assert not matches(route, path)
            near = refusing(route, path)
            assert len(near) != 1 or near[0] < first or places(route)[near[0]][0] == (STATIC,)


@pytest.mark.parametrize(
    ("examples", "requests"),
    [
        (6, 60),
        pytest.param(50, 60, marks=pytest.mark.ci),
        pytest.param(400, 100, marks=pytest.mark.soak),
    ],
    ids=["360", "3,000", "40,000"],
)
def test_random_requests_do_what_is_explained(examples, requests, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    counts: Counter[object] = Counter()

    @settings(SEEDED, max_examples=examples)
    @given(trees(), st.sampled_from(sorted(PREFIXES)), st.integers(0, 2**32))
    def compare(tree, url_prefix, seed):
        rng = random.Random(seed)
        app = app_of(rng, tree, url_prefix, folder)
        prefix = PREFIXES[url_prefix]
        routes = {f"{route}/route.py".lstrip("/"): f"{prefix}/{route}" for route in tree}
        files = dict(zip(map(endpoint, tree), routes, strict=True))
        words = [*WORDS, *(name for route in tree for name in route.split("/") if name in STATICS)]
        for _ in range(requests):
            path = path_for(rng, rng.choice(list(routes.values())), words)
            for _ in range(rng.choice((0, 1, 1, 2))):
                path = changed(rng, path, words)
            target, method = disturbed(rng, path), rng.choice((*METHODS, "BREW"))
            note(f"{method} {target} below {url_prefix!r} with {tree}")
            status, seen, path = really(app, method, target)
            found = explain(app, method, target)
            check_answer(found, status, seen, files)
            reasons = check_passed_over(found, path, routes, len(shown(prefix)))
            counts.update([found.status, *set(reasons)])
            counts["middleware"] += bool(through(found))

    compare()
    print(dict(counts))
    for kind, share in MINIMUM.items():
        assert counts[kind] >= share * examples * requests, kind


# One by one ----------------------------------------------------------------------------------


def said(app, target, method="GET"):
    """The file that answers, or the rule, or the status; and each reason by file."""
    found = explain(app, method, target)
    reasons = {other.file.removesuffix("/route.py"): other.reason for other in found.passed_over}
    return found.file or found.rule or found.status, reasons


REASONS = [
    ("me", "[slug]", "/me", "the static me comes before the parameter [slug]"),
    ("me", "m[x]", "/me", "the static me comes before m[x], which has text around its parameter,"),
    ("me", "[...all]", "/me", "the static me comes before the catch-all [...all]"),
    ("a/me", "[[...all]]", "/a/me", "the static a comes before the optional catch-all [[...all]]"),
    ("7", "[n=int]", "/7", "the static 7 comes before [n=int], which has a converter,"),
    ("v-[x]", "v[x]", "/v-1", "v-[x] has more text than v[x]"),
    ("v[x]", "[n=int]", "/v1", "[n=int] does not match 'v1'"),
    ("v[x]", "[slug]", "/v1",
     "v[x], which has text around its parameter, comes before the parameter [slug]"),
    ("[n=int]", "[slug]", "/7",
     "[n=int], which has a converter, comes before the parameter [slug]"),
    ("[n=int]", "[...all]", "/7",
     "[n=int], which has a converter, comes before the catch-all [...all]"),
    ("[slug]", "[n=int]", "/x", "[n=int] does not match 'x'"),
    ("[slug]", "[...all]", "/x", "the parameter [slug] comes before the catch-all [...all]"),
    ("[slug]", "(g)/x", "/X", None),
    ("a/[slug]", "a/b/[n=int]", "/a/b", None),
    ("(g)/a/(h)/[slug]", "(i)/[b]/c", "/a/c", "the static a comes before the parameter [b]"),
    ("a/[b]", "[c]/[n=int]", "/a/%E2%82%AC", "[n=int] does not match '€'"),
    ("[[...all]]", "[slug]/end", "/a/b", None),
]  # fmt: skip


@pytest.mark.parametrize(("chosen", "other", "target", "reason"), REASONS)
def test_the_reason_names_the_folders_that_differ(make_app, chosen, other, target, reason):
    app = make_app({}, chosen, other)
    expected = {} if reason is None else {other: reason}
    assert said(app, f"/api{target}") == (f"{chosen}/route.py", expected)


def test_an_explanation_in_full(make_app):
    middleware = "def limit(call_next):\n    return call_next()\n\nmiddleware = [limit]\n"
    app = make_app({"middleware.py": middleware}, "users/[id=int]", "(x)/users/[name]", "other")
    root = f"{app.root_path}/app/api"
    found = explain(app, "POST", "/api/users/7?page=1")
    assert found == Explanation(
        status=405,
        file="users/[id=int]/route.py",
        rule="/api/users/<int:id>",
        endpoint="api./users/[id=int]",
        parameters={"id": 7},
        methods=["GET", "HEAD", "OPTIONS"],
        steps=[Step("middleware", "middleware.py", 1, "middleware[0] (limit)")],
        static=None,
        root=root,
        passed_over=[
            PassedOver(
                root,
                "(x)/users/[name]/route.py",
                "api./users/[name]",
                "[id=int], which has a converter, comes before the parameter [name]",
            )
        ],
    )


def test_nothing_is_run(make_app):
    fails = "def {}(**arguments):\n    raise AssertionError\n"
    app = make_app(
        {"middleware.py": fails.format("middleware"), "[id]/route.py": fails.format("GET")}
    )
    app.before_request(lambda: pytest.fail("a hook ran"))
    app.url_value_preprocessor(lambda endpoint, values: pytest.fail("a hook ran"))
    app.teardown_appcontext(lambda error: pytest.fail("a context was made"))
    assert explain(app, "GET", "/api/7").status == 200


def test_views_of_the_app_come_before_files(make_app):
    app = make_app({}, "[slug]", "[...all]", "[slug]/slash")
    app.add_url_rule("/api/own", "own", lambda: "")
    app.add_url_rule("/api/form", "form", lambda: "", methods=["POST"])
    app.add_url_rule("/api/x/slash/", "slash", lambda: "")
    app.add_url_rule("/outside", "outside", lambda: "", methods=["POST"])
    first = "the app's rule /api/own comes before it"
    assert said(app, "/api/own") == ("/api/own", {"[slug]": first, "[...all]": first})
    assert explain(app, "GET", "/api/own").endpoint == "own"
    assert explain(app, "GET", "/api/own").file is None
    slug = "the parameter [slug] comes before the catch-all [...all]"
    assert said(app, "/api/form") == ("[slug]/route.py", {"[...all]": slug})
    assert said(app, "/api/form", "POST")[0] == "/api/form"
    redirects = "a rule of the app redirects"
    assert said(app, "/api/x/slash") == (308, {"[slug]/slash": redirects, "[...all]": redirects})
    assert said(app, "/outside") == (405, {})
    assert said(app, "/nowhere") == (404, {})


class Even(BaseConverter):
    """A converter that refuses a value when its rule has been chosen already."""

    regex = r"\d+"

    def to_python(self, value):
        if int(value) % 2:
            raise ValidationError
        return int(value)


def test_a_converter_can_refuse_a_value(tree):
    app = bare_app(tree({}, "[n=even]", "[slug]"))
    app.url_map.converters["even"] = Even
    RouteHandlers(app)
    assert said(app, "/api/4")[0] == "[n=even]/route.py"
    refused = "a rule matched whose converter refused the value"
    assert said(app, "/api/5") == (404, {"[slug]": refused})
    assert app.test_client().get("/api/5").status_code == 404


def test_reasons_between_trees_count_prefixes(tree):
    app = bare_app(tree({}, "[slug]/[n=int]", "[slug]/me"))
    RouteHandlers(app)
    second = tree({}, "api/[x]/[y]", "[...all]") / "app/api"
    RouteHandlers(app, second, url_prefix="", name="second")
    assert said(app, "/api/users/7") == (
        "[slug]/[n=int]/route.py",
        {
            "[...all]": "the static api comes before the catch-all [...all]",
            "api/[x]/[y]": "[n=int], which has a converter, comes before the parameter [y]",
        },
    )
    endpoints = [other.endpoint for other in explain(app, "GET", "/api/users/7").passed_over]
    assert endpoints == ["second./[*all]", "second./api/[x]/[y]"]
    assert said(app, "/api/users/me")[1] == {
        "[slug]/[n=int]": "[n=int] does not match 'me'",
        "[...all]": "the static api comes before the catch-all [...all]",
        "api/[x]/[y]": "the static me comes before the parameter [y]",
    }


def test_a_prefix_with_a_parameter_is_a_place_too(tree):
    folder = tree({}, "users/[n=int]")
    app = bare_app(folder)
    RouteHandlers(app, url_prefix="/<lang>/api", name="any")
    RouteHandlers(app, url_prefix="/en/api", name="english")
    found = explain(app, "GET", "/en/api/users/7")
    assert (found.endpoint, found.parameters) == ("english./users/[n=int]", {"n": 7})
    assert [other.reason for other in found.passed_over] == [
        "the static en comes before the parameter <lang>"
    ]
    assert explain(app, "GET", "/de/api/users/7").parameters == {"lang": "de", "n": 7}


HOSTS = [
    ({}, {}),
    ({}, {"SERVER_NAME": "shop.example:8443", "PREFERRED_URL_SCHEME": "https"}),
    ({}, {"TRUSTED_HOSTS": ["shop.example"]}),
    ({}, {"TRUSTED_HOSTS": [".shop.example", "other.example"]}),
    ({}, {"APPLICATION_ROOT": "/shop"}),
    ({"subdomain_matching": True}, {"SERVER_NAME": "shop.example"}),
    ({"subdomain_matching": True}, {"SERVER_NAME": "a.b", "TRUSTED_HOSTS": [".a.b"]}),
]


@pytest.mark.parametrize(("options", "config"), HOSTS, ids=str)
def test_the_host_is_one_that_the_app_takes(tree, options, config):
    app = bare_app(tree({}, "users", "[slug]"), **options)
    app.config.update(config)
    RouteHandlers(app)
    reason = "the static users comes before the parameter [slug]"
    assert said(app, "/api/users") == ("users/route.py", {"[slug]": reason})


def test_a_default_subdomain_is_the_apps_own(tree):
    app = bare_app(tree({}, "users", "[slug]"))
    app.url_map.default_subdomain = "www"
    RouteHandlers(app)
    assert app.test_client().get("/api/users").status_code == 200
    reason = "the static users comes before the parameter [slug]"
    assert said(app, "/api/users") == ("users/route.py", {"[slug]": reason})


def test_a_trailing_slash_without_strict_slashes(tree):
    catch_all = {"[...all]": "the static users comes before the catch-all [...all]"}
    for strict, expected in ((True, (404, {})), (False, ("users/route.py", catch_all))):
        app = bare_app(tree({}, "users", "[...all]"))
        app.url_map.strict_slashes = strict
        RouteHandlers(app)
        assert said(app, "/api/users/") == expected


def test_in_debug_mode_a_broken_file_answers_500(tree):
    app = bare_app(
        tree({"broken/route.py": "1 / 0", "below/middleware.py": "x = 1"}, "below/users", "fine")
    )
    app.debug = True
    RouteHandlers(app)
    for folder in ("broken", "below/users"):
        found = explain(app, "GET", f"/api/{folder}")
        assert (found.file, found.status) == (f"{folder}/route.py", 500)
        assert found.methods == found.steps == []
        with pytest.raises(RouteHandlersError):
            app.test_client().get(f"/api/{folder}")
    assert explain(app, "GET", "/api/fine").status == 200


def test_a_view_that_the_app_wraps_is_a_files(make_app):
    app = make_app({}, "users")
    view = app.view_functions["api./users"]
    app.view_functions["api./users"] = lambda **values: view(**values)
    found = explain(app, "GET", "/api/users")
    assert (found.status, found.methods) == (200, ["GET", "HEAD", "OPTIONS"])


def test_bytes_that_are_not_utf8_are_a_path(make_app):
    app = make_app({}, "[slug]")
    reason = "[slug] does not match '\ufffd'"
    assert said(app, "/api/\udcff") == said(app, "/api/%FF") == (404, {"[slug]": reason})
    assert explain(app, "GET", "/api/é").parameters == {"slug": "é"}
