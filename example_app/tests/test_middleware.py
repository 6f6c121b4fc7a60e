"""The middleware of every route: the request id, and CORS."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from flask import g, url_for

ORIGIN = "https://app.example"
VALUES = {
    "asset": ["swagger-ui.css"],
    "id": 1,
    "year": 2026,
    "slug": "x",
    "tags": ["x"],
    "tag": "x",
    "path": ["example.com", "x"],
}


@pytest.fixture
def shared(app):
    """Let pages of two origins use the API."""
    app.config["CORS_ORIGINS"] = f"https://other.example {ORIGIN}"


@pytest.fixture
def paths(app):
    """One path for each rule of the tree."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    with app.test_request_context():
        return [url_for(r.endpoint, **{name: VALUES[name] for name in r.arguments}) for r in rules]


ERRORS = [
    (401, "GET", "/api/backup", {}),
    (401, "POST", "/api/webhook", {}),
    (404, "GET", "/api/bookmarks/1", {}),
    (405, "PUT", "/api/bookmarks", {}),
    (413, "POST", "/api/bookmarks", {"data": " " * 70_000, "content_type": "application/json"}),
    (415, "POST", "/api/bookmarks", {}),
    (422, "POST", "/api/bookmarks", {"json": {}}),
    (500, "GET", "/api/bookmarks", {}),
]


@pytest.fixture(params=ERRORS, ids=lambda error: str(error[:3]))
def error(request, app, client):
    """A function that requests a URL and gets an error."""
    status, method, path, options = request.param
    if status == 500:
        app.config.update(TESTING=False, DATABASE="/nowhere/bookmarks.sqlite")

    def get(**headers):
        response = client.open(path, method=method, headers=headers, **options)
        assert response.status_code == status
        return response

    return get


class TestRequestId:
    @pytest.mark.parametrize("given", ["a", "0b7e-4f.X_1", "x" * 64])
    def test_a_client_may_choose_it(self, client, given):
        response = client.get("/api", headers={"X-Request-ID": given})
        assert response.headers["X-Request-ID"] == given

    @pytest.mark.parametrize("given", ["", "a b", "a,b", "x" * 65, "é", "<script>", "%0A"])
    def test_any_other_text_is_replaced(self, client, given):
        response = client.get("/api", headers={"X-Request-ID": given})
        assert len(response.headers["X-Request-ID"]) == 32
        assert int(response.headers["X-Request-ID"], 16)

    def test_each_request_has_its_own(self, client):
        assert len({client.get("/api").headers["X-Request-ID"] for _ in range(9)}) == 9

    def test_handlers_can_read_it(self, client):
        response = client.get("/api")
        assert g.request_id == response.headers["X-Request-ID"]

    def test_every_route_has_it(self, client, paths):
        for path in paths:
            for method in ("GET", "HEAD", "OPTIONS", "PUT"):
                headers = {"X-Request-ID": "mine"}
                response = client.open(path, method=method, headers=headers, buffered=True)
                assert response.headers.getlist("X-Request-ID") == ["mine"], path

    def test_errors_have_it_too(self, error):
        assert error(**{"X-Request-ID": "mine"}).headers["X-Request-ID"] == "mine"


def preflight(client, path, origin=ORIGIN, method="GET", **headers):
    headers |= {"Origin": origin, "Access-Control-Request-Method": method}
    return client.options(path, headers=headers)


def of_cors(response):
    return {name for name, _ in response.headers if name.startswith("Access-Control-")}


class TestWithoutOrigins:
    def test_no_page_may_use_the_api(self, client):
        response = client.get("/api/tags", headers={"Origin": ORIGIN})
        assert not of_cors(response)
        assert "Vary" not in response.headers

    def test_a_preflight_is_any_options(self, client):
        response = preflight(client, "/api/tags")
        assert not of_cors(response)
        assert (response.status_code, response.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.usefixtures("shared")
class TestWithOrigins:
    @pytest.mark.parametrize("origin", [ORIGIN, "https://other.example"])
    def test_their_pages_may_use_the_api(self, client, origin):
        response = client.get("/api/tags", headers={"Origin": origin})
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers["Access-Control-Expose-Headers"] == "Location, X-Request-ID"
        assert response.headers["Vary"] == "Origin"

    @pytest.mark.parametrize(
        "origin",
        [
            "",
            "null",
            "*",
            "https://evil.example",
            "http://app.example",
            "https://app.example:8443",
            "https://app.exampl",
            "https://app.example.evil.example",
            "https://other.example https://app.example",
        ],
    )
    def test_other_pages_may_not(self, client, origin):
        for response in (
            client.get("/api/tags", headers={"Origin": origin}),
            preflight(client, "/api/tags", origin),
        ):
            assert not of_cors(response)
            assert response.headers["Vary"] == "Origin"

    def test_an_answer_without_origin_is_not_shared(self, client):
        response = client.get("/api/tags")
        assert not of_cors(response)
        assert response.headers["Vary"] == "Origin"

    def test_a_page_can_read_an_error(self, error):
        response = error(Origin=ORIGIN)
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.vary.as_set() == {"accept", "origin"}
        assert response.json["detail"]

    def test_a_page_can_read_a_stream_and_a_304(self, client):
        stream = client.get("/api/events", headers={"Origin": ORIGIN}, buffered=True)
        etag = client.get("/api/feed.xml").headers["ETag"]
        kept = client.get("/api/feed.xml", headers={"Origin": ORIGIN, "If-None-Match": etag})
        assert kept.status_code == 304
        for response in (stream, kept):
            assert response.headers["Access-Control-Allow-Origin"] == ORIGIN

    def test_a_preflight_is_answered(self, client):
        response = preflight(client, "/api/bookmarks", method="POST", **{"X-Request-ID": "mine"})
        assert (response.status_code, response.data) == (204, b"")
        assert response.headers["X-Request-ID"] == "mine"
        assert {name: response.headers[name] for name in of_cors(response)} == {
            "Access-Control-Allow-Origin": ORIGIN,
            "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS, POST",
            "Access-Control-Allow-Headers": (
                "Authorization, Content-Type, Last-Event-ID, X-Request-ID"
            ),
            "Access-Control-Expose-Headers": "Location, X-Request-ID",
            "Access-Control-Max-Age": "600",
        }
        assert response.headers["Vary"] == "Origin"

    def test_a_preflight_allows_the_methods_of_allow(self, client, paths):
        signature = hmac.new(b"a secret for tests", b"", hashlib.sha256).hexdigest()
        headers = {
            "Authorization": "Bearer token-for-tests",
            "X-Signature": f"sha256={signature}",
        }
        for path in paths:
            allow = client.options(path, headers=headers).headers["Allow"]
            response = preflight(client, path)
            assert response.headers["Access-Control-Allow-Methods"] == allow, path

    def test_a_preflight_needs_no_credentials(self, client, caplog):
        assert preflight(client, "/api/import", method="POST").status_code == 204
        assert not caplog.records

    @pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
    def test_only_options_is_a_preflight(self, client, method):
        headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        response = client.open("/api/backup", method=method, headers=headers)
        assert response.status_code == 401

    def test_other_options_reach_the_route(self, client):
        assert client.options("/api/backup", headers={"Origin": ORIGIN}).status_code == 401
        response = client.options("/api/tags", headers={"Origin": ORIGIN})
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
