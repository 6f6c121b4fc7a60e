"""Plan how the arguments with a marker are read. Done once, at start-up.

Credentials are read before anything else, so that a client without one learns nothing of the other
inputs; then all other arguments, so that one response has the errors of all of them. The body
comes last of these.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_origin

from flask import Request
from werkzeug.datastructures import Authorization

from .arguments import Argument, ContractError
from .invalid import InvalidRequest, InvalidValue
from .libraries import RefusedTypeError, choose_library
from .markers import Marker, Place, Scheme
from .places import plan_place, refused
from .readers import (
    BodyReader,
    BytesReader,
    Credential,
    FieldsReader,
    Reader,
    StructureReader,
)
from .signature import unalias

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

    @property
    def query_keys(self) -> frozenset[str]:
        """The keys that it reads from the query, in lower case."""
        return frozenset(
            key.key.lower()
            for reader in self.readers
            if isinstance(reader, (FieldsReader, StructureReader)) and reader.place == "query"
            for key in reader.keys
        )

    @property
    def reads_whole_query(self) -> bool:
        """``True`` if a type in it forbids or collects the keys of the query that it lacks."""
        return any(
            isinstance(reader, StructureReader)
            and reader.place == "query"
            and reader.others is not None
            for reader in self.readers
        )

    def without(self, keys: Set[str]) -> Inputs:
        """Return the same inputs for types that must not see some keys of the query.

        :param keys: the keys of other functions, in lower case.
        """
        readers = list(self.readers)
        for number, reader in enumerate(readers):
            if isinstance(reader, StructureReader) and reader.place == "query":
                readers[number] = reader.without(keys)
        return replace(self, readers=tuple(readers))


def plan_inputs(name: str, arguments: Sequence[Argument], *, has_body: bool) -> Inputs:
    """Plan how the arguments of a function are read.

    :param name: the function's name in its file, for errors.
    :param arguments: its arguments with a marker.
    :param has_body: whether the request can have a body.
    :raises ContractError: for arguments that no request can provide.
    """
    _check_bodies(name, arguments, has_body)
    credentials = [_plan_credential(name, argument) for argument in _with_scheme(arguments)]
    readers: list[Reader] = []
    for place in _TEXT_PLACES:
        readers += plan_place(name, place, _of_place(arguments, place))
    for argument in _of_place(arguments, "body"):
        readers.append(_plan_body(name, argument))
    return Inputs(tuple(arguments), tuple(credentials), tuple(readers))


def _of_place(arguments: Sequence[Argument], place: Place) -> list[Argument]:
    return [a for a in arguments if isinstance(a.marker, Marker) and a.marker.place == place]


def _with_scheme(arguments: Sequence[Argument]) -> list[Argument]:
    return [argument for argument in arguments if isinstance(argument.marker, Scheme)]


def _check_bodies(name: str, arguments: Sequence[Argument], has_body: bool) -> None:
    """Refuse arguments that need two bodies, or one where there is none."""
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
    """Return the reader of a credential.

    :raises ContractError: for a type that no header or cookie has.
    """
    assert isinstance(argument.marker, Scheme)
    is_parsed = argument.annotation is Authorization
    if argument.annotation is not str and not is_parsed:
        raise ContractError(
            f"{name} annotates the credential {argument.name} as another type than str.",
            "Write Annotated[str, Scheme(...)].",
        )
    return Credential(argument.name, argument.marker, argument.has_default, is_parsed)


def _plan_body(name: str, argument: Argument) -> Reader:
    """Return the reader of a body: of JSON, or of bytes for ``Body[bytes]``."""
    annotation = argument.annotation
    # With metadata it is a string in JSON, for example pydantic's Base64Bytes.
    if unalias(annotation) is bytes and get_origin(annotation) is not Annotated:
        return BytesReader(argument.name, argument.has_default)
    try:
        codec = choose_library(annotation).make_codec(annotation)
    except RefusedTypeError as error:
        raise refused(name, argument.name, error) from error
    return BodyReader(argument.name, argument.has_default, codec)
