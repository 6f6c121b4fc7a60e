"""HTTP errors as problem details (RFC 9457), for the URLs that belong to a tree.

One handler for :class:`~werkzeug.exceptions.HTTPException` is registered on the app, because no
blueprint owns a URL that nothing matches. The app's own handlers take precedence: Flask asks
those for a status code and for a subclass first, those for a base class such as ``Exception``
are asked here, and an error that makes its own response keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher
from heapq import nlargest
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

from flask import Flask, Request, Response, current_app, request
from flask.typing import ErrorHandlerCallable, ResponseReturnValue
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import RequestRedirect

from .contracts.invalid import MIMETYPE, InvalidRequest
from .handlers.errors import makes_response
from .mount import Mount, Route, mounts_of
from .tree.segments import CatchAll, Dynamic, Segment, Static

#: The members that RFC 9457, section 3.1, defines.
MEMBERS = frozenset({"type", "title", "status", "detail", "instance"})

#: How many routes are suggested for an unmatched path at most, how similar they have to be, from
#: 0 to 1, and how much less similar than the best one.
_SUGGESTIONS, _SIMILAR, _MARGIN = 3, 0.7, 0.1

#: The longest ``Accept`` header that is read. A browser sends 200 characters, and the time that
#: Werkzeug takes is quadratic.
_LONGEST_ACCEPT = 1024


def register(app: Flask) -> None:
    """Let an app answer HTTP errors below its mounts with problem details.

    An app that has a handler for ``HTTPException`` is left as it is.
    """
    # Not by register_error_handler: tools that replace it would name every 404 and 405 of the
    # app after this function.
    app.error_handler_spec[None][None].setdefault(HTTPException, answer_http_error)


def answer_http_error(error: HTTPException) -> ResponseReturnValue:
    """Answer an HTTP error for which the app has no handler.

    :returns: problem details where the URL belongs to a tree and the client does not prefer
        HTML, and otherwise the error itself, which is Flask's own answer.
    """
    handler = _find_app_handler(error)
    if handler is not None:
        return current_app.ensure_sync(handler)(error)  # type: ignore[no-any-return]
    # Flask asks for a handler of errors that it traps too; without one they reach the debugger.
    # What an unexpected exception became has been there already.
    is_unexpected = getattr(error, "original_exception", None) is not None
    if current_app.trap_http_exception(error) and not is_unexpected:
        raise error
    if error.code is None or error.code < 400:
        return error
    if error.response is not None or makes_response(type(error)):
        return error
    mount = _find_mount()
    if mount is None or not mount.problem_details:
        return error
    details = problem_details(error)
    if current_app.debug and error.code == 404 and error is request.routing_exception:
        _suggest_routes(details, mount)
    if prefers_html(request):
        response = _make_page(error, details.get("detail"))
    else:
        response = current_app.make_response((current_app.json.response(details), error.code))
        response.mimetype = MIMETYPE
        for name, value in error.get_headers(request.environ):
            if name.lower() != "content-type":
                response.headers.add(name, value)
    response.vary.add("Accept")
    return response


def problem(
    status: int,
    detail: str | None = None,
    *,
    type: str | None = None,  # noqa: A002 (the name of RFC 9457)
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    """Return an error in the format of the tree: problem details (RFC 9457).

    For callbacks of extensions that return a response, so that their errors look like all others.

    :param status: the status of the response, 400 to 599.
    :param detail: what is wrong, for a human.
    :param type: a URI that identifies the kind of problem, by default ``about:blank``.
    :param title: the kind of problem in words, by default the phrase of the status.
    :param headers: further headers.
    :param members: further members, which are JSON.
    """
    details = {
        "type": type or "about:blank",
        "title": title or HTTP_STATUS_CODES.get(status, "Unknown Error"),
        "status": status,
        "instance": _instance(),
        **members,
    }
    if detail is not None:
        details["detail"] = detail
    response = current_app.make_response((current_app.json.response(details), status))
    response.mimetype = MIMETYPE
    response.headers.update(headers or {})
    return response


def _instance() -> str:
    """Return the path of the request, percent-encoded."""
    return quote(request.root_path + request.path, safe="!$&'()*+,/:;=@")


def _make_page(error: HTTPException, detail: str | None) -> Response:
    """Return Werkzeug's page for an error, which shows a string but no other members."""
    if error.description != detail:
        kind = type(error)
        page = kind.__new__(kind)  # without its __init__, which may require arguments
        vars(page).update(vars(error))
        page.description = detail
        error = page
    return current_app.make_response(error)


def _find_app_handler(error: HTTPException) -> ErrorHandlerCallable | None:
    """Return the app's handler for a base class of the error, which ours would hide."""
    handlers = current_app.error_handler_spec[None][None]
    for base in type(error).__mro__:
        handler = handlers.get(base)
        if handler not in (None, answer_http_error):
            return handler
    return None


def _find_mount() -> Mount | None:
    """Return the mount in whose route the request ended.

    Where no route matched, it is the one with the longest prefix of the path.
    """
    mounts = mounts_of(current_app)
    if request.url_rule is not None:
        return next((mount for mount in mounts if mount.name == request.blueprint), None)
    if isinstance(request.routing_exception, (MethodNotAllowed, RequestRedirect)):
        return None  # by one of the app's own rules
    longest, owner = 0, None
    for mount in mounts:
        prefix = mount.prefix_pattern and mount.prefix_pattern.match(request.path)
        if prefix and prefix.end() > longest:
            longest, owner = prefix.end(), mount
    return owner


def _suggest_routes(details: dict[str, Any], mount: Mount) -> None:
    """Name the most similar routes. For developers only: it reveals which ones exist."""
    assert mount.prefix_pattern
    prefix = mount.prefix_pattern.match(request.path)
    assert prefix
    parts = [part for part in request.path[prefix.end() :].lower().split("/") if part]
    scores = {route.rules[-1].rule: _compare(route, parts) for route in mount.routes}
    least = max(_SIMILAR, max(scores.values(), default=0) - _MARGIN)
    best = nlargest(_SUGGESTIONS, scores, key=lambda rule: scores[rule])
    close = [rule for rule in best if scores[rule] >= least]
    if close:
        *others, names = close
        if others:
            names = f"{', '.join(others)} or {names}"
        details["detail"] = f"{details.get('detail', '')} Did you mean {names}?".lstrip()


def _compare(route: Route, parts: list[str]) -> float:
    """Return the similarity of a path and a route, from 0 to 1. Parameters match any part."""
    asked, literal = [], []
    for segment, part in zip_longest(route.file.url_segments, parts):
        if isinstance(segment, CatchAll):
            break
        text = ""
        if segment is not None:
            text = _literal_text(segment)
        if text or part is None or segment is None:
            literal.append(text or "[--]")
            asked.append(part or "")
    return SequenceMatcher(None, "/".join(asked), "/".join(literal), autojunk=False).ratio()


def _literal_text(segment: Segment) -> str:
    """Return the literal text of a segment, in lower case."""
    if isinstance(segment, Static):
        return segment.text.lower()
    if isinstance(segment, Dynamic):
        return "".join(piece for piece in segment.pieces if isinstance(piece, str)).lower()
    return ""


def prefers_html(request: Request) -> bool:
    """Return whether a client prefers HTML to JSON; equal preference does not count."""
    if len(request.headers.get("Accept", "")) > _LONGEST_ACCEPT:
        return False
    accept = request.accept_mimetypes
    json = max(accept.quality(MIMETYPE), accept.quality("application/json"))
    return accept.quality("text/html") > json


def problem_details(error: HTTPException) -> dict[str, Any]:
    """Return the members of RFC 9457, section 3.1, and those of a ``description`` dict."""
    details: dict[str, Any] = {
        "type": "about:blank",
        "title": error.name,
        "instance": _instance(),
    }
    description: Any = error.description
    if isinstance(description, dict):
        details |= description
    elif description is not None:
        details["detail"] = str(description)  # a lazy translation is translated only now
    details["status"] = error.code
    if isinstance(error, InvalidRequest):
        details["errors"] = [invalid.as_member() for invalid in error.errors]
    return {
        name: value for name, value in details.items() if value is not None or name not in MEMBERS
    }
