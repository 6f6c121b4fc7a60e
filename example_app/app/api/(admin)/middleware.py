"""Administrators only: every route in this group."""

from __future__ import annotations

from flask import Response

from flask_routehandlers import CallNext


def middleware(administrator: None, call_next: CallNext) -> Response:
    """Let administrators pass."""
    return call_next()
