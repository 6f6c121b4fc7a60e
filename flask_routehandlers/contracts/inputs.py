"""Plan how the arguments with a marker are read. Done once, at start-up."""

from __future__ import annotations

import collections.abc
import keyword
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from flask import Request
from werkzeug.datastructures import Authorization, FileStorage

from .arguments import Argument, ContractError
from .invalid import InvalidRequest, InvalidValue
from .libraries import Library, RefusedTypeError, choose_library
from .markers import Marker, Place, Scheme
from .readers import (
    BodyReader,
    BytesReader,
    Credential,
    FieldsReader,
    FileReader,
    FormGuard,
    Key,
    Reader,
    StructureReader,
)
from .signature import (
    is_structured,
    members_of,
    split_annotated,
    unalias,
)

_LISTS = (
    list,
    tuple,
    set,
    frozenset,
    collections.deque,
    collections.abc.Sequence,
    collections.abc.Collection,
    collections.abc.Iterable,
    collections.abc.Set,
)

_TEXT_PLACES: tuple[Place, ...] = ("query", "header", "cookie", "form")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The plan of the arguments that a request provides.

    :param arguments: the arguments with a marker.
    :param credentials: read the credentials.
    :param readers: read everything else, the body last.
    """

    arguments: tuple[Argument, ...]
    credentials: tuple[Credential, ...]
    readers: tuple[Reader, ...]

    def authenticate(self, request: Request, arguments: dict[str, Any]) -> None:
        """Add the credentials to the arguments of a call.

        :raises ~werkzeug.exceptions.Unauthorized: without one that is needed.
        """
        for credential in self.credentials:
            credential.read(request, arguments)

    def read(self, request: Request, arguments: dict[str, Any]) -> None:
        """Add everything else to the arguments of a call.

        :raises InvalidRequest: with every value that is not valid.
        :raises ~werkzeug.exceptions.HTTPException: for a body that cannot be read.
        """
        errors: list[InvalidValue] = []
        self.collect(request, arguments, errors)
        if errors:
            raise InvalidRequest(errors)

    def collect(
        self, request: Request, arguments: dict[str, Any], errors: list[InvalidValue]
    ) -> None:
        """Do the same, but add what is not valid to a list of errors."""
        for reader in self.readers:
            reader.read(request, arguments, errors)


def plan_inputs(
    name: str, arguments: Sequence[Argument], *, has_body: bool, claimed: Iterable[str] = ()
) -> Inputs:
    """Plan how the arguments of a function are read.

    :param name: the function's name in its file, for errors.
    :param has_body: whether the request can have a body.
    :param claimed: keys that other functions read from the query.
    :raises ContractError: for arguments that no request can provide.
    """
    _check_bodies(name, arguments, has_body)
    credentials = [_plan_credential(name, argument) for argument in _with_scheme(arguments)]
    readers: list[Reader] = []
    for place in _TEXT_PLACES:
        readers += _plan_place(name, place, _of_place(arguments, place), claimed)
    for argument in _of_place(arguments, "body"):
        readers.append(_plan_body(name, argument))
    return Inputs(tuple(arguments), tuple(credentials), tuple(readers))


def _of_place(arguments: Sequence[Argument], place: Place) -> list[Argument]:
    return [a for a in arguments if isinstance(a.marker, Marker) and a.marker.place == place]


def _with_scheme(arguments: Sequence[Argument]) -> list[Argument]:
    return [argument for argument in arguments if isinstance(argument.marker, Scheme)]


def _check_bodies(name: str, arguments: Sequence[Argument], has_body: bool) -> None:
    bodies, forms = _of_place(arguments, "body"), _of_place(arguments, "form")
    if len(bodies) > 1:
        names = " and ".join(argument.name for argument in bodies)
        raise ContractError(
            f"{name} has more than one Body: {names}.", "Combine them in one type."
        )
    if bodies and forms:
        raise ContractError(
            f"{name} has a Body and a Form, but a request has one body.",
            "Use Form for all of it: Form[Json[T]], with pydantic's Json, reads JSON in a form.",
        )
    if (bodies or forms) and not has_body:
        marker = "Body" if bodies else "Form"
        raise ContractError(
            f"{name} has a {marker}, but it runs for requests without a body.",
            "Use Query, or move it to a POST, PUT, PATCH or DELETE handler.",
        )


def _plan_credential(name: str, argument: Argument) -> Credential:
    assert isinstance(argument.marker, Scheme)
    is_parsed = argument.annotation is Authorization
    if argument.annotation is not str and not is_parsed:
        raise ContractError(
            f"{name} annotates the credential {argument.name} as another type than str.",
            "Write Annotated[str, Scheme(...)].",
        )
    return Credential(argument.name, argument.marker, argument.has_default, is_parsed)


def _plan_body(name: str, argument: Argument) -> Reader:
    if unalias(argument.annotation) is bytes:
        return BytesReader(argument.name, argument.has_default)
    try:
        library = choose_library(argument.annotation)
        codec = library.make_codec(argument.annotation)
    except RefusedTypeError as error:
        raise _refused(name, argument.name, error) from error
    return BodyReader(argument.name, argument.has_default, library, codec)


def _refused(name: str, parameter: str, error: RefusedTypeError) -> ContractError:
    return ContractError(f"{name} cannot read {parameter}: {error.reason}", error.hint)


def _plan_place(
    name: str, place: Place, arguments: Sequence[Argument], claimed: Iterable[str]
) -> list[Reader]:
    """Plan the arguments of one part of the request."""
    files = [argument for argument in arguments if is_file(argument.annotation)]
    values = [argument for argument in arguments if argument not in files]
    structures = [argument for argument in values if is_structured(argument.annotation)]
    plain = [argument for argument in values if argument not in structures]
    readers: list[Reader] = []
    if place == "form" and not all(argument.has_default for argument in arguments):
        readers.append(FormGuard())
    for argument in files:
        readers.append(_plan_file(name, place, argument))
    keys: tuple[Key, ...] = ()
    if plain:
        fields = _plan_fields(name, place, plain)
        keys = fields.keys
        readers.append(fields)
    planned = [_plan_structure(name, place, argument) for argument in structures]
    for reader in planned:
        if reader.others is not None:
            others = {key.key.lower() for key in keys} | {key.lower() for key in claimed}
            for sibling in planned:
                if sibling is not reader:
                    others.update(key.key.lower() for key in sibling.keys)
            reader = _with_others(reader, frozenset(others))
        readers.append(reader)
    return readers


def _with_others(reader: StructureReader, others: frozenset[str]) -> StructureReader:
    from dataclasses import replace

    return replace(reader, others=others)


def _plan_fields(name: str, place: Place, arguments: Sequence[Argument]) -> FieldsReader:
    keys: list[Key] = []
    fields: dict[str, Any] = {}
    for argument in arguments:
        _check_plain(name, place, argument)
        try:
            choose_library(argument.annotation)
            alias = _alias_of(argument.annotation)
        except RefusedTypeError as error:
            raise _refused(name, argument.name, error) from error
        key = alias or key_of(argument.name, place)
        if place == "header" and key.lower() == "authorization":
            raise ContractError(
                f"{name} reads the header Authorization with Header.",
                f"Write {argument.name}: Bearer, or Annotated[str, Scheme(...)] for another "
                "scheme.",
            )
        skips_empty = place == "form" and not _accepts_str(argument.annotation)
        repeats = is_list(argument.annotation)
        keys.append(Key(alias or argument.name, key, repeats, skips_empty))
        fields[argument.name] = argument.annotation
    optional = [argument.name for argument in arguments if argument.has_default]
    try:
        library = choose_library(*fields.values())
        codec = library.make_fields_codec(fields, optional)
    except RefusedTypeError as error:
        raise _refused(name, ", ".join(fields), error) from error
    return FieldsReader(place, tuple(keys), library, codec)


def _check_plain(name: str, place: Place, argument: Argument) -> None:
    for member in members_of(argument.annotation):
        kind = get_origin(unalias(member)) or unalias(member)
        if is_structured(member):
            raise ContractError(
                f"{name} annotates {argument.name} with a structured and a plain type.",
                "Use one of them: a structured type is all of its place, a plain type one key.",
            )
        if isinstance(kind, type) and issubclass(kind, collections.abc.Mapping):
            raise ContractError(
                f"{name} annotates {argument.name} as a dict, but its value is one string.",
                "Write a TypedDict with the keys.",
            )


def _plan_structure(name: str, place: Place, argument: Argument) -> StructureReader:
    try:
        library = choose_library(argument.annotation)
        codec = library.make_codec(argument.annotation)
        [schema], definitions = library.make_schemas([(argument.annotation, "validation")])
    except RefusedTypeError as error:
        raise _refused(name, argument.name, error) from error
    fields, forbids_others = _read_fields(schema, definitions)
    keys = []
    for field, field_schema in fields.items():
        types = _types_of(field_schema, definitions)
        keys.append(
            Key(
                field,
                key_of(field, place),
                "array" in types,
                place == "form" and not types & {"string", ""},
            )
        )
    others = frozenset[str]() if forbids_others else None
    return StructureReader(
        place, argument.name, argument.has_default, tuple(keys), others, library, codec
    )


def _read_fields(
    schema: dict[str, Any], definitions: dict[str, Any]
) -> tuple[dict[str, Any], bool]:
    """Return the fields of an object in JSON Schema, and whether it forbids others."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].removeprefix("#/$defs/")]
    fields = dict(schema.get("properties", {}))
    forbids = schema.get("additionalProperties") is False
    for union in ("anyOf", "oneOf", "allOf"):
        for member in schema.get(union, ()):
            member_fields, member_forbids = _read_fields(member, definitions)
            fields |= member_fields
            forbids = forbids or member_forbids
    return fields, forbids


def _types_of(schema: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
    """Return the JSON types of a value; an empty string stands for any."""
    if "$ref" in schema:
        return _types_of(definitions[schema["$ref"].removeprefix("#/$defs/")], definitions)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return set().union(*(_types_of(member, definitions) for member in schema[union]))
    kind = schema.get("type", "")
    return set(kind) if isinstance(kind, list) else {kind}


def key_of_argument(argument: Argument, place: Place) -> str:
    """Return the key of an argument of a plain type: that of its ``Field``, or of its name."""
    return _alias_of(argument.annotation) or key_of(argument.name, place)


def key_of(name: str, place: Place) -> str:
    """Return the key of a name: ``from_`` is ``from``, and headers have dashes."""
    if name.endswith("_") and keyword.iskeyword(name[:-1]):
        name = name[:-1]
    if place == "header":
        return name.replace("_", "-")
    return name


def _alias_of(annotation: Any) -> str | None:
    for item in split_annotated(annotation)[1]:
        if type(item).__module__.startswith("pydantic"):
            from .with_pydantic import alias_of

            return alias_of(annotation)
    return None


def is_list(annotation: Any) -> bool:
    for member in members_of(annotation):
        plain = unalias(member)
        if (get_origin(plain) or plain) in _LISTS:
            return True
    return False


def _accepts_str(annotation: Any) -> bool:
    """Return whether a string is a value of a type, so that an empty one is meaningful."""
    for member in members_of(annotation):
        plain = unalias(member)
        kind = get_origin(plain) or plain
        if kind in _LISTS and get_args(plain):
            if _accepts_str(get_args(plain)[0]):
                return True
        elif (
            kind in (Any, object)
            or (isinstance(kind, type) and issubclass(kind, str))
            or any(isinstance(value, str) for value in get_args(plain))
        ):
            return True
    return False


def is_file(annotation: Any) -> bool:
    members = members_of(annotation)
    for member in members:
        plain = unalias(member)
        if plain is FileStorage or FileStorage in get_args(plain):
            return True
    return False


def _plan_file(name: str, place: Place, argument: Argument) -> FileReader:
    if place != "form":
        raise ContractError(
            f"{name} annotates {argument.name} as a file, which only a form has.",
            f"Write {argument.name}: Form[FileStorage].",
        )
    make: Any = None
    for member in members_of(argument.annotation):
        origin = get_origin(unalias(member))
        if origin is not None:
            make = tuple if origin is tuple else list
    key = key_of(argument.name, place)
    return FileReader(argument.name, key, argument.has_default, make)


#: The libraries are imported with the first type that needs one.
LibraryType = Library
