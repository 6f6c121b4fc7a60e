"""Plan how the arguments with a marker are read. Done once, at start-up.

Credentials are read before anything else, so that a client without one learns nothing of the other
inputs; then all other arguments, so that one response has the errors of all of them. The body
comes last of these.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from typing import Annotated, NamedTuple, get_origin

from flask import Request
from werkzeug.datastructures import Authorization

from .arguments import Argument, ContractError
from .invalid import InvalidRequest
from .libraries import choose_library
from .markers import Place, Scheme
from .places import naming, plan_place
from .readers import Arguments, BodyReader, BytesReader, Credential, Errors, Reader, TextReader
from .signature import unalias

_TEXT_PLACES: tuple[Place, ...] = ("query", "header", "cookie", "form")


class Inputs(NamedTuple):
    """The plan of the arguments that a request provides.

    :param arguments: the arguments with a marker.
    :param credentials: read the credentials.
    :param readers: read everything else, the body last.
    """

    arguments: tuple[Argument, ...]
    credentials: tuple[Credential, ...]
    readers: tuple[Reader, ...]

    def read(self, request: Request, arguments: Arguments) -> None:
        """Add everything that it reads to the arguments of a call.

        :raises ~werkzeug.exceptions.Unauthorized: without a credential that is needed.
        :raises InvalidRequest: with every value that is not valid.
        :raises ~werkzeug.exceptions.HTTPException: for a body that cannot be read.
        """
        errors: Errors = []
        self.collect(request, arguments, errors)
        if errors:
            raise InvalidRequest(errors)

    def collect(self, request: Request, arguments: Arguments, errors: Errors) -> None:
        """Do the same, but add what is not valid to a list of errors."""
        for credential in self.credentials:
            credential.read(request, arguments)
        for reader in self.readers:
            reader.read(request, arguments, errors)

    def _query_readers(self) -> Iterator[TextReader]:
        for reader in self.readers:
            if isinstance(reader, TextReader) and reader.place == "query":
                yield reader

    @property
    def query_keys(self) -> frozenset[str]:
        """The keys that it reads from the query, in lower case."""
        return frozenset[str]().union(*(reader.own_keys for reader in self._query_readers()))

    @property
    def reads_whole_query(self) -> bool:
        """``True`` if a type in it forbids or collects the keys of the query that it lacks."""
        return any(reader.known is not None for reader in self._query_readers())

    def without(self, keys: Set[str]) -> Inputs:
        """Return the same inputs for types that must not see some keys of the query.

        :param keys: the keys of other functions, in lower case.
        """
        readers = list(self.readers)
        for number, reader in enumerate(readers):
            if isinstance(reader, TextReader) and reader.place == "query":
                readers[number] = reader.without(keys)
        return self._replace(readers=tuple(readers))


def plan_inputs(arguments: Sequence[Argument], *, has_body: bool) -> Inputs:
    """Plan how the arguments of a function are read.

    :param arguments: its arguments with a marker.
    :param has_body: whether the request can have a body.
    :raises ContractError: for arguments that no request can provide.
    """
    by_place: dict[Place | None, list[Argument]] = defaultdict(list)
    for argument in arguments:
        by_place[argument.place].append(argument)
    bodies, forms = by_place.get("body", []), by_place.get("form", [])
    _check_bodies(bodies, forms, has_body)
    readers: list[Reader] = []
    for place in _TEXT_PLACES:
        if place in by_place:
            readers += plan_place(place, by_place[place])
    readers += map(_plan_body, bodies)
    return Inputs(tuple(arguments), tuple(map(_plan_credential, by_place[None])), tuple(readers))


def _check_bodies(bodies: Sequence[Argument], forms: Sequence[Argument], has_body: bool) -> None:
    """Refuse arguments that need two bodies, or one where there is none."""
    if not (bodies or forms):
        return
    name = (bodies or forms)[0].function
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
    if not has_body:
        marker = "Body" if bodies else "Form"
        raise ContractError(
            f"{name} has a {marker}, but it runs for requests without a body.",
            "Use Query, or move it to a POST, PUT, PATCH or DELETE handler.",
        )


def _plan_credential(argument: Argument) -> Credential:
    """Return the reader of a credential.

    :raises ContractError: for a type that no header or cookie has.
    """
    assert isinstance(argument.marker, Scheme)
    is_parsed = argument.annotation is Authorization
    if argument.annotation is not str and not is_parsed:
        raise ContractError(
            f"{argument.function} annotates the credential {argument.name} as another type than "
            "str.",
            "Write Annotated[str, Scheme(...)].",
        )
    return Credential(argument.name, argument.marker, argument.has_default, is_parsed)


def _plan_body(argument: Argument) -> Reader:
    """Return the reader of a body: of JSON, or of bytes for ``Body[bytes]``."""
    annotation = argument.annotation
    # With metadata it is a string in JSON, for example pydantic's Base64Bytes.
    if unalias(annotation) is bytes and get_origin(annotation) is not Annotated:
        return BytesReader(argument.name, argument.has_default)
    with naming(argument):
        codec = choose_library(annotation).make_codec(annotation)
    return BodyReader(argument.name, argument.has_default, codec)
