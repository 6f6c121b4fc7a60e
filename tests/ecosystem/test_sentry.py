"""Sentry: it names transactions after the endpoint or the rule, and errors after their frames.

If a route file were not an ordinary module, its frames would have no source line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("sentry_sdk")

import sentry_sdk
from flask import Flask, got_request_exception, request_started
from flask.signals import before_render_template
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.transport import Transport

from tests.ecosystem.support import statuses

USERS = """
def GET(id):
    return {"id": id}

def DELETE(id):
    raise LookupError(id)
"""


class MemoryTransport(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)


@pytest.fixture
def start_sentry(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., MemoryTransport]]:
    """Start Sentry for one test: it patches Flask and connects to its signals for good."""
    monkeypatch.setattr(Flask, "__call__", Flask.__call__)
    for names in ("_processed_integrations", "_installed_integrations"):
        monkeypatch.setattr(f"sentry_sdk.integrations.{names}", set())
    signals = (before_render_template, got_request_exception, request_started)
    connected = [list(signal.receivers_for(None)) for signal in signals]

    def start(**options: Any) -> MemoryTransport:
        transport = MemoryTransport()
        sentry_sdk.init(
            transport=transport,
            integrations=[FlaskIntegration(**options)],
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            enable_backpressure_handling=False,
            traces_sample_rate=1.0,
        )
        return transport

    with sentry_sdk.isolation_scope():
        yield start
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    for signal, before in zip(signals, connected, strict=True):
        for receiver in list(signal.receivers_for(None)):
            if receiver not in before:
                signal.disconnect(receiver)


@pytest.mark.parametrize(
    ("style", "name"),
    [("endpoint", "api./users/[id=int]"), ("url", "/api/users/<int:id>")],
)
def test_transactions_are_named_after_the_route(make_app, start_sentry, style, name):
    transport = start_sentry(transaction_style=style)
    app = make_app({"users/[id=int]/route.py": USERS})
    assert statuses(app, "GET /api/users/3", "DELETE /api/users/3") == [200, 500]
    events = [item.payload.json for envelope in transport.envelopes for item in envelope.items]
    assert [event["transaction"] for event in events] == [name] * 3
    assert [event.get("type") for event in events] == ["transaction", None, "transaction"]
    (error,) = events[1]["exception"]["values"]
    frame = error["stacktrace"]["frames"][-1]
    assert (error["type"], frame["function"]) == ("LookupError", "DELETE")
    assert frame["module"] == app.view_functions["api./users/[id=int]"].__module__
    assert frame["abs_path"].endswith("/app/api/users/[id=int]/route.py")
    assert frame["context_line"].strip() == "raise LookupError(id)"
