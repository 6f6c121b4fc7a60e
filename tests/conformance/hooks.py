"""What schemathesis does not send: ``python -m schemathesis`` loads this file."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """Leave out bodies with numbers like ``4.0``.

    They are integers for JSON Schema, and not for pydantic and msgspec when they read JSON.
    """
    return not _has_whole_float(body)


def _has_whole_float(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_whole_float, value.values()))
    if isinstance(value, list):
        return any(map(_has_whole_float, value))
    return isinstance(value, float) and value.is_integer()
