"""``flask route-handlers match``: what it prints, with which exit status, and how it fails."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

import flask_routehandlers
from flask_routehandlers import Problem, RouteHandlers, RouteTreeError
from flask_routehandlers.cli import group
from tests.support import bare_app, write_files

FILES = {
    "middleware.py": "def middleware(call_next):\n    return call_next()\n",
    "users/[id=int]/route.py": "def GET(id): ...\ndef PUT(id): ...\n",
    "users/(own)/me/route.py": "def GET(): ...\n",
    "users/[name]/route.py": "def DELETE(name): ...\n",
    "users/[name]/middleware.py": (
        "def limit(call_next):\n    return call_next()\n\n"
        "async def check(call_next):\n    return await call_next()\n\n"
        "middleware = [limit, check]\n"
    ),
    "files/[...path]/route.py": "def GET(path): ...\n",
    "ids/[id=uuid]/route.py": "def GET(id): ...\n",
    "route.py": "def GET(): ...\n",
}

WSGI = """
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
RouteHandlers(app)
"""


def match(app, *arguments):
    """Exit status and output of the command, in this process."""
    result = app.test_cli_runner().invoke(group, ["match", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


@pytest.fixture
def shop(make_app):
    app = make_app(FILES)
    app.add_url_rule("/health", "health", lambda: "fine")
    app.add_url_rule("/slash/", "slash", lambda: "fine")
    return app


HANDLED = """\
GET /api/users/7: users/[id=int]/route.py
  rule        /api/users/<int:id>
  endpoint    api./users/[id=int]
  parameters  id=7
  methods     GET, HEAD, OPTIONS, PUT
  middleware  middleware.py: middleware
  passed over users/[name]/route.py: [id=int], which has a converter, comes before the parameter \
[name]
"""
LINKS = """\
DELETE /api/users/ada: users/[name]/route.py
  rule        /api/users/<name>
  endpoint    api./users/[name]
  parameters  name='ada'
  methods     DELETE, OPTIONS
  middleware  middleware.py: middleware
  middleware  users/[name]/middleware.py: middleware[0] (limit)
  middleware  users/[name]/middleware.py: middleware[1] (check)
  passed over users/[id=int]/route.py: [id=int] does not match 'ada'
"""
NO_METHOD = """\
DELETE /api/users/me: 405, users/(own)/me/route.py has no DELETE
  rule        /api/users/me
  endpoint    api./users/me
  parameters  none
  methods     GET, HEAD, OPTIONS
  middleware  middleware.py: middleware
  passed over users/[id=int]/route.py: [id=int] does not match 'me'
  passed over users/[name]/route.py: the static me comes before the parameter [name]
"""
CATCH_ALL = """\
GET /api/files/a/b%20c/%2564?x=/y: files/[...path]/route.py
  rule        /api/files/<path:path>
  endpoint    api./files/[*path]
  parameters  path=['a', 'b c', '%64']
  methods     GET, HEAD, OPTIONS
  middleware  middleware.py: middleware
"""
TRAILING_SLASH = """\
GET /api/users/: 404, no route file
  passed over users/[id=int]/route.py: [id=int] does not match ''
  passed over users/[name]/route.py: [name] does not match ''
"""
DOUBLE_SLASH = """\
GET //api/files/a: 404, no route file
  passed over files/[...path]/route.py: the path does not begin with one slash
"""
UUID = """\
GET /api/ids/12345678-1234-1234-1234-1234567890ab: ids/[id=uuid]/route.py
  rule        /api/ids/<uuid:id>
  endpoint    api./ids/[id=uuid]
  parameters  id=UUID('12345678-1234-1234-1234-1234567890ab')
  methods     GET, HEAD, OPTIONS
  middleware  middleware.py: middleware
"""

OUTPUTS = [
    (("GET", "/api/users/7"), 0, HANDLED),
    (("get", "/api/users/7"), 0, HANDLED),
    (("HEAD", "/api/users/7"), 0, HANDLED.replace("GET /", "HEAD /")),
    (("OPTIONS", "/api/users/7"), 0, HANDLED.replace("GET /", "OPTIONS /")),
    (("DELETE", "/api/users/ada"), 0, LINKS),
    (("DELETE", "/api/users/%61da"), 0, LINKS.replace("/ada:", "/%61da:")),
    (("DELETE", "/api/users/me"), 1, NO_METHOD),
    (("brew", "/api/users/me"), 1, NO_METHOD.replace("DELETE", "BREW")),
    (("GET", "/api/files/a/b%20c/%2564?x=/y"), 0, CATCH_ALL),
    (("GET", "/api/ids/12345678-1234-1234-1234-1234567890ab"), 0, UUID),
    (("GET", "/api/users/"), 1, TRAILING_SLASH),
    (("GET", "//api/files/a"), 1, DOUBLE_SLASH),
    (("GET", "/nowhere"), 1, "GET /nowhere: 404, no route file\n"),
    (("GET", "/health"), 0, "GET /health: the app's own rule /health, endpoint health\n"),
    (("POST", "/health"), 1, "POST /health: 405, no route file\n"),
    (("GET", "/slash"), 1, "GET /slash: a redirect by a rule of the app's own\n"),
]


@pytest.mark.parametrize(
    ("arguments", "status", "output"), OUTPUTS, ids=[" ".join(one[0]) for one in OUTPUTS]
)
def test_the_output_in_full(shop, arguments, status, output):
    assert match(shop, *arguments) == (status, output)


def test_with_several_trees_each_file_has_its_trees_name(tree):
    folder = tree({}, "[slug]")
    app = bare_app(folder)
    RouteHandlers(app)
    RouteHandlers(app, write_files(folder / "pages", {"[...all]/route.py": "def GET(): ..."}))
    assert match(app, "GET", "/api/x")[1] == (
        "GET /api/x: [slug]/route.py\n"
        "  rule        /api/<slug>\n"
        "  endpoint    api./[slug]\n"
        "  parameters  slug='x'\n"
        "  methods     GET, HEAD, OPTIONS\n"
        "  passed over [...all]/route.py of pages: the static api comes before the catch-all "
        "[...all]\n"
    )


def test_a_file_that_cannot_be_used_in_debug_mode(tree):
    app = bare_app(tree({"broken/route.py": "1 / 0"}))
    app.debug = True
    RouteHandlers(app)
    assert match(app, "GET", "/api/broken") == (
        1,
        "GET /api/broken: 500, broken/route.py or its middleware cannot be used\n"
        "  rule        /api/broken\n"
        "  endpoint    api./broken\n"
        "  parameters  none\n"
        "  methods     unknown\n",
    )


JSON = {
    "status": 200,
    "file": "users/[name]/route.py",
    "rule": "/api/users/<name>",
    "endpoint": "api./users/[name]",
    "parameters": {"name": "ada"},
    "methods": ["DELETE", "OPTIONS"],
    "middleware": [
        {"file": "middleware.py", "name": "middleware"},
        {"file": "users/[name]/middleware.py", "name": "middleware[0] (limit)"},
        {"file": "users/[name]/middleware.py", "name": "middleware[1] (check)"},
    ],
    "static": None,
    "passed_over": [
        {
            "file": "users/[id=int]/route.py",
            "endpoint": "api./users/[id=int]",
            "reason": "[id=int] does not match 'ada'",
        }
    ],
}
NONE = {
    "status": 404,
    "file": None,
    "rule": None,
    "endpoint": None,
    "parameters": {},
    "methods": [],
    "middleware": [],
    "static": None,
    "passed_over": [],
}


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (("delete", "/api/users/ada"), 0, JSON),
        (("GET", "/nowhere"), 1, NONE),
        (("GET", "/slash"), 1, NONE | {"status": 308}),
        (("POST", "/health"), 1, NONE | {"status": 405}),
        (("GET", "/health"), 0, NONE | {"status": 200, "rule": "/health", "endpoint": "health"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_the_same_as_json(shop, arguments, status, expected):
    code, output = match(shop, *arguments, "--json")
    assert (code, json.loads(output)) == (status, expected)
    assert match(shop, "--json", *arguments) == (code, output)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("revalidate = 60", "stored, fresh for 60 seconds"),
        ("revalidate = False", "stored, fresh until it is revalidated"),
        ("dynamic = 'force-static'", "stored, fresh until it is revalidated"),
        ("revalidate = 0", None),
    ],
)
def test_what_is_answered_from_the_cache_is_told(make_app, config, said):
    code = f"{config}\ndef GET(): ...\ndef POST(): ...\n"
    own_head = f"{code}def HEAD(): ...\n"
    app = make_app({"feed/route.py": code, "head/route.py": own_head})
    row = f"  static      {said}\n"
    for method, path, is_told in [
        ("GET", "/api/feed", True),
        ("HEAD", "/api/feed", True),
        ("POST", "/api/feed", False),
        ("PUT", "/api/feed", False),
        ("HEAD", "/api/head", False),
    ]:
        _, output = match(app, method, path)
        assert (row in output) == ("  static " in output) == (is_told and said is not None)
        told = json.loads(match(app, method, path, "--json")[1])["static"]
        assert told == (said if is_told else None)


def test_values_that_json_does_not_know_are_written_as_text(shop):
    text = "12345678-1234-1234-1234-1234567890ab"
    _, output = match(shop, "GET", f"/api/ids/{text}", "--json")
    assert json.loads(output)["parameters"] == {"id": text}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["GET", "api/users"], "Invalid value for PATH: Begin it with a slash: /api/users"),
        (["GET", ""], "Invalid value for PATH: Begin it with a slash: /"),
        (["/api/users", "GET"], "Invalid value for METHOD: It comes first: GET /api/users"),
        (["GET"], "Missing argument 'PATH'."),
        ([], "Missing argument 'METHOD'."),
    ],
    ids=str,
)
def test_arguments_that_cannot_be_meant_are_refused(shop, arguments, said):
    status, output = match(shop, *arguments)
    assert status == 2
    assert output.endswith(f"\n\nError: {said}\n")


def test_an_app_without_a_tree_is_told_how_to_get_one():
    assert match(Flask("shop"), "GET", "/") == (
        2,
        "Error: The app 'shop' has no tree of route files.\n"
        'Write RouteHandlers(app, root="app/api") where it is made.\n',
    )


# As its users run it -------------------------------------------------------------------------


@pytest.fixture
def flask(tmp_path):
    """Run ``flask`` in a process of its own, in a folder with these files."""

    def run(files, *arguments, **environment):
        write_files(tmp_path, files)
        checkout = Path(flask_routehandlers.__file__).parents[1]
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("FLASK")}
        done = subprocess.run(
            [sys.executable, "-m", "flask", *arguments],
            cwd=tmp_path,
            env=inherited | {"PYTHONPATH": str(checkout), **environment},
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    return run


MATCH = ("route-handlers", "match")
TREE = {f"app/api/{file}": source for file, source in FILES.items()}


def test_flask_lists_the_command_and_its_parts(flask):
    status, output, errors = flask(TREE | {"wsgi.py": WSGI}, "--help")
    assert (status, errors) == (0, "")
    assert "  route-handlers  Look into the trees of route files that the app serves.\n" in output
    status, output, errors = flask({}, "route-handlers", "--help")
    assert (status, errors) == (0, "")
    assert re.search(r"^  match +Say which file answers METHOD PATH", output, re.M)


def test_the_command_finds_the_app_as_flask_does(flask):
    factory = f"def create_app():\n{indent(WSGI, '    ')}    return app\n"
    files = TREE | {"wsgi.py": WSGI, "shop.py": factory}
    for options in ((), ("--app", "wsgi"), ("--app", "wsgi:app"), ("--app", "shop:create_app()")):
        assert flask(files, *options, *MATCH, "get", "/api/users/7") == (0, HANDLED, "")
    assert flask({}, *MATCH, "DELETE", "/api/users/me", FLASK_APP="shop") == (1, NO_METHOD, "")
    status, output, errors = flask({}, *MATCH, "--json", "DELETE", "/api/users/ada")
    assert (status, json.loads(output), errors) == (0, JSON, "")


def test_in_debug_mode_the_rest_of_a_broken_tree_can_be_asked(flask):
    files = {"wsgi.py": WSGI, "app/api/broken/route.py": "1 / 0", **TREE}
    status, output, errors = flask(files, "--debug", *MATCH, "GET", "/api/broken")
    assert (status, errors) == (1, "")
    assert output.startswith("GET /api/broken: 500, broken/route.py or its middleware cannot be")
    assert flask(files, "--debug", *MATCH, "GET", "/api/users/7") == (0, HANDLED, "")


def test_bytes_that_are_no_text_are_printed_all_the_same(flask):
    files = {"wsgi.py": WSGI, **TREE}
    status, output, errors = flask(files, *MATCH, "GET", b"/api/ids/\xff")
    assert (status, errors) == (1, "")
    assert "[id=uuid] does not match '\ufffd'" in output


BROKEN_TREE = {
    "wsgi.py": WSGI,
    "app/api/[a]/route.py": "",
    "app/api/[b]/route.py": "def get(): ...",
    "app/api/[post-id]/route.py": "def GET(): ...",
}
BROKEN_FILES = {
    "wsgi.py": WSGI,
    "app/api/crash/route.py": "1 / 0",
    "app/api/exit/route.py": "raise SystemExit(3)",
    "app/api/import/route.py": "import nothing_of_this_name",
    "app/api/syntax/route.py": "def GET(:",
}

FAILURES = {
    "no app": ({}, (), "Error: Could not locate a Flask application. Use the 'flask --app'"),
    "no module": ({}, ("--app", "nowhere"), "Error: Could not import 'nowhere'."),
    "no app in the module": (
        {"wsgi.py": "x = 1"}, ("--app", "wsgi"),
        "Error: Failed to find Flask application or factory in module 'wsgi'.",
    ),
    "no tree": (
        {"wsgi.py": "from flask import Flask\napp = Flask('shop')\n"}, (),
        "Error: The app 'shop' has no tree of route files.\n"
        'Write RouteHandlers(app, root="app/api") where it is made.',
    ),
    "no root": ({"wsgi.py": WSGI}, (), "Error: 1 problem in {}/app/api:\n\n{}/app/api\n"),
    "a crash": (
        {"wsgi.py": "1 / 0"}, (),
        "Error: The app cannot be loaded: ZeroDivisionError: division by zero\n"
        "Run `flask routes` to see the traceback.",
    ),
    "an error without a text": (
        {"wsgi.py": "raise ValueError"}, (),
        "Error: The app cannot be loaded: ValueError\nRun `flask routes` to see the traceback.",
    ),
    "a syntax error": (
        {"wsgi.py": "app = ("}, (),
        "Error: The app cannot be loaded: SyntaxError: '(' was never closed (wsgi.py, line 1)\n"
        "Run `flask routes` to see the traceback.",
    ),
    "an exit": (
        {"wsgi.py": "import sys\n\nsys.exit(3)"}, (),
        "Error: The app cannot be loaded: SystemExit: 3\n"
        "It was raised in {}/wsgi.py, line 3.",
    ),
    "an exit of a factory": (
        {"wsgi.py": "def create_app():\n    raise SystemExit"}, (),
        "Error: The app cannot be loaded: SystemExit\nIt was raised in {}/wsgi.py, line 2.",
    ),
    "a bad prefix": (
        {"wsgi.py": WSGI.replace("(app)", "(app, url_prefix='api')"), **TREE}, (),
        "Error: The app cannot be loaded: ValueError: The url_prefix 'api' must start with a",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("files", "options", "said"), FAILURES.values(), ids=FAILURES.keys())
def test_an_app_that_cannot_be_loaded_is_told_in_words(flask, tmp_path, files, options, said):
    status, output, errors = flask(files, *options, *MATCH, "GET", "/api/users")
    assert (status, output) == (2, "")
    assert errors[errors.index("Error: ") :].startswith(said.replace("{}", str(tmp_path)))
    assert "Traceback" not in errors


def test_every_problem_of_a_tree_is_told(flask, tmp_path):
    status, output, errors = flask(BROKEN_TREE, *MATCH, "GET", "/api/users")
    assert (status, output) == (2, "")
    assert errors.startswith(f"Error: 2 problems in {tmp_path}/app/api:\n\n")
    assert "[a]/route.py\n[b]/route.py\n  " in errors
    assert "did you mean [post_id]?" in errors.lower()


def test_every_file_that_cannot_be_imported_is_told(flask, tmp_path):
    status, output, errors = flask(BROKEN_FILES, *MATCH, "GET", "/api/users")
    assert (status, output) == (2, "")
    assert errors.startswith(f"Error: 4 problems in {tmp_path}/app/api:\n\n")
    for text in (
        "crash/route.py could not be imported: ZeroDivisionError: division by zero.",
        "exit/route.py could not be imported: SystemExit: 3.",
        "import/route.py could not be imported: ModuleNotFoundError: No module named 'nothing_of",
        "syntax/route.py could not be imported: SyntaxError: ",
    ):
        assert text in errors
    assert errors.endswith("\n\nRun `flask routes` to see the traceback.\n")
    assert "Traceback" not in errors


def test_an_import_error_of_the_apps_module_is_told_by_flask_with_its_traceback(flask):
    files = {"wsgi.py": "import nothing_of_this_name\n"}
    status, output, errors = flask(files, "--app", "wsgi", *MATCH, "GET", "/")
    assert (status, output) == (2, "")
    assert "Error: While importing 'wsgi', an ImportError was raised:" in errors
    assert "No module named 'nothing_of_this_name'" in errors


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (ValueError("no database"), "The app cannot be loaded: ValueError: no database\n"),
        (SystemExit(3), "The app cannot be loaded: SystemExit: 3\nIt was raised in "),
        (RouteTreeError("/srv/api", [Problem("Why.", "Cure.", ("x/route.py",))]), "x/route.py\n"),
    ],
    ids=["an error", "an exit", "a tree"],
)
def test_a_factory_that_fails_is_an_error_of_the_command(failure, said):
    def create_app() -> Flask:
        raise failure

    result = CliRunner().invoke(
        group, ["match", "GET", "/x"], obj=ScriptInfo(create_app=create_app)
    )
    assert result.exit_code == 2
    assert said in result.output
