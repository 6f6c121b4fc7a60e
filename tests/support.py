"""What tests share beside fixtures: files on disk, apps, and a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

#: What a route file holds where only its place matters.
ECHO = "def GET(request, params):\n    return {'rule': request.url_rule.rule, 'params': params}\n"


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder: paths with ``/``, and their contents."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def bare_app(folder: Path, **options: Any) -> Flask:
    """An app whose folder is ``folder``, without any route of its own."""
    return Flask(f"app_of_{folder.name}", root_path=str(folder), static_folder=None, **options)


class _QuietHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def running(app: Flask) -> Iterator[int]:
    """Serve an app with Werkzeug's server on a free port, which is given."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_QuietHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
