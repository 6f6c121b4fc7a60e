"""The settings of async code and of after()."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flask_routehandlers.running.settings import DEFAULTS, read_setting
from tests.support import bare_app, refused

COUNT = "It must be a whole number, 1 or more."


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("ASYNC", "asgiref", "It must be 'kept' or 'flask'."),
        ("ASYNC", None, "It must be 'kept' or 'flask'."),
        ("AFTER_THREADS", 0, COUNT),
        ("AFTER_THREADS", "2", COUNT),
        ("AFTER_LIMIT", True, COUNT),
        ("AFTER_LIMIT", -1, COUNT),
        ("AFTER_DRAIN", -0.5, "It must be a number of seconds, 0 or more."),
        ("AFTER_DRAIN", float("inf"), "It must be a number of seconds, 0 or more."),
    ],
)
def test_an_invalid_setting_is_refused(
    tree: Callable[..., Path], name: str, value: Any, hint: str
) -> None:
    app = bare_app(tree({}, ""))
    app.config[f"ROUTE_HANDLERS_{name}"] = value
    (problem,) = refused(app)
    assert problem.reason == f"ROUTE_HANDLERS_{name} in app.config is {value!r}."
    assert problem.hint == hint


def test_settings_have_defaults() -> None:
    assert [read_setting({}, name) for name in DEFAULTS] == ["kept", 2, 1000, 20.0]
    assert read_setting({"ROUTE_HANDLERS_ASYNC": "flask"}, "ROUTE_HANDLERS_ASYNC") == "flask"
