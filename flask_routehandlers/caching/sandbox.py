"""What a static handler sees: contexts of its own, with a path and nothing of any client."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from io import BytesIO
from itertools import chain
from typing import Any, TypeVar

from flask import Flask, Request, Response
from flask.ctx import AppContext, RequestContext
from flask.ctx import _AppCtxGlobals as Globals
from flask.sessions import SessionMixin

from ..errors import StaticRequestError
from .settings import host_of

Result = TypeVar("Result")

#: The attributes of a request that tell something of the client, or that it sent.
CLIENT_INPUTS = (
    "accept_charsets",
    "accept_encodings",
    "accept_languages",
    "accept_mimetypes",
    "access_control_request_headers",
    "access_control_request_method",
    "access_route",
    "args",
    "authorization",
    "cache_control",
    "content_encoding",
    "content_length",
    "content_md5",
    "content_type",
    "cookies",
    "data",
    "date",
    "files",
    "form",
    "full_path",
    "get_data",
    "get_json",
    "headers",
    "if_match",
    "if_modified_since",
    "if_none_match",
    "if_range",
    "if_unmodified_since",
    "input_stream",
    "is_json",
    "json",
    "max_forwards",
    "mimetype",
    "mimetype_params",
    "origin",
    "pragma",
    "query_string",
    "range",
    "referrer",
    "remote_addr",
    "remote_user",
    "stream",
    "user_agent",
    "values",
    "want_form_data_parsed",
)


class Seal:
    """What keeps a static handler from reading what belongs to a client.

    :param file: the route file, relative to the root.
    :param is_closed: whether reading is an error; otherwise there is just nothing to be found.
    """

    __slots__ = ("file", "is_closed")

    def __init__(self, file: str, is_closed: bool) -> None:
        self.file = file
        self.is_closed = is_closed

    def check(self, what: str) -> None:
        """:raises StaticRequestError: when it is closed."""
        if self.is_closed:
            raise StaticRequestError(self.file, what)


class _ClientInput:
    """An attribute of a sealed request that tells something of the client."""

    def __init__(self, name: str, inherited: type[Request]) -> None:
        self.name = name
        self.inherited = inherited

    def __get__(self, request: Any, owner: type) -> Any:
        if request is None:
            return getattr(self.inherited, self.name)
        request.seal.check(f"request.{self.name}")
        values = vars(request)
        if self.name in values:
            return values[self.name]
        return getattr(super(request.sealed_class, request), self.name)

    def __set__(self, request: Any, value: object) -> None:
        vars(request)[self.name] = value


def _find_nothing(request: Any, name: str) -> Any:
    seal = vars(request).get("seal")
    if seal is not None and not name.startswith("__") and not hasattr(type(request), name):
        seal.check(f"request.{name}")
    found = getattr(super(type(request), request), "__getattr__", None)
    return found(name) if found else object.__getattribute__(request, name)


def seal_request_class(request_class: type[Request]) -> type[Request]:
    """A request class whose instances, with a :class:`Seal` as ``seal``, keep what is the
    client's."""
    names: dict[str, Any] = {name: _ClientInput(name, request_class) for name in CLIENT_INPUTS}
    # Without the query, which it would read.
    names["url"] = property(lambda request: request.base_url)
    # Asked for what is not there: what middleware has set on the client's request, for example.
    names["__getattr__"] = _find_nothing
    sealed = type(f"Sealed{request_class.__name__}", (request_class,), names)
    sealed.sealed_class = sealed  # type: ignore[attr-defined]
    return sealed


class SealedSession(SessionMixin):
    """The session of nobody: it is empty, and cannot be changed."""

    modified = False

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def __getitem__(self, name: str) -> Any:
        self._seal.check("session")
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        self._seal.check("session")
        return iter(())

    def __len__(self) -> int:
        self._seal.check("session")
        return 0

    def __setitem__(self, name: str, value: object) -> None:
        self._seal.check("session")
        raise TypeError(
            f"The static GET of {self._seal.file} set session[{name!r}], and no client is there "
            'whose session it could be. Write dynamic = "force-dynamic" to run it for each.'
        )

    def __delitem__(self, name: str) -> None:
        self._seal.check("session")
        raise KeyError(name)


def seal_globals_class(globals_class: type[Globals]) -> type[Globals]:
    """A class for ``g`` in which a name that nobody has set in this context is no empty one.

    ``name in g``, ``g.setdefault`` and ``g.pop`` do what they always do: with them a handler keeps
    things of its own there, a connection to a database for example.
    """

    class SealedGlobals(globals_class):  # type: ignore[misc, valid-type]
        __slots__ = ("_seal",)  # not in the dict, which is what it lists

        def __init__(self, seal: Seal) -> None:
            super().__init__()
            object.__setattr__(self, "_seal", seal)

        def __getattr__(self, name: str) -> Any:
            if not name.startswith("__"):
                self._seal.check(f"g.{name}")
            return super().__getattr__(name)

        def get(self, name: str, default: Any = None) -> Any:
            if name not in self:
                self._seal.check(f"g.{name}")
            return super().get(name, default)

    return SealedGlobals


class Sealer:
    """Makes the contexts of static handlers of one app.

    :param app: the app.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._classes: tuple[type[Request], type[Globals]] | None = None

    @property
    def classes(self) -> tuple[type[Request], type[Globals]]:
        """Those of the request and of ``g``. Made late: an app may choose its own until then."""
        if self._classes is None:
            request_class = seal_request_class(self.app.request_class)
            self._classes = request_class, seal_globals_class(self.app.app_ctx_globals_class)
        return self._classes

    def open(self, path: str, seal: Seal) -> Sealed:
        """The contexts of a handler for one run.

        :param path: the decoded path.
        """
        return Sealed(self.app, *self.classes, path, seal)


class Sealed:
    """The contexts in which a static handler runs once.

    They are in a :class:`~contextvars.Context` of their own, so that context variables that a
    middleware has set are not there either.
    """

    def __init__(
        self,
        app: Flask,
        request_class: type[Request],
        globals_class: type[Any],
        path: str,
        seal: Seal,
    ) -> None:
        self._context = Context()
        self._seal = seal
        self._app_context = AppContext(app)
        self._app_context.g = globals_class(seal)
        request: Any = request_class(make_environ(app, path))
        request.seal = seal
        request.json_module = app.json
        self._request_context = RequestContext(app, request.environ, request, SealedSession(seal))
        self.request: Request = request

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Call a function inside."""
        return self._context.run(function, *arguments)

    def push(self) -> None:
        """Begin. To be ended with :meth:`pop`."""
        self._context.run(self._app_context.push)
        try:
            self._context.run(self._request_context.push)
        except BaseException as error:
            self._context.run(self._app_context.pop, error)
            raise

    def pop(self, error: BaseException | None = None) -> None:
        """End, and let teardown functions run: they may look whether there is something."""
        self._seal.is_closed = False
        try:
            self._context.run(self._request_context.pop, error)
        finally:
            self._context.run(self._app_context.pop, error)

    @contextmanager
    def pushed(self) -> Iterator[None]:
        """For the time of a ``with`` block."""
        self.push()
        try:
            yield
        except BaseException as error:
            self.pop(error)
            raise
        self.pop()

    def match(self, endpoint: str) -> dict[str, Any]:
        """The values of the path, as the app's own rules give them. To be called inside.

        :raises ~werkzeug.exceptions.HTTPException: when the path belongs to no route any more.
        """
        request = self.request
        if request.routing_exception is not None:
            raise request.routing_exception
        if request.endpoint != endpoint or request.view_args is None:
            raise RuntimeError(f"{request.path} leads to {request.endpoint!r}, not {endpoint!r}.")
        # As in Flask.preprocess_request, whose other half belongs to requests of clients.
        preprocessors = self._app_context.app.url_value_preprocessors
        for name in (None, *reversed(request.blueprints)):
            for function in preprocessors.get(name, ()):
                function(request.endpoint, request.view_args)
        return request.view_args

    @property
    def after_request_functions(self) -> list[Callable[..., Any]]:
        """What the handler has registered with :func:`flask.after_this_request`."""
        return self._request_context._after_request_functions


def make_environ(app: Flask, path: str) -> dict[str, Any]:
    """A WSGI environment that is the same for every client.

    :param path: the decoded path.
    """
    root = app.config["APPLICATION_ROOT"]
    scheme = app.config["PREFERRED_URL_SCHEME"]
    host, _, port = host_of(app).partition(":")
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": root.rstrip("/"),
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_NAME": host,
        "SERVER_PORT": port or ("443" if scheme == "https" else "80"),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def read_body(response: Response, sealed: Sealed, limit: int) -> bytes | None:
    """Take the whole body of a response into memory, if it is no longer than some bytes.

    :param sealed: the contexts of the handler that made it, which still hold.
    :returns: ``None`` for a longer one, which goes on in these contexts, and ends them.
    :raises Exception: what a stream raises.
    """
    iterable = response.response
    chunks = iter(response.iter_encoded())
    read: Callable[[], bytes | None] = partial(next, chunks, None)
    begun: list[bytes] = []
    size = 0
    is_read = False
    try:
        if not response.is_streamed or (response.content_length or 0) <= limit:
            while size <= limit and (chunk := sealed.run(read)) is not None:
                begun.append(chunk)
                size += len(chunk)
            is_read = size <= limit
    except BaseException:
        sealed.run(response.close)
        raise
    response.direct_passthrough = False
    if not is_read:
        response.response = _Rest(chain(begun, chunks), iterable, sealed)
        return None
    _close(iterable, sealed)
    body = b"".join(begun)
    response.response = [body]
    return body


class _Rest:
    """The chunks of a body, each made in the contexts of its handler."""

    def __init__(self, chunks: Iterator[bytes], iterable: object, sealed: Sealed) -> None:
        self._chunks = chunks
        self._iterable = iterable
        self._sealed = sealed
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk: bytes | None = None
        if self._is_open:
            chunk = self._sealed.run(next, self._chunks, None)
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Called by the server, also when the client has gone before the last chunk."""
        if self._is_open:
            self._is_open = False
            try:
                _close(self._iterable, self._sealed)
            finally:
                self._sealed.pop()


def _close(iterable: object, sealed: Sealed) -> None:
    close = getattr(iterable, "close", None)
    if close is not None:
        sealed.run(close)
