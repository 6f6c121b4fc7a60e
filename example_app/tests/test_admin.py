"""The group for administrators: its token, import and backup."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from example_app import create_app

ADMIN = {"Authorization": "Bearer token-for-tests"}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "TRACE", "BREW"]
A = {"url": "https://example.com/a", "title": "A", "notes": "n", "tags": ["x"]}
B = {"url": "https://example.com/b", "title": "B", "notes": "", "tags": []}


@pytest.fixture
def send(client):
    def send(*bookmarks, **options):
        options = {"json": {"bookmarks": bookmarks}} | options
        return client.post("/api/import", headers=ADMIN, **options)

    return send


@pytest.fixture
def urls(app):
    """Every URL of the group."""
    rules = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if ".(admin)." in app.view_functions[rule.endpoint].__module__
    ]
    assert sorted(rules) == ["/api/backup", "/api/import"]
    return rules


class TestToken:
    @pytest.mark.parametrize("method", METHODS)
    def test_no_method_is_answered_without_it(self, client, urls, method):
        for url in urls:
            response = client.open(url, method=method, json={"bookmarks": [A]})
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"
            assert "Allow" not in response.headers
            if method != "HEAD":
                assert response.json["detail"] == (
                    "The request lacks Bearer credentials in the header Authorization."
                )
        assert client.get("/api/bookmarks").json["bookmarks"] == []

    @pytest.mark.parametrize("method", METHODS)
    def test_without_a_configured_token_all_is_closed(self, app, client, urls, method):
        app.config["ADMIN_TOKEN"] = ""
        for url in urls:
            assert client.open(url, method=method).status_code == 401
            response = client.open(url, method=method, headers=ADMIN)
            assert response.status_code == 503
            if method != "HEAD":
                assert response.json["detail"] == (
                    "Administration is disabled: ADMIN_TOKEN is not set."
                )

    @pytest.mark.parametrize(
        "given",
        [
            "",
            "Bearer",
            "Bearer ",
            "token-for-tests",
            "Bearer token-for-test",
            "Bearer token-for-tests-",
            "Bearer TOKEN-FOR-TESTS",
            "Bearer token-for-tests, Bearer x",
            "Bearer token=token-for-tests",
            "Bearer é",
            "Token token-for-tests",
            "Basic " + b64encode(b"admin:token-for-tests").decode(),
            "Basic token-for-tests",
        ],
    )
    def test_anything_else_is_not_it(self, client, given):
        response = client.get("/api/backup", headers={"Authorization": given})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("given", ["bearer token-for-tests", "BEARER token-for-tests"])
    def test_the_scheme_has_no_case(self, client, given):
        assert client.get("/api/backup", headers={"Authorization": given}).status_code == 200

    def test_a_refusal_is_logged_with_the_request_id(self, client, caplog):
        client.get("/api/backup", headers={"X-Request-ID": "mine", "Authorization": "Bearer no"})
        assert caplog.messages == ["GET /api/backup without the admin token, request mine"]

    @pytest.mark.parametrize(
        ("method", "url", "status", "allow"),
        [
            ("OPTIONS", "/api/import", 204, "OPTIONS, POST"),
            ("GET", "/api/import", 405, "OPTIONS, POST"),
            ("DELETE", "/api/backup", 405, "GET, HEAD, OPTIONS"),
        ],
    )
    def test_administrators_get_the_allowed_methods(self, client, method, url, status, allow):
        response = client.open(url, method=method, headers=ADMIN)
        assert (response.status_code, response.headers["Allow"]) == (status, allow)

    @pytest.mark.parametrize(
        "path",
        [
            "/api/backup/",
            "/api//backup",
            "//api/backup",
            "/api/./backup",
            "/api/tags/../backup",
            "/api/BACKUP",
            "/api/(admin)/backup",
            "/api/%28admin%29/backup",
        ],
    )
    def test_no_other_path_reaches_a_route(self, client, path):
        for headers in ({}, ADMIN):
            assert client.get(path, headers=headers).status_code == 404


class TestImport:
    def test_adds_what_is_not_here_yet(self, client, add, send):
        add(A["url"], title="Mine")
        assert send(A, B, B).json == {"added": 1, "known": 2}
        found = client.get("/api/bookmarks").json["bookmarks"]
        assert [bookmark["title"] for bookmark in found] == ["B", "Mine"]

    def test_of_nothing_is_no_error(self, send):
        assert send().json == {"added": 0, "known": 0}

    def test_needs_no_more_than_urls(self, client, send):
        assert send({"url": "HTTPS://Example.com"}).json["added"] == 1
        assert client.get("/api/bookmarks/1").json["title"] == "https://example.com/"

    def test_keeps_times(self, client, send):
        times = {"created": "1999-12-31T23:59:59Z", "updated": "2024-02-29T00:00:00Z"}
        send(A | times, B)
        assert client.get("/api/bookmarks/1").json == {"id": 1} | A | times
        assert client.get("/api/bookmarks/2").json["created"] > "2024"

    def test_of_older_bookmarks_keeps_a_year_in_order(self, client, send):
        send(A | {"created": "1999-12-31T00:00:00Z"}, B | {"created": "1999-01-01T00:00:00Z"})
        rows = client.get("/api/bookmarks/export-1999.csv").text.splitlines()
        assert [row.partition(",")[0] for row in rows] == ["id", "2", "1"]

    @pytest.mark.parametrize(
        ("fields", "errors"),
        [
            ({}, {"url": "Field required"}),
            (
                {"url": "x", "title": ""},
                {"url": "must be an http or https URL", "title": "must not be empty"},
            ),
            ({"url": B["url"], "id": 3}, {"id": "Extra inputs are not permitted"}),
            *[
                (
                    B | {"created": time, "updated": time},
                    dict.fromkeys(("created", "updated"), "Input should be a valid string"),
                )
                for time in (None, 1)
            ],
            *[
                (
                    B | {"created": time, "updated": time},
                    dict.fromkeys(
                        ("created", "updated"), "must be a time like 2026-11-25T01:19:59Z"
                    ),
                )
                for time in (
                    "",
                    "2026-11-24",
                    "2026-11-25 01:19:59",
                    "2026-11-25T01:19:59+00:00",
                    "2026-11-25T1:19:59Z",
                    "2026-11-31T01:19:59Z",
                    "٢٠٢٦-11-25T01:19:59Z",
                    "2026-11-25T01:19:59Z\n",
                )
            ],
        ],
    )
    def test_with_one_wrong_bookmark_adds_none(self, client, send, fields, errors):
        response = send(A, fields, {})
        assert response.status_code == 422
        found = {error["pointer"]: error["detail"] for error in response.json["errors"]}
        errors = {f"#/bookmarks/1/{name}": detail for name, detail in errors.items()}
        assert found == errors | {"#/bookmarks/2/url": "Field required"}
        assert client.get("/api/bookmarks").json["bookmarks"] == []

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ([A], "#"),
            ({}, "#/bookmarks"),
            ({"bookmarks": {}}, "#/bookmarks"),
            ({"bookmarks": [A, "x"]}, "#/bookmarks/1"),
            ({"bookmarks": [], "x": 1}, "#/x"),
        ],
    )
    def test_of_another_body_is_refused(self, send, body, pointer):
        response = send(json=body)
        assert response.status_code == 422
        assert [error["pointer"] for error in response.json["errors"]] == [pointer]

    def test_may_be_larger_than_other_requests(self, app, send):
        many = [{"url": f"https://example.com/{n}", "notes": "x" * 9000} for n in range(100)]
        assert len(json.dumps(many)) > 10 * app.config["MAX_CONTENT_LENGTH"]
        assert send(*many).json["added"] == 100

    def test_has_a_limit(self, send):
        response = send(json=None, data=b" " * (2**24 + 1), content_type="application/json")
        assert response.status_code == 413


class TestBackup:
    def test_has_every_bookmark_oldest_first(self, client, send):
        urls = [f"https://example.com/{number}" for number in range(120)]
        send(*({"url": url} for url in urls))
        response = client.get("/api/backup", headers=ADMIN)
        assert [bookmark["url"] for bookmark in response.json["bookmarks"]] == urls

    def test_is_a_file_that_no_cache_keeps(self, client):
        response = client.get("/api/backup", headers=ADMIN)
        assert response.headers["Content-Disposition"] == "attachment; filename=bookmarks.json"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.json == {"bookmarks": []}

    def test_can_be_imported_elsewhere(self, app, client, send, tmp_path):
        send(A | {"created": "1999-12-31T23:59:59Z"}, B)
        backup = client.get("/api/backup", headers=ADMIN)
        other = create_app(app.config | {"DATABASE": str(tmp_path / "other.sqlite")}).test_client()
        imported = other.post(
            "/api/import", headers=ADMIN, data=backup.data, content_type=backup.content_type
        )
        assert imported.json == {"added": 2, "known": 0}
        assert other.get("/api/backup", headers=ADMIN).data == backup.data
