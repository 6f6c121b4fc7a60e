"""The settings of async code and of :func:`after`, in ``app.config``.

They are checked at start-up. That of async code is read for each call; those of :func:`after` are
read once, when a request of the app first calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import Problem

#: ``"kept"`` for one event loop in each process, ``"flask"`` for Flask's way.
ASYNC = "ROUTE_HANDLERS_ASYNC"

#: How many threads run the callbacks of :func:`after`, how many callbacks may be pending, and how
#: many seconds the end of the process waits for them.
THREADS = "ROUTE_HANDLERS_AFTER_THREADS"
LIMIT = "ROUTE_HANDLERS_AFTER_LIMIT"
DRAIN = "ROUTE_HANDLERS_AFTER_DRAIN"

DEFAULTS: dict[str, Any] = {ASYNC: "kept", THREADS: 2, LIMIT: 1000, DRAIN: 20.0}


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_duration(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")  # type: ignore[operator]


#: For each setting a function that checks its value, and a description of valid values.
_CHECKS: dict[str, tuple[Callable[[object], bool], str]] = {
    ASYNC: (lambda value: value in ("kept", "flask"), "'kept' or 'flask'"),
    THREADS: (_is_count, "a whole number, 1 or more"),
    LIMIT: (_is_count, "a whole number, 1 or more"),
    DRAIN: (_is_duration, "a number of seconds, 0 or more"),
}


def read_setting(config: Mapping[str, Any], name: str) -> Any:
    """Return a setting in an app's config, or its default."""
    return config.get(name, DEFAULTS[name])


def find_setting_problems(config: Mapping[str, Any]) -> Iterator[Problem]:
    """Check the settings in an app's config."""
    for name, (is_valid, description) in _CHECKS.items():
        if name in config and not is_valid(config[name]):
            yield Problem(
                f"{name} in app.config is {config[name]!r}.", f"It must be {description}."
            )
