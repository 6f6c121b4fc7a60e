"""The signed webhook."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

BODY = json.dumps({"url": "https://example.com/a", "tags": ["sent"]}).encode()


def sign(body: bytes, secret: str = "a secret for tests") -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.fixture
def send(client):
    def send(body: bytes, signature: str | None = None, content_type: str = "application/json"):
        headers = {} if signature is None else {"X-Signature": signature}
        return client.post("/api/webhook", data=body, headers=headers, content_type=content_type)

    return send


def test_a_signed_bookmark_is_imported_once(client, send):
    first, second = send(BODY, sign(BODY)), send(BODY, sign(BODY))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["Location"] == second.headers["Location"] == "/api/bookmarks/1"
    assert first.json == second.json == client.get("/api/bookmarks/1").json


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        "sha256=",
        sign(BODY).removeprefix("sha256="),
        sign(BODY)[:-1],
        sign(BODY, "another secret"),
        sign(BODY + b" "),
        "sha256=é",
    ],
)
def test_any_other_signature_is_unauthorized(client, send, signature):
    response = send(BODY, signature)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].strip().lower() == "hmac-sha256"
    assert "X-Signature must be" in response.json["detail"]
    assert client.get("/api/bookmarks").json["bookmarks"] == []


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
)
def test_no_method_works_without_a_signature(client, method):
    response = client.open("/api/webhook", method=method)
    assert response.status_code == 401
    assert "Allow" not in response.headers


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 204), ("GET", 405), ("PUT", 405)])
def test_senders_get_the_allowed_methods(client, method, status):
    response = client.open("/api/webhook", method=method, headers={"X-Signature": sign(b"")})
    assert (response.status_code, response.headers["Allow"]) == (status, "OPTIONS, POST")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (BODY, "text/plain", 415),
        (b"[]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b" " * 70_000, "application/json", 413),
    ],
)
def test_a_signed_body_is_checked_like_any_other(send, body, content_type, status):
    assert send(body, sign(body), content_type).status_code == status


def test_without_a_secret_the_webhook_is_closed(app, send):
    app.config["WEBHOOK_SECRET"] = ""
    response = send(BODY, sign(BODY, ""))
    assert response.status_code == 503
    assert response.json["detail"] == "Webhooks are disabled: WEBHOOK_SECRET is not set."
