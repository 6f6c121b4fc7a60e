"""nginx with the configurations that pages of the documentation show."""

from __future__ import annotations

import json
import re
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from flask import request
from flask.cli import ScriptInfo

from flask_routehandlers.cli import group
from tests.servers import needs_nginx, nginx
from tests.support import configured, running

DOCS = Path(__file__).parents[1] / "docs"

pytestmark = [needs_nginx, pytest.mark.ci]


def shown_in(page: str) -> tuple[str, str]:
    """What a page shows inside of nginx's server, and around it."""
    [block] = re.findall(r"^```nginx\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.M | re.S)
    around, _, server = block.partition("server {\n")
    inside, closed, rest = server.rpartition("}")
    assert closed
    assert not rest.strip()
    return inside, around


def get(port: int, path: str, **headers: str) -> tuple[int, str | None, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read()
    finally:
        connection.close()


def test_nginx_serves_an_export_under_its_urls(tree, tmp_path):
    static = "from flask import request\nrevalidate = False\ndef GET():\n    return "
    listed = "def generate_static_params():\n    return [{'name': n} for n in ('a', 'b c', 'é')]\n"
    files = {
        "posts/route.py": f"{static}['all']\n",
        "posts/[name]/route.py": f"{listed}{static}request.view_args\n",
        "pages/about/route.py": f"{static}'<h1>About</h1>'\n",
        "pages/about/us/route.py": f"{static}'<h1>Us</h1>'\n",
        "docs/route.py": f"{static}'<h1>Docs</h1>'\n",
    }
    app = configured(tree(files))
    site = tmp_path / "site"
    info = ScriptInfo(create_app=lambda: app)
    done = app.test_cli_runner().invoke(group, ["export", str(site)], obj=info)
    assert done.exit_code == 0, done.output
    items = json.loads((site / "manifest.json").read_text("utf-8"))["urls"]
    assert len(items) == 7
    tmp_path.chmod(0o755)
    inside, around = shown_in("static.md")
    assert "/srv/site" in inside
    types = "types { text/html html; application/json json; }\n"
    with nginx(tmp_path, inside.replace("/srv/site", str(site)), types + around) as port:
        client = app.test_client()
        for item in items:
            status, kind, body = get(port, item["url"])
            assert (status, body) == (200, client.get(item["url"]).data), item
            assert kind is not None
            assert kind.partition(";")[0] == item["headers"]["Content-Type"].partition(";")[0]
        assert get(port, "/manifest.json")[0] == 404
        assert get(port, "/api/posts/none")[0] == 404


def test_nginx_stores_static_responses_for_everyone(tree, tmp_path):
    runs = "from itertools import count\nruns = count(1)\n"
    handler = f"{runs}def GET():\n    return str(next(runs))\n"
    app = configured(
        tree({"static/route.py": f"revalidate = 60\n{handler}", "now/route.py": handler})
    )
    asked: list[Any] = []

    @app.before_request
    def note() -> None:
        asked.append(request.path)

    tmp_path.chmod(0o755)
    inside, around = shown_in("machines.md")
    # The helper listens on another port.
    inside = re.sub(r"^ *listen [^\n]*\n", "", inside, flags=re.M)
    around = around.replace("/var/cache/nginx/shop", str(tmp_path / "cache"))
    with running(app) as upstream:
        inside = inside.replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
        with nginx(tmp_path, inside, around) as port:
            assert [get(port, "/api/static")[2] for _ in range(3)] == [b"1"] * 3
            assert [get(port, "/api/now")[2] for _ in range(3)] == [b"1", b"2", b"3"]
            assert get(port, "/api/static", Cookie="a=1")[2] == b"1"
    assert asked.count("/api/static") == 1
