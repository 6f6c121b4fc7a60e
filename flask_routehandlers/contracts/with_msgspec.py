"""msgspec: Structs, attrs classes, and plain types where pydantic is not installed.

This module is imported once a type needs it. msgspec encodes an instance with all fields of its
own class, so ``exactness`` decides whether it can be encoded as it is, or has to be converted to
the declared type first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

import msgspec

from .exactness import compile_check
from .instances import take_apart
from .invalid import InvalidValue, ValueFilter, follow
from .libraries import MalformedError, Mode, refused_by
from .markers import Place

#: For type checkers, which accept literals only.
_make_typed_dict: Any = TypedDict

#: A field of a path in a message, ``.name``, or an index, ``[0]``.
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")

#: Messages about a key, with the code and the message that they get here.
_ABOUT_KEYS = (
    (re.compile(r"Object missing required field `(.*)`", re.S), "missing", "Field required"),
    (re.compile(r"Object contains unknown field `(.*)`", re.S), "unknown_field", "Unknown field"),
)

#: Messages of msgspec that never repeat a value.
_SAFE = re.compile(r"Expected |Integer value out of range|Number out of range")

#: Messages of msgspec that end with the value.
_REPEATING = re.compile(r"(Invalid [\w ]*?value) '")


class MsgspecCodec:
    """Translates values of one type.

    :param annotation: the type.
    """

    invalid_error: type[Exception] = msgspec.ValidationError

    def __init__(self, annotation: Any) -> None:
        self._type = annotation
        self._decoder = msgspec.json.Decoder(annotation, strict=True)
        self._encode = msgspec.json.Encoder().encode
        self._is_exact = compile_check(annotation)
        #: Return the value of strings, and lists of strings, by key.
        self.convert: Callable[[Mapping[str, Any]], Any] = partial(
            msgspec.convert, type=annotation, strict=False
        )

    def decode(self, data: bytes) -> Any:
        """Return the value of a JSON document, strictly."""
        try:
            return self._decoder.decode(data)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError as error:
            message = str(error).removeprefix("JSON is malformed: ")
            raise MalformedError(message[0].lower() + message[1:]) from None
        except UnicodeDecodeError:
            raise MalformedError("it is not UTF-8") from None
        except RecursionError:
            raise MalformedError("it is nested too deeply") from None

    def encode(self, value: Any) -> bytes:
        """Return a value as a JSON document with its declared fields only.

        A subclass has more fields, and so may an instance at any depth. They go when the
        document is read as the declared type.
        """
        if self._is_exact and self._is_exact(value):
            return self._encode(value)
        return self._encode(self._adopt(value))

    def simplify(self, value: Any) -> Any:
        """Return a value with its declared fields only."""
        return msgspec.to_builtins(self._adopt(value))

    def check(self, value: Any) -> None:
        """Raise if a value does not fit the type, constraints included."""
        self._adopt(value)

    def _adopt(self, value: Any) -> Any:
        """Return a value as the declared type."""
        try:
            data = self._encode(value)
        except TypeError:  # an object of another library, a row for example
            return msgspec.convert(take_apart(value), self._type, from_attributes=True)
        return self._decoder.decode(data)

    def describe(self, error: Any, data: object, place: Place) -> list[InvalidValue]:
        """Return what is wrong with data, from the exception of a codec.

        msgspec stops at the first error, and has no codes.
        """
        message, _, location = str(error).partition(" - at `$")
        steps: list[str | int] = []
        for step in _STEP.finditer(location.partition("[...]")[0].rstrip("`")):
            steps.append(step[1] or int(step[2]))
        code = "invalid"
        for pattern, name, detail in _ABOUT_KEYS:
            match = pattern.fullmatch(message)
            if match:
                steps.append(match[1])
                code, message = name, detail
        if code == "invalid" and not _SAFE.match(message):
            repeating = _REPEATING.match(message)
            message = repeating[1] if repeating else ValueFilter(data).hide(message)
        path = follow(steps, data, is_missing=code == "missing")
        return [InvalidValue(place, path, message, code)]


def make_codec(annotation: Any) -> MsgspecCodec:
    """Return the codec of a type."""
    if isinstance(annotation, dict):
        annotation = _make_typed_dict("Fields", annotation)
    try:
        return MsgspecCodec(annotation)
    except (TypeError, NameError) as error:
        raise refused_by("msgspec", annotation, error) from error


def make_schemas(
    annotations: Sequence[tuple[Any, Mode]],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the JSON Schema of each type, and the definitions that they refer to."""
    schemas, definitions = msgspec.json.schema_components(
        [annotation for annotation, _ in annotations], ref_template="#/$defs/{name}"
    )
    _drop_unique_items([*schemas, definitions])
    return list(schemas), definitions


def _drop_unique_items(schema: Any) -> None:
    """Let a schema not require that the items of a set differ: libraries accept repeated ones."""
    if isinstance(schema, list):
        for item in schema:
            _drop_unique_items(item)
    elif isinstance(schema, dict):
        if schema.get("uniqueItems") is True:
            del schema["uniqueItems"]
        _drop_unique_items(list(schema.values()))
