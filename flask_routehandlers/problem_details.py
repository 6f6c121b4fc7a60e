"""HTTP errors as problem details (RFC 9457), for the URLs that belong to a tree.

One handler for :class:`~werkzeug.exceptions.HTTPException` is registered on the app, since no
blueprint owns a URL that nothing matches. It steps aside wherever the app says something itself:
Flask asks handlers for a status code and for a subclass first, those for a base class such as
``Exception`` are asked here, and an error that makes its own response keeps it.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache
from itertools import zip_longest
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, current_app, request
from flask.typing import ErrorHandlerCallable, ResponseReturnValue
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import RequestRedirect

from .mount import Mount, Route, mounts_of
from .tree.segments import CatchAll, Dynamic, Segment, Static

MIMETYPE = "application/problem+json"

#: The members that RFC 9457, section 3.1, defines.
MEMBERS = frozenset({"type", "title", "status", "detail", "instance"})


def register(app: Flask) -> None:
    """Let an app answer HTTP errors below its mounts with problem details.

    An app with a handler of its own for ``HTTPException`` is left as it is.
    """
    if HTTPException not in app.error_handler_spec[None][None]:
        app.register_error_handler(HTTPException, answer_http_error)


def answer_http_error(error: HTTPException) -> ResponseReturnValue:
    """The app's answer to an HTTP error for which it has no handler of its own.

    :returns: problem details where the URL belongs to a tree and the client does not prefer
        HTML, and otherwise the error itself, which is Flask's own answer.
    """
    own = _own_handler(error)
    if own is not None:
        return current_app.ensure_sync(own)(error)  # type: ignore[no-any-return]
    # Flask asks for a handler of what it traps too, and without one it goes on to the debugger.
    # What an unexpected exception became has been there already.
    is_unexpected = getattr(error, "original_exception", None) is not None
    if current_app.trap_http_exception(error) and not is_unexpected:
        raise error
    if error.code is None or error.code < 400 or _makes_response(error):
        return error
    owner = _owner()
    if owner is None or not owner.problem_details:
        return error
    details = problem_details(error)
    if current_app.debug and error.code == 404 and error is request.routing_exception:
        suggest(details, owner)
    if prefers_html(request.accept_mimetypes):
        response = _html(error, details.get("detail"))
    else:
        response = current_app.make_response((current_app.json.response(details), error.code))
        response.mimetype = MIMETYPE
        for name, value in error.get_headers(request.environ):
            if name.lower() != "content-type":
                response.headers.add(name, value)
    response.vary.add("Accept")
    return response


def _html(error: HTTPException, detail: str | None) -> Response:
    """Werkzeug's page for an error, which can show a text but no further members."""
    if error.description != detail:
        kind = type(error)
        page = kind.__new__(kind)  # without its __init__, which may ask for anything
        vars(page).update(vars(error))
        page.description = detail
        error = page
    return current_app.make_response(error)


def _own_handler(error: HTTPException) -> ErrorHandlerCallable | None:
    """The app's handler for a base class of the error, which Flask would find without ours."""
    handlers = current_app.error_handler_spec[None][None]
    found = (handlers.get(base) for base in type(error).__mro__)
    return next((own for own in found if own not in (None, answer_http_error)), None)


def _makes_response(error: HTTPException) -> bool:
    """Whether an error carries its response, or is of a class that makes it in its own way."""
    kind = type(error)
    return (
        error.response is not None
        or kind.get_body is not HTTPException.get_body
        or kind.get_response is not HTTPException.get_response
    )


def _owner() -> Mount | None:
    """The mount in whose route the request ended, or, where no route matched, the one with the
    longest prefix of its path."""
    mounts = mounts_of(current_app)
    if request.url_rule is not None:
        return next((mount for mount in mounts if mount.name == request.blueprint), None)
    if isinstance(request.routing_exception, (MethodNotAllowed, RequestRedirect)):
        return None  # by a rule of the app's own
    below = [
        (found.end(), mount)
        for mount in mounts
        if mount.prefix_pattern and (found := mount.prefix_pattern.match(request.path))
    ]
    return max(below, key=lambda one: one[0], default=(0, None))[1]


def suggest(details: dict[str, Any], mount: Mount) -> None:
    """Name the nearest routes where nothing matched. For developers: it lists what there is."""
    assert mount.prefix_pattern
    prefix = mount.prefix_pattern.match(request.path)
    assert prefix
    question = did_you_mean(mount, request.path[prefix.end() :])
    if question:
        details["detail"] = f"{details.get('detail', '')} {question}".lstrip()


def prefers_html(accept: MIMEAccept) -> bool:
    """Whether a client would rather have HTML than JSON; equally is not rather."""
    json = max(accept.quality(MIMETYPE), accept.quality("application/json"))
    return accept.quality("text/html") > json


def problem_details(error: HTTPException) -> dict[str, Any]:
    """The members of RFC 9457, section 3.1, and those of a ``description`` that is a dict."""
    details: dict[str, Any] = {
        "type": "about:blank",
        "title": error.name,
        "instance": quote(request.root_path + request.path, safe="!$&'()*+,/:;=@"),
    }
    description: Any = error.description
    if isinstance(description, dict):
        details |= description
    elif description is not None:
        details["detail"] = str(description)  # it may be translated only when it is shown
    details["status"] = error.code
    return {
        name: value for name, value in details.items() if value is not None or name not in MEMBERS
    }


#: How alike a path and a route have to be, from 0 to 1, and how much less than the nearest one.
LEAST, MARGIN = 0.6, 0.1

#: How many routes are named at most.
MOST = 3

#: How many wrong characters a segment counts for that only one of the two has.
ODD = 4


def did_you_mean(mount: Mount, path: str) -> str | None:
    """A question that names the rules of the nearest routes, or ``None`` if none is near.

    :param path: the path below the prefix of the tree, without a leading slash.
    """
    parts = [part for part in path.lower().split("/") if part]
    scores = {route.rules[-1].rule: _likeness(route, parts) for route in mount.routes}
    nearest = sorted(scores, key=lambda rule: -scores[rule])[:MOST]
    least = max([LEAST, *(scores[rule] - MARGIN for rule in nearest[:1])])
    near = [rule for rule in nearest if scores[rule] >= least]
    if not near:
        return None
    *others, last = near
    return f"Did you mean {', '.join(others)} or {last}?" if others else f"Did you mean {last}?"


def _likeness(route: Route, parts: list[str]) -> float:
    """The share of characters in common, segment by segment. A parameter says nothing."""
    alike = total = 0
    for part, segment in zip_longest(parts, route.file.url_segments):
        if isinstance(segment, CatchAll) and part:
            break
        text = None if segment is None else _text(segment)
        if text and part:
            alike += 2 * _count_alike(part, text)
            total += len(part) + len(text)
        elif text is None or part is None:
            total += ODD
    return alike / total if total else 0.0


def _text(segment: Segment) -> str:
    """What is literal in a segment."""
    if isinstance(segment, Static):
        return segment.text.lower()
    pieces = segment.pieces if isinstance(segment, Dynamic) else ()
    return "".join(piece for piece in pieces if isinstance(piece, str)).lower()


@lru_cache(4096)
def _count_alike(asked: str, meant: str) -> int:
    blocks = SequenceMatcher(None, asked, meant, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)
