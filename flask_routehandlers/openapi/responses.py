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
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import (
    Any,
    Literal,
    NamedTuple,
    NotRequired,
    Required,
    get_args,
    get_origin,
    get_type_hints,
)

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

from ..contracts.invalid import MIMETYPE, InvalidRequest
from ..contracts.outputs import Answer
from ..contracts.readers import BodyReader, BytesReader, FormGuard
from ..contracts.settings import invalid_status
from ..contracts.signature import is_typed_dict, unalias
from ..handlers.errors import makes_response
from ..mount import Mount
from .operations import Operation, read_outputs
from .requests import places_of
from .schemas import Mode, Schema, Schemas

ErrorClass = type[HTTPException]


class Header(NamedTuple):
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

    :param app: the app, for its error handlers and settings.
    """

    def __init__(self, app: Flask, mount: Mount, operations: Sequence[Operation]) -> None:
        self._app = app
        self._mount = mount
        self._operations = operations
        #: What the app's own handlers answer for errors.
        self._handled: dict[ErrorClass, tuple[Answer, ...]] = {}
        for error in dict.fromkeys(chain.from_iterable(map(self._errors_of, operations))):
            handler = _find_handler(app, error)
            if handler is not None:
                self._handled[error] = _read_answers(handler, error)

    def types(self) -> Iterator[tuple[Any, Mode]]:
        """Return the types of the bodies and headers of all answers."""
        declared = [each.outputs.answers for each in self._operations if each.outputs]
        for answer in chain(*declared, *self._handled.values()):
            if answer.kind == "json":
                yield answer.annotation, "serialization"
            for header in _read_headers(unalias(answer.headers)):
                yield header.annotation, "serialization"

    def make(self, operation: Operation, schemas: Schemas) -> dict[str, Any]:
        """Return the Responses Object of an operation.

        An annotation such as ``Article | NotFound`` gives ``{"200": {...}, "404": {...}}``.
        Success comes before errors, and errors are sorted by their status.

        :param schemas: the schemas of all types that :meth:`types` has returned.
        """
        by_status: dict[int | None, list[Answer]] = defaultdict(list)
        for answer in operation.outputs.answers if operation.outputs else ():
            by_status[answer.status].append(answer)
        if operation.outputs is None or operation.outputs.is_open or not by_status:
            by_status[None] += []
        errors: dict[int, dict[ErrorClass, None]] = defaultdict(dict)
        for error in self._errors_of(operation):
            errors[_status_of(self._app, error)][error] = None
        responses: dict[str, Any] = {}
        for status, answers in by_status.items():
            bodies = self._bodies_of(answers, schemas, is_written=operation.is_written)
            response = _make_response(HTTP_STATUS_CODES.get(status or 0, "Success"), bodies)
            headers = _make_headers(answers, schemas)
            if headers:
                response["headers"] = headers
            responses[str(status or "2XX")] = response
        for code, classes in sorted(errors.items()):
            responses[str(code)] = self._make_error(code, classes, schemas)
        return responses

    def _errors_of(self, operation: Operation) -> Iterator[ErrorClass]:
        """Return the errors of an operation: declared ones, and those of its route itself."""
        yield from operation.errors
        if operation.credentials:
            yield Unauthorized
        if "{" in operation.template:  # a path parameter
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
        places = places_of(operation)
        limits = ["MAX_CONTENT_LENGTH"]
        if "form" in places:
            limits += ["MAX_FORM_MEMORY_SIZE", "MAX_FORM_PARTS"]
        has_body = not places.isdisjoint(("body", "form"))
        return has_body and any(self._app.config.get(name) for name in limits)

    def _bodies_of(
        self, answers: Iterable[Answer], schemas: Schemas, *, is_written: bool
    ) -> Iterator[tuple[str, Schema]]:
        """Return the bodies of answers, each as a media type with a schema.

        :param is_written: whether the answers are written as they are declared.
        """
        for answer in answers:
            schema: Schema = {"type": "string"}
            if answer.kind == "json":
                schema = schemas.of(answer.annotation, "serialization")
            if answer.kind != "empty":
                yield self._find_media_type(answer, is_written=is_written), schema

    def _find_media_type(self, answer: Answer, *, is_written: bool) -> str:
        """Return the media type of the body of an answer, ``*/*`` if it is not known.

        A header ``Content-Type`` of a ``Literal`` type declares it. Otherwise JSON is
        ``application/json``, and a string has the default of the app's response class. Bytes are
        ``application/octet-stream`` only if a contract writes them: from a plain handler, Flask
        sends them with its default.
        """
        headers = _read_headers(unalias(answer.headers))
        for header in headers:
            if header.name.lower() == "content-type":
                declared = unalias(header.annotation)
                media_types: tuple[Any, ...] = ("*/*",)
                if get_origin(declared) is Literal:
                    media_types = get_args(declared)
                return str(media_types[0])
        if answer.kind == "json":
            return "application/json"
        if answer.headers is not None and not headers:
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
        bodies: list[tuple[str, Schema]] = []
        for error in errors:
            descriptions |= dict.fromkeys(_describe(error))
            if error in self._handled:
                bodies += self._bodies_of(self._handled[error], schemas, is_written=False)
            elif makes_response(error):
                continue
            elif not self._mount.problem_details:
                bodies.append(("text/html", {"type": "string"}))
            elif issubclass(error, InvalidRequest):
                bodies.append((MIMETYPE, schemas.invalid))
            else:
                bodies.append((MIMETYPE, schemas.problem))
        phrase = HTTP_STATUS_CODES.get(code, "Error")
        return _make_response(" ".join(descriptions) or phrase, bodies)


def _make_response(description: str, bodies: Iterable[tuple[str, Schema]]) -> dict[str, Any]:
    """Return a Response Object. Several schemas for a media type are alternatives."""
    content: dict[str, list[Schema]] = defaultdict(list)
    for media_type, schema in bodies:
        if schema not in content[media_type]:
            content[media_type].append(schema)
    response: dict[str, Any] = {"description": description}
    for media_type, schemas in content.items():
        schema = {"anyOf": schemas} if len(schemas) > 1 else schemas[0]
        response.setdefault("content", {})[media_type] = {"schema": schema}
    return response


def _make_headers(answers: Iterable[Answer], schemas: Schemas) -> dict[str, Any]:
    """Return the Header Objects of answers by name, without that of the media type."""
    headers: dict[str, Any] = {}
    for answer in answers:
        for header in _read_headers(unalias(answer.headers)):
            if header.name.lower() != "content-type":
                schema = schemas.of(header.annotation, "serialization")
                headers[header.name] = {"schema": schema}
                if header.is_required:
                    headers[header.name]["required"] = True
    return headers


@cache  # so that types are the same objects whenever they are asked for
def _read_headers(kind: Any) -> tuple[Header, ...]:
    """Return the headers that a type declares: the keys of a TypedDict.

    A library could describe the whole type, but not if a single key has no schema, and a handler
    sends its keys without their aliases.
    """
    if not is_typed_dict(kind):
        return ()
    try:
        annotations = get_type_hints(kind, include_extras=True)
    except Exception:  # of a name that only type checkers can read
        return ()
    headers = []
    for name, annotation in annotations.items():
        is_required = name in kind.__required_keys__
        while get_origin(annotation) in (Required, NotRequired):
            is_required = get_origin(annotation) is Required
            (annotation,) = get_args(annotation)
        headers.append(Header(name, annotation, is_required))
    return tuple(headers)


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


def _read_answers(handler: Callable[..., Any], error: ErrorClass) -> tuple[Answer, ...]:
    """Return what an error handler answers for an error, as its annotation declares it."""
    outputs = read_outputs(handler)
    if outputs is None:
        return ()
    of_status = tuple(each for each in outputs.answers if each.status in (error.code, None))
    return of_status or outputs.answers


def _find_handler(app: Flask, error: ErrorClass) -> Callable[..., Any] | None:
    """Return the app's handler of an error, in Flask's order, without that of this package.

    Flask looks for a handler of the status first, then for one of the class, and for each of them
    from the class of the error up to its bases. Handlers of blueprints are not looked at: those of
    the app are under ``None``.
    """
    package, _, _ = __name__.partition(".")
    handlers = app.error_handler_spec[None]
    for code in (error.code, None):
        for base in error.__mro__:
            handler = handlers.get(code, {}).get(base)
            if handler is not None and not handler.__module__.startswith(f"{package}."):
                return handler
    return None
