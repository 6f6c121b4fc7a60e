"""The settings of contracts in an app's config.

They are read from ``app.config`` when they are needed, so that tests can change them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Flask

#: The status of a request that is not valid, 422 by default.
INVALID_STATUS = "ROUTE_HANDLERS_INVALID_STATUS"

#: Whether responses are checked; by default they are in debug mode and in tests.
CHECK_RESPONSES = "ROUTE_HANDLERS_CHECK_RESPONSES"


def invalid_status(app: Flask) -> int:
    """Return the status of requests that are not valid."""
    status: int = app.config.get(INVALID_STATUS, 422)
    return status


def checks_responses(app: Flask) -> bool:
    """Return whether responses are compared with return annotations."""
    setting = app.config.get(CHECK_RESPONSES)
    if setting is None:
        return bool(app.config["DEBUG"] or app.config["TESTING"])
    return bool(setting)


def find_setting_problems(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Check the settings in an app's config; return each reason with its hint."""
    status = config.get(INVALID_STATUS, 422)
    if type(status) is not int or not 400 <= status <= 499:
        yield (
            f"{INVALID_STATUS} in app.config is {status!r}.",
            "It has to be the number of a client error, 400 to 499.",
        )
    checks = config.get(CHECK_RESPONSES)
    if checks is not None and not isinstance(checks, bool):
        yield (
            f"{CHECK_RESPONSES} in app.config is {checks!r}.",
            "It has to be True, False, or None to check in debug mode and in tests only.",
        )
