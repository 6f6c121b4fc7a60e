"""Requests that do not fit a contract: the exceptions, and what is wrong with each value.

As problem details (RFC 9457) the errors are the member ``errors``, for example::

    {"in": "query", "pointer": "#/limit", "detail": "Input should be a valid integer...",
     "code": "int_parsing"}

Nothing of it repeats a value that the client has sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any
from urllib.parse import quote

from flask import current_app
from werkzeug.exceptions import UnprocessableEntity

from .markers import Place
from .settings import invalid_status

#: The media type of problem details.
MIMETYPE = "application/problem+json"

#: Characters that a URI fragment may have as they are, except the slash (RFC 3986).
_SAFE = "!$&'()*+,;=:@?"

#: The detail of an error whose own message would repeat a value.
NOT_VALID = "The value is not valid"


@dataclass(frozen=True, slots=True)
class InvalidValue:
    """A value in a request that is missing or not valid.

    :param place: the part of the request: ``query``, ``header``, ``cookie``, ``form``, ``body``.
    :param path: the keys and indexes that lead to the value in the data as it was sent; the last
        one is missing there if the value is.
    :param detail: what is wrong. It never repeats the value.
    :param code: what is wrong in one word, as the validating library calls it.
    """

    place: Place
    path: tuple[str | int, ...]
    detail: str
    code: str

    @property
    def pointer(self) -> str:
        """The path as a JSON Pointer in a URI fragment (RFC 6901): ``#/article/title``."""
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.path)
        return "#" + "".join(f"/{quote(step, safe=_SAFE)}" for step in steps)

    def as_member(self) -> dict[str, str]:
        """Return the value as an item of the member ``errors`` of problem details."""
        return {
            "in": self.place,
            "pointer": self.pointer,
            "detail": self.detail,
            "code": self.code,
        }


class InvalidRequest(UnprocessableEntity):
    """A request has values that are missing or not valid.

    Its status is 422, or the value of the setting ``ROUTE_HANDLERS_INVALID_STATUS``.

    :param errors: the invalid values, as :class:`InvalidValue`.
    """

    def __init__(self, errors: Sequence[InvalidValue]) -> None:
        self.errors = tuple(errors)
        self.code = invalid_status(current_app)
        count = f"{len(self.errors)} values in the request are"
        if len(self.errors) == 1:
            count = "1 value in the request is"
        super().__init__(f"{count} not valid.")

    def get_description(self, *args: Any, **kwargs: Any) -> str:
        """Return the description and the errors as HTML."""
        lines = (
            f"<li>{error.place} {escape(error.pointer)}: {escape(error.detail)}</li>"
            for error in self.errors
        )
        return f"{super().get_description(*args, **kwargs)}<ul>{''.join(lines)}</ul>"


def follow(steps: Sequence[str | int], data: Any, *, is_missing: bool) -> tuple[str | int, ...]:
    """Return the steps that lead through data as it was sent.

    Libraries also name the member of a union, or a validator, in the location of an error. Such
    steps do not exist in the data and are left out.

    :param steps: the location of an error.
    :param data: the data that the location starts at.
    :param is_missing: whether the last step is a key that the data lacks.
    """
    path: list[str | int] = []
    for number, step in enumerate(steps, start=1):
        if isinstance(data, Mapping) and step in data:  # noqa: SIM114 (for type checkers)
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        elif not (is_missing and number == len(steps)):
            continue
        path.append(step)
    return tuple(path)


class ValueFilter:
    """Hides messages that repeat a value of some data.

    :param data: the data that a client sent.
    """

    def __init__(self, data: object) -> None:
        self._data = data
        self._messages: dict[str, str] = {}

    def hide(self, message: str) -> str:
        """Return a message, or a general one if it repeats a value."""
        if message not in self._messages:  # a long list repeats few of them
            self._messages[message] = message
            words = set(re.findall(r"[\w.@+-]+", message))
            values = self._values
            if words & values or any(len(v) > 2 and v in message for v in values):
                self._messages[message] = NOT_VALID
        return self._messages[message]

    @cached_property
    def _values(self) -> set[str]:
        return {value for value in _leaves(self._data) if value}


def _leaves(data: object) -> Iterator[str]:
    """Return the scalar values in data as strings."""
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, (list, tuple, set)):
        for item in data:
            yield from _leaves(item)
    elif data is not None and not isinstance(data, bool):
        yield str(data)
