"""pydantic 2: models, dataclasses, TypedDicts and plain types.

This module is imported once a type needs it. JSON is validated strictly, so that ``"1"`` is not an
``int``; strings of queries and forms are converted. Responses are serialized by the declared type,
and a value of another type is converted to it first.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation
from pydantic.json_schema import (
    CoreRef,
    DefsRef,
    GenerateJsonSchema,
    JsonSchemaMode,
    JsonSchemaValue,
    JsonSchemaWarningKind,
)
from pydantic_core import PydanticSerializationError, SchemaError
from pydantic_core.core_schema import ErrorType

from .instances import take_apart
from .invalid import InvalidValue, ValueFilter, follow
from .libraries import MalformedError, Mode, RefusedTypeError, refused_by
from .markers import Place
from .typed_dicts import make_typed_dict, rebuild

#: The codes of pydantic's own errors, not of those that validators of users raise.
_OWN_CODES = frozenset(get_args(ErrorType)) - {"value_error", "assertion_error"}


class PydanticCodec:
    """Translates values of one type.

    :param annotation: the type.
    """

    invalid_error: type[Exception] = ValidationError

    def __init__(self, annotation: Any) -> None:
        adapter = TypeAdapter(rebuild(annotation))
        # Directly: the methods of the adapter cost a third more.
        self._validator = adapter.validator
        self._serializer = adapter.serializer
        #: Return the value of strings, and lists of strings, by key.
        self.convert: Callable[[Mapping[str, Any]], Any] = self._validator.validate_python

    def decode(self, data: bytes) -> Any:
        """Return the value of a JSON document, strictly."""
        try:
            return self._validator.validate_json(data, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            if first["type"] == "json_invalid" and not first["loc"]:
                message = first["msg"].removeprefix("Invalid JSON: ")
                raise MalformedError(message) from None
            raise

    def encode(self, value: Any) -> bytes:
        """Return a value as a JSON document with its declared fields only."""
        try:
            return self._serializer.to_json(value, by_alias=True, warnings="error")
        except PydanticSerializationError:
            return self._serializer.to_json(self._adopt(value), by_alias=True)

    def simplify(self, value: Any) -> Any:
        """Return a value with its declared fields only."""
        try:
            return self._serializer.to_python(value, by_alias=True, warnings="error")
        except PydanticSerializationError:
            return self._serializer.to_python(self._adopt(value), by_alias=True)

    def check(self, value: Any) -> None:
        """Raise if a value does not fit the type, constraints included.

        Errors of a user's validators do not count: they see a value that they have changed.
        """
        try:
            self._adopt(value)
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False, include_context=False)
            if any(detail["type"] in _OWN_CODES for detail in details):
                raise
        except Exception:  # of a user's validator, which expects what a client sends
            return

    def _adopt(self, value: Any) -> Any:
        """Return a value as the declared type.

        Instances are taken apart, since pydantic does not validate them again.
        """
        return self._validator.validate_python(
            take_apart(value), from_attributes=True, by_alias=True, by_name=True
        )

    def describe(self, error: Any, data: object, place: Place) -> list[InvalidValue]:
        """Return what is wrong with data, from the exception of a codec.

        pydantic reports all errors at once, each with a code such as ``int_parsing``.
        """
        values = ValueFilter(data)
        return [
            InvalidValue(
                place,
                follow(detail["loc"], data, is_missing=detail["type"].startswith("missing")),
                _message_of(detail, values),
                detail["type"],
            )
            for detail in error.errors(include_url=False, include_input=False)
        ]


def make_codec(annotation: Any) -> PydanticCodec:
    """Return the codec of a type."""
    if isinstance(annotation, dict):
        types = {name: rebuild(kind) for name, kind in annotation.items()}
        annotation = make_typed_dict("Fields", types)
    try:
        return PydanticCodec(annotation)
    except (PydanticUndefinedAnnotation, PydanticUserError, SchemaError, TypeError) as error:
        raise refused_by("pydantic", annotation, error) from error


def make_schemas(
    annotations: Sequence[tuple[Any, Mode]],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the JSON Schema of each type, and the definitions that they refer to."""
    with warnings.catch_warnings():
        # What a Field says about a parameter has no effect on values, but is in the schema.
        warnings.filterwarnings("ignore", "The '\\w+' attribute with value", UserWarning)
        inputs: list[tuple[int, JsonSchemaMode, TypeAdapter[Any]]] = [
            (number, mode, TypeAdapter(rebuild(annotation)))
            for number, (annotation, mode) in enumerate(annotations)
        ]
    try:
        schemas, definitions = TypeAdapter.json_schemas(inputs, schema_generator=_SchemaMaker)
    except PydanticInvalidForJsonSchema as error:
        reason = error.message.rstrip(".")
        raise RefusedTypeError(
            f"pydantic has no JSON Schema for it: {reason}.",
            "Use a type that JSON Schema can describe.",
        ) from error
    ordered = [schemas[number, mode] for number, mode, _ in inputs]
    return ordered, definitions.get("$defs", {})


class _SchemaMaker(GenerateJsonSchema):
    """Makes schemas whose definitions have the names of their modules: ``app--users--Author``."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {  # noqa: RUF012 (as its base has it)
        "non-serializable-default",
        "skipped-choice",
    }

    def get_defs_ref(self, core_mode_ref: tuple[CoreRef, JsonSchemaMode]) -> DefsRef:
        """Return the key of a type, whose modules may have brackets: ``app.[id].Author:94``."""
        core_ref, mode = core_mode_ref
        name, _, rest = core_ref.partition(":")
        parts = re.sub(r"[^\w.]+", "_", name).replace(".", "--")
        return super().get_defs_ref((CoreRef(f"{parts}:{rest}"), mode))

    def set_schema(self, schema: Any) -> JsonSchemaValue:
        """Return the schema of a set. It does not refuse an item that is repeated."""
        described = super().set_schema(schema)
        described.pop("uniqueItems", None)
        return described

    frozenset_schema = set_schema


def _message_of(detail: Any, values: ValueFilter) -> str:
    """Return the message of an error without the value that it is about.

    Messages end up in logs of clients and proxies, where a password must not be. Those of pydantic
    are safe but for a few; those of users' validators are hidden if they repeat a value.

    :param detail: an item of :meth:`pydantic.ValidationError.errors`.
    :param values: hides messages that repeat a value of the data.
    """
    code, context = detail["type"], detail.get("ctx", {})
    if code == "union_tag_invalid":  # its own message repeats the tag
        return f"The tag must be one of {context['expected_tags']}"
    message: str = detail["msg"]
    if code in ("uuid_parsing", "bytes_invalid_encoding"):  # their ends repeat a character
        return re.split("[,:]", message, maxsplit=1)[0]
    if code in _OWN_CODES:
        return message
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    return values.hide(message)
