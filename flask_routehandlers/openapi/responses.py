"""The responses of an operation: declared ones, and those that happen by themselves.

Answers come from the return annotation. Errors are those that the handler, its middleware and its
dependencies declare, and those that follow from what an operation reads:

* 401 for a credential, 404 for a path parameter, 422 for values that are not valid,
* 400 and 415 for a JSON body, 415 for a form, 413 where the app limits the size of a body.

An error is described by the app's own error handler for its class, if it has one that is
annotated, and by the schema of problem details otherwise. What cannot be known is not guessed: a
handler without an annotation has the status ``2XX`` and no content.
"""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, Required, get_args, get_origin, get_type_hints

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

from ..binding.calls import find_innermost
from ..contracts.arguments import ContractError
from ..contracts.invalid import MIMETYPE, InvalidRequest
from ..contracts.outputs import Answer, plan_outputs
from ..contracts.readers import BodyReader, BytesReader, FormGuard
from ..contracts.settings import invalid_status
from ..contracts.signature import (
    UnreadableError,
    evaluate,
    is_typed_dict,
    read_annotations,
    unalias,
)
from ..handlers.errors import makes_response
from ..mount import Mount
from .operations import Operation
from .requests import has_body, has_form
from .schemas import Mode, Schema, Schemas

ErrorClass = type[HTTPException]


@dataclass(frozen=True, slots=True)
class Header:
    """A header of an answer.

    :param name: its name.
    :param annotation: the type of its value.
    :param is_required: whether every such answer has it.
    """

    name: str
    annotation: Any
    is_required: bool


class Responses:
    """Describes the responses of the operations of a document.

    Everything that needs a schema is found when it is made, so that :meth:`types` is complete
    before the first call of :meth:`make`.

    :param app: the app, for its error handlers and settings.
    :param mount: the mount, for the form of its errors.
    :param operations: the operations.
    """

    def __init__(self, app: Flask, mount: Mount, operations: Iterable[Operation]) -> None:
        self._app = app
        self._mount = mount
        #: What the app's own handlers answer for errors, ``None`` where it has none.
        self._handled: dict[ErrorClass, tuple[Answer, ...] | None] = {}
        self._headers: dict[int, tuple[Header, ...]] = {}
        self._answers: list[Answer] = []
        for operation in operations:
            self._answers += operation.outputs.answers if operation.outputs else ()
            for error in self._errors_of(operation):
                if error not in self._handled:
                    self._handled[error] = _find_answers(app, error)
                    self._answers += self._handled[error] or ()
        for answer in self._answers:
            self._headers[id(answer)] = tuple(_read_headers(answer))

    def types(self) -> Iterator[tuple[Any, Mode]]:
        """Return the types of the bodies and headers of all answers."""
        for answer in self._answers:
            if answer.kind == "json":
                yield answer.annotation, "serialization"
            for header in self._headers[id(answer)]:
                yield header.annotation, "serialization"

    def make(self, operation: Operation, schemas: Schemas) -> dict[str, Any]:
        """Return the Responses Object of an operation.

        An annotation such as ``Article | NotFound`` gives ``{"200": {...}, "404": {...}}``.
        Success comes before errors, and errors are sorted by their status.

        :param schemas: the schemas of all types that :meth:`types` has returned.
        """
        by_status: dict[str, list[Answer]] = defaultdict(list)
        for answer in operation.outputs.answers if operation.outputs else ():
            by_status[str(answer.status or "2XX")].append(answer)
        if operation.outputs is None or operation.outputs.is_open or not by_status:
            by_status["2XX"] += []
        responses: dict[str, Any] = {}
        for status, answers in by_status.items():
            responses[status] = self._make_answer(
                status, answers, schemas, is_written=operation.is_written
            )
        errors: dict[int, dict[ErrorClass, None]] = defaultdict(dict)
        for error in self._errors_of(operation):
            errors[_status_of(self._app, error)][error] = None
        for code, classes in sorted(errors.items()):
            responses[str(code)] = self._make_error(code, list(classes), schemas)
        return responses

    def _errors_of(self, operation: Operation) -> Iterator[ErrorClass]:
        """Return the errors of an operation: declared ones, and those of its route itself."""
        yield from operation.errors
        if operation.credentials:
            yield Unauthorized
        if operation.path.parameters:
            yield NotFound
        kinds = {type(reader) for reader in operation.readers}
        if kinds - {BytesReader, FormGuard}:
            yield InvalidRequest
        if BodyReader in kinds:
            yield BadRequest
        if not kinds.isdisjoint((BodyReader, FormGuard)):
            yield UnsupportedMediaType
        if self._is_limited(operation):
            yield RequestEntityTooLarge

    def _is_limited(self, operation: Operation) -> bool:
        """Return whether the size of a body is limited; Flask limits forms by default."""
        limits = ["MAX_CONTENT_LENGTH"]
        if has_form(operation):
            limits += ["MAX_FORM_MEMORY_SIZE", "MAX_FORM_PARTS"]
        return has_body(operation) and any(self._app.config.get(name) for name in limits)

    def _make_answer(
        self, status: str, answers: Iterable[Answer], schemas: Schemas, *, is_written: bool
    ) -> dict[str, Any]:
        """Return the Response Object of the answers with one status.

        :param status: the status in decimals, or ``2XX``.
        :param is_written: whether the answers are written as they are declared.
        """
        description = "Success"
        if status.isdigit():
            description = HTTP_STATUS_CODES.get(int(status), description)
        response: dict[str, Any] = {"description": description}
        content: dict[str, list[Schema]] = {}
        for answer in answers:
            self._add_body(content, answer, schemas, is_written=is_written)
            for header in self._headers[id(answer)]:
                if header.name.lower() != "content-type":
                    described: dict[str, Any] = {
                        "schema": schemas.of(header.annotation, "serialization")
                    }
                    if header.is_required:
                        described["required"] = True
                    response.setdefault("headers", {})[header.name] = described
        return _with_content(response, content)

    def _add_body(
        self,
        content: dict[str, list[Schema]],
        answer: Answer,
        schemas: Schemas,
        *,
        is_written: bool,
    ) -> None:
        """Add the body of an answer to the schemas of each media type."""
        schema: Schema = {"type": "string"}
        if answer.kind == "json":
            schema = schemas.of(answer.annotation, "serialization")
        if answer.kind != "empty":
            _add(content, self._find_media_type(answer, is_written=is_written), schema)

    def _find_media_type(self, answer: Answer, *, is_written: bool) -> str:
        """Return the media type of the body of an answer, ``*/*`` if it is not known.

        A header ``Content-Type`` of a ``Literal`` type declares it. Otherwise JSON is
        ``application/json``, and a string has the default of the app's response class. Bytes are
        ``application/octet-stream`` only if a contract writes them: from a plain handler, Flask
        sends them with its default.

        :param is_written: whether the answer is written as it is declared.
        """
        for header in self._headers[id(answer)]:
            if header.name.lower() == "content-type":
                if get_origin(header.annotation) is not Literal:
                    return "*/*"
                media_type: str = get_args(header.annotation)[0]
                return media_type
        if answer.kind == "json":
            return "application/json"
        if answer.headers is not None and not is_typed_dict(unalias(answer.headers)):
            return "*/*"  # any header may be among them
        if answer.kind == "bytes" and is_written:
            return "application/octet-stream"
        return self._app.response_class.default_mimetype or "text/html"

    def _make_error(
        self, code: int, errors: Iterable[ErrorClass], schemas: Schemas
    ) -> dict[str, Any]:
        """Return the Response Object of the errors with one status.

        A class of errors that overrides ``get_body`` or ``get_response`` adds its description
        alone: nothing is known about its body.
        """
        descriptions: dict[str, None] = {}
        content: dict[str, list[Schema]] = {}
        for error in errors:
            descriptions |= dict.fromkeys(_describe(error))
            answers = self._handled[error]
            if answers is not None:
                for answer in answers:
                    self._add_body(content, answer, schemas, is_written=False)
            elif makes_response(error):
                continue  # its form is not known
            elif not self._mount.problem_details:
                _add(content, "text/html", {"type": "string"})
            elif issubclass(error, InvalidRequest):
                _add(content, MIMETYPE, schemas.invalid)
            else:
                _add(content, MIMETYPE, schemas.problem)
        phrase = HTTP_STATUS_CODES.get(code, "Error")
        return _with_content({"description": " ".join(descriptions) or phrase}, content)


def _add(content: dict[str, list[Schema]], media_type: str, schema: Schema) -> None:
    """Add a schema to those of a media type, unless it is one of them."""
    schemas = content.setdefault(media_type, [])
    if schema not in schemas:
        schemas.append(schema)


def _with_content(response: dict[str, Any], content: Mapping[str, list[Schema]]) -> dict[str, Any]:
    """Return a response with the schemas of each media type."""
    if content:
        response["content"] = {}
    for media_type, schemas in content.items():
        schema: Schema = {"anyOf": schemas}
        if len(schemas) == 1:
            schema = schemas[0]
        response["content"][media_type] = {"schema": schema}
    return response


def _read_headers(answer: Answer) -> Iterator[Header]:
    """Return the headers that an answer declares: the keys of a TypedDict."""
    headers = unalias(answer.headers)
    if is_typed_dict(headers):
        for name, annotation in get_type_hints(headers, include_extras=True).items():
            yield Header(name, _without_qualifier(annotation), name in headers.__required_keys__)


def _without_qualifier(annotation: Any) -> Any:
    """Return the type of a key without ``Required`` or ``NotRequired``."""
    while get_origin(annotation) in (Required, NotRequired):
        (annotation,) = get_args(annotation)
    return annotation


def _status_of(app: Flask, error: ErrorClass) -> int:
    """Return the status of an error: that of invalid values is a setting of the app."""
    if issubclass(error, InvalidRequest):
        return invalid_status(app)
    return error.code or 500


def _describe(error: ErrorClass) -> Iterator[str]:
    """Return the first paragraph of the docstring of an app's own class, if it has one."""
    if issubclass(error, InvalidRequest):
        yield "Values in the request are not valid."
    elif not error.__module__.startswith("werkzeug.") and error.__doc__:
        paragraph = inspect.cleandoc(error.__doc__).partition("\n\n")[0]
        yield paragraph.replace("\n", " ")


def _find_answers(app: Flask, error: ErrorClass) -> tuple[Answer, ...] | None:
    """Return what the app's own handler answers for an error, as its annotation says.

    :returns: none if it says nothing, ``None`` if the app has no handler.
    """
    handler = _find_handler(app, error)
    if handler is None:
        return None
    function = find_innermost(handler)
    try:
        annotation = evaluate(read_annotations(function)["return"], function)
        answers = plan_outputs(function.__name__, annotation).answers
    except (KeyError, UnreadableError, ContractError):
        return ()
    of_status = tuple(answer for answer in answers if answer.status in (error.code, None))
    return of_status or answers


def _find_handler(app: Flask, error: ErrorClass) -> Callable[..., Any] | None:
    """Return the app's handler of an error, in Flask's order, without that of this package.

    Flask looks for a handler of the status first, then for one of the class, and for each of them
    from the class of the error up to its bases. Handlers of blueprints are not looked at: those of
    the app are under ``None``.
    """
    handlers = app.error_handler_spec[None]
    for code in (error.code, None):
        for base in error.__mro__:
            handler = handlers.get(code, {}).get(base)
            if handler is not None and not _is_of_package(handler):
                return handler
    return None


def _is_of_package(handler: Callable[..., Any]) -> bool:
    package = __name__.partition(".")[0]
    return handler.__module__.partition(".")[0] == package
