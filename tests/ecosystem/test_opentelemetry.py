"""OpenTelemetry: it names spans after ``request.url_rule``.

The rule has to look as if it was written by hand, and has to be set for a 405 too.
"""

from __future__ import annotations

import pytest

pytest.importorskip("opentelemetry.instrumentation.flask")
pytest.importorskip("opentelemetry.sdk")

from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.ecosystem.support import statuses

USERS = """
def GET(id):
    return {"id": id}

def DELETE(id):
    raise LookupError(id)
"""


def test_spans_are_named_after_the_route(make_app):
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = make_app({"users/[id=int]/route.py": USERS}, "files/[...path]", "docs/[[...path]]")
    # The commenter would leave a value in the context of this thread.
    FlaskInstrumentor.instrument_app(
        app,
        tracer_provider=provider,
        meter_provider=NoOpMeterProvider(),
        enable_commenter=False,
    )
    asked = {
        "GET /api/users/3": "GET /api/users/<int:id>",
        "HEAD /api/users/4": "HEAD /api/users/<int:id>",
        "PATCH /api/users/5": "PATCH /api/users/<int:id>",
        "DELETE /api/users/6": "DELETE /api/users/<int:id>",
        "GET /api/files/a/b": "GET /api/files/<path:path>",
        "GET /api/docs": "GET /api/docs",
        "GET /api/docs/a/b": "GET /api/docs/<path:path>",
    }
    try:
        assert statuses(app, *asked) == [200, 200, 405, 500, 200, 200, 200]
    finally:
        FlaskInstrumentor.uninstrument_app(app)
        provider.shutdown()
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == list(asked.values())
    assert [span.attributes["http.route"] for span in spans] == [
        name.partition(" ")[2] for name in asked.values()
    ]
