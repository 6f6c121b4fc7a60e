"""The contexts of a static handler, which have a path and nothing of any client.

A response that is stored for everyone must depend on its key alone. So a handler gets a request
without input: reading a part that a client sends raises an error which names it, or, with
``force-static``, finds it empty. This is decided by attribute, so that the request is one of the
app's own class, and the proxies ``request``, ``session`` and ``g`` work.
"""

from __future__ import annotations

import functools
import queue
import sys
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager
from io import BytesIO
from itertools import chain
from typing import Any

from flask import Flask, Response
from flask.sessions import SessionMixin

from ..errors import StaticRequestError
from ..running.after import STATIC_FILE
from .settings import host_of
from .workers import run_later

#: The attributes of a request that depend on what the client is or has sent.
CLIENT_INPUTS = {
    "accept_charsets", "accept_encodings", "accept_languages", "accept_mimetypes",
    "access_control_request_headers", "access_control_request_method", "access_route", "args",
    "authorization", "cache_control", "content_encoding", "content_length", "content_md5",
    "content_type", "cookies", "data", "date", "files", "form", "full_path", "get_data",
    "get_json", "headers", "if_match", "if_modified_since", "if_none_match", "if_range",
    "if_unmodified_since", "input_stream", "is_json", "json", "max_forwards", "mimetype",
    "mimetype_params", "origin", "pragma", "query_string", "range", "referrer", "remote_addr",
    "remote_user", "stream", "user_agent", "values", "want_form_data_parsed",
}  # fmt: skip


class Seal:
    """Keeps a static handler from reading what belongs to a client, while it is closed.

    :param is_strict: whether reading is an error; otherwise everything is empty.
    """

    def __init__(self, file: str, *, is_strict: bool) -> None:
        self.file = file
        self.session = SealedSession(self)
        self.is_closed = False
        self._is_strict = is_strict

    def check(self, name: str) -> None:
        """Refuse to read a part of the request.

        :raises StaticRequestError: when it is closed and strict.
        """
        if self.is_closed and self._is_strict:
            raise StaticRequestError(self.file, name)


class SealedSession(SessionMixin):
    """A session that is empty and cannot be changed."""

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
            f"The static GET of {self._seal.file} set session[{name!r}], but it runs without a "
            'client. Write dynamic = "force-dynamic" to run it for each request.'
        )

    __delitem__ = __getitem__


@functools.cache
def seal_request_class(request_class: type[Any]) -> type[Any]:
    """Return a request class whose instances have a :class:`Seal` as ``seal``.

    What is not refused is what the request class makes of a request without any input.
    """

    class SealedRequest(request_class):  # type: ignore[misc]
        seal: Seal

        @property
        def url(self) -> str:
            return self.base_url  # type: ignore[no-any-return]  # without reading the query

        def __getattribute__(self, name: str) -> Any:
            if name in CLIENT_INPUTS:
                self.seal.check(f"request.{name}")
            return super().__getattribute__(name)

        def __getattr__(self, name: str) -> Any:
            # Middleware may have set it on the client's request. One that the handler makes of
            # this class has no seal.
            if name != "seal" and not name.startswith("__") and not hasattr(type(self), name):
                self.seal.check(f"request.{name}")
            if hasattr(request_class, "__getattr__"):
                return super().__getattr__(name)
            return super().__getattribute__(name)

    return SealedRequest


@functools.cache
def _seal_context_class(context_class: type[Any]) -> type[Any]:
    """Return a class of request contexts whose request is sealed.

    It refuses from the match of the URL until teardown functions run: Flask and extensions read
    the request before and after the handler.
    """

    class SealedContext(context_class):  # type: ignore[misc]
        @property
        def session(self) -> SessionMixin:
            session: SessionMixin = self.request.seal.session
            return session

        @session.setter
        def session(self, value: object) -> None:
            pass  # a copy of the context sets it

        def match_request(self) -> None:
            # Only now: opening a session may look for a cookie.
            self.request.seal.is_closed = True
            super().match_request()

        def pop(self, *arguments: Any) -> None:
            # Teardown functions may look whether something is there.
            self.request.seal.is_closed = False
            super().pop(*arguments)

    return SealedContext


def seal_context(
    app: Flask, path: str, file: str, *, is_strict: bool
) -> AbstractContextManager[Any]:
    """Return a request context for one run of a static handler, for a decoded path.

    :param file: the route file, relative to the root.
    :param is_strict: whether it is an error to read what belongs to a client.
    """
    context: Any = app.request_context(_make_environ(app, path) | {STATIC_FILE: file})
    request = context.request
    request.seal = Seal(file, is_strict=is_strict)
    request.__class__ = seal_request_class(request.__class__)
    context.__class__ = _seal_context_class(context.__class__)
    return context  # type: ignore[no-any-return]


def _make_environ(app: Flask, path: str) -> dict[str, Any]:
    """Return a WSGI environment that is the same for every client."""
    scheme = app.config["PREFERRED_URL_SCHEME"]
    host, _, port = host_of(app).partition(":")
    default_port = "443" if scheme == "https" else "80"
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": app.config["APPLICATION_ROOT"].rstrip("/"),
        "PATH_INFO": path.encode().decode("latin-1"),
        "QUERY_STRING": "",
        "SERVER_NAME": host,
        "SERVER_PORT": port or default_port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }


def match_request(context: Any, endpoint: str) -> dict[str, Any]:
    """Return the values of the path, as the app's own rules read them.

    :raises ~werkzeug.exceptions.HTTPException: when the path belongs to no route any more.
    """
    request = context.request
    if request.routing_exception is not None:
        raise request.routing_exception
    if request.endpoint != endpoint or request.view_args is None:
        raise RuntimeError(f"{request.path} leads to {request.endpoint!r}, not {endpoint!r}.")
    # As in Flask.preprocess_request, whose other half is for requests of clients.
    preprocessors = context.app.url_value_preprocessors
    for name in (None, *reversed(request.blueprints)):
        for function in preprocessors.get(name, ()):
            function(request.endpoint, request.view_args)
    values: dict[str, Any] = request.view_args
    return values


def read_body(response: Response, limit: int) -> bytes | Iterator[bytes]:
    """Return a body, or the chunks of a stream that is longer than some bytes."""
    chunks = iter(response.iter_encoded())
    if response.is_streamed and (response.content_length or 0) > limit:
        return chunks
    begun = []
    size = 0
    for chunk in chunks:
        begun.append(chunk)
        size += len(chunk)
        if size > limit and response.is_streamed:
            return chain([b"".join(begun)], chunks)
    return b"".join(begun)


class Stream:
    """The body of a response that is too long to be stored, for the one client that asked.

    It is made in the thread of the handler, which goes on to produce it there: chunk by chunk, as
    they are asked for. The handler's contexts end there too, with the last chunk, or when the
    stream is closed or forgotten.

    :param chunks: the chunks.
    :param end: exited afterwards.
    """

    def __init__(self, chunks: Iterator[bytes], end: AbstractContextManager[Any]) -> None:
        self._is_open = True
        self._asks: Any = queue.SimpleQueue()
        self._replies: Any = queue.SimpleQueue()
        run_later(functools.partial(_produce, chunks, end, self._asks, self._replies))
        weakref.finalize(self, self._asks.put, False)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        chunk = self._ask(goes_on=True)
        if chunk is None:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """End the handler. A server calls it too when the client leaves early."""
        self._ask(goes_on=False)

    def _ask(self, *, goes_on: bool) -> bytes | None:
        """Ask the thread of the handler for the next chunk, or to end.

        :returns: the chunk; ``None`` when there is no more.
        :raises Exception: what the handler raises.
        """
        if not self._is_open:
            return None
        self._asks.put(goes_on)
        chunk, error = self._replies.get()
        self._is_open = chunk is not None
        if error is not None:
            raise error
        return chunk  # type: ignore[no-any-return]


def _produce(
    chunks: Iterator[bytes], end: AbstractContextManager[Any], asks: Any, replies: Any
) -> None:
    """Produce a stream, to which this function has no reference: that may be forgotten."""
    try:
        with end:
            while asks.get() and (chunk := next(chunks, None)) is not None:
                replies.put((chunk, None))
    except BaseException as error:
        replies.put((None, error))
    else:
        replies.put((None, None))
