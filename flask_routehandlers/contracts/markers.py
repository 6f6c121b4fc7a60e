"""Markers: the annotations of arguments that a client sends, and aliases for answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, TypeVar

T = TypeVar("T")

#: The parts of a request that a marker can name.
Place = Literal["query", "header", "cookie", "form", "body"]


@dataclass(frozen=True, slots=True)
class Marker:
    """The metadata of an argument that comes from one part of a request."""

    place: Place

    @property
    def name(self) -> str:
        """The marker's name in a signature: ``Query``."""
        return self.place.capitalize()


@dataclass(frozen=True, slots=True)
class Scheme:
    """The metadata of an argument that is a credential.

    Without the credential the request is answered with 401, before anything runs, unless the
    argument is optional: ``token: Bearer | None = None``. Define an alias for each scheme:
    ``Token = Annotated[str, Scheme("Token")]``.

    :param scheme: an authentication scheme of the ``Authorization`` header: ``"Bearer"``,
        ``"Basic"``, ``"Token"``. The argument is what follows it in the header, or, annotated as
        ``werkzeug.datastructures.Authorization``, the parsed header.
    :param header: the header of an API key, instead of a scheme.
    :param cookie: the cookie of an API key, instead of a scheme.
    :raises TypeError: unless exactly one of the three is given.
    """

    scheme: str | None = None
    header: str | None = None
    cookie: str | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.scheme, self.header, self.cookie)) != 1:
            raise TypeError(
                'Scheme takes one argument: Scheme("Bearer"), Scheme(header="X-Key") or '
                'Scheme(cookie="session").'
            )


#: An argument from the query string. A plain type is one key, a structured type all of them.
Query: TypeAlias = Annotated[T, Marker("query")]

#: An argument from the headers; an underscore in its name is a dash in the header's.
Header: TypeAlias = Annotated[T, Marker("header")]

#: An argument from the cookies.
Cookie: TypeAlias = Annotated[T, Marker("cookie")]

#: An argument from a form, or, as a ``FileStorage``, an uploaded file.
Form: TypeAlias = Annotated[T, Marker("form")]

#: The JSON document in the body; ``Body[bytes]`` is the body as it was sent.
Body: TypeAlias = Annotated[T, Marker("body")]

#: The token of an ``Authorization: Bearer`` header.
Bearer: TypeAlias = Annotated[str, Scheme("Bearer")]

#: The answer of a handler that creates something: ``return thing, 201``.
Created: TypeAlias = tuple[T, Literal[201]]

#: The answer of a handler without content: ``return "", 204``.
NoContent: TypeAlias = tuple[Literal[""], Literal[204]]
