"""The content of the files that ``new`` writes, formatted as ruff and black would do it.

The bodies are examples to be replaced, but they can be requested at once, and type checkers accept
the files as they are. Typed handlers use TypedDicts, which both validating libraries read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from ..routing.converters import LIST_OF_STR

#: The line length of ruff and black.
WIDTH = 88

#: For the type of an argument its annotation, and an example for ``url_for``.
TYPES: dict[object, tuple[str, str]] = {
    str: ("str", '"{name}"'),
    int: ("int", "1"),
    float: ("float", "1.5"),
    LIST_OF_STR: ("list[str]", '["a", "b"]'),
    UUID: ("UUID", '"00000000-0000-0000-0000-000000000001"'),
    None: ("Any", '"{name}"'),
    # The value of the dependency that is written.
    dict: ("dict[str, Any]", ""),
}

#: The names in annotations, by module: the modules of Python, then those of packages.
_MODULES: tuple[dict[str, tuple[str, ...]], ...] = (
    {"typing": ("Any", "TypedDict"), "uuid": ("UUID",)},
    {
        "flask.typing": ("ResponseReturnValue",),
        "flask_routehandlers": ("Body", "Created", "NoContent"),
        "werkzeug.exceptions": ("NotFound",),
    },
)

#: The classes of bodies. What a client need not send is absent from a change.
_CLASSES = {
    "Item": "class Item(TypedDict):\n    name: str",
    "Changes": "class Changes(TypedDict, total=False):\n    name: str",
}

#: For the method of a typed handler its argument, its annotation, and what it returns.
_TYPED: dict[str, tuple[str, str, str]] = {
    "DELETE": ("", "NoContent", '"", 204'),
    "GET": ("", "Item", '{{"name": {name}}}'),
    "HEAD": ("", "NoContent", '"", 204'),
    "OPTIONS": ("", "NoContent", '"", 204'),
    "PATCH": ("body: Body[Changes]", "Item", '{{"name": body.get("name", {name})}}'),
    "POST": ("body: Body[Item]", "Created[Item]", "body, 201"),
    "PUT": ("body: Body[Item]", "Item", "body"),
    "QUERY": ("body: Body[Item]", "Item", "body"),
}

_MIDDLEWARE = '''\
from flask import Request, Response
from flask_routehandlers import {kind}


{async_}def middleware(request: Request, call_next: {kind}) -> Response:
    """Run for every request to a route file in this folder or below."""
    return {await_}call_next()
'''

_DOCUMENT = """\
from flask_routehandlers.openapi import document

GET = document

openapi = {{"info": {{"title": {title}, "version": "0.1.0"}}}}
"""

#: A route file that serves the page of a document.
PAGE = """\
from flask_routehandlers.openapi import docs

GET = docs
"""


def route_source(
    rule: str,
    methods: Collection[str],
    types: Mapping[str, object],
    *,
    is_async: bool = False,
    is_typed: bool = False,
) -> str:
    """Return the content of a route file.

    POST for ``[id=int]`` is ``def POST(id: int) -> ResponseReturnValue``, or if it is typed,
    ``def POST(id: int, body: Body[Item]) -> Created[Item] | NotFound``.

    :param rule: its rule, for the docstrings.
    :param types: the type of each argument, which is a path parameter or a dependency; ``None``
        where it is not known.
    """
    make_handler = _typed_handler if is_typed else _plain_handler
    annotations: list[str] = []
    functions = []
    for method in methods:
        arguments, result, answer = make_handler(method, types)
        annotations += [*arguments, result]
        head = _head(method, arguments, result, is_async=is_async)
        functions.append(f'{head}\n    """Answer {method} {rule}."""\n{answer}')
    return _module(annotations, functions)


def dependencies_source(name: str, types: Mapping[str, object], *, is_async: bool = False) -> str:
    """Return the content of a file with one dependency: a dict of the path parameters.

    For ``[id=int]`` it is ``def item(id: int) -> dict[str, Any]``, which returns ``{"id": id}``.
    """
    arguments, result = _arguments(types), TYPES[dict][0]
    head = _head(name, arguments, result, is_async=is_async)
    docstring = f'    """Return the argument {name} of handlers in this folder and below."""'
    function = f"{head}\n{docstring}\n{_return_values(types, '}')}"
    return _module([*arguments, result], [function])


def middleware_source(*, is_async: bool = False) -> str:
    """Return the content of a middleware file that lets every request pass."""
    if is_async:
        return _MIDDLEWARE.format(async_="async ", await_="await ", kind="AsyncCallNext")
    return _MIDDLEWARE.format(async_="", await_="", kind="CallNext")


def document_source(title: str) -> str:
    """Return the content of a route file that serves a document, with a title to be changed."""
    return _DOCUMENT.format(title=json.dumps(title))


def _plain_handler(method: str, types: Mapping[str, object]) -> tuple[list[str], str, str]:
    """Return the arguments of a handler, its annotation, and its last line."""
    answer = '    return "", 204'
    if method == "POST":
        answer = _return_values(types, "}, 201")
    elif method not in ("DELETE", "HEAD", "OPTIONS"):
        answer = _return_values(types, "}")
    return _arguments(types), "ResponseReturnValue", answer


def _typed_handler(method: str, types: Mapping[str, object]) -> tuple[list[str], str, str]:
    """Return the same for a typed handler.

    One with parameters declares ``NotFound``, as most of them have something to look up.
    """
    body, result, answer = _TYPED[method]
    arguments = _arguments(types)
    name = '"example"'
    if types:
        result += " | NotFound"
        name = f"str({[*types][-1]})"
    if body:
        arguments.append(body)
    return arguments, result, f"    return {answer.format(name=name)}"


def _arguments(types: Mapping[str, object]) -> list[str]:
    """Return arguments with their annotations."""
    return [f"{name}: {TYPES[kind][0]}" for name, kind in types.items()]


def _return_values(types: Mapping[str, object], end: str) -> str:
    """Return a line that returns all arguments as a dict."""
    values = []
    for name, kind in types.items():
        # JSON need not have values of unknown types.
        value = f"str({name})" if kind is None else name
        values.append(f'"{name}": {value}')
    return _fit("    return {", values, end)


def _head(name: str, arguments: Sequence[str], result: str, *, is_async: bool) -> str:
    """Return the first line of a function, or several if it is long."""
    return _fit(f"{'async ' if is_async else ''}def {name}(", arguments, f") -> {result}:")


def _fit(start: str, items: Sequence[str], end: str) -> str:
    """Return items in brackets, on one line if they fit, otherwise on one line each.

    :param start: the line up to the opening bracket, with its indentation.
    :param end: the closing bracket and the rest of the line.
    """
    line = f"{start}{', '.join(items)}{end}"
    if len(line) <= WIDTH:
        return line
    indent = " " * (len(start) - len(start.lstrip()))
    return "\n".join([start, *(f"{indent}    {item}," for item in items), f"{indent}{end}"])


def _module(annotations: Iterable[str], functions: Iterable[str]) -> str:
    """Return functions with the imports and the classes that their annotations need."""
    # The names of arguments have a colon.
    words = set(re.findall(r"\b\w+\b(?!:)", " ".join(annotations)))
    classes = [source for name, source in _CLASSES.items() if name in words]
    if classes:
        words.add("TypedDict")
    blocks = []
    for modules in _MODULES:
        lines = []
        for module, names in modules.items():
            used = ", ".join(name for name in names if name in words)
            if used:
                lines.append(f"from {module} import {used}")
        if lines:
            blocks.append("\n".join(lines))
    return "\n\n\n".join(["\n\n".join(blocks), *classes, *functions]) + "\n"
