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
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NotRequired, get_args, get_origin

from werkzeug.datastructures import FileStorage

from .arguments import Argument, ContractError
from .json_schemas import Field, read_fields
from .libraries import Codec, Library, RefusedTypeError, choose_library
from .markers import Marker, Place
from .readers import FileReader, FormGuard, Key, Reader, TextReader
from .signature import (
    holds_structured,
    is_json_string,
    is_structured,
    kind_of,
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


def plan_place(place: Place, arguments: Sequence[Argument]) -> list[Reader]:
    """Plan the arguments of one part of the request.

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
    readers += map(_plan_file, files)
    of_texts = [*_plan_plain(place, plain), *map(_plan_structure, structures)]
    keys = frozenset[str]().union(*(reader.own_keys for reader in of_texts))
    return readers + [reader.without(keys) for reader in of_texts]


@contextmanager
def naming(*arguments: Argument) -> Iterator[None]:
    """Name the arguments whose type a library refuses.

    :raises ContractError: in place of the error of the library.
    """
    try:
        yield
    except RefusedTypeError as error:
        names = ", ".join(argument.name for argument in arguments)
        reason = f"{arguments[0].function} cannot read {names}: {error.problem.reason}"
        raise ContractError(reason, error.problem.hint) from error


def _plan_plain(place: Place, arguments: Sequence[Argument]) -> Iterator[TextReader]:
    """Plan the plain arguments, those of each library together."""
    groups: dict[Library, list[Argument]] = defaultdict(list)
    for argument in arguments:
        _check_plain(argument)
        with naming(argument):
            groups[choose_library(argument.annotation)].append(argument)
    for library, group in groups.items():
        keys = tuple(map(_plan_key, group))
        with naming(*group):
            codec = _make_codec(library, group)
        yield TextReader(place, keys, codec, all(argument.has_default for argument in group))


def _make_codec(library: Library, arguments: Sequence[Argument]) -> Codec:
    """Return the codec of a dict of arguments.

    :raises ContractError: for a type that is refused alone, to name the argument that has it.
    :raises RefusedTypeError: for types that are refused together only.
    """
    types: dict[str, Any] = {}
    for argument in arguments:
        types[argument.name] = argument.annotation
        if argument.has_default:
            types[argument.name] = NotRequired[argument.annotation]
    try:
        return library.make_codec(types)
    except RefusedTypeError:
        for argument in arguments:
            with naming(argument):
                library.make_codec(argument.annotation)
        raise


def _plan_key(argument: Argument) -> Key:
    """Return the key of a plain argument."""
    values = list(_values_of(argument.annotation))
    constants = [constant for value in values for constant in _constants_of(value)]
    field = Field(
        _alias_of(argument) or argument.name,
        is_list=any(map(_is_list, members_of(argument.annotation))),
        is_object=False,
        accepts_empty="" in constants or any(map(_is_string, values)),
        constants=constants,
    )
    return _make_key(argument, field, key_of_argument(argument))


def _make_key(argument: Argument, field: Field, key: str) -> Key:
    """Return a key, with what its strings need before they are converted.

    Libraries compare the values of a ``Literal`` and of an enumeration without converting them. So
    numbers and booleans are found by their strings: ``{"2": 2}`` for ``Literal[2]``.

    :param field: a field of a structured argument, or a plain argument as if it were one.
    :param key: the key in the request.
    :raises ContractError: for an object, which no string of a request is, and for a credential
        that is read as any other header: nothing would describe it as one.
    """
    if field.is_object:
        raise ContractError(
            f"{argument.function} reads {argument.name}, whose field {field.key} is an object, "
            "but its value is one string.",
            "Read it from a Body, or annotate the field as Json[...], with pydantic's Json.",
        )
    if argument.place == "header" and key.lower() == "authorization":
        raise ContractError(
            f"{argument.function} reads the header Authorization with Header.",
            f"Write {argument.name}: Bearer, or Annotated[str, Scheme(...)] for another scheme.",
        )
    skips_empty = argument.place == "form" and not field.accepts_empty
    constants = {json.dumps(c): c for c in field.constants if isinstance(c, (bool, int, float))}
    return Key(field.key, key, field.is_list, skips_empty, constants or None)


def _check_plain(argument: Argument) -> None:
    """Refuse an argument that is one string in a request, and cannot be in its type.

    :raises ContractError: for a dict, for a list of objects, and for a union with an object.
    """
    for member in members_of(argument.annotation):
        kind = kind_of(member)
        is_dict = isinstance(kind, type) and issubclass(kind, collections.abc.Mapping)
        if is_json_string(member) or not (is_dict or holds_structured(member)):
            continue
        if is_structured(member):
            mistake = "with a structured and a plain type."
            hint = "Use one of them: a structured type is all of its place, a plain type one key."
        elif is_dict:
            mistake = "as a dict, but its value is one string."
            hint = "Write a TypedDict with the keys."
        else:
            assert isinstance(argument.marker, Marker)
            mistake = "as a list of objects, but its values are strings."
            as_json = f"{argument.marker.name}[Json[...]]"
            hint = f"Read them from a Body, or as JSON: {as_json}, with pydantic's Json."
        raise ContractError(f"{argument.function} annotates {argument.name} {mistake}", hint)


def _plan_structure(argument: Argument) -> TextReader:
    """Return the reader of a structured argument.

    Its keys come from the JSON Schema of its type, which follows every alias and base class of
    either library.
    """
    place, known = argument.place, None
    assert place is not None
    with naming(argument):
        library = choose_library(argument.annotation)
        codec = library.make_codec(argument.annotation)
        [schema], definitions = library.make_schemas([(argument.annotation, "validation")])
    fields, cares_for_others = read_fields(schema, definitions)
    # Browsers, proxies and other parts of a site add headers and cookies.
    if cares_for_others and place in ("query", "form"):
        known = frozenset[str]()
    keys = tuple(_make_key(argument, field, key_of(field.key, place)) for field in fields)
    return TextReader(place, keys, codec, argument.has_default, argument.name, known)


def key_of(name: str, place: Place | None) -> str:
    """Return the key of an argument: ``from_`` is ``from``, and headers have dashes."""
    if name.endswith("_") and keyword.iskeyword(name[:-1]):
        name = name[:-1]
    if place == "header":
        return name.replace("_", "-")
    return name


def key_of_argument(argument: Argument) -> str:
    """Return the key of an argument of a plain type: that of its ``Field``, or of its name."""
    return _alias_of(argument) or key_of(argument.name, argument.place)


def _alias_of(argument: Argument) -> str | None:
    """Return the key that pydantic's ``Field`` gives an argument."""
    for item in split_annotated(argument.annotation)[1]:
        if type(item).__module__ == "pydantic.fields":
            alias: Any = item.validation_alias or item.alias
            if isinstance(alias, str):
                return alias
            if alias:
                raise ContractError(
                    f"{argument.function} cannot read {argument.name}: The alias {alias!r} is not "
                    "a string.",
                    'Write Field(alias="page-size").',
                )
    return None


def _is_list(member: Any) -> bool:
    """Return whether one member of a type takes all values of its key: ``?tag=a&tag=b``."""
    return kind_of(member) in _LISTS and not is_json_string(member)


def _values_of(annotation: Any) -> Iterator[Any]:
    """Return the types that one string may have: the members of a union, the items of a list."""
    for member in members_of(annotation):
        if _is_list(member):
            for item in get_args(unalias(member)):
                yield from _values_of(item)
        elif not is_json_string(member):
            yield unalias(member)


def _is_string(kind: Any) -> bool:
    """Return whether any string is a value of a type."""
    if kind in (Any, object):
        return True
    return isinstance(kind, type) and issubclass(kind, str) and not issubclass(kind, enum.Enum)


def _constants_of(kind: Any) -> Iterator[Any]:
    """Return the values of a ``Literal`` or an enumeration."""
    if get_origin(kind) is Literal:
        yield from get_args(kind)
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        yield from (member.value for member in kind)


def is_file(annotation: Any) -> bool:
    """Return whether an annotation is a file, or several."""
    members = map(unalias, members_of(annotation))
    return any(member is FileStorage or FileStorage in get_args(member) for member in members)


def _plan_file(argument: Argument) -> FileReader:
    """Return the reader of an uploaded file, or of several for ``list[FileStorage]``."""
    if argument.place != "form":
        raise ContractError(
            f"{argument.function} annotates {argument.name} as a file, which only a form has.",
            f"Write {argument.name}: Form[FileStorage].",
        )
    make: Any = None
    for member in members_of(argument.annotation):
        origin = get_origin(unalias(member))
        if origin is not None:
            make = tuple if origin is tuple else list
    return FileReader(argument.name, key_of_argument(argument), argument.has_default, make)
