"""Converters of the app in folder names."""

from __future__ import annotations

from typing import Any

import pytest
from flask import url_for
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers
from tests.extension.support import PARAMS, NeedyConverter, messages
from tests.support import bare_app


class HexConverter(BaseConverter):
    regex = "[0-9a-f]+"

    def to_python(self, value: str) -> int:
        return int(value, 16)

    def to_url(self, value: int) -> str:
        return f"{value:x}"


class EmptyConverter(BaseConverter):
    regex = "[a-z]*"


class RaisingConverter(BaseConverter):
    def __init__(self, url_map: Any) -> None:
        raise RuntimeError("no database")


class BrokenConverter(BaseConverter):
    regex = "("


def test_a_converter_of_the_app_can_be_used(tree):
    app = bare_app(tree({"c/[color=hex].png/route.py": PARAMS}))
    app.url_map.converters["hex"] = HexConverter
    RouteHandlers(app)
    with app.test_request_context():
        assert url_for("api./c/[color=hex]%2Epng", color=255) == "/api/c/ff.png"
    assert app.test_client().get("/api/c/ff.png").text == "[('color', 255)]"
    assert app.test_client().get("/api/c/fg.png").status_code == 404


@pytest.mark.parametrize("weight", [1, 100, 1000])
def test_a_converter_of_any_weight_comes_first(tree, weight):
    app = bare_app(tree({}, "[slug]", "[color=hex]"))
    app.url_map.converters["hex"] = type("Weighted", (HexConverter,), {"weight": weight})
    RouteHandlers(app)
    client = app.test_client()
    assert client.get("/api/ff").json["params"] == {"color": 255}
    assert client.get("/api/fg").json["params"] == {"slug": "fg"}


KNOWN = (
    "It has any, float, int, path, string, uuid. "
    "Add your own to app.url_map.converters before RouteHandlers."
)
NO_ARGUMENTS = "Register your own converter that needs none."
AT_LEAST_ONE = "Register your own converter whose regex needs at least one character."


@pytest.mark.parametrize(
    ("converter", "reason", "hint"),
    [
        (None, "The app has no converter 'own'.", KNOWN),
        (
            NeedyConverter,
            "The converter 'own' cannot be created without arguments: "
            "NeedyConverter.__init__() missing 1 required positional argument: 'argument'.",
            NO_ARGUMENTS,
        ),
        (
            RaisingConverter,
            "The converter 'own' cannot be created without arguments: no database.",
            NO_ARGUMENTS,
        ),
        (
            EmptyConverter,
            "The converter 'own' also matches an empty string, so it would match other URLs.",
            AT_LEAST_ONE,
        ),
    ],
)
def test_an_unusable_converter_is_refused(tree, converter, reason, hint):
    app = bare_app(tree({}, "x/[id=own]"))
    if converter:
        app.url_map.converters["own"] = converter
    assert messages(app) == [f"x/[id=own]/route.py\n  {reason}\n  {hint}"]


@pytest.mark.parametrize(
    ("converter", "reason", "hint"),
    [
        (
            "path",
            "The converter 'path' can match several segments: its regex seems to match a slash, "
            "and its part_isolating is false.",
            "For several segments use a catch-all, [...id], as the last folder. For one segment "
            "set part_isolating = True in the class of the converter.",
        ),
        (
            "any",
            "The converter 'any' also matches an empty string, so it would match other URLs.",
            AT_LEAST_ONE,
        ),
        ("Int", "The app has no converter 'Int'.", KNOWN),
    ],
)
def test_some_converters_of_flask_are_refused(tree, converter, reason, hint):
    app = bare_app(tree({}, f"[id={converter}]"))
    assert messages(app) == [f"[id={converter}]/route.py\n  {reason}\n  {hint}"]


def test_the_converters_of_the_app_are_listed(tree):
    app = bare_app(tree({}, "[id=number]"))
    app.url_map.converters["hex"] = HexConverter
    [message] = messages(app)
    assert "\n  It has any, float, hex, int, path, string, uuid. Add your own " in message


def test_a_broken_regex_is_a_problem_of_the_tree(tree):
    app = bare_app(tree({}, "x/[id=own]"))
    app.url_map.converters["own"] = BrokenConverter
    [message] = messages(app)
    assert message.startswith("x/[id=own]/route.py\n  The converter 'own' ")
