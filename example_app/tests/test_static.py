"""The cached feeds and overview, and when they are revalidated."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from contextlib import nullcontext

import pytest
from flask.cli import ScriptInfo

from example_app import create_app
from example_app.app.api._lib import database
from flask_routehandlers import StoreError
from flask_routehandlers.cli import group
from tests.servers import redis_server

STATIC = ["/api/feed.xml", "/api/feeds/x.xml", "/api/about"]
TOKEN = {"Authorization": "Bearer token-for-tests"}


def create(client):
    return client.post("/api/bookmarks", json={"url": "https://example.com/new", "tags": ["x"]})


def update(client):
    return client.patch("/api/bookmarks/1", json={"title": "Another title"})


def delete(client):
    return client.delete("/api/bookmarks/1")


def rename_a_tag(client):
    return client.patch("/api/tags/y", json={"name": "x"})


def import_many(client):
    body = {"bookmarks": [{"url": "https://example.com/new", "tags": ["x"]}]}
    return client.post("/api/import", json=body, headers=TOKEN)


def receive(client):
    body = json.dumps({"url": "https://example.com/new", "tags": ["x"]}).encode()
    signature = hmac.new(b"a secret for tests", body, hashlib.sha256).hexdigest()
    headers = {"X-Signature": f"sha256={signature}"}
    return client.post("/api/webhook", data=body, headers=headers, content_type="application/json")


WRITES = [create, update, delete, rename_a_tag, import_many, receive]


@pytest.fixture
def two(add):
    add("https://example.com/a", title="A", tags=["x"])
    add("https://example.com/b", title="B", tags=["x", "y"])


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("path", STATIC)
def test_a_second_reader_gets_what_is_stored(client, path):
    first, second = client.get(path), client.get(path)
    assert "fwd=miss; stored" in first.headers["Cache-Status"]
    assert "; hit; ttl=" in second.headers["Cache-Status"]
    assert first.data == second.data
    # The middleware runs all the same.
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert second.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("write", WRITES)
def test_after_a_write_everyone_gets_new_data(client, write):
    before = [client.get(path).data for path in STATIC]
    assert [client.get(path).data for path in STATIC] == before
    assert write(client).status_code < 300
    after = [client.get(path) for path in STATIC]
    assert all("fwd=miss" in response.headers["Cache-Status"] for response in after)
    assert [response.data for response in after] != before


@pytest.mark.usefixtures("two")
def test_a_failed_write_revalidates_nothing(client):
    client.get("/api/feed.xml")
    assert client.delete("/api/bookmarks/99").status_code == 404
    assert client.patch("/api/tags/z", json={"name": "x"}).status_code == 404
    assert create(client).status_code == 201
    client.get("/api/feed.xml")
    assert create(client).status_code == 409
    assert "hit" in client.get("/api/feed.xml").headers["Cache-Status"]


@pytest.mark.usefixtures("two")
def test_a_feed_rendered_during_a_write_is_not_kept(app, monkeypatch):
    made, go_on = threading.Event(), threading.Event()
    render = database.bookmarks.find

    def find(*arguments, **options):
        found = render(*arguments, **options)
        if not made.is_set():
            made.set()
            go_on.wait(10)
        return found

    monkeypatch.setattr(database.bookmarks, "find", find)
    reader = threading.Thread(target=lambda: app.test_client().get("/api/feed.xml"))
    reader.start()
    assert made.wait(10)  # it has read what is there before the write
    assert create(app.test_client()).status_code == 201
    go_on.set()
    reader.join()
    assert b"https://example.com/new" in app.test_client().get("/api/feed.xml").data


def test_a_write_succeeds_while_the_store_is_down(client, monkeypatch, caplog):
    def down(tag):
        raise StoreError("down")

    monkeypatch.setattr(database, "revalidate_tag", down)
    assert create(client).status_code == 201
    assert client.get("/api/bookmarks/1").status_code == 200
    assert "were not revalidated" in caplog.text


@pytest.mark.parametrize("is_shared", [True, False])
def test_workers_with_one_store_share_writes(tmp_path, is_shared):
    config = {"DATABASE": str(tmp_path / "bookmarks.sqlite"), "SECRET_KEY": "for tests"}
    with redis_server() if is_shared else nullcontext() as server:
        if server is not None:
            config["ROUTE_HANDLERS_CACHE_URL"] = f"{server.url}?socket_timeout=5"
        one, other = (create_app(config).test_client() for _ in range(2))
        assert one.get("/api/feed.xml").data == other.get("/api/feed.xml").data
        assert create(one).status_code == 201
        assert b"example.com/new" in one.get("/api/feed.xml").data
        assert (b"example.com/new" in other.get("/api/feed.xml").data) == is_shared
        assert len(other.get("/api/bookmarks").json["bookmarks"]) == 4


@pytest.mark.usefixtures("two")
def test_the_feeds_and_the_page_can_be_exported(app, client, tmp_path):
    folder = tmp_path / "site"
    info = ScriptInfo(create_app=lambda: app)
    run = app.test_cli_runner().invoke
    refused = run(group, ["export", str(folder)], obj=info)
    assert refused.exit_code == 2
    assert "It has middleware, which a static host does not run." in refused.output
    done = run(group, ["export", str(folder), "--without-middleware"], obj=info)
    assert done.exit_code == 0, done.output
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert files == {
        "manifest.json",
        "api/about.html",
        "api/feed.xml",
        "api/feeds/x.xml",
        "api/feeds/y.xml",
    }
    assert (folder / "api/feed.xml").read_bytes() == client.get("/api/feed.xml").data
    assert 'href="/api/feeds/y.xml"' in (folder / "api/about.html").read_text()


def test_the_store_comes_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://localhost:6379/0")
    monkeypatch.setenv("SECRET_KEY", "a secret")
    app = create_app({"DATABASE": str(tmp_path / "bookmarks.sqlite")})
    assert app.config["ROUTE_HANDLERS_CACHE_URL"] == "redis://localhost:6379/0"
