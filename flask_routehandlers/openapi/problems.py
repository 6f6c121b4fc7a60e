"""The schemas of problem details (RFC 9457, section 3.1).

They describe what ``problem_details`` and ``contracts.invalid`` send. An app adds members to the
object, so other keys are allowed.
"""

from __future__ import annotations

from typing import Any, get_args

from ..contracts.markers import Place

_URI = {"type": "string", "format": "uri-reference"}
_STRING = {"type": "string"}

#: Any error.
PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "An error (RFC 9457).",
    "type": "object",
    "properties": {
        "type": _URI,
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": _STRING,
        "instance": _URI,
    },
    "required": ["type", "title", "status"],
}


def describe_invalid(problem: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the error for values that are not valid.

    One item of ``errors`` is, for example, ``{"in": "query", "pointer": "#/limit", "detail":
    "...", "code": "..."}``.

    :param problem: a reference to the schema of any error.
    """
    properties = {
        "in": {"type": "string", "enum": list(get_args(Place))},
        "pointer": _URI,
        "detail": _STRING,
        "code": _STRING,
    }
    item = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "title": "InvalidRequest",
        "description": "An error for values in a request that are missing or not valid.",
        "allOf": [problem],
        "type": "object",
        "properties": {"errors": {"type": "array", "items": item}},
        "required": ["errors"],
    }
