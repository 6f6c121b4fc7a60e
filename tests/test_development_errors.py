"""Help for developers: tracebacks of handlers and files, and near routes in a 404."""

from __future__ import annotations

import html
import re
import traceback
from pathlib import Path

import pytest
from flask import abort
from werkzeug.debug import DebuggedApplication
from werkzeug.test import Client

import flask_routehandlers
from flask_routehandlers import RouteHandlers
from tests.support import bare_app

PACKAGE = str(Path(flask_routehandlers.__file__).parent)
NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check "
    "your spelling and try again."
)


def debug(tree, files):
    app = bare_app(tree(files))
    app.debug = True
    RouteHandlers(app)
    return app


def debugger_page(app, path):
    """The page of Werkzeug's debugger, as text."""
    response = Client(DebuggedApplication(app)).get(path)
    assert response.status_code == 500
    return response.text


def frames(page):
    """File, line and function of each frame on a page of the debugger, outermost first."""
    found = re.findall(
        r'File <cite class="filename">"(.*?)"</cite>,\s*line <em class="line">(\d+)</em>,'
        r'\s*in <code class="function">(.*?)</code>',
        page,
    )
    return [(html.unescape(file), int(line), html.unescape(name)) for file, line, name in found]


# An exception in a handler.


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def GET(id):\n    return 1 / 0\n", 2),
        ("def GET(request, id):\n    return 1 / 0\n", 2),
        ("def GET(params):\n    x = 0\n    return 1 / x\n", 3),
        ("async def GET(id):\n    return 1 / 0\n", 2),
        ("def helper():\n    return 1 / 0\ndef GET():\n    return helper()\n", 2),
        ("revalidate = 60\ndef GET(id):\n    return 1 / 0\n", 3),
        ("revalidate = 60\ndef cache_tags(id):\n    return 1 / 0\ndef GET(): ...\n", 3),
    ],
)
def test_the_debugger_shows_the_line_of_a_handler(tree, source, line):
    app = debug(tree, {"posts/[id]/route.py": source})
    shown = frames(debugger_page(app, "/api/posts/7"))
    file = f"{app.root_path}/app/api/posts/[id]/route.py"
    assert shown[-1][:2] == (file, line)
    names = [name for where, _, name in shown if where == file]
    assert names[0] == ("cache_tags" if "cache_tags" in source else "GET")
    ours = [frame for frame in shown if frame[0].startswith(PACKAGE)]
    # Async code has the frames of the event loop as well.
    assert 1 <= len(ours) <= (7 if "async def" in source else 3)


def test_few_frames_are_between_middleware_and_handler(tree):
    files = {
        "middleware.py": "def first(call_next):\n    return call_next()\n"
        "def second(call_next):\n    return call_next()\nmiddleware = [first, second]\n",
        "posts/middleware.py": "def middleware(call_next):\n    return call_next()\n",
    }
    for source in ("def GET(): return 1 / 0\n", "def GET(params): return 1 / 0\n"):
        app = debug(tree, files | {"posts/route.py": source})
        shown = frames(debugger_page(app, "/api/posts"))
        names = [name if PACKAGE not in where else "ours" for where, _, name in shown]
        last = " ".join(names[names.index("ours") :])
        pattern = "(ours ){1,2}first (ours ){1,2}second (ours ){1,2}middleware (ours ){1,3}GET"
        assert re.fullmatch(pattern, last), last


def test_causes_in_a_static_handler_are_shown(tree, caplog):
    source = (
        "revalidate = 60\ndef GET():\n    try:\n        {}['key']\n"
        "    except KeyError as error:\n        raise ValueError('no value') from error\n"
    )
    app = debug(tree, {"posts/route.py": source})
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.test_client().get("/api/posts")
    assert "KeyError: 'key'" in caplog.text
    assert "ValueError: no value" in caplog.text
    assert caplog.text.count(f'File "{PACKAGE}') <= 2


def test_tracebacks_have_the_file_and_its_code(tree, caplog):
    app = debug(tree, {"posts/[id]/route.py": "def GET(id):\n    return 1 / 0  # here\n"})
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert app.test_client().get("/api/posts/7").status_code == 500
    [record] = caplog.records
    last = traceback.extract_tb(record.exc_info[2])[-1]
    assert last.filename == f"{app.root_path}/app/api/posts/[id]/route.py"
    assert (last.lineno, last.name) == (2, "GET")
    assert "return 1 / 0  # here" in caplog.text


# A file that cannot be imported.


def test_the_debugger_shows_a_syntax_error(tree):
    app = debug(tree, {"bad/route.py": "\ndef GET(:\n", "good/route.py": "def GET(): return 'x'"})
    page = html.unescape(debugger_page(app, "/api/bad"))
    assert f'File "{app.root_path}/app/api/bad/route.py", line 2' in page
    assert "SyntaxError: invalid syntax" in page
    assert "bad/route.py could not be imported" in page
    assert app.test_client().get("/api/good").text == "x"


@pytest.mark.parametrize(
    "source",
    ["import sys\n\n1 / 0\n", "\n\nimport _no_such_module\n", "\n\nraise SystemExit(3)\n"],
)
def test_the_traceback_of_an_import_is_short(tree, source):
    app = debug(tree, {"bad/route.py": source})
    with pytest.raises(flask_routehandlers.RouteImportError) as caught:
        app.test_client().get("/api/bad")
    first, *more = traceback.extract_tb(caught.value.__cause__.__traceback__)
    assert first.filename == f"{app.root_path}/app/api/bad/route.py"
    assert (first.lineno, first.name) == (3, "<module>")
    assert more == []


def test_an_import_error_shows_the_users_modules(tree):
    files = {
        "bad/helper.py": "def f():\n    1 / 0\nf()\n",
        "bad/route.py": "from . import helper\n",
    }
    app = debug(tree, files)
    with pytest.raises(flask_routehandlers.RouteImportError) as caught:
        app.test_client().get("/api/bad")
    found = traceback.extract_tb(caught.value.__cause__.__traceback__)
    assert [(Path(f.filename).name, f.lineno) for f in found] == [
        ("route.py", 1),
        ("helper.py", 3),
        ("helper.py", 2),
    ]


# A URL that nothing matches.

ROUTES = (
    "bookmarks",
    "bookmarks/[id]",
    "files/[...path]",
    "users/[id=int]",
    "users/[id=int]/posts",
    "users/[id=int]/profile",
    "reports/[id].json",
    "(admin)/Login",
    "logout",
)


def did_you_mean(app, path, accept="application/json"):
    """Return the detail of a 404 after Werkzeug's own words."""
    response = app.test_client().get(path, headers={"Accept": accept})
    assert response.status_code == 404
    detail = response.json["detail"]
    assert detail.startswith(NOT_FOUND)
    return detail.removeprefix(NOT_FOUND).lstrip()


@pytest.mark.parametrize(
    ("path", "question"),
    [
        ("/api/bookmark", "Did you mean /api/bookmarks?"),
        ("/api/bookmarks/", "Did you mean /api/bookmarks?"),
        ("/api//bookmarks", "Did you mean /api/bookmarks?"),
        ("/api/BOOKMARKS", "Did you mean /api/bookmarks?"),
        ("/api/bokmark/7", "Did you mean /api/bookmarks/<id>?"),
        ("/api/bookmarks/7/8", "Did you mean /api/bookmarks/<id>?"),
        ("/api/files", "Did you mean /api/files/<path:path>?"),
        ("/api/file/a/b/c", "Did you mean /api/files/<path:path>?"),
        ("/api/users/Ada", "Did you mean /api/users/<int:id>?"),
        ("/api/users/7/post", "Did you mean /api/users/<int:id>/posts?"),
        ("/api/users/7/prof", "Did you mean /api/users/<int:id>/profile?"),
        (
            "/api/users/7/p",
            "Did you mean /api/users/<int:id>/posts, /api/users/<int:id> "
            "or /api/users/<int:id>/profile?",
        ),
        ("/api/reports/7.jsn", "Did you mean /api/reports/<id>.json?"),
        ("/api/login", "Did you mean /api/Login?"),
        ("/api/xyz", ""),
        ("/api/xyz/12345678-1234-1234-1234-123456789abc", ""),
        ("/api", ""),
        ("/api/", ""),
    ],
)
def test_a_404_in_debug_mode_names_near_routes(make_app, path, question):
    app = make_app({}, *ROUTES)
    app.debug = True
    assert did_you_mean(app, path) == question


def test_a_404_outside_debug_mode_names_none(make_app):
    assert did_you_mean(make_app({}, *ROUTES), "/api/bookmark") == ""


def test_a_404_as_html_names_near_routes(make_app):
    app = make_app({}, *ROUTES)
    app.debug = True
    response = app.test_client().get("/api/bookmark/7", headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert f"{NOT_FOUND} Did you mean /api/bookmarks/&lt;id&gt;?</p>" in response.text


def test_near_routes_are_of_the_urls_own_tree(tree):
    app = bare_app(tree({}, "users"))
    app.debug = True
    other = tree({}, "user")
    RouteHandlers(app)
    RouteHandlers(app, other / "app/api", url_prefix="/<lang>/v2", name="v2")
    assert did_you_mean(app, "/api/usr") == "Did you mean /api/users?"
    assert did_you_mean(app, "/en/v2/usr") == "Did you mean /<lang>/v2/user?"


@pytest.mark.parametrize(
    ("code", "detail"),
    [("abort(404)", NOT_FOUND), ("abort(404, 'No such bookmark.')", "No such bookmark.")],
)
def test_a_404_of_a_handler_is_unchanged(make_app, code, detail):
    source = f"from flask import abort\ndef GET(id):\n    {code}\n"
    app = make_app({"bookmarks/[id]/route.py": source}, "bookmarks")
    app.debug = True
    assert app.test_client().get("/api/bookmarks/7").json["detail"] == detail


def test_a_404_of_a_hook_is_unchanged(make_app):
    app = make_app({}, *ROUTES)
    app.debug = True
    app.before_request(lambda: abort(404, "Closed."))
    assert app.test_client().get("/api/bookmark").json["detail"] == "Closed."


def test_a_404_that_the_app_handles_is_unchanged(make_app):
    app = make_app({}, *ROUTES)
    app.debug = True
    app.register_error_handler(404, lambda error: (error.description, 404))
    assert app.test_client().get("/api/bookmark").text == NOT_FOUND
