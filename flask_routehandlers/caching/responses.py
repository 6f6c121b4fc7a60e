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
from http import HTTPStatus
from typing import Any, NamedTuple

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

#: The key of ``environ`` for the plan of the response that the request got from here.
_PLAN = "flask_routehandlers.plan"

#: Methods of a response class. If an app overrides one, it is always called.
_CUSTOMIZABLE = ("__init__", "__call__", "get_wsgi_response", "get_wsgi_headers", "get_app_iter")


class _Hit(NamedTuple):
    """The headers of hits within one second.

    :param age: the whole seconds since the entry was stored.
    :param is_stale: whether it was stale.
    :param shared: the headers for any client.
    :param private: those for a client that has sent credentials, or of a route with middleware.
    """

    age: int
    is_stale: bool
    shared: Pairs
    private: Pairs


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
        self.hit = _Hit(-1, False, [], [])

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
    at it; if none does, it is sent as planned.
    """

    is_customized: bool
    plan: Plan

    def __getattr__(self, name: str) -> Any:
        """Set up the response, since someone looks at it, and return the attribute."""
        values = vars(self)
        planned = values.pop("planned", None)
        if planned is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        # Such as a status that was set.
        changes = values.copy()
        super().__init__([self.plan.body], self.plan.status, Headers(planned))
        values.update(changes)
        return getattr(self, name)

    def set_data(self, value: bytes | str) -> None:
        """Replace the body. Whoever compresses it does that, and nothing else."""
        is_planned = self.response == [self.plan.body]
        super().set_data(value)
        self.was_planned = is_planned

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        if not _is_untouched(self):
            return super().__call__(environ, start_response)
        plan = self.plan
        start_response(plan.status, self.__dict__["planned"].copy())
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        return [plan.body]


def _is_untouched(response: WerkzeugResponse) -> bool:
    """Return whether nothing has looked at a :class:`Reply` since it was made."""
    values = response.__dict__
    return len(values) == 2 and "planned" in values


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

    :param app: the app.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._class: type[Any] | None = None

    def watch(self) -> None:
        """Have the last word on each response of the app, after every hook and the session."""
        process_response: Callable[..., Response] = self._app.process_response

        def process_and_agree(*arguments: Any) -> Response:  # Flask 3.2 passes a context too
            response = process_response(*arguments)
            # As in _is_untouched(): for each request of the app, so without a call.
            if len(response.__dict__) != 2 or "planned" not in response.__dict__:
                plan: Plan | None = current_request().environ.get(_PLAN)
                if plan is not None:
                    _agree(response, plan)
            return response

        vars(self._app)["process_response"] = process_and_agree

    def _make_class(self) -> type[Any]:
        """Make the class of the app's replies, which may be chosen until the first request."""
        base: type[Any] = self._app.response_class
        is_customized = base.autocorrect_location_header or any(
            getattr(base, name) is not getattr(WerkzeugResponse, name) for name in _CUSTOMIZABLE
        )
        self._class = type("Reply", (Reply, base), {"is_customized": is_customized})
        return self._class

    def hit(self, found: Found, environ: Any, is_private: bool) -> Response:
        """Return the response to a request whose answer was stored, fresh or stale."""
        entry, exact_age, fresh_for = found
        plan = entry.planned.get(entry.status)
        if (
            plan is None
            or "HTTP_IF_NONE_MATCH" in environ
            or "HTTP_IF_MODIFIED_SINCE" in environ
            or "HTTP_IF_MATCH" in environ
        ):
            plan = _plan(entry, environ)
        age = int(exact_age)
        is_stale = fresh_for <= 0
        hit = plan.hit
        if hit.age != age or hit.is_stale is not is_stale:
            # They stay the same for a second, so that one request makes them for the others.
            status = "hit"
            if fresh_for != float("inf"):
                status = f"hit; ttl={int(fresh_for // 1)}"
            shared = plan.all_headers(status, is_private=False, age=age)
            private = plan.all_headers(status, is_private=True, age=age)
            hit = plan.hit = _Hit(age, is_stale, shared, private)
        return self._make(plan, hit.private if is_private else hit.shared, environ)

    def miss(self, entry: Entry, environ: Any, is_private: bool, cache_status: str) -> Response:
        """Return the response to a request for which an entry was just computed.

        :param is_private: whether it is for this client only.
        :param cache_status: ``fwd=miss; stored``, for example (RFC 9211).
        """
        plan = _plan(entry, environ)
        headers = plan.all_headers(cache_status, is_private=is_private)
        return self._make(plan, headers, environ)

    def _make(self, plan: Plan, planned: Pairs, environ: Any) -> Response:
        """Make a reply, and note its plan for :meth:`watch`.

        :param planned: all headers, which belong to the plan and must not be changed.
        """
        reply_class = self._class or self._make_class()
        environ[_PLAN] = plan
        reply: Any = object.__new__(reply_class)
        reply.plan = plan
        if reply_class.is_customized:
            reply.__init__([plan.body], plan.status, Headers(planned))
        else:
            reply.planned = planned
        return reply  # type: ignore[no-any-return]
