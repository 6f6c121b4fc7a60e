"""The content of a route file whose handlers declare their inputs and outputs.

It uses TypedDicts, which both validating libraries read. The bodies are examples to be replaced,
but type checkers accept the file as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from .scaffold import TYPES, fit

#: The classes of bodies. What a client need not send is absent from a change.
_CLASSES = {
    "Item": "class Item(TypedDict):\n    name: str",
    "Changes": "class Changes(TypedDict, total=False):\n    name: str",
}

#: For a method its argument, its annotation, and what it returns.
_HANDLERS: dict[str, tuple[str, str, str]] = {
    "DELETE": ("", "NoContent", '"", 204'),
    "GET": ("", "Item", '{{"name": {name}}}'),
    "HEAD": ("", "NoContent", '"", 204'),
    "OPTIONS": ("", "NoContent", '"", 204'),
    "PATCH": ("body: Body[Changes]", "Item", '{{"name": body.get("name", {name})}}'),
    "POST": ("body: Body[Item]", "Created[Item]", "body, 201"),
    "PUT": ("body: Body[Item]", "Item", "body"),
    "QUERY": ("body: Body[Item]", "Item", "body"),
}

_NAMES = ("Body", "Created", "NoContent")


def typed_source(
    rule: str, methods: Collection[str], types: Mapping[str, object], *, is_async: bool = False
) -> str:
    """Return the content of a route file whose handlers have typed bodies and answers.

    ``POST`` for ``[id=int]``, for example, is ``def POST(id: int, body: Body[Item]) ->
    Created[Item] | NotFound``.

    :param rule: its rule, for the docstrings.
    :param methods: the methods that it handles.
    :param types: the type of each path parameter; ``None`` where it is not known.
    """
    used = " ".join(" ".join(_HANDLERS[method][:2]) for method in methods)
    blocks = ["\n\n".join(_make_imports(used, types))]
    blocks += [declaration for name, declaration in _CLASSES.items() if name in used]
    for method in methods:
        blocks.append(_make_function(rule, method, types, is_async=is_async))
    return "\n\n\n".join(blocks) + "\n"


def _make_imports(used: str, types: Mapping[str, object]) -> Iterator[str]:
    """Yield the imports of Python's modules, then those of packages.

    :param used: the annotations of the file.
    """
    imports = {TYPES[kind][1] for kind in types.values()} - {""}
    if "Item" in used:
        # On the line of Any, if there is one.
        names = "TypedDict"
        if TYPES[None][1] in imports:
            names = "Any, TypedDict"
        imports -= {TYPES[None][1]}
        imports.add(f"from typing import {names}")
    if imports:
        yield "\n".join(sorted(imports))
    imported = [name for name in _NAMES if name in used]
    packages = []
    if imported:
        packages.append(f"from flask_routehandlers import {', '.join(imported)}")
    if types:
        packages.append("from werkzeug.exceptions import NotFound")
    if packages:
        yield "\n".join(packages)


def _make_function(rule: str, method: str, types: Mapping[str, object], *, is_async: bool) -> str:
    """Return the source of a handler.

    A route with parameters declares ``NotFound``, as most of them have something to look up.
    """
    argument, annotation, answer = _HANDLERS[method]
    arguments = [f"{name}: {TYPES[kind][0]}" for name, kind in types.items()]
    name = '"example"'
    if types:
        annotation += " | NotFound"
        name = f"str({[*types][-1]})"
    if argument:
        arguments.append(argument)
    function = f"{'async ' if is_async else ''}def {method}("
    head = fit(function, arguments, f") -> {annotation}:")
    return f'{head}\n    """Answer {method} {rule}."""\n    return {answer.format(name=name)}'
