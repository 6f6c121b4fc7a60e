"""``match``, ``list``, ``check`` and ``new`` show, audit and write dependencies."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from flask_routehandlers import RouteHandlers
from tests.commands import invoke
from tests.support import bare_app, write_files

FILES = {
    "dependencies.py": """
def db(): return "db"

def user(db): return "Ada"

def unused(user): return 1
""",
    "middleware.py": """
def limit(call_next): return call_next()

def measure(call_next, db): return call_next()

middleware = [limit, measure]
""",
    "articles/route.py": """
def GET(): return []
def POST(user): return ""
""",
    "articles/[slug]/dependencies.py": """
def article(slug, db): return slug
def own_article(user, article): return article
""",
    "articles/[slug]/route.py": """
def GET(article): return article

def PUT(own_article): return own_article
""",
    "feed/route.py": """
revalidate = 60

def GET(db): return db
""",
    "login/route.py": "def POST(): return ''",
    "pages/[[...path]]/route.py": "def QUERY(path): return path",
    "(admin)/middleware.py": "def middleware(call_next, user): return call_next()",
    "(admin)/backup/route.py": "def POST(): return ''",
}

#: The rows of the table: its columns are two spaces apart.
TABLE = [
    ("Method", "URL", "File", "Middleware", "Dependencies", "Static"),
    ("POST", "/api/backup", "(admin)/backup/route.py:1", "limit, measure, middleware", "db, user"),
    ("GET", "/api/articles/<slug>", "articles/[slug]/route.py:2", "limit, measure", "db, article"),
    (
        "PUT",
        "/api/articles/<slug>",
        "articles/[slug]/route.py:4",
        "limit, measure",
        "db, user, article, own_article",
    ),
    ("GET", "/api/articles", "articles/route.py:2", "limit, measure", "db"),
    ("POST", "/api/articles", "articles/route.py:3", "limit, measure", "db, user"),
    ("GET", "/api/feed", "feed/route.py:4", "limit, measure", "db", "for 60 seconds"),
    ("POST", "/api/login", "login/route.py:1", "limit, measure", "db"),
    (
        "QUERY",
        "/api/pages, /api/pages/<path:path>",
        "pages/[[...path]]/route.py:1",
        "limit, measure",
        "db",
    ),
]

MATCH = """\
PUT /api/articles/hello: app/api/articles/[slug]/route.py
  rule        /api/articles/<slug>
  endpoint    api./articles/[slug]
  parameters  slug='hello'
  methods     GET, HEAD, OPTIONS, PUT
  middleware  app/api/middleware.py:2: middleware[0] (limit)
  dependency  app/api/dependencies.py:2: db
  middleware  app/api/middleware.py:4: middleware[1] (measure)
  dependency  app/api/dependencies.py:4: user
  dependency  app/api/articles/[slug]/dependencies.py:2: article
  dependency  app/api/articles/[slug]/dependencies.py:3: own_article
  handler     app/api/articles/[slug]/route.py:4: PUT
"""


@pytest.fixture
def app_of(tree, monkeypatch):
    """Create an app with some files, in the current folder."""

    def make(files):
        folder = tree(files)
        monkeypatch.chdir(folder)
        app = bare_app(folder)
        RouteHandlers(app)
        return app

    return make


def listed(app, *arguments):
    """Exit status of ``list``, and method and URL of each handler in its table."""
    status, output, errors = invoke(app, "list", *arguments)
    assert not errors, errors
    table = output.partition("\n\n")[0]
    return status, [" ".join(line.split()[:2]) for line in table.splitlines()[2:]]


def test_match_shows_all_that_runs_in_order(app_of):
    assert invoke(app_of(FILES), "match", "PUT", "/api/articles/hello") == (0, MATCH, "")


def test_match_shows_what_a_static_run_repeats(app_of):
    status, output, _ = invoke(app_of(FILES), "match", "/api/feed")
    lines = [line for line in output.splitlines() if line.startswith("  dependency")]
    assert (status, lines) == (0, ["  dependency  app/api/dependencies.py:2: db"] * 2)


def test_a_405_runs_the_dependencies_of_middleware(app_of):
    status, output, _ = invoke(app_of(FILES), "match", "PUT", "/api/backup")
    names = [line.rpartition(": ")[2] for line in output.splitlines()[5:]]
    assert (status, names) == (
        1,
        ["middleware[0] (limit)", "db", "middleware[1] (measure)", "user", "middleware"],
    )


def test_imported_functions_have_no_line(app_of):
    files = {
        "dependencies.py": "from secrets import token_hex\n\n__all__ = ['token_hex']",
        "route.py": "def GET(token_hex): ...",
    }
    shown = invoke(app_of(files), "match", "/api")[1]
    assert "  dependency  app/api/dependencies.py: token_hex\n" in shown


def test_the_list_shows_all_handlers(app_of):
    status, output, errors = invoke(app_of(FILES), "list")
    head, line, *lines = output.splitlines()
    rows = [tuple(re.split("  +", row)) for row in (head, *lines)]
    assert (status, errors) == (0, "")
    assert [tuple(cell.replace("app/api/", "") for cell in row[2:3]) for row in rows] == [
        row[2:3] for row in TABLE
    ]
    assert [row[:2] + row[3:] for row in rows] == [row[:2] + row[3:] for row in TABLE]
    assert [len(cell) for cell in line.split("  ")[:2]] == [6, 34]


def test_a_list_has_no_empty_columns(app_of):
    assert invoke(app_of({"a/route.py": "def GET(): ..."}), "list") == (
        0,
        "Method  URL     File\n------  ------  --------------------\n"
        "GET     /api/a  app/api/a/route.py:1\n",
        "",
    )


FILTERS = [
    (["--unsafe"], 0, ["POST /api/backup", "PUT /api/articles/<slug>", "POST /api/articles",
                       "POST /api/login"]),
    (["--with", "article"], 0, ["GET /api/articles/<slug>", "PUT /api/articles/<slug>"]),
    (["--with", "article,own_article", "--unsafe"], 0, ["PUT /api/articles/<slug>"]),
    (["--with", "unused"], 0, []),
    (["--without", "user"], 1, ["GET /api/articles/<slug>", "GET /api/articles", "GET /api/feed",
                                "POST /api/login", "QUERY /api/pages,"]),
    (["--unsafe", "--without", "user"], 1, ["POST /api/login"]),
    (["--unsafe", "--without", "article user"], 1, ["POST /api/login"]),
    (["--unsafe", "--without", "user", "--except", "POST /api/login"], 0, []),
    (["--unsafe", "--without", "article", "--except", "post  /api/login"], 1,
     ["POST /api/backup", "POST /api/articles"]),
    (["--without", "db"], 0, []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "rows"), FILTERS, ids=[" ".join(f[0]) for f in FILTERS]
)
def test_options_select_handlers(app_of, arguments, status, rows):
    assert listed(app_of(FILES), *arguments) == (status, rows)


def test_a_list_names_who_asks_for_one(app_of):
    _, output, _ = invoke(app_of(FILES), "list", "--with", "user,article")
    assert output.partition("\n\n")[2].splitlines() == [
        "app/api/(admin)/middleware.py:1: middleware asks for user",
        "app/api/articles/[slug]/route.py:2: GET asks for article",
        "app/api/articles/[slug]/dependencies.py:3: own_article asks for user",
        "app/api/articles/[slug]/dependencies.py:3: own_article asks for article",
        "app/api/articles/route.py:3: POST asks for user",
    ]


def test_an_empty_list_says_so(app_of):
    assert invoke(app_of(FILES), "list", "--without", "db") == (0, "No handlers.\n", "")


def test_an_inner_definition_is_not_the_guard(app_of):
    files = {
        "dependencies.py": "def user(): return 'Ada'",
        "open/dependencies.py": "def user(): return 'anyone'",
        "open/route.py": "def POST(user): ...",
        "wrapped/dependencies.py": "def user(user): return user.lower()",
        "wrapped/route.py": "def POST(user): ...",
    }
    assert listed(app_of(files), "--without", "user") == (1, ["POST /api/open"])
    assert listed(app_of(files), "--with", "user") == (
        0,
        ["POST /api/open", "POST /api/wrapped"],
    )


def test_a_tree_without_the_name_is_listed(app_of):
    app = app_of({"dependencies.py": "def user(): ...", "a/route.py": "def POST(user): ..."})
    root = write_files(Path(app.root_path, "pages"), {"a/route.py": "def POST(): ..."})
    RouteHandlers(app, root)
    assert listed(app, "--without", "user") == (1, ["POST /a"])


def test_the_list_as_json(app_of):
    app = app_of(FILES)
    status, output, _ = invoke(app, "list", "--unsafe", "--without", "db,user", "--json")
    assert (status, json.loads(output)) == (0, [])
    status, output, _ = invoke(app, "list", "--with", "own_article", "--json")
    places = [
        ("middleware", "middleware.py", 2, "middleware[0] (limit)", []),
        ("dependency", "dependencies.py", 2, "db", []),
        ("middleware", "middleware.py", 4, "middleware[1] (measure)", ["db"]),
        ("dependency", "dependencies.py", 4, "user", ["db"]),
        ("dependency", "articles/[slug]/dependencies.py", 2, "article", ["db"]),
        ("dependency", "articles/[slug]/dependencies.py", 3, "own_article", ["user", "article"]),
        ("handler", "articles/[slug]/route.py", 4, "PUT", ["own_article"]),
    ]
    assert json.loads(output) == [
        {
            "method": "PUT",
            "urls": ["/api/articles/<slug>"],
            "root": str(Path(app.root_path, "app/api")),
            "steps": [
                dict(zip(("kind", "file", "line", "name", "asks"), place, strict=True))
                for place in places
            ],
            "static": None,
        }
    ]


REFUSED = [
    (["--without", "usr"], "No dependencies.py defines 'usr'. Did you mean user?"),
    (["--with", "admin"], "No dependencies.py defines 'admin'."),
    (
        ["--without", "user", "--except", "POST /api/logon"],
        "--except 'POST /api/logon' names no handler. Write a method and a URL as the list shows "
        "them.",
    ),
    (
        ["--except", "/api/login"],
        "--except '/api/login' names no handler. Write a method and a URL as the list shows them.",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_unknown_names_end_the_list_with_2(app_of, arguments, message):
    status, output, errors = invoke(app_of(FILES), "list", *arguments)
    assert (status, output) == (2, "")
    assert errors.endswith(f"Error: {message}\n")


def test_no_list_without_a_broken_file(tree, monkeypatch):
    folder = tree({"broken/route.py": "1 / 0"})
    monkeypatch.chdir(folder)
    app = bare_app(folder)
    app.debug = True
    RouteHandlers(app)
    assert invoke(app, "list", "--unsafe") == (
        2,
        "",
        "Error: app/api/broken/route.py or its middleware cannot be used.\n"
        "Run `flask route-handlers check` for the reason.\n",
    )


UNUSED = (
    "Nothing asks for the dependency {}. Name it as an argument where it is needed, or remove "
    "it. If it is a helper, begin its name with an underscore."
)


def test_check_warns_of_what_nothing_asks_for(app_of):
    files = {
        "dependencies.py": "def db(): ...\ndef user(db): ...\ndef spare(user): ...\n"
        "def lost(): ...",
        "middleware.py": "def middleware(call_next, user): return call_next()",
        "a/dependencies.py": "def lost(lost): ...",
        "a/route.py": "def GET(): ...",
        "b/route.py": "revalidate = 60\ndef GET(lost): ...",
    }
    assert invoke(app_of(files), "check") == (
        0,
        f"app/api/a/dependencies.py\n  warning: {UNUSED.format('lost')}\n\n"
        f"app/api/dependencies.py\n  warning: {UNUSED.format('spare')}\n\n"
        "2 route files: 2 warnings\n",
        "",
    )


def test_a_broken_file_may_ask_for_anything(tree):
    app = bare_app(tree({"dependencies.py": "def db(): ...", "a/route.py": "1 / 0"}))
    app.debug = True
    RouteHandlers(app)
    status, output, _ = invoke(app, "check")
    assert (status, output.splitlines()[-1]) == (1, "1 route file: 1 error")


GUARDS = """
from werkzeug.exceptions import Forbidden, NotFound, Unauthorized

def user() -> str | Unauthorized: ...
def article(slug) -> str | NotFound: ...
def own_article(article: str, user: str) -> str | Forbidden: ...
"""


@pytest.mark.parametrize(
    ("arguments", "late"),
    [
        ("article, user", ["user"]),
        ("user, article", []),
        ("user, own_article", []),
        ("own_article, user", ["user"]),
        ("article", []),
    ],
)
def test_check_warns_of_a_404_before_a_guard(app_of, arguments, late):
    files = {
        "[slug]/dependencies.py": GUARDS,
        "[slug]/route.py": f"def GET({arguments}): ...\ndef PUT(user, own_article): ...",
    }
    _, output, _ = invoke(app_of(files), "check")
    assert [line for line in output.splitlines() if "404" in line] == [
        f"  warning: GET asks for article, which may answer 404, before {name}, which may answer "
        f"401 or 403: everyone can find out what exists. Name {name} before article."
        for name in late
    ]


CORS = """
from flask_routehandlers import Bearer
def auth(token: Bearer, call_next): return call_next()
def viewer(token: Bearer | None = None, call_next=None): return call_next()
def cors(call_next):
    response = call_next()
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
def log(call_next): return call_next()
"""


@pytest.mark.parametrize(
    ("functions", "late"),
    [
        ("auth, cors", ["middleware[1] (cors)", "middleware[0] (auth)"]),
        ("log, auth, log, cors", ["middleware[3] (cors)", "middleware[1] (auth)"]),
        ("cors, auth", []),
        ("auth, log", []),
        ("viewer, cors", []),
    ],
)
def test_check_warns_of_cors_after_a_guard(app_of, functions, late):
    files = {"middleware.py": f"{CORS}middleware = [{functions}]", "x/route.py": "def GET(): ..."}
    _, output, _ = invoke(app_of(files), "check")
    expected = []
    if late:
        cors, guard = late
        expected.append(
            f"  warning: {cors} is about CORS, but it runs after {guard} in middleware.py, which "
            "needs a credential: browsers send preflights without any. "
            f"Let it run before {guard}: in a folder above, or first in the list."
        )
    assert [line for line in output.splitlines() if "CORS" in line] == expected
