"""Read the arguments of a function from a request, as planned at start-up."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from flask import Request
from werkzeug.datastructures import Authorization, FileStorage, WWWAuthenticate
from werkzeug.exceptions import BadRequest, Unauthorized, UnsupportedMediaType
from werkzeug.http import parse_list_header

from .invalid import InvalidValue
from .libraries import Codec, MalformedError
from .markers import Place, Scheme

#: The credentials of an authorization scheme (RFC 9110, section 11.2: token68).
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class Reader(Protocol):
    """Reads one or more arguments."""

    def read(
        self, request: Request, arguments: dict[str, Any], errors: list[InvalidValue]
    ) -> None:
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


@dataclass(frozen=True, slots=True)
class Credential:
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

    def read(self, request: Request, arguments: dict[str, Any]) -> None:
        """Add the argument.

        :raises ~werkzeug.exceptions.Unauthorized: without a credential that is needed, and for
            a malformed header.
        """
        value: Any = None
        if self.scheme.header:
            value = request.headers.get(self.scheme.header)
        elif self.scheme.cookie:
            value = request.cookies.get(self.scheme.cookie)
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


@dataclass(frozen=True, slots=True)
class FieldsReader:
    """The plain arguments of one part of a request, read together.

    :param place: the part of the request.
    :param keys: the keys of the arguments.
    :param codec: makes a dict of the arguments.
    """

    place: Place
    keys: tuple[Key, ...]
    codec: Codec

    def read(
        self, request: Request, arguments: dict[str, Any], errors: list[InvalidValue]
    ) -> None:
        """Add arguments, or errors."""
        values = collect(SOURCES[self.place](request), self.keys)
        try:
            arguments.update(self.codec.convert(values))
        except self.codec.invalid_error as error:
            described = self.codec.describe(error, values, self.place)
            errors += rename(described, self.keys)


@dataclass(frozen=True, slots=True)
class StructureReader:
    """An argument of a structured type: all of one part of a request.

    :param place: the part of the request.
    :param argument: the argument's name.
    :param has_default: whether the function has a default for it.
    :param keys: the keys of its fields.
    :param others: the keys of other arguments, if the type forbids or collects the keys that it
        does not name, or ``None`` if it ignores them.
    """

    place: Place
    argument: str
    has_default: bool
    keys: tuple[Key, ...]
    others: frozenset[str] | None
    codec: Codec

    def read(
        self, request: Request, arguments: dict[str, Any], errors: list[InvalidValue]
    ) -> None:
        """Add the argument, or errors."""
        source = SOURCES[self.place](request)
        values = collect(source, self.keys)
        if self.others is not None:
            known = self.others.union(key.key.lower() for key in self.keys)
            values |= {key: source[key] for key in source if key.lower() not in known}
        if not values and self.has_default:
            return
        try:
            arguments[self.argument] = self.codec.convert(values)
        except self.codec.invalid_error as error:
            described = self.codec.describe(error, values, self.place)
            errors += rename(described, self.keys)

    def without(self, keys: Set[str]) -> StructureReader:
        """Return the same reader for a type that must not see some more keys."""
        if self.others is None:
            return self
        return replace(self, others=self.others | keys)


@dataclass(frozen=True, slots=True)
class FileReader:
    """An uploaded file, or several.

    :param argument: the argument's name.
    :param make: makes a value of the files: ``list`` or ``tuple``; ``None`` for a single file.
    """

    argument: str
    key: str
    has_default: bool
    make: Callable[[Sequence[FileStorage]], Any] | None

    def read(
        self, request: Request, arguments: dict[str, Any], errors: list[InvalidValue]
    ) -> None:
        """Add the argument, or an error."""
        # A file input that was left empty is sent without a file name.
        files = [file for file in request.files.getlist(self.key) if file.filename]
        if files:
            arguments[self.argument] = self.make(files) if self.make else files[0]
        elif not self.has_default:
            errors.append(InvalidValue("form", (self.key,), "Field required", "missing"))


@dataclass(frozen=True, slots=True)
class FormGuard:
    """The check that a request has a form, for arguments without a default."""

    def read(
        self, request: Request, arguments: dict[str, Any], errors: list[InvalidValue]
    ) -> None:
        """Check the media type.

        :raises ~werkzeug.exceptions.UnsupportedMediaType: for another one, or none.
        """
        if request.mimetype not in _FORM_TYPES:
            raise UnsupportedMediaType(f"Send a form, as {' or '.join(_FORM_TYPES)}.")


@dataclass(frozen=True, slots=True)
class BodyReader:
    """The JSON document in the body.

    :param argument: the argument's name.
    """

    argument: str
    has_default: bool
    codec: Codec

    def read(
        self, request: Request, arguments: dict[str, Any], errors: list[InvalidValue]
    ) -> None:
        """Add the argument, or errors.

        :raises ~werkzeug.exceptions.UnsupportedMediaType: for another media type, or none.
        :raises ~werkzeug.exceptions.BadRequest: for a body that is not JSON.
        """
        # Parsing the header takes longer than all the rest here.
        if request.environ.get("CONTENT_TYPE") != "application/json":
            mimetype = request.mimetype
            if not mimetype and self.has_default and not request.get_data():
                return
            if not _is_json(mimetype):
                raise UnsupportedMediaType("Send JSON, as application/json.")
        data = request.get_data()
        try:
            arguments[self.argument] = self.codec.decode(data)
        except self.codec.invalid_error as error:
            errors += self.codec.describe(error, _load(data), "body")
        except MalformedError as error:
            raise BadRequest(f"The body is not valid JSON: {error}.") from None


def _is_json(mimetype: str) -> bool:
    """Return whether a media type is JSON: ``application/json``, or one based on it."""
    if mimetype == "application/json":
        return True
    return mimetype.startswith("application/") and mimetype.endswith("+json")


def _load(data: bytes) -> object:
    """Return a document whose values are not valid, for the paths to them.

    :raises ~werkzeug.exceptions.BadRequest: for one that is not JSON after the first such value,
        where a library stops.
    """
    try:
        return json.loads(data, parse_int=str)  # Python limits the digits of an int
    except (ValueError, RecursionError):
        raise BadRequest("The body is not valid JSON.") from None


@dataclass(frozen=True, slots=True)
class BytesReader:
    """The body as it was sent, of any media type.

    :param argument: the argument's name.
    """

    argument: str
    has_default: bool

    def read(
        self, request: Request, arguments: dict[str, Any], errors: list[InvalidValue]
    ) -> None:
        """Add the argument."""
        data = request.get_data()
        if data or request.mimetype or not self.has_default:
            arguments[self.argument] = data


class _Headers:
    """The headers of a request, with the lists that a WSGI server has joined."""

    def __init__(self, request: Request) -> None:
        self._headers = request.headers

    def __contains__(self, key: str) -> bool:
        return key in self._headers

    def __getitem__(self, key: str) -> str:
        return self._headers[key]

    def getlist(self, key: str) -> list[str]:
        return parse_list_header(self._headers.get(key, ""))


#: The values of each part of a request, by key.
SOURCES: Mapping[str, Callable[[Request], Any]] = {
    "query": attrgetter("args"),
    "header": _Headers,
    "cookie": attrgetter("cookies"),
    "form": attrgetter("form"),
}


def collect(source: Any, keys: Sequence[Key]) -> dict[str, Any]:
    """Return the values that a part of a request has, by the names of their keys."""
    values: dict[str, Any] = {}
    for name, key, is_list, skips_empty, constants in keys:
        if key not in source:
            continue
        if is_list:
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


def rename(errors: Sequence[InvalidValue], keys: Sequence[Key]) -> list[InvalidValue]:
    """Return errors whose paths begin with the keys of the request."""
    sent = {key.name: key.key for key in keys}
    renamed = []
    for error in errors:
        first, *rest = error.path or ("",)
        renamed.append(replace(error, path=(sent.get(str(first), first), *rest)))
    return renamed
