"""The responses of an operation: declared ones, and those that happen by themselves."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin, get_type_hints

from flask import Flask
from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    NotFound,
    RequestEntityTooLarge,
    Unauthorized,
    UnsupportedMediaType,
)
from werkzeug.http import HTTP_STATUS_CODES

from ..contracts.arguments import ContractError
from ..contracts.invalid import MIMETYPE, InvalidRequest
from ..contracts.markers import Marker
from ..contracts.outputs import Answer, plan_outputs
from ..contracts.settings import invalid_status
from ..contracts.signature import UnreadableError, evaluate, read_annotations, unalias
from ..mount import Mount
from .operations import Operation
from .schemas import Mode, Schemas

#: The media types of bodies that are not JSON.
_MEDIA_TYPES = {"text": "text/html", "bytes": "application/octet-stream", "stream": "text/html"}


def types_of_answers(app: Flask, operation: Operation) -> Iterator[tuple[Any, Mode]]:
    """Return the types of the bodies and headers of all answers."""
    answers = list(operation.outputs.answers) if operation.outputs else []
    for error in (*operation.errors, *_own_errors(app, operation)):
        answer = _answer_of_handler(app, error)
        if answer is not None:
            answers.append(answer)
    for answer in answers:
        if answer.kind == "json":
            yield answer.annotation, "serialization"
        for _, annotation in _headers_of(answer):
            yield annotation, "serialization"


def make_responses(
    app: Flask, mount: Mount, operation: Operation, schemas: Schemas
) -> dict[str, Any]:
    """Return the responses of an operation, by status."""
    responses: dict[str, Any] = {}
    by_status: dict[str, list[Answer]] = defaultdict(list)
    for answer in operation.outputs.answers if operation.outputs else ():
        by_status[str(answer.status or "2XX")].append(answer)
    for status, answers in by_status.items():
        responses[status] = _make_answer(status, answers, operation, schemas)
    if not responses:
        responses["2XX"] = {"description": "Success"}
    errors: dict[int, dict[type[HTTPException], None]] = defaultdict(dict)
    for error in (*operation.errors, *_own_errors(app, operation)):
        errors[_status_of(app, error)][error] = None
    for code, classes in sorted(errors.items()):
        responses[str(code)] = _make_error(app, mount, list(classes), schemas)
    return responses


def _make_answer(
    status: str, answers: list[Answer], operation: Operation, schemas: Schemas
) -> dict[str, Any]:
    phrase = HTTP_STATUS_CODES.get(int(status), "Success") if status.isdigit() else "Success"
    response: dict[str, Any] = {"description": phrase}
    content: dict[str, list[Any]] = defaultdict(list)
    for answer in answers:
        media_type = _MEDIA_TYPES.get(answer.kind, "application/json")
        if answer.kind == "bytes" and not operation.is_written:
            media_type = "text/html"  # as Flask sends it
        for name, annotation in _headers_of(answer):
            if name.lower() == "content-type" and get_origin(annotation) is Literal:
                media_type = get_args(annotation)[0]
            else:
                headers = response.setdefault("headers", {})
                headers[name] = {"schema": schemas.of(annotation, "serialization")}
        if answer.kind == "json":
            schema = schemas.of(answer.annotation, "serialization")
            if schema not in content[media_type]:
                content[media_type].append(schema)
        elif answer.kind != "empty":
            content[media_type].append({"type": "string"})
    if content:
        response["content"] = {
            media_type: {"schema": _any_of(found)} for media_type, found in content.items()
        }
    return response


def _any_of(schemas: list[Any]) -> Any:
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}


def _headers_of(answer: Answer) -> list[tuple[str, Any]]:
    if answer.headers is None:
        return []
    hints = get_type_hints(unalias(answer.headers))
    return [(name, _shared(annotation)) for name, annotation in hints.items()]


#: One object for equal annotations, since schemas are found by identity.
_annotations: dict[Any, Any] = {}


def _shared(annotation: Any) -> Any:
    return _annotations.setdefault(annotation, annotation)


def _own_errors(app: Flask, operation: Operation) -> Iterator[type[HTTPException]]:
    """Return the errors that a route answers with by itself."""
    markers = [a.marker for a in operation.arguments if isinstance(a.marker, Marker)]
    places = {marker.place for marker in markers}
    if operation.credentials:
        yield Unauthorized
    if operation.path.parameters:
        yield NotFound
    if markers:
        yield InvalidRequest
    if "body" in places:
        yield BadRequest
    if places & {"body", "form"}:
        yield UnsupportedMediaType
        if app.config["MAX_CONTENT_LENGTH"]:
            yield RequestEntityTooLarge


def _status_of(app: Flask, error: type[HTTPException]) -> int:
    if issubclass(error, InvalidRequest):
        return invalid_status(app)
    return error.code or 500


def _make_error(
    app: Flask, mount: Mount, errors: list[type[HTTPException]], schemas: Schemas
) -> dict[str, Any]:
    descriptions = list(dict.fromkeys(map(_describe, errors)))
    content: dict[str, list[Any]] = defaultdict(list)
    for error in errors:
        answer = _answer_of_handler(app, error)
        if answer is not None and answer.kind == "json":
            content["application/json"].append(schemas.of(answer.annotation, "serialization"))
        elif answer is not None:
            content[_MEDIA_TYPES.get(answer.kind, "text/html")].append({"type": "string"})
        elif mount.problem_details:
            name = "InvalidRequest" if issubclass(error, InvalidRequest) else "Problem"
            schema = {"$ref": f"#/components/schemas/{name}"}
            if schema not in content[MIMETYPE]:
                content[MIMETYPE].append(schema)
        else:
            content["text/html"] = [{"type": "string"}]
    return {
        "description": " ".join(descriptions),
        "content": {
            media_type: {"schema": _any_of(found)} for media_type, found in content.items()
        },
    }


def _describe(error: type[HTTPException]) -> str:
    """Return the docstring of an app's own class, or the phrase of the status."""
    if not error.__module__.startswith(("werkzeug.", __name__.partition(".")[0])):
        text = inspect.cleandoc(error.__doc__ or "")
        if text:
            return text.partition("\n\n")[0].replace("\n", " ")
    if issubclass(error, InvalidRequest):
        return "Values in the request are not valid."
    return f"{HTTP_STATUS_CODES.get(error.code or 500, 'Error')}."


def _answer_of_handler(app: Flask, error: type[HTTPException]) -> Answer | None:
    """Return what the app's own handler for an error answers, if its annotation says so."""
    codes = app.error_handler_spec[None]
    for handlers in (codes.get(error.code, {}), codes[None]):
        for base in error.__mro__:
            if base is HTTPException:
                break
            handler = handlers.get(base)
            if handler is None:
                continue
            function = inspect.unwrap(handler)
            try:
                annotation = evaluate(read_annotations(function)["return"], function)
                answers = plan_outputs(handler.__name__, _shared(annotation)).answers
            except (KeyError, UnreadableError, ContractError):
                return None
            return answers[0] if answers else None
    return None
