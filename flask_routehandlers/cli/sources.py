"""The text of new files, formatted as ruff and black do it."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from ..routing.converters import LIST_OF_STR

#: The width that ruff and black format to, in columns.
WIDTH = 88

_IMPORT = "from flask.typing import ResponseReturnValue"

#: For the type of a parameter how it is written, and what imports it.
_ANNOTATIONS: list[tuple[object, str, str]] = [
    (str, "str", ""),
    (int, "int", ""),
    (float, "float", ""),
    (LIST_OF_STR, "list[str]", ""),
    (UUID, "UUID", "from uuid import UUID"),
    (None, "Any", "from typing import Any"),
]

#: For the type of a parameter a value in code, for examples.
_EXAMPLES: list[tuple[object, str]] = [
    (int, "1"),
    (float, "1.5"),
    (LIST_OF_STR, '["a", "b"]'),
    (UUID, '"00000000-0000-0000-0000-000000000001"'),
]


def examples(types: Mapping[str, object]) -> Iterator[str]:
    """Arguments for ``url_for``, in code."""
    for name, kind in types.items():
        text = next((text for known, text in _EXAMPLES if known == kind), f'"{name}"')
        yield f"{name}={text}"


def route_source(
    rule: str, methods: Collection[str], types: Mapping[str, object], *, is_async: bool = False
) -> str:
    """The text of a route file.

    :param rule: its rule, for the docstrings.
    :param types: the type of each path parameter; ``None`` where it is not known.
    """
    found = [one for one in _ANNOTATIONS if one[0] in types.values()]
    imports = sorted(line for _, _, line in found if line)
    annotations = [
        f"{name}: {next(text for known, text, _ in found if known == kind)}"
        for name, kind in types.items()
    ]
    values = [f'"{name}": {name if kind else f"str({name})"}' for name, kind in types.items()]
    blocks = ["\n".join([*imports, "", _IMPORT] if imports else [_IMPORT])]
    for method in methods:
        lines = [
            *_signature(method, annotations, "ResponseReturnValue", is_async=is_async),
            f'    """{_quoted(f"Answer {method} {rule}.")}"""',
            *_returned(method, values),
        ]
        blocks.append("\n".join(lines))
    return "\n\n\n".join(blocks) + "\n"


def middleware_source(*, is_async: bool = False) -> str:
    """The text of a middleware file that lets every request pass."""
    types = ["Awaitable", "Callable"] if is_async else ["Callable"]
    returned = "Awaitable[Response]" if is_async else "Response"
    arguments = ["request: Request", f"call_next: Callable[[], {returned}]"]
    lines = [
        f"from collections.abc import {', '.join(types)}",
        "",
        "from flask import Request, Response",
        "",
        "",
        *_signature("middleware", arguments, "Response", is_async=is_async),
        '    """Run for every request to a route file in this folder or below."""',
        f"    return {'await ' if is_async else ''}call_next()",
        "",
    ]
    return "\n".join(lines)


def _signature(name: str, arguments: Sequence[str], returned: str, *, is_async: bool) -> list[str]:
    head, tail = f"{'async ' if is_async else ''}def {name}(", f") -> {returned}:"
    line = ", ".join(arguments)
    if _width(f"{head}{line}{tail}") <= WIDTH:
        return [f"{head}{line}{tail}"]
    if len(arguments) > 1 and _width(f"    {line}") <= WIDTH:
        return [head, f"    {line}", tail]
    return [head, *(f"    {argument}," for argument in arguments), tail]


def _returned(method: str, values: Sequence[str]) -> list[str]:
    if method in ("DELETE", "HEAD", "OPTIONS"):
        return ['    return "", 204']
    status = ", 201" if method == "POST" else ""
    line = f"    return {{{', '.join(values)}}}{status}"
    if _width(line) <= WIDTH:
        return [line]
    lines = (line for value in values for line in _item(value))
    return ["    return {", *lines, f"    }}{status}"]


def _item(value: str) -> list[str]:
    line = f"        {value},"
    head, call, name = line.partition("str(")
    if not call or _width(line) <= WIDTH:
        return [line]
    return [f"{head}str(", f"            {name.removesuffix('),')}", "        ),"]


def _quoted(text: str) -> str:
    """A text as it stands in a docstring."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _width(line: str) -> int:
    """How many columns a line takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)
