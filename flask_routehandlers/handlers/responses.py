"""Make the responses of plain results as Flask does, with less work for each request.

Flask's :meth:`~flask.Flask.make_response` looks at the type of a result in several steps, and its
JSON provider makes an encoder for each response. For a ``dict``, ``list``, ``str`` or ``bytes``
neither is needed. The bytes and headers are the same, and an app that overrides a part of it gets
Flask's own way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, has_request_context, request
from flask.json.provider import DefaultJSONProvider

#: Makes the response of a ``dict``, ``list``, ``str`` or ``bytes``.
MakeResponse = Callable[[Any], Response]

_JSON = "application/json"


def response_maker(app: Flask) -> MakeResponse:
    """Return a function that makes an app's responses, for all routes of a tree.

    It is Flask's own if the app overrides it, or has another class of responses. The result of
    each call is a new :class:`flask.Response`.
    """
    if getattr(app.make_response, "__func__", None) is not Flask.make_response:
        return app.make_response
    if app.response_class is not Response:
        return app.make_response
    return _make_function(app)


def _make_function(app: Flask) -> MakeResponse:
    """Return a function that keeps the encoder, which Flask makes again for each response."""
    encoder, settings = json.JSONEncoder(), None
    default_type = Response().content_type

    def make(result: Any) -> Response:
        nonlocal encoder, settings
        if not isinstance(result, (dict, list)):
            return Response(result, content_type=default_type)
        provider = app.json
        try:
            if type(provider) is not DefaultJSONProvider or not _is_usual(provider, app):
                return app.json.response(result)  # type: ignore[return-value]
            current = (provider.default, provider.ensure_ascii, provider.sort_keys)
            if current != settings:
                encoder, settings = _make_encoder(*current), current
            return Response(f"{encoder.encode(result)}\n", content_type=_JSON)
        except TypeError as error:
            _note_view(app, error)
            raise

    return make


def note_handler(error: TypeError, name: str, file: str) -> None:
    """Add the function to an error for something that JSON does not have: Flask names none.

    :param name: the function's name in its file.
    :param file: the file, relative to the root.
    """
    error.add_note(
        f"It is in what {name} in {file} returned. Return dicts, lists, strings and numbers; for "
        f"models, annotate what {name} returns, for example -> list[Item]."
    )


def _note_view(app: Flask, error: TypeError) -> None:
    """Add the handler of the current request to an error."""
    if has_request_context() and request.endpoint is not None:
        dispatcher = getattr(app.view_functions[request.endpoint], "dispatcher", None)
        if dispatcher is not None:
            note_handler(error, dispatcher.method_of(request), dispatcher.file)


def _is_usual(provider: DefaultJSONProvider, app: Flask) -> bool:
    """Return whether a provider writes compact JSON, as it does by default."""
    compact = provider.compact
    if compact is None:
        compact = not app.debug
    return compact and provider.mimetype == _JSON


def _make_encoder(
    default: Callable[[Any], Any], ensure_ascii: bool, sort_keys: bool
) -> json.JSONEncoder:
    """Return an encoder with the settings of a JSON provider."""
    return json.JSONEncoder(
        default=default, ensure_ascii=ensure_ascii, sort_keys=sort_keys, separators=(",", ":")
    )
