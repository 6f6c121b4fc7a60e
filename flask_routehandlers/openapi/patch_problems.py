"""Find what is wrong with the patches of files. Whatever passes can be merged."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from ..errors import Problem, RouteHandlersError
from ..handlers.endpoint import Endpoint
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
    return lambda value: isinstance(value, list) and all(map(accepts, value))


def _is_dict_of(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Return whether all values are accepted; ``None`` removes one from the document."""

    def check(value: Any) -> bool:
        return _is_dict(value) and all(v is None or accepts(v) for v in value.values())

    return check


def _is_path(value: Any) -> bool:
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
    """Find patches that are not of the form that OpenAPI gives them."""
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
        if not isinstance(definitions, RouteHandlersError)
        for name, definition in definitions.items()
        if definition.file == file
    ]


def _check_dict(place: Place, patch: Any, hint: str) -> list[Problem]:
    """Refuse anything but a dict that JSON has."""
    if not isinstance(patch, dict):
        return [place.problem(f"must be a dict, not {_spell(patch)}.", hint)]
    try:
        json.dumps(patch, allow_nan=False)
    except (TypeError, ValueError) as error:
        hint = "Use dict, list, str, int, float, bool and None."
        return [place.problem(f"cannot be written as JSON: {error}.", hint)]
    return list(_find_keys(place, patch))


def _find_keys(place: Place, value: Any) -> Iterator[Problem]:
    """Find keys that are not strings, which JSON would make of them."""
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
    name = [*names, "user"][0]
    hint = f'Write openapi = {{"{name}": {{"security": [{{"session": []}}]}}}}.'
    problem = _check_dict(place, patch, hint)
    yield from problem
    if not problem:
        for name, part in patch.items():
            yield from _find_in_part(place, name, part, names)


def _find_in_middleware(place: Place, patch: Any) -> Iterator[Problem]:
    if patch is False:
        return
    hint = 'Write openapi = {"tags": ["admin"]}, or openapi = False to hide everything below.'
    problem = _check_dict(place, patch, hint)
    yield from problem or _find_in_fields(place, patch, _OPERATION, "an operation")


def _find_in_route(place: Place, patch: Any, route: Route) -> Iterator[Problem]:
    if patch is False:
        return
    hint = 'Write openapi = {"tags": ["shop"]}, or openapi = False to hide the route.'
    problem = _check_dict(place, patch, hint)
    if problem:
        yield from problem
        return
    methods: Iterable[str] = METHODS
    if isinstance(route.view, Endpoint):
        methods = route.view.dispatcher.bindings
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
    names = sorted(names)
    for candidate in (name, name.upper(), name.lower()):
        for close in get_close_matches(candidate, names, 1):
            return f'Did you mean "{close}"?'
    if not names:
        return "Remove it."
    return f"Use one of these: {', '.join(names)}."


def _spell(value: Any) -> str:
    if value is None or value is False:
        return repr(value)
    return type(value).__name__
