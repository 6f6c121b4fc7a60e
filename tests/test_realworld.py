"""The requests of RealWorld's public collection to ``tests/samples/conduit``, below gunicorn.

The collection is not part of this repository; ``tests/conformance`` can run it. It has 32
requests, and makes 311 assertions about their answers. ``STEPS`` has the same requests in the
same order, and shapes that state the same facts. A shape is counted as the collection counts:
one fact for each member that must exist, and one for each condition that its value must meet.

There are 330 facts, because 19 are added: the status of the 14 answers whose status the
collection ignores, and that 5 lists are empty, where it accepts articles too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.support import serve

pytest.importorskip("pydantic")
pytest.importorskip("sqlalchemy")
pytestmark = pytest.mark.ci


def is_string(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def is_integer(value: Any) -> bool:
    return type(value) is int


def is_positive(value: Any) -> bool:
    return is_integer(value) and value > 0


def is_array(value: Any) -> bool:
    return isinstance(value, list)


def is_empty(value: Any) -> bool:
    return value == []


def is_not_empty(value: Any) -> bool:
    return is_array(value) and value != []


def is_date(value: Any) -> bool:
    """Return whether a value is an ISO 8601 date with a time, fractions of seconds and a zone."""
    try:
        date = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return value[10:11] == "T" and "." in value and date.tzinfo is not None


# The shape of an object is a dict with the shapes of its members; that of an array a list with the
# shapes of its first elements. A tuple has several shapes of one value. A function returns whether
# the value is right. Anything else is the value itself.

#: The shape of any value.
ANYTHING = ...

ACCOUNT = dict.fromkeys(["email", "username", "bio", "image", "token"], ANYTHING)
PROFILE = dict.fromkeys(["username", "bio", "image", "following"], ANYTHING)
DATED = {"createdAt": is_date, "updatedAt": is_date, "author": ANYTHING}
COMMENT = DATED | {"id": ANYTHING, "body": ANYTHING}
LISTED = DATED | {
    "title": ANYTHING,
    "slug": ANYTHING,
    "description": ANYTHING,
    "tagList": is_array,
    "favorited": ANYTHING,
    "favoritesCount": is_integer,
}
ARTICLE = LISTED | {"body": ANYTHING}
USER = {"user": ACCOUNT}
NOTHING_LISTED = {"articles": is_empty, "articlesCount": (is_integer, 0)}
ONE_LISTED = {"articles": [LISTED], "articlesCount": 1}
ONE_FAVORITE = ONE_LISTED | {"articles": [LISTED | {"favoritesCount": 1}]}
FOUND_BY_TAG = ONE_LISTED | {
    "articles": (is_not_empty, [LISTED | {"tagList": (is_array, ["hot", "tea"])}])
}


@dataclass(frozen=True)
class Step:
    """A request and what its answer must be.

    :param path: the path below ``/api``, with names of earlier values in braces.
    :param shape: the shape of the body.
    :param body: what is sent.
    :param token: whether the token of the user is sent.
    :param keep: the key of an object in the answer, and of the value in it that is kept.
    """

    method: str
    path: str
    shape: Any = ANYTHING
    status: int = 200
    body: Mapping[str, Any] | None = None
    token: bool = True
    keep: tuple[str, str] | None = None


LOGIN = {"email": "ada@example.com", "password": "secret"}
NEW_USER = {"user": LOGIN | {"username": "ada"}}
CELEBRITY = {"user": {"email": "star@example.com", "password": "secret", "username": "star"}}
NEW_ARTICLE = {
    "title": "On Tea",
    "description": "Short",
    "body": "Long",
    "tagList": ["tea", "hot"],
}

STEPS = [
    Step("POST", "/users", USER, 201, NEW_USER, token=False),
    Step("POST", "/users/login", USER, body={"user": LOGIN}, token=False),
    Step(
        "POST",
        "/users/login",
        {"user": ACCOUNT | {"token": is_string}},
        body={"user": LOGIN},
        token=False,
        keep=("user", "token"),
    ),
    Step("GET", "/user", USER),
    Step("PUT", "/user", USER, body={"user": {"email": "ada@example.com"}}),
    Step("GET", "/articles", NOTHING_LISTED, token=False),
    Step("GET", "/articles?author=eve", NOTHING_LISTED, token=False),
    Step("GET", "/articles?favorited=ada", NOTHING_LISTED, token=False),
    Step("GET", "/articles?tag=tea", NOTHING_LISTED, token=False),
    Step(
        "POST",
        "/articles",
        {"article": ARTICLE},
        201,
        {"article": NEW_ARTICLE},
        keep=("article", "slug"),
    ),
    Step("GET", "/articles/feed", NOTHING_LISTED),
    Step("GET", "/articles", ONE_LISTED),
    Step("GET", "/articles", ONE_LISTED),
    Step("GET", "/articles?author=ada", ONE_LISTED),
    Step("GET", "/articles?author=ada", ONE_LISTED),
    Step("GET", "/articles/{slug}", {"article": ARTICLE}),
    Step("GET", "/articles?tag=tea", FOUND_BY_TAG),
    Step("PUT", "/articles/{slug}", {"article": ARTICLE}, body={"article": {"body": "Longer"}}),
    Step(
        "POST",
        "/articles/{slug}/favorite",
        {"article": ARTICLE | {"favorited": True, "favoritesCount": (is_integer, is_positive)}},
    ),
    Step("GET", "/articles?favorited=ada", ONE_FAVORITE),
    Step("GET", "/articles?favorited=ada", ONE_FAVORITE),
    Step("DELETE", "/articles/{slug}/favorite", {"article": ARTICLE | {"favorited": False}}),
    Step(
        "POST",
        "/articles/{slug}/comments",
        {"comment": COMMENT},
        body={"comment": {"body": "Good"}},
        keep=("comment", "id"),
    ),
    Step("GET", "/articles/{slug}/comments", {"comments": [COMMENT]}),
    Step("GET", "/articles/{slug}/comments", {"comments": [COMMENT]}, token=False),
    Step("DELETE", "/articles/{slug}/comments/{id}", status=204),
    Step("DELETE", "/articles/{slug}", status=204),
    Step("POST", "/users", USER, 201, CELEBRITY, token=False),
    Step("GET", "/profiles/star", {"profile": PROFILE}),
    # This body has no purpose; the collection sends it.
    Step(
        "POST",
        "/profiles/star/follow",
        {"profile": PROFILE | {"following": True}},
        body={"user": {"email": "ada@example.com"}},
    ),
    Step("DELETE", "/profiles/star/follow", {"profile": PROFILE | {"following": False}}),
    Step("GET", "/tags", {"tags": is_array}, token=False),
]


@dataclass(frozen=True)
class Fact:
    """Something that an answer must be, and whether it is."""

    description: str
    holds: bool


def member(value: Any, key: str | int) -> Any:
    """Return a member of an object or an element of an array, or ``None``."""
    try:
        return value[key]
    except (TypeError, LookupError):
        return None


def compare(value: Any, shape: Any, name: str) -> Iterator[Fact]:
    """Yield the facts of a shape. A value that does not exist is ``None``.

    :param name: where the value is in the answer.
    """
    if isinstance(shape, dict):
        for key, part in shape.items():
            yield Fact(f"{name}.{key} exists", isinstance(value, dict) and key in value)
            yield from compare(member(value, key), part, f"{name}.{key}")
    elif isinstance(shape, list):
        for index, part in enumerate(shape):
            yield from compare(member(value, index), part, f"{name}[{index}]")
    elif isinstance(shape, tuple):
        for part in shape:
            yield from compare(value, part, name)
    elif callable(shape):
        yield Fact(f"{name} {shape.__name__}", shape(value))
    elif shape is not ANYTHING:
        # 1 is not true.
        yield Fact(f"{name} is {shape!r}", type(value) is type(shape) and value == shape)


def walk(connection: HTTPConnection) -> Iterator[Fact]:
    """Send the requests one after the other; yield all facts on their answers."""
    values: dict[str, Any] = {}
    for number, step in enumerate(STEPS, 1):
        headers = {"Content-Type": "application/json", "X-Requested-With": "XMLHttpRequest"}
        if step.token:
            headers["Authorization"] = f"Token {values['token']}"
        sent = json.dumps(step.body) if step.body else None
        connection.request(step.method, f"/api{step.path.format_map(values)}", sent, headers)
        response = connection.getresponse()
        body = json.loads(response.read() or "null")
        name = f"{number}. {step.method} {step.path}:"
        yield Fact(f"{name} status is {step.status}", response.status == step.status)
        yield from compare(body, step.shape, f"{name} body")
        if step.keep is not None:
            parent, key = step.keep
            values[key] = member(member(body, parent), key)


@pytest.fixture(scope="module")
def facts(tmp_path_factory) -> list[Fact]:
    with serve("conduit", tmp_path_factory.mktemp("conduit")) as served:
        connection = HTTPConnection(urlsplit(served.url).netloc, timeout=60)
        return list(walk(connection))


def test_all_answers_have_their_shapes(facts):
    assert [fact.description for fact in facts if not fact.holds] == []


def test_no_fact_of_the_collection_is_left_out(facts):
    assert len(STEPS) == 32
    assert len(facts) == 311 + 14 + 5
