"""Responses made of stored entries: a new one for each request, planned once for each entry."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, NamedTuple, cast

from flask import Flask, Response
from werkzeug.datastructures import Headers
from werkzeug.http import is_entity_header, parse_etags
from werkzeug.wrappers import Response as WerkzeugResponse

from .policy import PRIVATE, TARGETED, cache_control, is_shareable, varies
from .stores.base import Found
from .stores.entry import Entry

#: What the ``Cache-Status`` header calls this cache (RFC 9211).
NAME = "flask-routehandlers"

Pairs = list[tuple[str, str]]

#: What a response class may do in its own way; then nothing is abridged.
_CUSTOMIZED = ("__init__", "__call__", "get_wsgi_response", "get_wsgi_headers", "get_app_iter")


class Plan:
    """What all responses made of an entry have in common.

    :param entry: the entry, with ``None`` for a body that is not sent (304).
    """

    __slots__ = ("body", "cache_control", "etag", "headers", "hit", "status", "status_code")

    def __init__(self, entry: Entry, status_code: int) -> None:
        names = {name.lower() for name, _ in entry.headers}
        self.status_code = status_code
        self.status = f"{status_code} {HTTPStatus(status_code).phrase.upper()}"
        self.body = entry.body
        self.etag = entry.etag
        self.headers: Pairs = list(entry.headers)
        if status_code == 304:
            self.body = b""
            self.headers = [pair for pair in self.headers if _is_told_again(pair[0])]
        else:
            self.headers.append(("Content-Length", str(len(entry.body))))
        if "etag" not in names:
            self.headers.append(("ETag", entry.etag))
        #: Empty if the handler gave its own.
        self.cache_control = "" if "cache-control" in names else cache_control(entry.revalidate)
        self.hit = _Hit(-1, False, [], [])

    def all_headers(self, cache_status: str, *, is_private: bool, age: int | None = None) -> Pairs:
        """The headers of a response."""
        headers = self.headers.copy()
        if self.cache_control:
            headers.append(("Cache-Control", PRIVATE if is_private else self.cache_control))
        if age is not None:
            headers.append(("Age", str(age)))
        headers.append(("Cache-Status", f"{NAME}; {cache_status}"))
        return headers


class _Hit(NamedTuple):
    """The headers of hits within one second."""

    age: int
    is_stale: bool
    shared: Pairs
    private: Pairs


class Plans(NamedTuple):
    """The two responses that are made of an entry: the whole one, and that nothing has changed."""

    whole: Plan
    unchanged: Plan


def plans_of(entry: Entry) -> Plans:
    """The plans of an entry, made with its first response."""
    plans: Plans | None = entry.planned.get("replies")
    if plans is None:
        plans = Plans(Plan(entry, entry.status), Plan(entry, 304))
        entry.planned["replies"] = plans
    return plans


class Reply(WerkzeugResponse):
    """A response made of an entry, mixed into the app's response class.

    Extensions and hooks may change it like any other. Just before it is sent it is looked at once
    more: what one of them made another one for each client is kept out of shared caches.
    """

    is_customized: bool
    plan: Plan
    planned_headers: Pairs
    planned_body: list[bytes]

    def get_wsgi_response(self, environ: Any) -> tuple[Iterable[bytes], str, Pairs]:
        headers = self.headers._list
        plan = self.plan
        if (
            self.response is self.planned_body
            and len(self.planned_body) == 1
            and self.planned_body[0] is plan.body
            and headers == self.planned_headers
            and self._status_code == plan.status_code == 200
            and not self._on_close
            and not self.is_customized
        ):
            # As it was planned: nothing is to be worked out again.
            is_head = environ["REQUEST_METHOD"] == "HEAD"
            return () if is_head else self.planned_body, plan.status, headers
        return super().get_wsgi_response(environ)

    def get_wsgi_headers(self, environ: Any) -> Headers:
        headers = super().get_wsgi_headers(environ)
        plan = self.plan
        # The list may be another one, or hold something else now.
        is_same = self.response == [plan.body] and self.status_code == plan.status_code
        is_encoded = "Content-Encoding" in headers
        if "Set-Cookie" in headers:
            if is_shareable(list(headers)):
                headers["Cache-Control"] = PRIVATE
            for name in TARGETED:
                headers.remove(name)
        elif headers.get("Cache-Control") == plan.cache_control and (
            varies(headers.getlist("Vary")) or not (is_same or is_encoded)
        ):
            headers["Cache-Control"] = PRIVATE
        if not is_same and headers.get("ETag") == plan.etag:
            headers["ETag"] = f"W/{plan.etag.removeprefix('W/')}"
            if not is_encoded:
                headers.remove("ETag")
        return headers


class Replies:
    """Makes responses of entries for one app.

    :param app: the app.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._class: type[Any] | None = None

    def _make_class(self) -> type[Any]:
        base: type[Any] = self._app.response_class
        is_customized = any(
            getattr(base, name) is not getattr(WerkzeugResponse, name) for name in _CUSTOMIZED
        )
        # Late: an app may choose its response class until the first request.
        self._class = type("Reply", (Reply, base), {"is_customized": is_customized})
        return self._class

    def hit(self, found: Found, environ: Any, is_private: bool) -> Response:
        """The response to a request whose answer was stored, fresh or stale."""
        entry, exact_age, fresh_for = found
        plan, unchanged = plans_of(entry)
        if "HTTP_IF_NONE_MATCH" in environ and _matches(environ, entry):
            plan = unchanged
        age = int(exact_age)
        is_stale = fresh_for <= 0
        hit = plan.hit
        if hit.age != age or hit.is_stale is not is_stale:
            # They are the same for a second: made by one of the requests in it.
            status = "hit"
            if fresh_for != float("inf"):
                status = f"hit; ttl={int(fresh_for // 1)}"
            shared = plan.all_headers(status, is_private=False, age=age)
            private = plan.all_headers(status, is_private=True, age=age)
            hit = plan.hit = _Hit(age, is_stale, shared, private)
        return self._make(plan, hit.private if is_private else hit.shared)

    def miss(self, entry: Entry, environ: Any, is_private: bool, cache_status: str) -> Response:
        """The response to a request for which an entry was just computed."""
        plan, unchanged = plans_of(entry)
        if "HTTP_IF_NONE_MATCH" in environ and _matches(environ, entry):
            plan = unchanged
        return self._make(plan, plan.all_headers(cache_status, is_private=is_private))

    def _make(self, plan: Plan, planned: Pairs) -> Response:
        reply: Any
        reply_class = self._class or self._make_class()
        if reply_class.is_customized:
            reply = reply_class()
        else:
            # What __init__ works out of its arguments is known.
            reply = object.__new__(reply_class)
            reply._on_close = []
            reply.direct_passthrough = False
        reply.headers = headers = Headers()
        headers._list = planned.copy()
        reply._status = plan.status
        reply._status_code = plan.status_code
        reply.response = reply.planned_body = [plan.body]
        reply.planned_headers = planned
        reply.plan = plan
        return cast(Response, reply)


def _matches(environ: Any, entry: Entry) -> bool:
    """Whether the client has the entry already, by its ``If-None-Match``."""
    known = parse_etags(environ["HTTP_IF_NONE_MATCH"])
    return entry.status == 200 and known.contains_weak(entry.etag.removeprefix("W/").strip('"'))


def _is_told_again(name: str) -> bool:
    """Whether a header belongs into a 304: all but those that describe a body that is not sent."""
    return not is_entity_header(name) or name.lower() in ("content-location", "expires")
