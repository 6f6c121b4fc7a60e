"""Write the result of a handler as its return annotation declares.

A body of a declared type is written with the fields of that type and no others: what a row of a
database or a subclass has in addition stays inside. The library of the type writes models,
dataclasses and Structs, Flask the rest, after the fields of TypedDicts have been selected. A body
that cannot be written as its type is an error.

In debug mode and in tests, an answer that is not declared is an error too, which names the
handler. In production it is sent as it is: a wrong annotation must not turn a good response into a
500.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Any, Union

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ..errors import RouteHandlersError
from .arguments import ContractError
from .instances import take_apart
from .libraries import (
    Codec,
    NoLibraryError,
    RefusedTypeError,
    choose_library,
)
from .outputs import Kind, Outputs, is_written_by_library
from .settings import checks_responses
from .signature import holds_structured, kind_of

#: Statuses of errors that every handler may raise without declaring them.
_ALWAYS_DECLARED = frozenset({400, 401, 404, 405, 413, 415, 422})


_JSON: set[Kind] = {"json"}

#: Bodies that are not written as JSON, or that can be read once.
_SPECIAL = (HTTPException, Response, NoneType, Iterator)

_FORMS: dict[Kind, str] = {
    "bytes": "bytes",
    "empty": "an empty string",
    "stream": "an iterator",
    "text": "a string",
}


class UndeclaredAnswerError(RouteHandlersError):
    """A handler answered with something that its return annotation does not declare."""


class InvalidAnswerError(RouteHandlersError):
    """A handler answered with a body that does not fit its return annotation."""


class JsonWriter:
    """Writes the JSON bodies of one status.

    :param app: the app, for its classes of responses and its JSON provider.
    :param handler: the handler with its file, for errors.
    :param annotation: the type of the body; a union if several answers have this status.
    :raises RefusedTypeError: for a type that its library refuses.
    """

    def __init__(self, app: Flask, handler: str, annotation: Any) -> None:
        self._app = app
        self._handler = handler
        self._class = kind_of(annotation)
        self._codec: Codec | None = None
        self._is_simplified = holds_structured(annotation)
        try:
            self._codec = choose_library(annotation).make_codec(annotation)
        except RefusedTypeError as error:
            # Flask writes the rest, and without a library TypedDicts and dataclasses too.
            if self._is_simplified and not isinstance(error, NoLibraryError):
                raise
        #: Whether it cannot keep to the declared fields, since no library is installed.
        self.lacks_library = self._codec is None and self._is_simplified
        #: Encodes a body, if its library writes it.
        self.encode: Callable[[Any], bytes] | None = None
        if self._codec is not None and is_written_by_library(annotation):
            self.encode = self._codec.encode

    def closeness(self, body: Any) -> int:
        """Return 2 for a body of exactly the type, 1 for an instance of it, else 0."""
        is_instance = isinstance(self._class, type) and isinstance(body, self._class)
        return is_instance + (type(body) is self._class)

    def write(self, body: Any, status: int) -> Response:
        """Return a response with the body as JSON, with its declared fields only.

        :raises InvalidAnswerError: for a body that does not fit the type. Where answers are
            checked, all of it is validated, constraints included.
        """
        codec = self._codec
        if codec is not None:
            try:
                if checks_responses(self._app):
                    codec.check(body)
                if self.encode is not None:
                    encoded = self.encode(body)
                    return self._app.response_class(
                        encoded, status, content_type="application/json"
                    )
                if self._is_simplified:
                    body = codec.simplify(body)
            except codec.invalid_error as error:
                invalid = codec.describe(error, take_apart(body), "body")
                lines = "; ".join(f"{value.pointer}: {value.detail}" for value in invalid)
                raise _misfit(self._handler, status, lines) from error
        response = self._app.json.response(body)
        response.status_code = status
        return response  # type: ignore[return-value]


def _make_writers(app: Flask, handler: str, annotations: Sequence[Any]) -> list[JsonWriter]:
    """Return the writer of all types of a status, or one for each.

    msgspec has no unions of classes without tags: the class of a body then chooses the writer.

    :raises RefusedTypeError: for a type that its library refuses.
    """
    make_union: Any = Union
    union = make_union[tuple(annotations)]
    try:
        return [JsonWriter(app, handler, union)]
    except RefusedTypeError:
        choose_library(union)  # refuses types of both libraries
        return [JsonWriter(app, handler, annotation) for annotation in annotations]


class Writer:
    """Writes the results of one handler.

    :param app: the app that serves it.
    :param name: the handler's name in its file.
    :param file: the file, relative to the root.
    :param outputs: the answers that it declares.
    :raises ContractError: for a type that the library refuses.
    """

    def __init__(self, app: Flask, name: str, file: str, outputs: Outputs) -> None:
        self._app = app
        self._handler = f"{name} in {file}"
        self.outputs = outputs
        self._error_codes = {error.code for error in outputs.errors}
        self._kinds: dict[int | None, set[Kind]] = defaultdict(set)
        types: dict[int | None, list[Any]] = defaultdict(list)
        for answer in outputs.answers:
            self._kinds[answer.status].add(answer.kind)
            if answer.kind == "json":
                types[answer.status].append(answer.annotation)
        try:
            self._writers = {
                status: _make_writers(app, self._handler, annotations)
                for status, annotations in types.items()
            }
        except RefusedTypeError as error:
            reason = f"{name} cannot answer: {error.problem.reason}"
            raise ContractError(reason, error.problem.hint) from error
        #: How the bodies of a status are encoded that has one type and no other form.
        self._encoders = {
            status: writers[0].encode
            for status, writers in self._writers.items()
            if len(writers) == 1 and self._kinds[status] == _JSON
        }

    @property
    def lacks_library(self) -> bool:
        """``True`` if it cannot keep to the declared fields, since no library is installed."""
        return any(each.lacks_library for group in self._writers.values() for each in group)

    def write(self, result: Any) -> Any:
        """Return a result as a response, or as another value that Flask accepts from a view.

        :param result: the return value of the handler.
        :raises ~werkzeug.exceptions.HTTPException: the result, if it is one.
        :raises UndeclaredAnswerError: for a status that is not declared, where answers are
            checked.
        :raises InvalidAnswerError: for a body that does not fit.
        """
        body, code, headers = result, 200, None
        if type(result) is tuple:
            if len(result) == 2 and type(result[1]) is int:
                body, code = result
            else:
                body, status, headers = split_result(result)
                code = 200 if status is None else status
        encode = self._encoders.get(code)
        if encode is None or isinstance(body, _SPECIAL) or checks_responses(self._app):
            return self._write_carefully(result, code)
        try:
            encoded = encode(body)
        except Exception:  # which the other way explains
            return self._write_carefully(result, code)
        response = self._app.response_class(encoded, code, content_type="application/json")
        if headers:
            response.headers.update(headers)
        return response

    def _write_carefully(self, result: Any, code: int) -> Any:
        """Write a result that may need a check, or that a library does not write.

        :raises InvalidAnswerError: for a body in another form than the declared ones.
        """
        body, status, headers = split_result(result)
        if isinstance(result, HTTPException):
            raise result
        if isinstance(body, Response):
            self._check_status(body.status_code if status is None else status)
        if isinstance(body, (HTTPException, Response, NoneType)):
            return result  # what is not a response is an error elsewhere
        kinds = self._kinds.get(code) or self._kinds.get(None)
        if kinds is None:
            self._check_status(code)
            return result
        if kinds == _JSON or ("json" in kinds and kinds.isdisjoint(_kinds_of(body))):
            response = self._write_json(body, code)
        elif kinds == {"bytes"} and isinstance(body, bytes):
            response = self._app.response_class(body, code, mimetype="application/octet-stream")
        elif code in (204, 304) and not body:
            response = self._app.response_class(status=code)
            response.headers.remove("Content-Type")
        else:
            if self._is_closed() and kinds.isdisjoint(_kinds_of(body)):
                forms = " or ".join(_FORMS[kind] for kind in sorted(kinds))
                misfit = f"it is a {type(body).__name__}, not {forms}."
                raise _misfit(self._handler, code, misfit)
            return result
        if headers:
            response.headers.update(headers)
        return response

    def _write_json(self, body: Any, status: int) -> Response:
        """Write a JSON body with the writer whose type it is closest to."""
        writers = self._writers.get(status) or self._writers[None]
        writer = writers[0]
        if len(writers) > 1:
            writer = max(writers, key=lambda each: each.closeness(body))
        if isinstance(body, Iterator):
            body = list(body)  # it can be read once, and a check would read it
        return writer.write(body, status)

    def check_error(self, error: HTTPException) -> None:
        """Check that an error which the handler raised is declared.

        :raises UndeclaredAnswerError: for one that is not, where answers are checked.
        """
        code = error.code
        if not self._error_codes or code is None or code >= 500 or code in _ALWAYS_DECLARED:
            return
        if code not in self._error_codes and self._is_closed():
            raise UndeclaredAnswerError(
                f"{self._handler} raised {type(error).__name__} ({code}), which its return "
                f"annotation does not declare. Add it: | {type(error).__name__}."
            ) from error

    def _check_status(self, status: int) -> None:
        """Check that a status of a response is declared.

        :raises UndeclaredAnswerError: for one below 400 that is not, where answers are checked.
        """
        declared = self._kinds.keys() | self._error_codes
        is_declared = status in declared or None in declared
        if status < 400 and not is_declared and self._is_closed():
            advice = f"Add it: | tuple[..., Literal[{status}]]."
            first = min((code for code in self._kinds if code), default=None)
            if status == 200 and first is not None:  # the status was probably forgotten
                advice = f"Return the status {first} with the value, as in return value, {first}."
            raise UndeclaredAnswerError(
                f"{self._handler} answered with the status {status}, which its return annotation "
                f"does not declare. {advice}"
            )

    def _is_closed(self) -> bool:
        """Return whether answers that are not declared are errors."""
        return not self.outputs.is_open and checks_responses(self._app)


def _misfit(handler: str, status: int, what: str) -> InvalidAnswerError:
    return InvalidAnswerError(
        f"{handler} answered {status} with a body that does not fit its return annotation: {what}"
    )


def _kinds_of(body: Any) -> set[Kind]:
    """Return the forms that a body has for Flask, unless it is JSON."""
    if isinstance(body, str):
        return {"text"} if body else {"text", "empty"}
    if isinstance(body, (bytes, bytearray)):
        return {"bytes"}
    if isinstance(body, (Iterator, AsyncIterator)):
        return {"stream"}
    return set()


def split_result(result: Any) -> tuple[Any, int | None, Any]:
    """Return the body, status and headers of a result, as Flask reads a tuple.

    The status is ``None`` where the result has none, or one that is not a number.
    """
    if type(result) is not tuple or not 1 < len(result) < 4:
        return result, None, None
    body, status, headers = result if len(result) == 3 else (*result, None)
    if type(status) is int:
        return body, status, headers
    if headers is None and isinstance(status, (Headers, Mapping, tuple, list)):
        return body, None, status
    if isinstance(status, int):  # an HTTPStatus
        return body, int(status), headers
    if isinstance(status, str) and status[:3].isdigit():
        return body, int(status[:3]), headers
    return body, None, headers
