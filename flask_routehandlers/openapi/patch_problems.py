"""Find problems of the patches of files. Whatever passes can be merged.

A patch is a dict of a user, whose fields end up in the document as they are. Here it is compared
with the fields of an Operation Object or an OpenAPI Object (OpenAPI 3.1), so that a wrong name or
type is refused at start-up and not found in the document. The forms are not deep: what is inside
of ``requestBody``, for example, is left to ``validation``, which needs a package.

The file decides what a patch is about: in ``dependencies.py`` its keys are dependencies; in
``route.py`` methods, or fields for all of them; in ``middleware.py`` fields; in the file of a
document, fields of the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from ..errors import Problem
from ..handlers.exports import METHODS
from ..mount import Mount, Route
from .operations import METHODS as OPERATIONS
from .operations import is_document


class Form(NamedTuple):
    """The form of a field.

    :param name: what it must be, for messages.
    :param accepts: whether a value has this form.
    """

    name: str
    accepts: Callable[[Any], bool]


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_list(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a check that a value is a list whose items are all accepted."""
    return lambda value: isinstance(value, list) and all(map(accepts, value))


def _is_dict_of(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return a check that the values of a dict are accepted; ``None`` removes one."""

    def check(value: Any) -> bool:
        return _is_dict(value) and all(v is None or accepts(v) for v in value.values())

    return check


def _is_path(value: Any) -> bool:
    """Return whether a value is a Path Item Object, whose fields for methods are dicts."""
    return _is_dict(value) and _is_dict_of(_is_dict)(
        {name: part for name, part in value.items() if name in OPERATIONS}
    )


_STRING = Form("a string", _is_string)
_DICT = Form("a dict", _is_dict)
_DICT_OF_DICTS = Form("a dict of dicts", _is_dict_of(_is_dict))
_DICTS = Form("a list of dicts", _is_list(_is_dict))
_SECURITY = Form(
    'a list of dicts such as {"session": []}', _is_list(_is_dict_of(_is_list(_is_string)))
)

#: The fields of an Operation Object.
_OPERATION: Mapping[str, Form] = {
    "callbacks": _DICT_OF_DICTS,
    "deprecated": Form("True or False", lambda value: isinstance(value, bool)),
    "description": _STRING,
    "externalDocs": _DICT,
    "operationId": _STRING,
    "parameters": _DICTS,
    "requestBody": _DICT,
    "responses": _DICT_OF_DICTS,
    "security": _SECURITY,
    "servers": _DICTS,
    "summary": _STRING,
    "tags": Form("a list of strings", _is_list(_is_string)),
}

#: The fields of an OpenAPI Object.
_DOCUMENT: Mapping[str, Form] = {
    "components": _DICT_OF_DICTS,
    "externalDocs": _DICT,
    "info": _DICT,
    "jsonSchemaDialect": _STRING,
    "openapi": _STRING,
    "paths": Form("a dict of path items", _is_dict_of(_is_path)),
    "security": _SECURITY,
    "servers": _DICTS,
    "tags": _DICTS,
    "webhooks": _DICT_OF_DICTS,
}


class Place(NamedTuple):
    """A patch of a file, or a part of it.

    :param file: the file, relative to the root.
    :param name: how code gets it, ``openapi["GET"]``.
    """

    file: str
    name: str = "openapi"

    def at(self, key: str) -> Place:
        """Return the place of a key of it."""
        return Place(self.file, f"{self.name}[{json.dumps(key)}]")

    def problem(self, reason: str, hint: str) -> Problem:
        """Return a problem of the file whose reason begins with the place."""
        return Problem(f"{self.name} {reason}", hint, (self.file,))


def find_patch_problems(mount: Mount) -> Iterator[Problem]:
    """Find patches that are not of the form that OpenAPI gives them, in all files of a mount."""
    routes = {route.file.file: route for route in mount.routes}
    for file, patch in mount.patches.items():
        place = Place(file)
        if file.rpartition("/")[2] == "dependencies.py":
            yield from _find_in_dependencies(place, patch, _dependencies_of(mount, file))
        elif file not in routes:
            yield from _find_in_middleware(place, patch)
        elif is_document(routes[file]):
            hint = 'Write openapi = {"info": {"title": "Shop", "version": "1.0"}}.'
            problem = _check_dict(place, patch, hint)
            yield from problem or _find_in_fields(place, patch, _DOCUMENT, "a document")
        else:
            yield from _find_in_route(place, patch, routes[file])


def _dependencies_of(mount: Mount, file: str) -> list[str]:
    """Return the names of the dependencies that a file defines."""
    return [
        name
        for definitions in mount.scopes.definitions.values()
        for name, definition in definitions.items()
        if definition.file == file
    ]


def _check_dict(place: Place, patch: Any, hint: str) -> list[Problem]:
    """Refuse anything but a dict that JSON has, with strings as its keys.

    Tuples pass, which JSON writes as lists. ``NaN`` and infinity do not: JSON has no such numbers
    (RFC 8259, section 6).

    :param hint: an example of the right patch, for a value of another type.
    :returns: the problems; none if the patch can be read.
    """
    if not isinstance(patch, dict):
        return [place.problem(f"must be a dict, not {_spell(patch)}.", hint)]
    try:
        json.dumps(patch, allow_nan=False)
    except (TypeError, ValueError) as error:
        hint = "Use dict, list, str, int, float, bool and None."
        return [place.problem(f"cannot be written as JSON: {error}.", hint)]
    return list(_find_keys(place, patch))


def _find_keys(place: Place, value: Any) -> Iterator[Problem]:
    """Find keys that are not strings, which JSON would make of them.

    ``{200: {...}}`` would become ``{"200": {...}}``, but a merge would not find the key ``"200"``.
    """
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _find_keys(place, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _find_keys(place.at(key), item)
            else:
                yield place.problem(
                    f"has the key {key!r}, which is not a string.", f'Write "{key}".'
                )


def _find_in_dependencies(place: Place, patch: Any, names: list[str]) -> Iterator[Problem]:
    """Find problems in the patch of a ``dependencies.py``.

    :param names: the dependencies that the file defines.
    """
    name = [*names, "user"][0]
    hint = f'Write openapi = {{"{name}": {{"security": [{{"session": []}}]}}}}.'
    problem = _check_dict(place, patch, hint)
    yield from problem
    if not problem:
        for name, part in patch.items():
            yield from _find_in_part(place, name, part, names)


def _find_in_middleware(place: Place, patch: Any) -> Iterator[Problem]:
    """Find problems in the patch of a middleware, where ``False`` hides everything below."""
    if patch is False:
        return
    hint = 'Write openapi = {"tags": ["admin"]}, or openapi = False to hide everything below.'
    problem = _check_dict(place, patch, hint)
    yield from problem or _find_in_fields(place, patch, _OPERATION, "an operation")


def _find_in_route(place: Place, patch: Any, route: Route) -> Iterator[Problem]:
    """Find problems in the patch of a ``route.py``, where ``False`` hides the route.

    Keys in upper case are methods. Those in lower case that spell one are reported as methods too,
    since OpenAPI writes methods so.
    """
    if patch is False:
        return
    hint = 'Write openapi = {"tags": ["shop"]}, or openapi = False to hide the route.'
    problem = _check_dict(place, patch, hint)
    if problem:
        yield from problem
        return
    methods = route.handlers or METHODS  # those of a file that cannot be used are not known
    fields = {}
    for name, part in patch.items():
        if name.upper() in METHODS:
            yield from _find_in_part(place, name, part, methods)
        else:
            fields[name] = part
    yield from _find_in_fields(place, fields, _OPERATION, "an operation")


def _find_in_part(place: Place, name: str, part: Any, names: Iterable[str]) -> Iterator[Problem]:
    """Find problems in the patch of a method or a dependency.

    :param names: the methods or dependencies of the file.
    """
    if name not in names:
        yield place.at(name).problem(
            f"is about {name}, which the file does not define.", _suggest(name, names)
        )
    elif part is not False and not isinstance(part, dict):
        yield place.at(name).problem(
            f"must be a dict, not {_spell(part)}.",
            f'Write "{name}": {{"summary": "..."}}, or "{name}": False to hide it.',
        )
    elif part:
        yield from _find_in_fields(place.at(name), part, _OPERATION, "an operation")


def _find_in_fields(
    place: Place, patch: Mapping[str, Any], fields: Mapping[str, Form], whose: str
) -> Iterator[Problem]:
    """Find unknown fields, and fields of another form.

    :param fields: the fields that OpenAPI defines for such an object.
    :param whose: the object, for messages: ``an operation``.
    """
    for name, value in patch.items():
        if name.startswith("x-"):
            continue
        if name not in fields:
            yield place.problem(
                f'has "{name}", which is not a field of {whose} in OpenAPI.',
                f'{_suggest(name, fields)} The names of other fields start with "x-".',
            )
        elif value is not None and not fields[name].accepts(value):
            yield place.at(name).problem(
                f"must be {fields[name].name}.", "Write it so, or None to remove it."
            )


def _suggest(name: str, names: Iterable[str]) -> str:
    """Return a hint at the right name: the closest one, or all of them."""
    names = sorted(names)
    for candidate in (name, name.upper(), name.lower()):
        for close in get_close_matches(candidate, names, 1):
            return f'Did you mean "{close}"?'
    if not names:
        return "Remove it."
    return f"Use one of these: {', '.join(names)}."


def _spell(value: Any) -> str:
    """Return a name for a value in a message: ``None``, ``False``, or its type."""
    if value is None or value is False:
        return repr(value)
    return type(value).__name__
