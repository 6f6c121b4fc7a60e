"""Read the arguments of a function from a request, as planned at start-up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from flask import Request
from werkzeug.datastructures import Authorization, FileStorage, Headers, WWWAuthenticate
from werkzeug.exceptions import BadRequest, Unauthorized, UnsupportedMediaType
from werkzeug.http import parse_list_header

from .invalid import InvalidValue
from .libraries import Codec, MalformedError
from .markers import Place, Scheme

#: The credentials of an authorization scheme (RFC 9110, section 11.2: token68).
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


#: The arguments of a call by name, and the values that are not valid: readers add to them.
Arguments = dict[str, Any]
Errors = list[InvalidValue]


class Reader(Protocol):
    """Reads one or more arguments."""

    def read(self, request: Request, arguments: Arguments, errors: Errors) -> None:
        """Add arguments, or errors. An argument that is absent keeps its default."""
        ...


class Key(NamedTuple):
    """A key of a part of a request.

    :param name: the key that the codec expects.
    :param key: the key in the request.
    :param is_list: whether its values are a list.
    :param skips_empty: whether an empty string counts as absent.
    :param constants: the values by their strings, of an enumeration or a ``Literal`` of numbers.
    """

    name: str
    key: str
    is_list: bool = False
    skips_empty: bool = False
    constants: Mapping[str, Any] | None = None


class Credential(NamedTuple):
    """A credential, which is read before anything else.

    :param argument: the argument's name.
    :param scheme: where the credential is.
    :param is_optional: whether the function has a default for it.
    :param is_parsed: whether the argument is an ``Authorization``, not a string.
    """

    argument: str
    scheme: Scheme
    is_optional: bool
    is_parsed: bool

    def read(self, request: Request, arguments: Arguments) -> None:
        """Add the argument.

        :raises ~werkzeug.exceptions.Unauthorized: without a credential that is needed, and for
            a malformed header.
        """
        scheme = self.scheme
        if scheme.header:
            value: Any = request.headers.get(scheme.header)
        elif scheme.cookie:
            value = request.cookies.get(scheme.cookie)
        else:
            value = self._read_authorization(request)
        if value:
            arguments[self.argument] = value
        elif not self.is_optional:
            raise self._refusal(f"The request lacks {self.describe()}.")

    def describe(self) -> str:
        """Return the name of the credential for messages."""
        if self.scheme.header:
            return f"the header {self.scheme.header}"
        if self.scheme.cookie:
            return f"the cookie {self.scheme.cookie}"
        return f"{self.scheme.scheme} credentials in the header Authorization"

    def _read_authorization(self, request: Request) -> Any:
        """Return the credential of an ``Authorization`` header, if it is of the scheme."""
        header = request.headers.get("Authorization", "")
        scheme, _, credentials = header.partition(" ")
        wanted = self.scheme.scheme or ""
        if scheme.lower() != wanted.lower():
            return None
        credentials = credentials.strip(" ")
        if self.is_parsed:
            parsed = Authorization.from_header(header)
            if parsed is not None and credentials:
                return parsed
        elif _TOKEN.fullmatch(credentials):
            return credentials
        raise self._refusal("The header Authorization is malformed.")

    def _refusal(self, detail: str) -> Unauthorized:
        scheme = self.scheme.scheme or "ApiKey"
        challenge = WWWAuthenticate(scheme)
        if scheme.lower() == "basic":  # RFC 7617 requires a realm
            challenge.realm = "api"
        return Unauthorized(detail, www_authenticate=challenge)


class TextReader(NamedTuple):
    """Arguments that are strings by key in one part of the request, converted together.

    :param place: the part of the request.
    :param keys: the keys of plain arguments, or of the fields of a structured type.
    :param codec: makes a dict of the plain arguments, or a value of the structured type.
    :param has_default: whether the request may lack all of them.
    :param argument: the argument of a structured type, ``None`` for plain arguments.
    :param known: the keys of all arguments, in lower case, if the structured type forbids or
        collects the keys that it does not name; ``None`` if it ignores them.
    """

    place: Place
    keys: tuple[Key, ...]
    codec: Codec
    has_default: bool
    argument: str | None = None
    known: frozenset[str] | None = None

    def read(self, request: Request, arguments: Arguments, errors: Errors) -> None:
        """Add arguments, or errors."""
        place, keys, codec, has_default, argument, known = self
        source = getattr(request, _SOURCES[place])
        values = _collect(source, keys)
        if known is not None:
            values |= {key: source[key] for key in source if key.lower() not in known}
        if not values and has_default:
            return
        try:
            converted = codec.convert(values)
        except codec.invalid_error as error:
            sent = {key.name: key.key for key in keys}
            for invalid in codec.describe(error, values, place):
                first = tuple(sent.get(str(step), step) for step in invalid.path[:1])
                errors.append(replace(invalid, path=first + invalid.path[1:]))
            return
        if argument is None:
            arguments.update(converted)
        else:
            arguments[argument] = converted

    @property
    def own_keys(self) -> frozenset[str]:
        """Its keys in the request, in lower case."""
        return frozenset(key.key.lower() for key in self.keys)

    def without(self, keys: Set[str]) -> TextReader:
        """Return the same reader for a type that must not see some more keys."""
        if self.known is None:
            return self
        return self._replace(known=self.known | keys)


class FileReader(NamedTuple):
    """An uploaded file, or several.

    :param argument: the argument's name.
    :param make: makes a value of the files: ``list`` or ``tuple``; ``None`` for a single file.
    """

    argument: str
    key: str
    has_default: bool
    make: Callable[[Sequence[FileStorage]], Any] | None

    def read(self, request: Request, arguments: Arguments, errors: Errors) -> None:
        """Add the argument, or an error."""
        # A file input that was left empty is sent without a file name.
        files = [file for file in request.files.getlist(self.key) if file.filename]
        if files:
            arguments[self.argument] = self.make(files) if self.make else files[0]
        elif not self.has_default:
            errors.append(InvalidValue("form", (self.key,), "Field required", "missing"))


class FormGuard:
    """The check that a request has a form, for arguments without a default."""

    def read(self, request: Request, arguments: Arguments, errors: Errors) -> None:
        """Check the media type.

        :raises ~werkzeug.exceptions.UnsupportedMediaType: for another one, or none.
        """
        if request.mimetype not in _FORM_TYPES:
            raise UnsupportedMediaType(f"Send a form, as {' or '.join(_FORM_TYPES)}.")


class BodyReader(NamedTuple):
    """The JSON document in the body.

    :param argument: the argument's name.
    """

    argument: str
    has_default: bool
    codec: Codec

    def read(self, request: Request, arguments: Arguments, errors: Errors) -> None:
        """Add the argument, or errors.

        :raises ~werkzeug.exceptions.UnsupportedMediaType: for another media type, or none.
        :raises ~werkzeug.exceptions.BadRequest: for a body that is not JSON.
        """
        # Parsing the header takes longer than all the rest here.
        if request.environ.get("CONTENT_TYPE") != "application/json":
            if not request.mimetype and self.has_default and not request.get_data():
                return
            if not request.is_json:
                raise UnsupportedMediaType("Send JSON, as application/json.")
        data = request.get_data()
        try:
            arguments[self.argument] = self.codec.decode(data)
        except self.codec.invalid_error as error:
            errors += self.codec.describe(error, _load(data), "body")
        except MalformedError as error:
            raise BadRequest(f"The body is not valid JSON: {error}.") from None


def _load(data: bytes) -> object:
    """Return a document whose values are not valid, for the paths to them.

    :raises ~werkzeug.exceptions.BadRequest: for one that is not JSON after the first such value,
        where a library stops.
    """
    try:
        return json.loads(data, parse_int=str)  # Python limits the digits of an int
    except (ValueError, RecursionError):
        raise BadRequest("The body is not valid JSON.") from None


class BytesReader(NamedTuple):
    """The body as it was sent, of any media type.

    :param argument: the argument's name.
    """

    argument: str
    has_default: bool

    def read(self, request: Request, arguments: Arguments, errors: Errors) -> None:
        """Add the argument."""
        data = request.get_data()
        if data or request.mimetype or not self.has_default:
            arguments[self.argument] = data


#: The attribute of a request for each part that has strings by key.
_SOURCES = {"query": "args", "header": "headers", "cookie": "cookies", "form": "form"}


def _collect(source: Any, keys: Sequence[Key]) -> dict[str, Any]:
    """Return the values that a part of a request has, by the names of their keys."""
    values: dict[str, Any] = {}
    for name, key, is_list, skips_empty, constants in keys:
        if key not in source:
            continue
        if is_list:
            if isinstance(source, Headers):  # a WSGI server joins them
                items = parse_list_header(source[key])
            else:
                items = source.getlist(key)
            if skips_empty:
                items = [item for item in items if item]
            if items:
                values[name] = [constants.get(i, i) for i in items] if constants else items
        else:
            value = source[key]
            if value or not skips_empty:
                values[name] = constants.get(value, value) if constants else value
    return values
