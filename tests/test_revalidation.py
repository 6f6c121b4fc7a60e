"""What is revalidated is not served any more, wherever and however that is requested."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, url_for

import flask_routehandlers
from flask_routehandlers import (
    RevalidationError,
    RouteHandlers,
    RouteHandlersError,
    StoreError,
    revalidate_path,
    revalidate_tag,
)
from flask_routehandlers.cli import group
from tests.servers import RedisServer, redis_server
from tests.support import bare_app, configured, grow_older, until, write_files

COUNT = "from itertools import count\nfrom threading import Event\nruns = count(1)\n"
PAGE = f"{COUNT}revalidate = 60\n\ndef GET(params):\n    return str(next(runs))\n"
TAGGED = f"def cache_tags(id): return ['posts', f'post:{{id}}']\n{PAGE}"

FILES = {
    "posts/[id]/route.py": TAGGED,
    "posts/new/route.py": PAGE,
    "posts/route.py": f"cache_tags = ['posts']\n{PAGE}",
    "(shop)/items/(all)/[...path]/route.py": PAGE,
    "now/route.py": "def GET(): ...\n",
    "save/route.py": "def POST(): ...\n",
    "route.py": PAGE,
}
POST, OTHER, NEW = "/api/posts/1", "/api/posts/2", "/api/posts/new"
ITEM, OTHER_ITEM = "/api/items/a/b", "/api/items/c"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of an app: stored in the process, or in an empty server."""
    if request.param == "memory":
        return {}
    server = request.getfixturevalue("server")
    with server.client() as client:
        client.flushall()
    return {"url": server.url}


@pytest.fixture
def site(tree: Callable[..., Path], store: dict[str, str]) -> Flask:
    return configured(tree(FILES), **store)


def get(app: Flask, path: str) -> str:
    response = app.test_client().get(path)
    assert response.status_code == 200
    return response.text


def forgotten(app: Flask, revalidate: Callable[[], None], *paths: str) -> list[str]:
    """Which of some paths are computed anew after a call."""
    before = {path: get(app, path) for path in paths}
    with app.app_context():
        revalidate()
    return [path for path in paths if get(app, path) != before[path]]


# By path.


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/posts/1", [POST]),
        ("/api/posts/new", [NEW]),
        ("/api/posts", ["/api/posts"]),
        ("/api", ["/api"]),
        ("/api/items/a/b", [ITEM]),
        ("/api/posts/[id]", [POST, OTHER]),
        ("/api/items/[...path]", [ITEM, OTHER_ITEM]),
        ("/api/(shop)/items/(all)/[...path]", [ITEM, OTHER_ITEM]),
        ("/api/(shop)/items/[...path]", [ITEM, OTHER_ITEM]),
        ("/api/items/(all)/[...path]", [ITEM, OTHER_ITEM]),
    ],
)
def test_a_path_is_a_url_or_a_folder_path(site, path, expected):
    every = (POST, OTHER, NEW, "/api/posts", "/api", ITEM, OTHER_ITEM)
    assert forgotten(site, lambda: revalidate_path(path), *every) == expected


@pytest.mark.parametrize(
    "path",
    [
        "/api/posts/ä b%",
        "/api/posts/%C3%A4%20b%25",
        "/api/posts/%c3%a4 b%25",
        "/api/p%6Fsts/ä b%25",
    ],
)
def test_a_url_may_be_percent_encoded(site, path):
    url = "/api/posts/%C3%A4%20b%25"
    assert forgotten(site, lambda: revalidate_path(path), url, POST) == [url]


def test_an_ambiguous_path_means_both_urls(site):
    both = ("/api/posts/%2541", "/api/posts/A")
    assert forgotten(site, lambda: revalidate_path("/api/posts/%41"), *both, POST) == [*both]


def test_a_result_of_url_for_is_a_path(site):
    url = "/api/posts/%C3%A4%20b%3F"

    def revalidate() -> None:
        with site.test_request_context():
            assert url_for("api./posts/[id]", id="ä b?") == url
            revalidate_path(url_for("api./posts/[id]", id="ä b?"))

    assert forgotten(site, revalidate, url, POST) == [url]


def test_url_for_works_where_an_app_is_mounted(site):
    def revalidate() -> None:
        with site.test_request_context(environ_overrides={"SCRIPT_NAME": "/shop"}):
            assert url_for("api./posts/[id]", id="1") == f"/shop{POST}"
            revalidate_path(url_for("api./posts/[id]", id="1"))

    assert forgotten(site, revalidate, POST, OTHER) == [POST]


@pytest.mark.parametrize("is_external", [False, True])
@pytest.mark.parametrize("name", ["shop.example", "Shop.Example:8000", "bücher.example"])
def test_url_for_works_without_a_request(tree, store, name, is_external):
    app = configured(tree(FILES), **store)
    app.config |= {"SERVER_NAME": name, "APPLICATION_ROOT": "/shop"}

    def revalidate() -> None:
        url = url_for("api./posts/[id]", id="ä b?", _external=is_external)
        assert url.startswith("http://") == is_external
        revalidate_path(url)

    path = "/api/posts/%C3%A4%20b%3F"
    assert forgotten(app, revalidate, path, POST) == [path]


def test_a_trailing_slash_is_the_same_url(tree, store):
    folder = tree({"posts/[id]/route.py": TAGGED, "tags/[[...path]]/route.py": PAGE})
    app = configured(folder, strict_slashes=False, **store)
    for path in (POST, "/api/tags", "/api/tags/a"):
        both = (path, f"{path}/")
        for said in both:
            assert get(app, both[0]) == get(app, both[1])
            assert forgotten(app, lambda said=said: revalidate_path(said), *both) == [*both]


def test_the_query_of_a_path_is_ignored(site):
    def revalidate() -> None:
        with site.test_request_context():
            revalidate_path(url_for("api./posts/[id]", id="ä?", page=2))

    every = ("/api/posts/%C3%A4%3F", POST, "/api/posts/1%3Fpage=2")
    assert forgotten(site, revalidate, *every) == [every[0]]
    # As a decoded path it is another URL, which cannot be told from this one.
    assert forgotten(site, lambda: revalidate_path(f"{POST}?page=2"), *every) == [*every[1:]]
    with site.app_context(), pytest.raises(RevalidationError, match=r"now/route\.py is dynamic"):
        revalidate_path("/api/now?page=2")


UUID = "12345678-0000-4000-8000-12345678900"


@pytest.mark.parametrize(
    ("folder", "usual", "others", "different"),
    [
        ("[id=int]", "1", ("01", "001", "%D9%A1"), "10"),
        ("[id=float]", "1.5", ("01.5", "1.50"), "1.05"),
        ("[id=uuid]", f"{UUID}a", (f"{UUID}A",), f"{UUID}b"),
    ],
)
def test_all_spellings_of_parameters_are_meant(tree, store, folder, usual, others, different):
    app = configured(tree({f"{folder}/route.py": PAGE}), **store)
    same = [f"/api/{value}" for value in (usual, *others)]
    for said in same:
        expected = forgotten(
            app, lambda said=said: revalidate_path(said), *same, f"/api/{different}"
        )
        assert expected == same


def test_folder_paths_come_before_urls(site):
    # The file's own spelling comes first; such a URL is revalidated with all of the file's.
    every = ("/api/posts/%5Bid%5D", POST)
    assert forgotten(site, lambda: revalidate_path("/api/posts/[id]"), *every) == [*every]
    assert forgotten(site, lambda: revalidate_path("/api/posts/%5Bid%5D"), *every) == [every[0]]


def test_trees_and_prefixes_are_distinguished(tree, store):
    folder = tree({"posts/[id]/route.py": PAGE})
    write_files(folder / "app/pages", {"[id]/route.py": PAGE, "route.py": PAGE})
    app = configured(folder, **store)
    RouteHandlers(app, "app/pages", url_prefix="")
    RouteHandlers(app, "app/api", url_prefix="/<lang>/v1", name="v1")
    every = ("/api/posts/1", "/1", "/", "/en/v1/posts/1", "/de/v1/posts/1", "/en/v1/posts/2")
    for path, expected in (
        ("/api/posts/[id]", ["/api/posts/1"]),
        ("/[id]", ["/1"]),
        ("/", ["/"]),
        ("/en/v1/posts/1", ["/en/v1/posts/1"]),
        ("/<lang>/v1/posts/[id]", list(every[3:])),
    ):
        assert forgotten(app, lambda path=path: revalidate_path(path), *every) == expected


def test_a_long_path_can_be_revalidated(site):
    path = f"/api/posts/{'x' * 2000}"
    assert forgotten(site, lambda: revalidate_path(path), path, f"{path}y") == [path]


def test_a_folder_path_forgets_the_list(tree, store):
    closed = (
        "dynamic_params = False\nlisted = [{'id': '1'}]\n"
        f"def generate_static_params(): return listed\n{PAGE}"
    )
    app = configured(tree({"posts/[id]/route.py": closed}), **store)
    assert app.test_client().get(OTHER).status_code == 404
    app.view_functions["api./posts/[id]"].module.listed.append({"id": "2"})
    assert app.test_client().get(OTHER).status_code == 404
    with app.app_context():
        revalidate_path("/api/posts/[id]")
    assert get(app, OTHER) == "1"


def test_a_url_forgets_the_list_too(tree, store):
    closed = (
        "dynamic_params = False\nlisted = [{'id': '1'}]\n"
        f"def generate_static_params(): return listed\n{PAGE}"
    )
    app = configured(tree({"posts/[id]/route.py": closed}), **store)
    listed = app.view_functions["api./posts/[id]"].module.listed
    assert get(app, POST)
    assert app.test_client().get(OTHER).status_code == 404
    listed[:] = [{"id": "2"}]
    with app.app_context():
        revalidate_path(OTHER)
        revalidate_path(POST)
    assert get(app, OTHER)
    assert app.test_client().get(POST).status_code == 404


# By tag.


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("posts", [POST, OTHER, "/api/posts"]), ("post:1", [POST]), ("unknown", []), ("ä 🙂", [])],
)
def test_a_tag_revalidates_all_files(site, tag, expected):
    every = (POST, OTHER, "/api/posts", NEW, "/api")
    assert forgotten(site, lambda: revalidate_tag(tag), *every) == expected


def test_a_tag_needs_no_static_handler(make_app):
    app = make_app({"route.py": "def GET(): ..."})
    with app.app_context():
        revalidate_tag("posts")


def test_responses_are_stored_again_later(site):
    for run in ("1", "2", "3"):
        assert get(site, POST) == get(site, POST) == run
        with site.app_context():
            revalidate_tag("post:1")


# From where it is called.

WRITES = """
from flask_routehandlers import revalidate_path, revalidate_tag

def POST(request):
    if request.args.get("path"):
        revalidate_path(request.args["path"])
    for tag in request.args.getlist("tag"):
        revalidate_tag(tag)
    return "", 204
"""


@pytest.mark.parametrize("kind", ["def POST", "async def POST"])
def test_a_handler_may_revalidate(tree, store, kind):
    files = {**FILES, "save/route.py": WRITES.replace("def POST", kind)}
    app = configured(tree(files), **store)
    assert [get(app, path) for path in (POST, NEW)] == ["1", "1"]
    sent = {"path": NEW, "tag": ["post:1", "other"]}
    assert app.test_client().post("/api/save", query_string=sent).status_code == 204
    assert [get(app, path) for path in (POST, NEW)] == ["2", "2"]


def test_a_script_revalidates_for_servers(tree, server):
    folder = tree(FILES)
    app = configured(folder, url=server.url, prefix="script:")
    assert [get(app, path) for path in (POST, NEW)] == ["1", "1"]
    script = (
        "from tests.support import configured\nfrom pathlib import Path\n"
        "from flask_routehandlers import revalidate_path, revalidate_tag\n"
        f"app = configured(Path({str(folder)!r}), url={server.url!r}, prefix='script:')\n"
        "with app.app_context():\n"
        "    revalidate_path('/api/posts/new')\n    revalidate_tag('posts')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60, cwd=CHECKOUT)
    assert [get(app, path) for path in (POST, NEW)] == ["2", "2"]


def test_a_static_handler_may_revalidate(tree, store):
    tells = (
        "from flask_routehandlers import revalidate_tag\ncache_tags = ['own']\n"
        f"{PAGE.replace('return', 'revalidate_tag(TAG); return')}"
    )
    files = {
        **FILES,
        "tells/others/route.py": f"TAG = 'posts'\n{tells}",
        "tells/own/route.py": f"TAG = 'own'\n{tells}",
    }
    app = configured(tree(files), **store)
    get(app, POST)
    assert [get(app, "/api/tells/others") for _ in range(2)] == ["1", "1"]
    assert get(app, POST) == "2"
    for run in ("1", "2"):
        response = app.test_client().get("/api/tells/own")
        assert (response.text, response.headers["Cache-Control"]) == (run, "private, no-cache")
        assert response.headers["Cache-Status"] == "flask-routehandlers; fwd=miss"


# While a handler runs.

SLOW = """
from itertools import count
from threading import Event

revalidate = 60
cache_tags = ["posts"]
data = ["old"]
runs = count(1)
go = Event()
begun = Event()

def GET(id):
    seen = data[0]
    run = next(runs)
    begun.set()
    if not go.wait(20):
        raise TimeoutError
    return seen
"""
WAYS = {
    "a tag": lambda: revalidate_tag("posts"),
    "a URL": lambda: revalidate_path(POST),
    "folders": lambda: revalidate_path("/api/posts/[id]"),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_earlier_computation_is_not_stored(tree, store, way):
    app = configured(tree({"posts/[id]/route.py": SLOW}), **store)
    module = app.view_functions["api./posts/[id]"].module
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(app.test_client().get, POST)
        assert module.begun.wait(10)
        module.data[0] = "new"
        with app.app_context():
            WAYS[way]()
        # Also not to somebody who asks after the revalidation, while it still runs.
        late = pool.submit(get, app, POST)
        module.go.set()
        assert late.result() == "new"
        response = early.result()
    assert (response.text, response.headers["Cache-Control"]) == ("old", "private, no-cache")
    assert get(app, POST) == "new"


@pytest.mark.parametrize("way", WAYS)
def test_an_earlier_refresh_is_not_stored(tree, store, way, request):
    app = configured(tree({"posts/[id]/route.py": SLOW}), **store)
    module = app.view_functions["api./posts/[id]"].module
    module.go.set()
    assert get(app, POST) == "old"
    if store:
        request.getfixturevalue("server").make_stale(61)
    else:
        grow_older(app, 61)
    module.go.clear()
    module.begun.clear()
    assert get(app, POST) == "old"  # stale
    assert module.begun.wait(10)
    module.data[0] = "new"
    with app.app_context():
        WAYS[way]()
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(get, app, POST)
        module.go.set()
        assert late.result() == "new"
    assert until(lambda: repr(module.runs) == "count(4)")
    assert [get(app, POST) for _ in range(3)] == ["new"] * 3


def test_threads_never_see_older_answers(site):
    module = site.view_functions["api./posts"].module
    module.data = 0
    module.GET.__globals__["runs"] = iter(lambda: module.data, None)
    ended = threading.Event()
    floor = [0]

    def ask() -> tuple[int, int]:
        answers = old = 0
        while not ended.is_set():
            least = floor[0]
            old += int(get(site, "/api/posts")) < least
            answers += 1
        return answers, old

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        try:
            for number in range(1, 50):
                module.data = number
                with site.app_context():
                    revalidate_tag("posts")
                floor[0] = number
                time.sleep(0.002)
        finally:
            ended.set()
        counts = [asked.result() for asked in asking]
    assert sum(old for _, old in counts) == 0
    assert sum(answers for answers, _ in counts) > 20


# What cannot be revalidated.


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: revalidate_path("/api/now"),
            "revalidate_path('/api/now'): GET in now/route.py is dynamic, so nothing of it is "
            "stored. Remove the call, or make GET static with revalidate = 60 (seconds) or "
            "revalidate = False (until revalidated).",
        ),
        (
            lambda: revalidate_path("/api/save"),
            "revalidate_path('/api/save'): GET in save/route.py is dynamic, so nothing of it is "
            "stored. Remove the call, or make GET static with revalidate = 60 (seconds) or "
            "revalidate = False (until revalidated).",
        ),
        (
            lambda: revalidate_path("/api/post/1"),
            "revalidate_path('/api/post/1'): no route file has this URL. "
            "Did you mean '/api/posts'?",
        ),
        (
            lambda: revalidate_path("/api/posts/[slug]"),
            None,  # the URL of a post that has this name
        ),
        (
            lambda: revalidate_path("/nothing/like/it"),
            "revalidate_path('/nothing/like/it'): no route file has this URL. "
            "`flask routes` lists the URLs of the app.",
        ),
        (
            lambda: revalidate_path("/own"),
            "revalidate_path('/own'): no route file has this URL. "
            "`flask routes` lists the URLs of the app.",
        ),
        (
            lambda: revalidate_path("http://localhost/api/posts/1"),
            "revalidate_path('http://localhost/api/posts/1'): no route file has this URL. "
            "Write the path only, without scheme and host.",
        ),
        (
            lambda: revalidate_tag(""),
            "revalidate_tag was called with an empty tag, which is not a tag.",
        ),
    ],
)  # fmt: skip
def test_a_mistake_is_an_error_with_a_hint(site, call, message):
    site.add_url_rule("/own", "own", lambda: "")
    with site.app_context():
        if message is None:
            return call()
        with pytest.raises(RevalidationError) as caught:
            call()
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, RouteHandlersError)
    assert str(caught.value) == message
    return None


@pytest.mark.parametrize(
    "path",
    [
        *("/api/posts/", "//api/posts/1", "api/posts/1", "posts", "", "/api/posts//1"),
        *("http://localhost/api/posts/1", "/api/posts/1/", "/api/./posts/1", "/API/posts/1"),
    ],
)
def test_a_similar_path_is_an_error(site, path):
    with site.app_context(), pytest.raises(RevalidationError) as caught:
        revalidate_path(path)
    assert str(caught.value).startswith(f"revalidate_path({path!r}): no route file has this URL. ")


@pytest.mark.parametrize("value", [None, 7, b"/api", ["posts", "other"]])
def test_paths_and_tags_must_be_strings(site, value):
    with site.app_context():
        with pytest.raises(TypeError) as caught:
            revalidate_path(value)
        assert str(caught.value) == f"revalidate_path needs a path as a string, not {value!r}."
        with pytest.raises(TypeError) as caught:
            revalidate_tag(value)
        assert str(caught.value) == (
            f"revalidate_tag needs a tag as a string, not {value!r}. Call it for each tag."
        )


@pytest.mark.parametrize(("function", "argument"), [(revalidate_path, "/"), (revalidate_tag, "a")])
def test_an_app_context_is_needed(tmp_path, function, argument):
    name = function.__name__
    with pytest.raises(RuntimeError) as caught:
        function(argument)
    assert str(caught.value) == (
        f"{name} was called outside of an application context, so it is unknown which app is "
        "meant. Write: with app.app_context(): ..."
    )
    app = bare_app(tmp_path)
    with app.app_context(), pytest.raises(RevalidationError) as caught:
        function(argument)
    assert str(caught.value) == (
        f"{name}: the app {app.name!r} has no tree of route files. "
        "Write RouteHandlers(app) where it is made."
    )


def test_revalidating_raises_without_the_store(tree, caplog):
    with redis_server() as server:
        app = configured(tree({**FILES, "save/route.py": WRITES}), url=server.url)
        assert get(app, POST) == "1"
        server.kill()
        assert get(app, POST) == "2"  # in this process alone
        with app.app_context():
            for call in (lambda: revalidate_tag("post:1"), lambda: revalidate_path(POST)):
                with pytest.raises(StoreError, match="Connection"):
                    call()
        # This process has forgotten it all the same.
        assert get(app, POST) == "3"
        with app.app_context(), pytest.raises(StoreError):
            revalidate_path(POST)
        assert get(app, POST) == "4"
        assert app.test_client().post("/api/save?tag=posts").status_code == 500
        server.start()
        with app.app_context():
            revalidate_tag("post:1")
        assert until(lambda: get(app, POST) >= "5")


# The command.

CHECKOUT = Path(flask_routehandlers.__file__).parents[1]
WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
app.config["SECRET_KEY"] = "shared by all"
app.config["ROUTE_HANDLERS_CACHE_URL"] = {url!r}
RouteHandlers(app)
"""


def command(app: Flask, *arguments: str) -> tuple[int, str]:
    """Exit status and output of the command, in this process."""
    result = app.test_cli_runner().invoke(group, ["revalidate", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def shared(tree: Callable[..., Path], server: RedisServer) -> Flask:
    with server.client() as client:
        client.flushall()
    return configured(tree(FILES), url=server.url)


def test_the_command_revalidates(shared):
    every = (POST, OTHER, NEW, ITEM)
    assert [get(shared, path) for path in every] == ["1", "2", "1", "1"]
    assert command(shared, "/api/posts/new", "/api/items/[...path]", "--tag", "post:1") == (
        0,
        "Revalidated /api/posts/new\nRevalidated /api/items/[...path]\n"
        "Revalidated the tag post:1\n",
    )
    assert [get(shared, path) for path in every] == ["3", "2", "2", "2"]


def test_the_command_prints_what_it_did(shared):
    get(shared, NEW)
    status, output = command(shared, NEW, "/api/post/1", POST, "--tag", "posts")
    assert (status, output) == (
        1,
        "Revalidated /api/posts/new\n"
        "Error: revalidate_path('/api/post/1'): no route file has this URL. "
        "Did you mean '/api/posts'?\n",
    )
    assert get(shared, NEW) == "2"


def test_the_command_refuses_an_empty_tag(shared):
    assert command(shared, "--tag", "") == (
        1, "Error: revalidate_tag was called with an empty tag, which is not a tag.\n",
    )  # fmt: skip


def test_the_command_needs_an_argument(shared):
    status, output = command(shared)
    assert status == 2
    assert output.endswith("Error: Give a PATH or a --tag.\n")


def test_the_command_needs_a_shared_store(tree):
    app = configured(tree(FILES))
    assert command(app, NEW) == (
        2,
        f"Error: The app {app.name!r} stores responses of static handlers in the memory of each "
        "process, which this command cannot reach.\n"
        "Set ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey server.\n",
    )


def test_the_command_reports_a_late_setting(tree):
    app = configured(tree(FILES))
    app.config["ROUTE_HANDLERS_CACHE_URL"] = "redis://127.0.0.1:1/0"
    assert command(app, NEW) == (
        2,
        "Error: ROUTE_HANDLERS_CACHE_URL in app.config was set after RouteHandlers read it, "
        "and has no effect.\n"
        "Set it before RouteHandlers(app), or init_app(app), is called.\n",
    )


def test_the_command_fails_without_the_store(tree):
    with redis_server() as server:
        app = configured(tree(FILES), url=server.url)
    status, output = command(app, NEW)
    assert status == 1
    assert output.startswith("Error: The store cannot be reached: ")
    assert output.endswith(". What is stored is served until it is stale.\n")


def test_the_command_works_in_a_shell(tmp_path, server):
    files = {f"app/api/{name}": text for name, text in FILES.items()}
    write_files(tmp_path, {"wsgi.py": WSGI.format(url=server.url), **files})
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FLASK")}
    environment["PYTHONPATH"] = str(CHECKOUT)

    def flask(*arguments: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "flask", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    asked = flask("route-handlers", "revalidate", "/api/posts/[id]", "--tag", "posts")
    assert (asked.returncode, asked.stdout, asked.stderr) == (
        0, "Revalidated /api/posts/[id]\nRevalidated the tag posts\n", "",
    )  # fmt: skip
    missing = flask("route-handlers", "revalidate", "/api/now")
    assert missing.returncode == 1
    assert missing.stderr.startswith("Error: revalidate_path('/api/now'): GET in now/route.py is")
