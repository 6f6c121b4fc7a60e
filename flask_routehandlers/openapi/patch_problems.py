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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..errors import Problem
from ..handlers.exports import METHODS
from ..mount import Mount, Route
from .operations import METHODS as OPERATIONS
from .operations import is_document
from .patches import spell_keys

#: The forms of fields, for :func:`_has_form`, by what messages call them.
_FORMS: dict[str, Any] = {
    "True or False": bool,
    "a string": str,
    "a dict": dict,
    "a dict of dicts": {"*": dict},
    "a dict of path items": {"*": dict.fromkeys(OPERATIONS, dict)},
    "a list of dicts": [dict],
    'a list of dicts such as {"session": []}': [{"*": [str]}],
    "a list of strings": [str],
}

#: The fields of an Operation Object and of an OpenAPI Object, each with its form.
_FIELDS: dict[str, dict[str, str]] = {
    "an operation": {
        "callbacks": "a dict of dicts",
        "deprecated": "True or False",
        "description": "a string",
        "externalDocs": "a dict",
        "operationId": "a string",
        "parameters": "a list of dicts",
        "requestBody": "a dict",
        "responses": "a dict of dicts",
        "security": 'a list of dicts such as {"session": []}',
        "servers": "a list of dicts",
        "summary": "a string",
        "tags": "a list of strings",
    },
    "a document": {
        "components": "a dict of dicts",
        "externalDocs": "a dict",
        "info": "a dict",
        "jsonSchemaDialect": "a string",
        "openapi": "a string",
        "paths": "a dict of path items",
        "security": 'a list of dicts such as {"session": []}',
        "servers": "a list of dicts",
        "tags": "a list of dicts",
        "webhooks": "a dict of dicts",
    },
}


def find_patch_problems(mount: Mount) -> Iterator[Problem]:
    """Find patches that are not of the form that OpenAPI gives them, in all files of a mount."""
    routes = {route.file.file: route for route in mount.routes}
    for file, patch in mount.patches.items():
        for problem in _find_in_patch(mount, file, routes.get(file), patch):
            yield problem.at(file)


def _find_in_patch(mount: Mount, file: str, route: Route | None, patch: Any) -> Iterable[Problem]:
    """Return the problems of the patch of a file.

    :param route: the route of the file, if it is a ``route.py``.
    """
    if file.rpartition("/")[2] == "dependencies.py":
        names = _dependencies_of(mount, file)
        name = [*names, "user"][0]
        hint = f'Write openapi = {{"{name}": {{"security": [{{"session": []}}]}}}}.'
        return _check_dict(patch, hint) or _find_in_parts(patch, names)
    if route is not None and is_document(route):
        hint = 'Write openapi = {"info": {"title": "Shop", "version": "1.0"}}.'
        return _check_dict(patch, hint) or _find_in_fields((), patch, "a document")
    if patch is False:
        return ()
    if route is None:
        hint = 'Write openapi = {"tags": ["admin"]}, or openapi = False to hide everything below.'
        return _check_dict(patch, hint) or _find_in_fields((), patch, "an operation")
    hint = 'Write openapi = {"tags": ["shop"]}, or openapi = False to hide the route.'
    return _check_dict(patch, hint) or _find_in_route(patch, route)


def _dependencies_of(mount: Mount, file: str) -> list[str]:
    """Return the names of the dependencies that a file defines."""
    return [
        name
        for definitions in mount.scopes.definitions.values()
        for name, definition in definitions.items()
        if definition.file == file
    ]


def _check_dict(patch: Any, hint: str) -> list[Problem]:
    """Refuse anything but a dict that JSON has, with strings as its keys.

    Tuples pass, which JSON writes as lists. ``NaN`` and infinity do not: JSON has no such numbers
    (RFC 8259, section 6).

    :param hint: an example of the right patch, for a value of another type.
    :returns: the problems; none if the patch can be read.
    """
    if not isinstance(patch, dict):
        return [Problem(f"openapi must be a dict, not {_spell(patch)}.", hint)]
    try:
        json.dumps(patch, allow_nan=False)
    except (TypeError, ValueError) as error:
        hint = "Use dict, list, str, int, float, bool and None."
        return [Problem(f"openapi cannot be written as JSON: {error}.", hint)]
    return list(_find_other_keys((), patch))


def _find_other_keys(keys: tuple[str, ...], value: Any) -> Iterator[Problem]:
    """Find keys that are not strings, which JSON would make of them.

    ``{200: {...}}`` would become ``{"200": {...}}``, but a merge would not find the key ``"200"``.

    :param keys: the keys that lead to the value.
    """
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _find_other_keys(keys, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _find_other_keys((*keys, key), item)
            else:
                yield Problem(
                    f"{spell_keys(keys)} has the key {key!r}, which is not a string.",
                    f'Write "{key}".',
                )


def _find_in_route(patch: Mapping[str, Any], route: Route) -> Iterator[Problem]:
    """Find problems in the patch of a ``route.py``.

    Keys in upper case are methods. Those in lower case that spell one are reported as methods too,
    since OpenAPI writes methods so.
    """
    methods = route.handlers or METHODS  # those of a file that cannot be used are not known
    parts = {name: part for name, part in patch.items() if name.upper() in METHODS}
    yield from _find_in_parts(parts, methods)
    fields = {name: field for name, field in patch.items() if name not in parts}
    yield from _find_in_fields((), fields, "an operation")


def _find_in_parts(parts: Mapping[str, Any], names: Collection[str]) -> Iterator[Problem]:
    """Find problems in the patches of methods or dependencies.

    :param names: the methods or dependencies of the file.
    """
    for name, part in parts.items():
        place = spell_keys([name])
        if name not in names:
            yield Problem(
                f"{place} is about {name}, which the file does not define.",
                _suggest(name, names),
            )
        elif isinstance(part, dict):
            yield from _find_in_fields([name], part, "an operation")
        elif part is not False:
            yield Problem(
                f"{place} must be a dict, not {_spell(part)}.",
                f'Write "{name}": {{"summary": "..."}}, or "{name}": False to hide it.',
            )


def _find_in_fields(
    keys: Sequence[str], patch: Mapping[str, Any], whose: str
) -> Iterator[Problem]:
    """Find unknown fields, and fields of another form.

    :param keys: the keys that lead to the fields.
    :param whose: the object that has them.
    """
    forms = _FIELDS[whose]
    for name, value in patch.items():
        if name.startswith("x-"):
            continue
        if name not in forms:
            yield Problem(
                f'{spell_keys(keys)} has "{name}", which is not a field of {whose} in OpenAPI.',
                f'{_suggest(name, forms)} The names of other fields start with "x-".',
            )
        elif value is not None and not _has_form(value, _FORMS[forms[name]]):
            yield Problem(
                f"{spell_keys([*keys, name])} must be {forms[name]}.",
                "Write it so, or None to remove it.",
            )


def _has_form(value: Any, form: Any) -> bool:
    """Return whether a value is of a form.

    :param form: a type, a list with the form of its items, or a dict with the forms of its keys,
        where ``*`` is any key. A key can also be ``None``, which removes it.
    """
    if isinstance(form, list):
        return isinstance(value, list) and all(_has_form(item, form[0]) for item in value)
    if isinstance(form, dict):
        return isinstance(value, dict) and all(
            item is None or _has_form(item, form.get(key, form.get("*", object)))
            for key, item in value.items()
        )
    return isinstance(value, form)


def _suggest(name: str, names: Collection[str]) -> str:
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
