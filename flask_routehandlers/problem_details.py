"""HTTP errors as problem details (RFC 9457), for the URLs that belong to a tree.

One handler for :class:`~werkzeug.exceptions.HTTPException` is registered on the app, since no
blueprint owns a URL that nothing matches. It steps aside wherever the app says something itself:
Flask asks handlers for a status code and for a subclass first, and handlers for ``Exception`` are
asked here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from flask import Flask, Request, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from .mounts import Mount, mounts_of

MIMETYPE = "application/problem+json"


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
    own = current_app.error_handler_spec[None][None].get(Exception)
    if own is not None:
        return current_app.ensure_sync(own)(error)  # type: ignore[no-any-return]
    if error.response is not None or error.code is None or error.code < 400:
        return error
    if not any(_owns(mount, request) for mount in mounts_of(current_app)):
        return error
    details = problem_details(error)
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
    described = error.description
    error.description = detail
    try:
        return current_app.make_response(error)
    finally:
        error.description = described


def _owns(mount: Mount, request: Request) -> bool:
    """Whether a request ended in a mount's route, or in no route at all below its prefix."""
    if not mount.problem_details:
        return False
    if request.url_rule is not None:
        return request.blueprint == mount.name
    if isinstance(request.routing_exception, MethodNotAllowed):
        return False  # a rule of the app's own
    pattern = mount.prefix_pattern
    return pattern is not None and pattern.match(request.path) is not None


def prefers_html(accept: MIMEAccept) -> bool:
    """Whether a client would rather have HTML than JSON; equally is not rather."""
    json = max(accept.quality(MIMETYPE), accept.quality("application/json"))
    return accept.quality("text/html") > json


def problem_details(error: HTTPException) -> dict[str, Any]:
    """The members of RFC 9457, section 3.1, and those of a ``description`` that is a dict."""
    described: Any = error.description
    members = dict(described) if isinstance(described, dict) else {"detail": described}
    details = {
        "type": "about:blank",
        "title": error.name,
        "status": error.code,
        "instance": quote(request.root_path + request.path, safe="!$&'()*+,/:;=@"),
    }
    details |= members
    details["status"] = error.code
    return {name: value for name, value in details.items() if value is not None}
