"""A server of several processes, each with its own store: one warning in its log."""

from __future__ import annotations

import logging
from http.client import HTTPConnection

import pytest

from flask_routehandlers import RouteHandlers
from tests.servers import gunicorn, redis_server
from tests.support import bare_app, configured, until, write_files

STATIC = "revalidate = 60\n\n\ndef GET():\n    return 'static'\n"
SEVERAL = {"wsgi.multiprocess": True}

WARNING = (
    "Static responses are stored in the memory of each process, and this server runs several "
    "processes: revalidate_path and revalidate_tag reach only one of them. Set "
    "ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey server."
)

WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
RouteHandlers(app)
"""


def test_several_processes_are_logged_once(make_app, caplog):
    app = make_app({"a/route.py": STATIC, "b/route.py": STATIC})
    for path in ("/api/a", "/api/b", "/api/a"):
        assert app.test_client().get(path, environ_overrides=SEVERAL).status_code == 200
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [(logging.WARNING, WARNING)]


def test_one_process_is_not_logged(make_app, caplog):
    app = make_app({"a/route.py": STATIC})
    assert app.test_client().get("/api/a").status_code == 200
    assert caplog.records == []


def test_a_shared_store_is_not_logged(tree, caplog):
    with redis_server() as server:
        app = configured(tree({"a/route.py": STATIC}), url=server.url)
        client = app.test_client()
        assert client.get("/api/a", environ_overrides=SEVERAL).status_code == 200
    assert caplog.records == []


def test_dynamic_handlers_are_not_logged(make_app, caplog):
    app = make_app({"a/route.py": "def GET(): return 'dynamic'\n"})
    assert app.test_client().get("/api/a", environ_overrides=SEVERAL).status_code == 200
    assert caplog.records == []


@pytest.mark.parametrize("name", ["WEB_CONCURRENCY", "GUNICORN_CMD_ARGS"])
def test_settings_of_servers_do_not_matter(tree, monkeypatch, name):
    monkeypatch.setenv(name, "4")
    RouteHandlers(bare_app(tree({"a/route.py": STATIC})))


@pytest.mark.ci
@pytest.mark.parametrize(("workers", "count"), [(1, 0), (2, 1)])
def test_gunicorn_logs_it_for_several_workers(tmp_path, workers, count):
    write_files(tmp_path, {"wsgi.py": WSGI, "app/api/a/route.py": STATIC})
    with gunicorn(tmp_path, f"--workers={workers}") as running:
        connection = HTTPConnection("127.0.0.1", running.port, timeout=20)
        connection.request("GET", "/api/a")
        assert connection.getresponse().status == 200
        connection.close()
        assert until(lambda: running.output.count(WARNING) == count)
