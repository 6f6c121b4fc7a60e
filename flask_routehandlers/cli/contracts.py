"""Describe the inputs and the answers of a handler in a few words.

This is for people: ``match`` prints it. Programs read the OpenAPI document.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from flask import Flask

from ..binding.model import Binding
from ..contracts.markers import Scheme
from ..contracts.outputs import Answer
from ..contracts.settings import invalid_status
from ..contracts.signature import is_typed_dict, members_of, split_annotated, unalias


def describe_inputs(binding: Binding) -> dict[str, str]:
    """Return what a handler reads, by place: ``{"query": "page: Page, tag: str"}``.

    Credentials are under ``credential``, wherever they are in the request.
    """
    inputs: dict[str, list[str]] = defaultdict(list)
    for argument in binding.inputs.arguments if binding.inputs else ():
        place = "credential"
        if not isinstance(argument.marker, Scheme):
            place = argument.marker.place
        inputs[place].append(f"{argument.name}: {spell_type(argument.annotation)}")
    return {place: ", ".join(arguments) for place, arguments in inputs.items()}


def describe_answers(app: Flask, binding: Binding) -> str | None:
    """Return the statuses that a handler declares and those that its inputs add.

    For example ``201 Article with Location; 400, 401, 415, 422``, or ``None`` if it declares
    nothing and reads nothing.
    """
    parts: list[str] = []
    codes = set(_codes_of_inputs(app, binding))
    if binding.writer is not None:
        outputs = binding.writer.outputs
        parts += map(_describe_answer, outputs.answers)
        codes |= {error.code for error in outputs.errors if error.code is not None}
    if codes:
        parts.append(", ".join(map(str, sorted(codes))))
    return "; ".join(parts) or None


def spell_type(annotation: Any) -> str:
    """Return a type in the words of an annotation, without the names of modules."""
    inner = split_annotated(annotation)[0]
    members = members_of(inner)
    if len(members) > 1:
        return " | ".join(map(spell_type, members))
    arguments = get_args(inner)
    if get_origin(inner) is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if inner is type(None):
        return "None"
    if inner is ...:
        return "..."
    name: str = getattr(get_origin(inner) or inner, "__name__", str(inner))
    if arguments:
        return f"{name}[{', '.join(map(spell_type, arguments))}]"
    return name


def _describe_answer(answer: Answer) -> str:
    """Return an answer as its status, its type and the names of its headers."""
    described = str(answer.status or "any status")
    if answer.kind != "empty":
        described += f" {spell_type(answer.annotation)}"
    headers = unalias(answer.headers)
    if is_typed_dict(headers):
        described += f" with {', '.join(headers.__annotations__)}"
    return described


def _codes_of_inputs(app: Flask, binding: Binding) -> Iterator[int]:
    """Yield the statuses of requests that cannot be read."""
    if binding.inputs is None:
        return
    places = describe_inputs(binding).keys()
    if binding.inputs.credentials:
        yield 401
    if "body" in places:
        yield 400
    if places & {"body", "form"}:
        yield 415
    if binding.inputs.readers:
        yield invalid_status(app)
