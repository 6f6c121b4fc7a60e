"""Helpers for the tests of this folder."""

from __future__ import annotations

from flask import Flask

SECRET = "a secret for tests, longer than 32 bytes"


def statuses(app: Flask, *requests: str) -> list[int]:
    """Send requests, each a method and a URL; return their statuses."""
    client = app.test_client()
    return [
        client.open(url, method=method).status_code for method, url in map(str.split, requests)
    ]
