"""The app factory, the URLs, the first start."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from importlib import import_module

import pytest
from flask import g, request
from werkzeug.exceptions import Unauthorized

from example_app import create_app
from flask_routehandlers.testing import override, route


def test_the_tree_gives_these_urls(app):
    found = {
        rule.rule: " ".join(sorted(rule.methods - {"HEAD", "OPTIONS"}))
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
    }
    assert found == {
        "/api": "GET",
        "/api/about": "GET",
        "/api/backup": "GET",
        "/api/bookmarks": "GET POST",
        "/api/bookmarks/<int:id>": "DELETE GET PATCH",
        "/api/bookmarks/export-<int:year>.csv": "GET",
        "/api/browse": "GET",
        "/api/browse/<path:tags>": "GET",
        "/api/docs": "GET",
        "/api/docs/<path:asset>": "GET",
        "/api/events": "GET",
        "/api/feed.xml": "GET",
        "/api/feeds/<tag>.xml": "GET",
        "/api/import": "POST",
        "/api/openapi.json": "GET",
        "/api/search": "GET",
        "/api/sites/<path:path>": "GET",
        "/api/tags": "GET",
        "/api/tags/<slug>": "GET PATCH",
        "/api/webhook": "POST",
    }


def test_every_entry_point_of_the_api_is_there(client):
    for name, url in client.get("/api").json.items():
        method = "POST" if name == "webhook" else "GET"
        assert client.open(url, method=method).status_code in (200, 401), url


def test_the_start_page_leads_to_the_page(client):
    response = client.get("/", follow_redirects=True)
    assert response.request.path == "/api/browse"
    assert response.status_code == 200


def test_a_new_database_has_a_few_bookmarks(tmp_path):
    app = create_app({"DATABASE": str(tmp_path / "made" / "here.sqlite")})
    assert len(app.test_client().get("/api/bookmarks").json["bookmarks"]) == 3


def test_deleted_samples_stay_deleted(tmp_path):
    config = {"DATABASE": str(tmp_path / "bookmarks.sqlite")}
    client = create_app(config).test_client()
    for number in (1, 2, 3):
        assert client.delete(f"/api/bookmarks/{number}").status_code == 204
    assert create_app(config).test_client().get("/api/bookmarks").json["bookmarks"] == []


def test_concurrent_starts_fill_a_database_once(tmp_path):
    config = {"DATABASE": str(tmp_path / "bookmarks.sqlite")}
    with ThreadPoolExecutor(8) as pool:
        apps = list(pool.map(create_app, [config] * 8))
    assert len(apps[0].test_client().get("/api/bookmarks").json["bookmarks"]) == 3


def test_samples_wait_for_another_worker(tmp_path):
    path = str(tmp_path / "bookmarks.sqlite")
    create_app({"DATABASE": path, "SAMPLES": False})
    with closing(sqlite3.connect(path)) as other, ThreadPoolExecutor() as pool:
        other.execute("INSERT INTO bookmark (url, title, notes) VALUES ('http://a/', 'a', '')")
        starting = pool.submit(create_app, {"DATABASE": path})
        assert not wait([starting], timeout=0.3).done
        other.commit()
        client = starting.result(timeout=10).test_client()
    assert len(client.get("/api/bookmarks").json["bookmarks"]) == 1


def test_the_database_is_in_the_instance_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("flask.Flask.auto_find_instance_path", lambda self: str(tmp_path))
    create_app()
    assert (tmp_path / "bookmarks.sqlite").is_file()


@pytest.mark.parametrize("name", ["WEBHOOK_SECRET", "ADMIN_TOKEN", "CORS_ORIGINS", "SECRET_KEY"])
def test_settings_come_from_the_environment(tmp_path, monkeypatch, name):
    monkeypatch.delenv(name, raising=False)
    assert create_app({"DATABASE": str(tmp_path / "one.sqlite")}).config[name] == ""
    monkeypatch.setenv(name, "from outside")
    assert create_app({"DATABASE": str(tmp_path / "two.sqlite")}).config[name] == "from outside"


def test_concurrent_writers_do_not_fail(app):
    def write(number: int) -> int:
        client = app.test_client()
        json = {"url": f"https://example.com/{number}", "tags": ["many"]}
        return client.post("/api/bookmarks", json=json).status_code

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(write, range(80))) == [201] * 80
    assert app.test_client().get("/api/tags").json == {"tags": {"many": 80}}


def test_a_request_closes_its_connection(app, client):
    connections = []

    def note(db):
        connections.append(db)
        return db

    with override(app, db=note):
        assert client.post("/api/bookmarks", json={"url": "https://a.example"}).status_code == 201
        assert client.get("/api/bookmarks/1").json["url"] == "https://a.example/"
    assert len(connections) == 2
    for connection in connections:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            connection.execute("SELECT 1")


def test_a_failed_write_is_rolled_back(client, monkeypatch):
    def fail(*arguments):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("example_app.app.api._lib.bookmarks._set_tags", fail)
        with pytest.raises(RuntimeError):
            client.post("/api/bookmarks", json={"url": "https://a.example"})
    assert client.get("/api/bookmarks").json["bookmarks"] == []


def test_handlers_and_guards_are_functions(app):
    bookmark = {"id": 1, "title": "A"}
    assert route(app, "bookmarks/[id=int]").GET(bookmark=bookmark) == bookmark
    guard = import_module("example_app.app.api.(admin).dependencies")
    with app.test_request_context():
        g.request_id = "mine"
        assert guard.administrator(request, "token-for-tests") is None
        assert isinstance(guard.administrator(request, "other"), Unauthorized)


def test_every_write_is_in_a_transaction(app):
    result = app.test_cli_runner().invoke(
        args=["route-handlers", "list", "--unsafe", "--without", "transaction"]
    )
    assert (result.exit_code, result.output) == (0, "No handlers.\n")
