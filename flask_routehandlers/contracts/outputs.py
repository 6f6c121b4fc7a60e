"""Plan the answers that the return annotation of a handler declares. Done once, at start-up.

``Article | tuple[Waiting, Literal[202]] | NotFound`` are two answers and an error. Each answer has
a status, a form and a type: 200 with JSON of ``Article``, 202 with JSON of ``Waiting``.
``writers`` writes them, and the OpenAPI document describes them.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args, get_origin

from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from .arguments import ContractError
from .signature import (
    STREAMS,
    is_error_class,
    is_record,
    kind_of,
    members_of,
    parts_of,
    split_annotated,
    unalias,
)

#: The forms of a body: a JSON document, a string, bytes, a stream of either, or nothing.
Kind = Literal["json", "text", "bytes", "stream", "empty"]

#: Annotations that declare nothing: anything that Flask accepts may be returned.
_ANYTHING = (Any, object, dict, list, tuple, inspect.Parameter.empty)


class Answer(NamedTuple):
    """An answer that a handler declares.

    :param status: its status, or ``None`` for any.
    :param kind: the form of its body.
    :param annotation: the type of its body.
    :param headers: the type of its headers, if it declares some: a TypedDict names them.
    """

    status: int | None
    kind: Kind
    annotation: Any
    headers: Any = None


class Outputs(NamedTuple):
    """The answers that a handler declares.

    :param answers: its answers that are not errors.
    :param errors: its errors: classes of ``HTTPException`` with a code.
    :param is_open: whether it may answer with anything else as well.
    """

    answers: tuple[Answer, ...]
    errors: tuple[type[HTTPException], ...]
    is_open: bool


def plan_outputs(name: str, annotation: Any) -> Outputs:
    """Read a return annotation.

    :param name: the handler's name in its file, for errors.
    :param annotation: the annotation, evaluated.
    :raises ContractError: for a type that a handler cannot answer with.
    """
    answers: list[Answer] = []
    errors: list[type[HTTPException]] = []
    is_open = False
    for member in _split(annotation):
        if is_error_class(member):
            errors.append(_check_error(name, member))
        elif _is_anything(member):
            is_open = True
        else:
            answers += _read_answers(name, member)
    return Outputs(tuple(answers), tuple(errors), is_open)


def _split(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a union, but not of one with metadata, such as its discriminator."""
    if split_annotated(annotation)[1]:
        return (annotation,)
    return members_of(annotation)


def _is_anything(annotation: Any) -> bool:
    """Return whether an annotation declares nothing about the answer."""
    plain = unalias(annotation)
    return plain in _ANYTHING or (isinstance(plain, type) and issubclass(plain, Response))


def _check_error(name: str, error: type[BaseException]) -> type[HTTPException]:
    """Return a class of errors that has a status.

    :raises ContractError: for any other exception: which status it has is not known.
    """
    if issubclass(error, HTTPException) and error.code is not None:
        return error
    raise ContractError(
        f"{name} declares {error.__name__}, which is not an HTTP error with a status.",
        f"Write class {error.__name__}(Conflict), or another class of werkzeug.exceptions.",
    )


def _read_answers(name: str, annotation: Any) -> list[Answer]:
    """Return the answers of one member of a return annotation, one for each status.

    ``tuple[Item, Literal[200, 201], Headers]`` are two answers with the same body and headers.
    """
    plain = unalias(annotation)
    if plain is type(None):
        raise ContractError(
            f"{name} declares None, which is not a response.",
            'Declare an error, for example NotFound, or NoContent for return "", 204.',
        )
    if get_origin(plain) is not tuple:
        return [_make_answer(name, 200, annotation, None)]
    body, *rest = get_args(plain)
    if not rest or len(rest) > 2 or rest[-1] is Ellipsis:
        raise ContractError(
            f"{name} declares a tuple that is not a body with a status or headers.",
            "Write tuple[Body, Literal[201]] or tuple[Body, Literal[201], Headers], or list[...] "
            "for a JSON array.",
        )
    headers = None
    if _is_headers(rest[-1]):
        headers = rest.pop()
    statuses: list[int | None] = [200]
    if rest:
        statuses = _read_statuses(name, rest[0])
    return [
        _make_answer(name, status, member, headers)
        for status in statuses
        for member in _split(body)
    ]


def _is_headers(annotation: Any) -> bool:
    """Return whether a type is one of those that Flask accepts as headers."""
    kinds = list(map(kind_of, members_of(annotation)))
    if str in kinds or not all(isinstance(kind, type) for kind in kinds):
        return False
    return all(issubclass(kind, (Mapping, Sequence, Headers)) for kind in kinds)


def _read_statuses(name: str, annotation: Any) -> list[int | None]:
    """Return the statuses in the second part of a tuple, ``None`` for ``int``: any status."""
    plain = unalias(annotation)
    if plain is int:
        return [None]
    values: tuple[Any, ...] = ()
    if get_origin(plain) is Literal:
        values = get_args(plain)
    if values and all(type(value) is int and 100 <= value <= 599 for value in values):
        return list(values)
    raise ContractError(
        f"{name} declares a status that is not a Literal of a number.",
        "Write tuple[Body, Literal[201]], or tuple[Body, int] for any status.",
    )


def _make_answer(name: str, status: int | None, annotation: Any, headers: Any) -> Answer:
    """Return an answer, with the form that its type has for Flask.

    A string, bytes and iterators of these are sent as they are; ``Literal[""]`` is an empty body;
    everything else is JSON.
    """
    plain = unalias(annotation)
    kind: Kind = "json"
    if plain is str:
        kind = "text"
    elif plain is bytes:
        kind = "bytes"
    elif get_origin(plain) is Literal and all(isinstance(v, str) for v in get_args(plain)):
        kind = "text"
        if get_args(plain) == ("",):
            kind = "empty"
    elif kind_of(plain) in STREAMS:
        kind = "stream"
        if not set(get_args(plain)[:1]) <= {str, bytes}:
            raise ContractError(
                f"{name} declares a stream of another type than str or bytes.",
                "Write Iterator[str], or list[...] for a JSON array.",
            )
    return Answer(status, kind, annotation, headers)


def is_written_by_library(annotation: Any) -> bool:
    """Return whether a type has instances that only its library can write, at any depth.

    Dicts and lists of plain values are left to Flask, whose JSON provider the app may have
    changed.
    """
    return any(is_record(kind_of(part)) for part in parts_of(annotation))
