"""Choose the library that validates a type, and what each of them can do.

Two libraries do the work: pydantic 2 and msgspec. The type that a user writes chooses: models and
what has pydantic's metadata go to pydantic, Structs and attrs classes to msgspec, and everything
else to the one that is installed, pydantic first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Literal, Protocol

from ..errors import ProblemError, install_hint
from .invalid import InvalidValue
from .markers import Place
from .signature import is_of_pydantic, kind_of, parts_of, spell, split_annotated

LibraryName = Literal["pydantic", "msgspec"]

#: Whether a schema describes what is read or what is written.
Mode = Literal["validation", "serialization"]

#: The packages whose classes and metadata a library understands.
_PACKAGES: dict[str, LibraryName] = {
    "annotated_types": "pydantic",
    "msgspec": "msgspec",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic",
    "pydantic_extra_types": "pydantic",
}


class RefusedTypeError(ProblemError):
    """A type that cannot be a part of a contract."""


class NoLibraryError(RefusedTypeError):
    """A type of no library, while none is installed."""


def refused_by(library: LibraryName, annotation: Any, error: Exception) -> RefusedTypeError:
    """Return the error for a type that a library refuses, with its own reason."""
    inner, _ = split_annotated(annotation)
    reason = str(error).partition("\n")[0].rstrip(".")
    return RefusedTypeError(
        f"{library} refuses the type {spell(inner)}: {reason}.",
        f"Use a type that {library} supports.",
    )


class MalformedError(Exception):
    """A body that is not JSON. Its message says where, and repeats nothing of it."""


class Codec(Protocol):
    """Translates values of one type."""

    #: The exception for data that does not fit the type.
    invalid_error: type[Exception]

    def decode(self, data: bytes) -> Any:
        """Return the value of a JSON document, strictly.

        :raises MalformedError: for bytes that are not JSON.
        """
        ...

    def convert(self, values: Mapping[str, Any], /) -> Any:
        """Return the value of strings, and lists of strings, by key."""
        ...

    def encode(self, value: Any) -> bytes:
        """Return a value as a JSON document with its declared fields only.

        A value of another type is converted first.
        """
        ...

    def simplify(self, value: Any) -> Any:
        """Return a value with its declared fields only, for another JSON encoder."""
        ...

    def check(self, value: Any) -> None:
        """Raise if a value does not fit the type, constraints included."""
        ...

    def describe(self, error: Any, data: object, place: Place) -> list[InvalidValue]:
        """Return what is wrong with data, from the exception of a codec.

        :param data: the data as it was sent, decoded.
        """
        ...


class Library(Protocol):
    """One of the modules ``with_pydantic`` and ``with_msgspec``."""

    def make_codec(self, annotation: Any) -> Codec:
        """Return the codec of a type.

        :param annotation: the type, or a dict with the type of each key of a dict.
        :raises RefusedTypeError: for a type that the library refuses.
        """
        ...

    def make_schemas(
        self, annotations: Sequence[tuple[Any, Mode]]
    ) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        """Return the JSON Schema of each type, and the definitions that they refer to.

        References begin with ``#/$defs/``.
        """
        ...


def choose_library(annotation: Any) -> Library:
    """Return the library for a type, which is imported now.

    :raises RefusedTypeError: when its parts belong to both, or the library is not installed.
    """
    names = set(_libraries_of(annotation))
    if len(names) > 1:
        raise RefusedTypeError(
            "The type mixes pydantic and msgspec.",
            "Use types of one library in an annotation.",
        )
    if "msgspec" not in names and find_spec("pydantic"):
        from . import with_pydantic

        return with_pydantic
    if "pydantic" not in names and find_spec("msgspec"):
        from . import with_msgspec

        return with_msgspec
    for name in names:
        raise RefusedTypeError(f"{name} is not installed.", install_hint(name))
    raise NoLibraryError("pydantic is not installed.", install_hint("pydantic"))


def _libraries_of(annotation: Any) -> Iterator[LibraryName]:
    """Return the libraries that the parts of a type belong to."""
    for part in parts_of(annotation):
        kinds = [type(item) for item in split_annotated(part)[1]]
        kind = kind_of(part)
        if hasattr(kind, "__struct_fields__") or hasattr(kind, "__attrs_attrs__"):
            yield "msgspec"
        elif hasattr(kind, "__get_pydantic_core_schema__") or is_of_pydantic(kind):
            yield "pydantic"
        elif isinstance(kind, type):
            kinds.append(kind)
        for kind in kinds:
            package = kind.__module__.partition(".")[0]
            if package in _PACKAGES:
                yield _PACKAGES[package]
