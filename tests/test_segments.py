"""Converters in folder names: which are accepted, and the values that have a URL."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, url_for
from werkzeug.routing import BaseConverter, PathConverter

from flask_routehandlers import RouteHandlers
from flask_routehandlers.routing.converters import can_match_slash
from tests.support import bare_app, refused


def converter(regex: str, **attributes: Any) -> type[BaseConverter]:
    return type("Own", (BaseConverter,), {"regex": regex, **attributes})


def with_converter(folder: Any, own: type[BaseConverter]) -> Flask:
    app = bare_app(folder)
    app.url_map.converters["own"] = own
    return app


# One segment or several.


@pytest.mark.parametrize(
    ("regex", "matches"),
    [
        ("[^/]+", False),
        ("[^/?#]{2,8}", False),
        (r"[^\\/]+", False),
        ("[^]/]+", False),
        (r"\d{4}-\d\d", False),
        (r"[\w-]+", False),
        (r"(?P<a>x)(?P=a)", False),
        ("a|b|[^/]x*", False),
        ("a/b", True),
        (r"\/", True),
        (r"\x2f", True),
        (r"\u002f", True),
        (r"\057", True),
        ("[a-z/]+", True),
        ("[]/]+", True),
        ("[+-9]+", True),
        (r"\W+", True),
        ("[^/].*?", True),
        # In doubt it can.
        ("(?!.*//)[^/]+", True),
    ],
)
def test_whether_an_expression_can_match_a_slash(regex, matches):
    assert can_match_slash(regex) is matches


@pytest.mark.parametrize("regex", ["[^/]+", r"[^/\d]+", "(?:[^/])+"])
def test_an_expression_that_excludes_the_slash(tree, regex):
    # Werkzeug takes such a converter for one of several segments.
    own = converter(regex)
    assert not own.part_isolating
    app = with_converter(tree({}, "files/[v=own]", "files/[v=own]/more", "tags/[v=own].x"), own)
    RouteHandlers(app)
    client = app.test_client()
    assert client.get("/api/files/ab").json["params"] == {"v": "ab"}
    assert client.get("/api/files/ab/more").json["params"] == {"v": "ab"}
    assert client.get("/api/tags/ab.x").json["params"] == {"v": "ab"}
    assert client.get("/api/files/ab/cd").status_code == 404


SEVERAL = (
    "The converter 'own' can match several segments: its regex seems to match a slash, and its "
    "part_isolating is false."
)
FOR_SEVERAL = (
    "For several segments use a catch-all, [...v], as the last folder. For one segment set "
    "part_isolating = True in the class of the converter."
)


@pytest.mark.parametrize(
    "own",
    [converter("[a-z/]+"), converter(".+", part_isolating=False), PathConverter,
     type("Sub", (PathConverter,), {}), converter("(?!.*//)[^/]+")],
)  # fmt: skip
def test_an_expression_of_several_segments_is_refused(tree, own):
    app = with_converter(tree({}, "x/[v=own]"), own)
    (problem,) = refused(app)
    assert (problem.reason, problem.hint) == (SEVERAL, FOR_SEVERAL)


def test_the_hints_for_several_segments_work(tree):
    own = converter("(?!.*//)[^/]+", part_isolating=True)
    app = with_converter(tree({}, "x/[v=own]", "y/[...v]"), own)
    RouteHandlers(app)
    client = app.test_client()
    assert client.get("/api/x/a").json["params"] == {"v": "a"}
    assert client.get("/api/y/a/b").json["params"] == {"v": ["a", "b"]}


# Values that have a URL.

ROUTES = ("users/[id]", "n/[n=int]", "u/[v=own]", "f/[a]-[b].txt", "docs/[...path]",
          "all/[[...path]]")  # fmt: skip


@pytest.fixture
def site(tree) -> Flask:
    app = with_converter(tree({}, *ROUTES), converter("[^/]{2}"))
    RouteHandlers(app)
    return app


@pytest.mark.parametrize(
    ("endpoint", "values", "path"),
    [
        ("users/[id]", {"id": "a/b"}, "/api/users/a/b"),
        ("users/[id]", {"id": "/x"}, "/api/users//x"),
        ("users/[id]", {"id": ".."}, "/api/users/.."),
        ("users/[id]", {"id": "."}, "/api/users/."),
        ("users/[id]", {"id": ""}, "/api/users/"),
        ("users/[id]", {"id": "a\\b"}, "/api/users/a%5Cb"),
        ("users/[id]", {"id": "a\nb"}, "/api/users/a%0Ab"),
        ("users/[id]", {"id": "a\x85b"}, "/api/users/a%C2%85b"),
        ("users/[id]", {"id": "\ufffd"}, "/api/users/%EF%BF%BD"),
        ("n/[n=int]", {"n": -5}, "/api/n/-5"),
        ("u/[v=own]", {"v": "abc"}, "/api/u/abc"),
        ("f/[a]-[b]%2Etxt", {"a": "x", "b": "y/z"}, "/api/f/x-y/z.txt"),
        ("f/[a]-[b]%2Etxt", {"a": "x" * 1025, "b": "y"}, f"/api/f/{'x' * 1025}-y.txt"),
        ("docs/[*path]", {"path": ["a", "b\n"]}, "/api/docs/a/b%0A"),
        ("all/[[*path]]", {"path": ["\\"]}, "/api/all/%5C"),
    ],
)
def test_a_value_without_a_url_is_an_error(site, endpoint, values, path):
    with site.test_request_context():
        with pytest.raises(ValueError, match="has no URL for") as caught:
            url_for(f"api./{endpoint}", **values, page=2)
        (rule,) = {rule.rule for rule in site.url_map.iter_rules(f"api./{endpoint}")} - {
            "/api/all"
        }
        assert str(caught.value) == (
            f"{rule} has no URL for {values}: it would be {path}, which the rule does not match."
        )
    # It is true.
    assert site.test_client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("endpoint", "values"),
    [
        ("users/[id]", {"id": "a b"}),
        ("users/[id]", {"id": "..."}),
        ("users/[id]", {"id": "é?#%2F&=+"}),
        ("users/[id]", {"id": 7}),
        ("n/[n=int]", {"n": 5}),
        ("u/[v=own]", {"v": "%?"}),
        ("f/[a]-[b]%2Etxt", {"a": "..", "b": "%"}),
        ("docs/[*path]", {"path": ["a b", "...", "%2e"]}),
        ("all/[[*path]]", {"path": []}),
        ("all/[[*path]]", {"path": ["é"]}),
    ],
)
def test_a_url_that_is_built_is_matched(site, endpoint, values):
    with site.test_request_context():
        url = url_for(f"api./{endpoint}", **values, page="a/b")
    answer = site.test_client().get(url)
    assert answer.status_code == 200
    assert answer.json["params"] == {
        name: str(value) if name == "id" else value for name, value in values.items()
    }


def test_a_value_of_the_prefix_without_a_url(tree):
    app = bare_app(tree({}, "users"))
    RouteHandlers(app, url_prefix="/<lang>/api")
    with app.test_request_context():
        assert url_for("api./users", lang="de") == "/de/api/users"
        with pytest.raises(
            ValueError, match=r"^/<lang>/api/users has no URL for {'lang': '\.\.'}"
        ):
            url_for("api./users", lang="..")
