"""The URL prefix of a tree, guessed from its root or given."""

from __future__ import annotations

import pytest
from flask import Flask, url_for

from flask_routehandlers import RouteHandlers, RouteTreeError
from tests.extension.support import messages, mounted_app, rules
from tests.support import ECHO, bare_app, write_files


@pytest.mark.parametrize(
    ("root", "prefix"),
    [
        ("app/api", "/api"),
        ("app", ""),
        ("src/app/api/v2", "/api/v2"),
        ("routes", ""),
        ("application/api", ""),
        (".", ""),
        ("./app//api/", "/api"),
        ("app/x/../api", "/api"),
        ("app/app/api", "/app/api"),
        ("app/api/app", "/api/app"),
        ("app/(public)/api", "/api"),
        ("app/v1.0/.well-known", "/v1.0/.well-known"),
        ("app/%5Fv1", "/_v1"),
        ("app/e\u0301", "/\u00e9"),
    ],
)
def test_the_prefix_is_the_part_below_app(tmp_path, root, prefix):
    app = mounted_app(tmp_path, root)
    assert rules(app) == [f"{prefix}/hello"]
    assert app.test_client().get(f"{prefix}/hello").status_code == 200


@pytest.mark.parametrize(
    ("root_path", "root", "prefix"),
    [
        ("app", "routes", ""),
        ("app", "api", ""),
        ("app", "app/api", "/api"),
        ("app/site", "../api", ""),
        ("site/scripts/..", "app/api", "/api"),
        ("site/", "app/api", "/api"),
    ],
)
def test_folders_above_the_app_do_not_count(tmp_path, root_path, root, prefix):
    (tmp_path / root_path.rstrip(".")).mkdir(parents=True)
    app = Flask("own", root_path=f"{tmp_path}/{root_path}", static_folder=None)
    write_files(tmp_path / root_path / root, {"hello/route.py": ECHO})
    RouteHandlers(app, root)
    assert rules(app) == [f"{prefix}/hello"]


def test_an_absolute_root_below_the_app_counts(tmp_path):
    inside, elsewhere = tmp_path / "site/app/api", tmp_path / "other/app/api"
    write_files(inside, {"hello/route.py": ECHO})
    write_files(elsewhere, {"hello/route.py": ECHO})
    app = bare_app(tmp_path / "site")
    RouteHandlers(app, inside)
    RouteHandlers(app, str(elsewhere), name="other")
    assert rules(app) == ["/api/hello", "/hello"]


@pytest.mark.parametrize(
    ("root", "folder"),
    [
        ("app/[lang]", "[lang]"),
        ("app/api/v[n=int]/x", "v[n=int]"),
        ("app/[[...path]]", "[[...path]]"),
        ("app/@x", "@x"),
        ("app/x<y>", "x<y>"),
    ],
)
def test_a_root_with_brackets_needs_a_prefix(tmp_path, root, folder):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message follows
        mounted_app(tmp_path, root)
    assert str(caught.value) == (
        f"The root {tmp_path}/{root} has no default URL prefix, because of its folder {folder}. "
        'Pass one: RouteHandlers(app, root, url_prefix="/api").'
    )
    assert rules(mounted_app(tmp_path, root, url_prefix="/<x>", name="x")) == ["/<x>/hello"]


@pytest.mark.parametrize(
    ("prefix", "url", "params"),
    [
        ("", "/hello", {}),
        ("/v1/api", "/v1/api/hello", {}),
        ("/a b/é", "/a%20b/%C3%A9/hello", {}),
        ("/<lang>/api", "/de/api/hello", {"lang": "de"}),
        ("/<int:n>", "/7/hello", {"n": 7}),
        ("/v<int:n>.<string(length=2):x>", "/v7.ab/hello", {"n": 7, "x": "ab"}),
        ("/<any(en, de):lang>", "/en/hello", {"lang": "en"}),
    ],
)
def test_a_given_prefix_is_a_flask_rule(tmp_path, prefix, url, params):
    app = mounted_app(tmp_path, "app/api", url_prefix=prefix)
    assert rules(app) == [f"{prefix}/hello"]
    client = app.test_client()
    assert client.get(url).json == {"rule": f"{prefix}/hello", "params": params}
    with app.test_request_context():
        assert url_for("api./hello", **params) == url


@pytest.mark.parametrize(
    "url", ["/fr/hello", "/./hello", "/../hello", "/%00/hello", "/a%5Cb/hello", "/%FF/hello"]
)
def test_prefix_parameters_match_clean_segments(tmp_path, url):
    app = mounted_app(tmp_path, "app/api", url_prefix="/<any(en, '.', '..', '\0', '\\\\'):lang>")
    assert app.test_client().get("/en/hello").status_code == 200
    assert app.test_client().get(url).status_code == 404


SHAPE = (
    "must start with a slash, must not end with one, and cannot have an empty segment, . or .. "
    "in it."
)
FOR_NONE = "Write url_prefix='' for none."


@pytest.mark.parametrize(
    ("prefix", "hint"),
    [
        ("api", "Did you mean '/api'?"),
        ("/api/", "Did you mean '/api'?"),
        ("/api//v2", "Did you mean '/api/v2'?"),
        ("./api", "Did you mean '/api'?"),
        ("/api/../v2", "Did you mean '/api/v2'?"),
        ("/<lang>/", "Did you mean '/<lang>'?"),
        ("/", FOR_NONE),
        ("//", FOR_NONE),
        ("..", FOR_NONE),
    ],
)
def test_an_unclean_prefix_is_refused_at_once(prefix, hint):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message follows
        RouteHandlers(url_prefix=prefix)
    assert str(caught.value) == f"The url_prefix {prefix!r} {SHAPE} {hint}"


@pytest.mark.parametrize("prefix", ["/a\\b", "/a\tb", "/<x>/a\x7f", "/\ufffd"])
def test_unclean_characters_are_refused(tree, prefix):
    with pytest.raises((ValueError, RouteTreeError), match="The url_prefix "):
        RouteHandlers(bare_app(tree({}, "hello")), url_prefix=prefix)


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        (
            "/<path:p>/api",
            "its parameter 'p' can match several segments, since the part_isolating of its "
            "converter is false",
        ),
        ("/<nope:x>", "the converter 'nope' does not exist"),
        ("/<x", "malformed url rule: '/<x'"),
        ("/<int(min=-1):x>", "Cannot parse converter argument 'min=-'"),
        ("/<int(x=1):n>", "NumberConverter.__init__() got an unexpected keyword argument 'x'"),
    ],
)
def test_a_prefix_that_is_not_a_rule_is_refused(tree, prefix, reason):
    project = tree({}, "hello")
    assert messages(bare_app(project), url_prefix=prefix) == [
        f"{project}/app/api\n  The url_prefix {prefix!r} cannot be used: {reason}.\n"
        "  Write it as a Flask rule, for example /api or /<lang>/api."
    ]


@pytest.mark.parametrize("prefix", ["/<a>/<a>", "/<request>", "/v<params>", "/<call_next>"])
def test_reserved_names_are_refused(tree, prefix):
    [message] = messages(bare_app(tree({}, "hello")), url_prefix=prefix)
    assert f"\n  The url_prefix {prefix!r} cannot be used: " in message


def test_prefix_and_folder_cannot_share_a_name(tree):
    app = bare_app(tree({}, "[lang]", "x/[...lang]", "y"))
    message = (
        "{}/route.py\n  The url_prefix '/<lang>' has a parameter 'lang' too.\n"
        "  Give each parameter of a path a different name."
    )
    expected = [message.format(folder) for folder in ("[lang]", "x/[...lang]")]
    assert messages(app, url_prefix="/<lang>") == expected
