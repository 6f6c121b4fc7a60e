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

from flask import Flask, Response
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
        if type(provider) is not DefaultJSONProvider or not _is_usual(provider, app):
            return app.json.response(result)  # type: ignore[return-value]
        current = (provider.default, provider.ensure_ascii, provider.sort_keys)
        if current != settings:
            encoder, settings = _make_encoder(*current), current
        return Response(f"{encoder.encode(result)}\n", content_type=_JSON)

    return make


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
