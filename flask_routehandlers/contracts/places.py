"""Plan how arguments are read from the query, headers, cookies and forms.

These parts of a request are strings by key. A plain type is one key; the plain arguments of a
place are converted together, so that a library which can report all errors at once does so. A
structured type is all keys of its place. A few rules differ from place to place:

* In headers, an underscore is a dash. Types may not forbid other keys in headers and cookies,
  which browsers and proxies add.
* A form sends an empty string for a field that was left empty, so that for most types it counts as
  absent.
* Files are in forms only.

The result is a list of readers (see ``readers``), which do the work for each request.
"""

from __future__ import annotations

import collections.abc
import enum
import json
import keyword
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal, NotRequired, TypedDict, get_args, get_origin

from werkzeug.datastructures import FileStorage

from .arguments import Argument, ContractError
from .json_schemas import read_fields
from .libraries import Library, RefusedTypeError, choose_library
from .markers import Place
from .readers import FieldsReader, FileReader, FormGuard, Key, Reader, StructureReader
from .signature import (
    holds_structured,
    is_json_string,
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

#: The places whose other keys are not the client's own choice: browsers, proxies and other
#: parts of a site add some, so a type cannot forbid them.
_SHARED: tuple[Place, ...] = ("header", "cookie")


def plan_place(name: str, place: Place, arguments: Sequence[Argument]) -> list[Reader]:
    """Plan the arguments of one part of the request.

    :param name: the function's name in its file, for errors.
    :param place: the part.
    :param arguments: the arguments that come from it, in any order.
    :returns: readers, of which some read several arguments.
    :raises ContractError: for an argument that this part cannot provide.
    """
    files = [argument for argument in arguments if is_file(argument.annotation)]
    values = [argument for argument in arguments if argument not in files]
    structures = [argument for argument in values if is_structured(argument.annotation)]
    plain = [argument for argument in values if argument not in structures]
    readers: list[Reader] = []
    if place == "form" and not all(argument.has_default for argument in arguments):
        readers.append(FormGuard())
    keys: list[Key] = []
    readers += [_plan_file(name, place, argument) for argument in files]
    for fields in _plan_fields(name, place, plain):
        keys += fields.keys
        readers.append(fields)
    planned = [_plan_structure(name, place, argument) for argument in structures]
    for reader in planned:
        if reader.others is not None:
            others = [*keys]
            for sibling in planned:
                if sibling is not reader:
                    others += sibling.keys
            reader = replace(reader, others=frozenset(key.key.lower() for key in others))
        readers.append(reader)
    return readers


def refused(name: str, parameter: str, error: RefusedTypeError) -> ContractError:
    """Return the error for an argument whose type a library refuses."""
    return ContractError(
        f"{name} cannot read {parameter}: {error.problem.reason}", error.problem.hint
    )


def _plan_fields(name: str, place: Place, arguments: Sequence[Argument]) -> list[FieldsReader]:
    """Plan the plain arguments, those of each library together."""
    groups: dict[Library, list[Argument]] = {}
    for argument in arguments:
        _check_plain(name, place, argument)
        try:
            library = choose_library(argument.annotation)
        except RefusedTypeError as error:
            raise refused(name, argument.name, error) from error
        groups.setdefault(library, []).append(argument)
    readers = []
    for library, group in groups.items():
        keys = tuple(_plan_key(name, place, argument) for argument in group)
        fields: dict[str, Any] = {}
        for argument in group:
            fields[argument.name] = argument.annotation
            if argument.has_default:
                fields[argument.name] = NotRequired[argument.annotation]
        try:
            codec = library.make_codec(TypedDict("Fields", fields))  # type: ignore[operator]
        except RefusedTypeError as error:
            for argument in group:
                _check_type(name, argument, library)
            raise refused(name, ", ".join(fields), error) from error
        readers.append(FieldsReader(place, keys, codec))
    return readers


def _check_type(name: str, argument: Argument, library: Library) -> None:
    """Refuse a type that is refused alone, to name the argument of a group that has it."""
    try:
        library.make_codec(argument.annotation)
    except RefusedTypeError as error:
        raise refused(name, argument.name, error) from error


def _plan_key(name: str, place: Place, argument: Argument) -> Key:
    """Return the key of a plain argument, with what its strings need before they are converted."""
    alias = _alias_of(name, argument)
    key = alias or key_of(argument.name, place)
    if place == "header":
        _check_header(name, argument, key)
    skips_empty = place == "form" and not _accepts_empty(argument.annotation)
    constants = _by_string(_constants_of(argument.annotation))
    return Key(alias or argument.name, key, _is_list(argument.annotation), skips_empty, constants)


def _check_header(name: str, argument: Argument, key: str) -> None:
    """Refuse to read a credential as any other header: nothing would describe it as one."""
    if key.lower() == "authorization":
        raise ContractError(
            f"{name} reads the header Authorization with Header.",
            f"Write {argument.name}: Bearer, or Annotated[str, Scheme(...)] for another scheme.",
        )


def _check_plain(name: str, place: Place, argument: Argument) -> None:
    """Refuse an argument that is one string in a request, and cannot be in its type.

    :raises ContractError: for a dict, for a list of objects, and for a union with an object.
    """
    for member in members_of(argument.annotation):
        kind = get_origin(unalias(member)) or unalias(member)
        if is_json_string(member):
            continue
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
        if holds_structured(member):
            raise ContractError(
                f"{name} annotates {argument.name} as a list of objects, but its values are "
                "strings.",
                f"Read them from a Body, or as JSON: {place.capitalize()}[Json[...]], with "
                "pydantic's Json.",
            )


def _plan_structure(name: str, place: Place, argument: Argument) -> StructureReader:
    """Return the reader of a structured argument.

    Its keys come from the JSON Schema of its type, which follows every alias and base class of
    either library.

    :raises ContractError: for a field that is an object: no string of a request is one.
    """
    try:
        library = choose_library(argument.annotation)
        codec = library.make_codec(argument.annotation)
        [schema], definitions = library.make_schemas([(argument.annotation, "validation")])
    except RefusedTypeError as error:
        raise refused(name, argument.name, error) from error
    fields, cares_for_others = read_fields(schema, definitions)
    keys = []
    for field in fields:
        key = key_of(field.key, place)
        if place == "header":
            _check_header(name, argument, key)
        if field.is_object:
            raise ContractError(
                f"{name} reads {argument.name}, whose field {field.key} is an object, but its "
                "value is one string.",
                "Read it from a Body, or annotate the field as Json[...], with pydantic's Json.",
            )
        skips_empty = place == "form" and not field.accepts_empty
        constants = _by_string(field.constants)
        keys.append(Key(field.key, key, field.is_list, skips_empty, constants))
    others = None
    if cares_for_others and place not in _SHARED:
        others = frozenset[str]()
    return StructureReader(place, argument.name, argument.has_default, tuple(keys), others, codec)


def key_of(name: str, place: Place) -> str:
    """Return the key of an argument: ``from_`` is ``from``, and headers have dashes."""
    if name.endswith("_") and keyword.iskeyword(name[:-1]):
        name = name[:-1]
    if place == "header":
        return name.replace("_", "-")
    return name


def key_of_argument(argument: Argument, place: Place) -> str:
    """Return the key of an argument of a plain type: that of its ``Field``, or of its name."""
    return _alias_of(argument.name, argument) or key_of(argument.name, place)


def _alias_of(name: str, argument: Argument) -> str | None:
    """Return the key that pydantic's ``Field`` gives an argument."""
    for item in split_annotated(argument.annotation)[1]:
        if type(item).__module__ == "pydantic.fields":
            alias: Any = item.validation_alias or item.alias
            if alias and not isinstance(alias, str):
                raise ContractError(
                    f"{name} cannot read {argument.name}: The alias {alias!r} is not a string.",
                    'Write Field(alias="page-size").',
                )
            return alias or None
    return None


def _is_list(annotation: Any) -> bool:
    """Return whether an argument takes all values of its key: ``?tag=a&tag=b``."""
    for member in members_of(annotation):
        plain = unalias(member)
        if not is_json_string(member) and (get_origin(plain) or plain) in _LISTS:
            return True
    return False


def _accepts_empty(annotation: Any) -> bool:
    """Return whether an empty string is a value of a type, as it is of ``str``."""
    return any(map(_is_string_type, members_of(annotation)))


def _is_string_type(annotation: Any) -> bool:
    """Return whether an empty string is a value of one member of a type."""
    plain = unalias(annotation)
    kind, arguments = get_origin(plain) or plain, get_args(plain)
    if is_json_string(annotation):
        return False
    if kind in _LISTS and arguments:
        return _accepts_empty(arguments[0])
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return any(member.value == "" for member in kind)
    if kind is Literal:
        return "" in arguments
    return kind in (Any, object) or (isinstance(kind, type) and issubclass(kind, str))


def _constants_of(annotation: Any) -> Iterator[Any]:
    """Return the values of a ``Literal`` or an enumeration, in lists too."""
    for member in members_of(annotation):
        plain = unalias(member)
        if (get_origin(plain) or plain) in _LISTS:
            for item in get_args(plain):
                yield from _constants_of(item)
        elif get_origin(plain) is Literal:
            yield from get_args(plain)
        elif isinstance(plain, type) and issubclass(plain, enum.Enum):
            yield from (each.value for each in plain)


def _by_string(constants: Iterable[Any]) -> dict[str, Any] | None:
    """Return numbers and booleans by their strings: a query ``?size=2`` is a string.

    Libraries compare the values of a ``Literal`` and of an enumeration without converting them.
    ``{2: ...}`` of ``Literal[2]`` is ``{"2": 2}``; other constants are strings already.

    :returns: ``None`` if no constant has to be converted.
    """
    values = {json.dumps(c): c for c in constants if isinstance(c, (bool, int, float))}
    return values or None


def is_file(annotation: Any) -> bool:
    """Return whether an annotation is a file, or several."""
    for member in members_of(annotation):
        plain = unalias(member)
        if plain is FileStorage or FileStorage in get_args(plain):
            return True
    return False


def _plan_file(name: str, place: Place, argument: Argument) -> FileReader:
    """Return the reader of an uploaded file, or of several for ``list[FileStorage]``."""
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
    key = _alias_of(name, argument) or key_of(argument.name, place)
    return FileReader(argument.name, key, argument.has_default, make)
