"""Responses made of stored entries: planned once for each entry, sent as they are if untouched.

Most hits are read by no one but the server. So a :class:`Reply` is a response of the app's class
that is not set up: its status, headers and body are those of a :class:`Plan`, which is kept with
the entry. The first hook that looks at an attribute sets it up, and from then on it is like any
other.

Hooks may change a reply, and sessions may add a cookie. Then :func:`_agree` has the last word:
what is no longer the stored response for everyone must not be kept by shared caches, nor have its
entity tag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from werkzeug.datastructures import Headers
from werkzeug.http import is_entity_header, is_resource_modified, parse_etags
from werkzeug.wrappers import Response as WerkzeugResponse

from ..handlers.dispatch import current_request
from .policy import PRIVATE, cache_control, is_shareable, is_targeted, varies
from .stores.base import Found
from .stores.entry import Entry

#: The name of this cache in the ``Cache-Status`` header (RFC 9211).
NAME = "flask-routehandlers"

Pairs = list[tuple[str, str]]

#: The keys of ``environ`` for the conditions of a request.
_ETAGS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")
_CONDITIONS = frozenset({*_ETAGS, "HTTP_IF_MODIFIED_SINCE"})

#: The key of ``environ`` for what the response was made of that the request got from here.
_PREPARED = "flask_routehandlers.prepared"

#: Seconds for which a stale hit is sent without asking whether a refresh is due.
_LONGEST_STALE = 0.1

#: Methods of a response class. If an app overrides one, it is always called.
_CUSTOMIZABLE = ("__init__", "__call__", "get_wsgi_response", "get_wsgi_headers", "get_app_iter")

#: For each hit: these call no method of its class.
_new, _set = object.__new__, object.__setattr__


@dataclass(frozen=True, slots=True)
class Prepared:
    """All of a response that is sent.

    :param headers: all headers, which other responses have too and must not be changed.
    """

    plan: Plan
    headers: Pairs


@dataclass(frozen=True, slots=True)
class _Hit:
    """What hits have in common for a second, in which their headers stay the same.

    :param until: the end of that second, or of its freshness, by the clock of what was found.
    :param age: the whole seconds since the entry was stored.
    :param is_stale: whether it was stale.
    :param shared: the response to any client.
    :param private: that to a client that has sent credentials, or of a route with middleware.
    """

    until: float
    age: int
    is_stale: bool
    shared: Prepared
    private: Prepared


class Plan:
    """The part of a response that is the same for all responses made of an entry.

    :param status_code: the entry's own, or 304 or 412 for a response without its body.
    """

    __slots__ = ("body", "cache_control", "etag", "headers", "hit", "status", "status_code")

    def __init__(self, entry: Entry, status_code: int) -> None:
        names = {name.lower() for name, _ in entry.headers}
        self.status_code = status_code
        self.status = f"{status_code} {HTTPStatus(status_code).phrase.upper()}"
        self.body = entry.body
        self.etag = entry.etag
        self.headers: Pairs = list(entry.headers)
        if status_code != entry.status:
            self.body = b""
            self.headers = [pair for pair in self.headers if _is_sent_without_body(pair[0])]
        else:
            self.headers.append(("Content-Length", str(len(entry.body))))
        if "etag" not in names:
            self.headers.append(("ETag", entry.etag))
        #: Empty if the handler chose its own.
        self.cache_control = ""
        if "cache-control" not in names:
            self.cache_control = cache_control(entry.revalidate)
        self.hit: _Hit | None = None

    def all_headers(self, cache_status: str, *, is_private: bool, age: int | None = None) -> Pairs:
        """Return the headers of a response.

        :param cache_status: what follows the name in ``Cache-Status``, ``hit; ttl=52``.
        :param is_private: whether only the client may keep it.
        :param age: seconds since it was stored; ``None`` for one that was just computed.
        """
        headers = self.headers.copy()
        if self.cache_control and is_private:
            headers = [pair for pair in headers if not is_targeted(pair[0])]
            headers.append(("Cache-Control", PRIVATE))
        elif self.cache_control:
            headers.append(("Cache-Control", self.cache_control))
        if age is not None:
            headers.append(("Age", str(age)))
        headers.append(("Cache-Status", f"{NAME}; {cache_status}"))
        return headers


def _plan(entry: Entry, environ: Any) -> Plan:
    """Return the plan of the response to a request, which is kept with the entry."""
    status = entry.status
    if status == 200 and not _CONDITIONS.isdisjoint(environ):
        status = _conditional_status(entry, environ)
    plan: Plan | None = entry.planned.get(status)
    if plan is None:
        plan = entry.planned[status] = Plan(entry, status)
    return plan


def _plan_hit(found: Found, environ: Any) -> _Hit:
    """Return what a request has in common with others, and keep it for them.

    They find it in the entry that was found, until its age changes or it gets stale.
    """
    plan = _plan(found.entry, environ)
    now = found.now()
    age = int(now - found.stored)
    is_stale = found.expires <= now
    hit = plan.hit
    if hit is None or (hit.age, hit.is_stale) != (age, is_stale) or hit.until <= now:
        ends, status = found.expires, "hit"
        if is_stale:
            ends = now + _LONGEST_STALE
        until = min(found.stored + age + 1, ends)
        if found.expires != float("inf"):
            status = f"hit; ttl={int((found.expires - now) // 1)}"
        shared = Prepared(plan, plan.all_headers(status, is_private=False, age=age))
        private = Prepared(plan, plan.all_headers(status, is_private=True, age=age))
        hit = plan.hit = _Hit(until, age, is_stale, shared, private)
    if plan.status_code == found.entry.status:
        found.hit = hit
    return hit


def _conditional_status(entry: Entry, environ: Any) -> int:
    """Return the status for a conditional request, as Werkzeug chooses it."""
    # Without blanks, which no entity tag has: up to 3.1.8 they cost Werkzeug quadratic time.
    etags = {name: "".join(environ[name].split()) for name in _ETAGS if name in environ}
    known = parse_etags(etags.get("HTTP_IF_NONE_MATCH"))
    if known and "HTTP_IF_MATCH" not in etags:
        etag = entry.etag.removeprefix("W/").strip('"')
        return 304 if known.contains_weak(etag) else 200
    last_modified = Headers(entry.headers).get("Last-Modified")
    if is_resource_modified(environ | etags, entry.etag, last_modified=last_modified):
        return 200
    return 412 if parse_etags(etags.get("HTTP_IF_MATCH")) else 304


def _is_sent_without_body(name: str) -> bool:
    """Return whether a header says more than what the body is, which is not sent."""
    return not is_entity_header(name) or name.lower() in ("content-location", "expires")


class Reply(WerkzeugResponse):
    """A response made of an entry, mixed into the app's response class.

    Hooks and extensions may change it like any other. It is set up when the first of them looks
    at it or sets an attribute; if none does, it is sent as prepared.
    """

    #: What is sent, until it is set up.
    prepared: Prepared | None = None
    plan: Plan

    def set_up(self) -> None:
        """Give it a status, headers and a body of its own."""
        prepared = self.prepared
        assert prepared is not None
        _set(self, "prepared", None)
        self.plan = plan = prepared.plan
        super().__init__([plan.body], plan.status, Headers(prepared.headers))

    def __getattr__(self, name: str) -> Any:
        if self.prepared is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.set_up()
        return getattr(self, name)

    def __setattr__(self, name: str, value: object) -> None:
        if self.prepared is not None:
            self.set_up()
        super().__setattr__(name, value)

    def set_data(self, value: bytes | str) -> None:
        """Replace the body. Whoever compresses it does that, and nothing else."""
        is_planned = self.response == [self.plan.body]
        super().set_data(value)
        self.was_planned = is_planned

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        prepared = self.prepared
        if prepared is None:
            return super().__call__(environ, start_response)
        start_response(prepared.plan.status, prepared.headers.copy())
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        return [prepared.plan.body]


def _agree(response: Response, plan: Plan) -> None:
    """Let all headers that speak to shared caches agree on what they may keep."""
    headers = response.headers
    is_same = isinstance(response, Reply) and _has_same_body(response, plan)
    if not is_same or "Set-Cookie" in headers or varies(headers.getlist("Vary")):
        if is_shareable(list(headers)):
            headers["Cache-Control"] = PRIVATE
        for name in {name for name, _ in headers if is_targeted(name)}:
            headers.remove(name)
    if headers.get("ETag") != plan.etag:
        return
    if is_same and "Content-Encoding" in headers:
        headers["ETag"] = f"W/{plan.etag.removeprefix('W/')}"
    elif not is_same:
        headers.remove("ETag")


def _has_same_body(response: Any, plan: Plan) -> bool:
    """Return whether a response has the planned status, and the planned body or an encoding."""
    if response.status_code not in (plan.status_code, 304):
        return False
    if "Content-Encoding" in response.headers:
        return getattr(response, "was_planned", False)
    is_planned: bool = response.response == [plan.body]
    return is_planned


class Replies:
    """Make the responses of one app from entries.

    Some are private: for the client that has asked, and no shared cache.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._class: type[Any] | None = None
        self._is_customized = False

    def watch(self) -> None:
        """Have the last word on each response of the app, after every hook and the session."""
        process_response: Callable[..., Any] = self._app.process_response

        def process_and_agree(*arguments: Any) -> Response:  # Flask 3.2 passes a context too
            response: Any = process_response(*arguments)
            if type(response) is not self._class or response.prepared is None:
                prepared: Prepared | None = current_request().environ.get(_PREPARED)
                if prepared is not None:
                    _agree(response, prepared.plan)
            return response  # type: ignore[no-any-return]

        vars(self._app)["process_response"] = process_and_agree

    def _make_class(self) -> type[Any]:
        """Make the class of the app's replies, which may be chosen until the first request."""
        base: type[Any] = self._app.response_class
        self._is_customized = base.autocorrect_location_header or any(
            getattr(base, name) is not getattr(WerkzeugResponse, name) for name in _CUSTOMIZABLE
        )
        self._class = type("Reply", (Reply, base), {})
        return self._class

    def hit(self, found: Found, environ: Any, is_private: bool) -> Response:
        """Return the response to a request whose answer was stored, fresh or stale."""
        hit = _plan_hit(found, environ)
        if is_private:
            return self.reply(hit.private, environ)
        return self.reply(hit.shared, environ)

    def miss(self, entry: Entry, environ: Any, is_private: bool, cache_status: str) -> Response:
        """Return the response to a request for which an entry was just computed.

        :param cache_status: ``fwd=miss; stored``, for example (RFC 9211).
        """
        plan = _plan(entry, environ)
        headers = plan.all_headers(cache_status, is_private=is_private)
        return self.reply(Prepared(plan, headers), environ)

    def reply(self, prepared: Prepared, environ: Any) -> Response:
        """Make a reply, and note its origin for :meth:`watch`."""
        environ[_PREPARED] = prepared
        reply: Any = _new(self._class or self._make_class())
        _set(reply, "prepared", prepared)
        if self._is_customized:
            reply.set_up()
        return reply  # type: ignore[no-any-return]
