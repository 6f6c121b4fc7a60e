"""``flask route-handlers match``: what it prints, with which exit status, and how it fails."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from textwrap import indent

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from flask_routehandlers import Problem, RouteHandlers, RouteTreeError
from flask_routehandlers.cli import group
from tests.commands import WSGI, child_environment, flask_in_child, invoke
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


def match(app, *arguments):
    """Exit status and output of the command, in this process; files as below ``app/api``."""
    status, output, errors = invoke(app, "match", *arguments)
    return status, (output + errors).replace(f"{app.root_path}/app/api/", "")


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
  middleware  middleware.py:1: middleware
  handler     users/[id=int]/route.py:1: GET
  passed over users/[name]/route.py: [id=int], which has a converter, comes before the parameter \
[name]
"""
LINKS = """\
DELETE /api/users/ada: users/[name]/route.py
  rule        /api/users/<name>
  endpoint    api./users/[name]
  parameters  name='ada'
  methods     DELETE, OPTIONS
  middleware  middleware.py:1: middleware
  middleware  users/[name]/middleware.py:1: middleware[0] (limit)
  middleware  users/[name]/middleware.py:4: middleware[1] (check)
  handler     users/[name]/route.py:1: DELETE
  passed over users/[id=int]/route.py: [id=int] does not match 'ada'
"""
NO_METHOD = """\
DELETE /api/users/me: 405, users/(own)/me/route.py has no DELETE
  rule        /api/users/me
  endpoint    api./users/me
  parameters  none
  methods     GET, HEAD, OPTIONS
  middleware  middleware.py:1: middleware
  passed over users/[id=int]/route.py: [id=int] does not match 'me'
  passed over users/[name]/route.py: the static me comes before the parameter [name]
"""
CATCH_ALL = """\
GET /api/files/a/b%20c/%2564?x=/y: files/[...path]/route.py
  rule        /api/files/<path:path>
  endpoint    api./files/[*path]
  parameters  path=['a', 'b c', '%64']
  methods     GET, HEAD, OPTIONS
  middleware  middleware.py:1: middleware
  handler     files/[...path]/route.py:1: GET
"""
TRAILING_SLASH = """\
GET /api/users/ada/: 404, no route file
  Did you mean /api/users/ada?
"""
LETTER_CASE = """\
GET /API/Users/7: 404, no route file
  Did you mean /api/users/7?
"""
SIMILAR = """\
GET /api/usrs/me: 404, no route file
  Did you mean /api/users/me?
"""
DOUBLE_SLASH = """\
GET //api/files/a: 404, no route file
  passed over files/[...path]/route.py: the path does not begin with one slash
  Did you mean /api/files/a?
"""
UUID = """\
GET /api/ids/12345678-1234-1234-1234-1234567890ab: ids/[id=uuid]/route.py
  rule        /api/ids/<uuid:id>
  endpoint    api./ids/[id=uuid]
  parameters  id=UUID('12345678-1234-1234-1234-1234567890ab')
  methods     GET, HEAD, OPTIONS
  middleware  middleware.py:1: middleware
  handler     ids/[id=uuid]/route.py:1: GET
"""

OPTIONS = HANDLED.replace("GET /", "OPTIONS /").replace(
    "  handler     users/[id=int]/route.py:1: GET\n", ""
)

OUTPUTS = [
    (("GET", "/api/users/7"), 0, HANDLED),
    (("get", "/api/users/7"), 0, HANDLED),
    (("HEAD", "/api/users/7"), 0, HANDLED.replace("GET /", "HEAD /")),
    (("OPTIONS", "/api/users/7"), 0, OPTIONS),
    (("DELETE", "/api/users/ada"), 0, LINKS),
    (("DELETE", "/api/users/%61da"), 0, LINKS.replace("/ada:", "/%61da:")),
    (("DELETE", "/api/users/me"), 1, NO_METHOD),
    (("brew", "/api/users/me"), 1, NO_METHOD.replace("DELETE", "BREW")),
    (("GET", "/api/files/a/b%20c/%2564?x=/y"), 0, CATCH_ALL),
    (("GET", "/api/ids/12345678-1234-1234-1234-1234567890ab"), 0, UUID),
    (("GET", "/api/users/ada/"), 1, TRAILING_SLASH),
    (("GET", "/API/Users/7"), 1, LETTER_CASE),
    (("GET", "/api/usrs/me"), 1, SIMILAR),
    (("/api/users/7",), 0, HANDLED),
    (("GET", "api/users/7"), 0, HANDLED),
    (("GET", "http://localhost:5000/api/users/7?page=2#top"), 0, HANDLED),
    (("http://localhost:5000",), 1, "GET /: 404, no route file\n"),
    (("GET", "//api/files/a"), 1, DOUBLE_SLASH),
    (("GET", "/nowhere"), 1, "GET /nowhere: 404, no route file\n"),
    (("GET", "/health"), 0, "GET /health: the app's rule /health, endpoint health\n"),
    (("POST", "/health"), 1, "POST /health: 405, no route file\n"),
    (("GET", "/slash"), 1, "GET /slash: a redirect by a rule of the app\n"),
]


@pytest.mark.parametrize(
    ("arguments", "status", "output"), OUTPUTS, ids=[" ".join(one[0]) for one in OUTPUTS]
)
def test_the_output_in_full(shop, arguments, status, output):
    assert match(shop, *arguments) == (status, output)


def test_files_of_several_trees_are_distinguished(tree, monkeypatch):
    folder = tree({}, "[slug]")
    monkeypatch.chdir(folder)
    app = bare_app(folder)
    RouteHandlers(app)
    RouteHandlers(app, write_files(folder / "pages", {"[...all]/route.py": "def GET(): ..."}))
    assert match(app, "GET", "/api/x")[1] == (
        "GET /api/x: app/api/[slug]/route.py\n"
        "  rule        /api/<slug>\n"
        "  endpoint    api./[slug]\n"
        "  parameters  slug='x'\n"
        "  methods     GET, HEAD, OPTIONS\n"
        "  handler     app/api/[slug]/route.py:1: GET\n"
        "  passed over pages/[...all]/route.py: the static api comes before the catch-all "
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
    "root": "ROOT",
    "file": "users/[name]/route.py",
    "rule": "/api/users/<name>",
    "endpoint": "api./users/[name]",
    "parameters": {"name": "ada"},
    "methods": ["DELETE", "OPTIONS"],
    "steps": [
        {"kind": kind, "file": file, "line": line, "name": name, "asks": []}
        for kind, file, line, name in (
            ("middleware", "middleware.py", 1, "middleware"),
            ("middleware", "users/[name]/middleware.py", 1, "middleware[0] (limit)"),
            ("middleware", "users/[name]/middleware.py", 4, "middleware[1] (check)"),
            ("handler", "users/[name]/route.py", 1, "DELETE"),
        )
    ],
    "inputs": {},
    "answers": None,
    "static": None,
    "passed_over": [
        {
            "root": "ROOT",
            "file": "users/[id=int]/route.py",
            "endpoint": "api./users/[id=int]",
            "reason": "[id=int] does not match 'ada'",
        }
    ],
    "did_you_mean": None,
}
NONE = {
    "status": 404,
    "root": None,
    "file": None,
    "rule": None,
    "endpoint": None,
    "parameters": {},
    "methods": [],
    "steps": [],
    "inputs": {},
    "answers": None,
    "static": None,
    "passed_over": [],
    "did_you_mean": None,
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
def test_json_has_the_same(shop, arguments, status, expected):
    code, output = match(shop, *arguments, "--json")
    as_expected = output.replace(f"{shop.root_path}/app/api", "ROOT")
    assert (code, json.loads(as_expected)) == (status, expected)
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
def test_static_handlers_are_shown_as_stored(make_app, config, said):
    code = f"{config}\ndef GET(): ...\ndef POST(): ...\n"
    own_head = f"{code}def HEAD(): ...\n"
    app = make_app({"feed/route.py": code, "head/route.py": own_head})
    row = f"  static      {said}\n"
    for method, path, is_shown in [
        ("GET", "/api/feed", True),
        ("HEAD", "/api/feed", True),
        ("POST", "/api/feed", False),
        ("PUT", "/api/feed", False),
        ("HEAD", "/api/head", False),
    ]:
        _, output = match(app, method, path)
        assert (row in output) == ("  static " in output) == (is_shown and said is not None)
        shown = json.loads(match(app, method, path, "--json")[1])["static"]
        assert shown == (said if is_shown else None)


def test_json_has_other_values_as_strings(shop):
    text = "12345678-1234-1234-1234-1234567890ab"
    _, output = match(shop, "GET", f"/api/ids/{text}", "--json")
    assert json.loads(output)["parameters"] == {"id": text}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/api/users", "GET"], "Give a method and a path, for example GET /api/users."),
        (["GET", "PUT", "/api"], "Give a method and a path, for example GET /api/users."),
        ([], "Missing argument '[METHOD] PATH'."),
    ],
    ids=str,
)
def test_arguments_that_cannot_be_meant(shop, arguments, said):
    status, output = match(shop, *arguments)
    assert status == 2
    assert output.endswith(f"\n\nError: {said}\n")


def test_control_characters_are_escaped(tree):
    app = bare_app(tree({}, "[slug]"))
    RouteHandlers(app)
    app.add_url_rule("/\x1b[31mred", "red", lambda: "")
    _, output = match(app, "GET", "/\x1b[31mred")
    assert output == ("GET /\\x1b[31mred: the app's rule /\\x1b[31mred, endpoint red\n")


def test_an_app_without_a_tree_gets_a_hint():
    assert match(Flask("shop"), "GET", "/") == (
        2,
        "Error: The app 'shop' has no tree of route files.\n"
        'Write RouteHandlers(app, root="app/api") where the app is made.\n',
    )


# As its users run it -------------------------------------------------------------------------


MATCH = ("route-handlers", "match")
TREE = {f"app/api/{file}": source for file, source in FILES.items()}


def test_flask_lists_the_commands(tmp_path):
    write_files(tmp_path, TREE | {"wsgi.py": WSGI})
    status, output, errors = flask_in_child(tmp_path, "--help")
    assert (status, errors) == (0, "")
    # Commands of other packages decide how much of a line is shown.
    assert re.search(r"^  route-handlers +Inspect and extend the trees of", output, re.M)
    assert output.count("route-handlers") == 1
    status, output, errors = flask_in_child(tmp_path, "route-handlers", "--help")
    assert (status, errors) == (0, "")
    assert re.search(r"^  match +Show which file answers METHOD PATH", output, re.M)


def test_the_runner_of_an_app_has_the_commands(shop):
    shop.cli.command("other")(lambda: None)
    runner = shop.test_cli_runner()
    result = runner.invoke(args=["route-handlers", "check"])
    assert (result.exit_code, result.output) == (0, "6 route files: no problems found\n")
    result = runner.invoke(args=["--help"])
    assert result.output.count("route-handlers") == 1
    assert "Inspect and extend the trees of route files of the app." in result.output
    result = runner.invoke(args=["route-handlers", "--help"])
    assert re.search(r"^  match +Show which file answers METHOD PATH", result.output, re.M)


def test_a_command_of_the_app_of_this_name_stays(tree):
    app = bare_app(tree({}, "x"))
    own = app.cli.command("route-handlers")(lambda: print("the app's"))
    RouteHandlers(app)
    RouteHandlers(app, url_prefix="/second", name="second")
    assert app.cli.commands["route-handlers"] is own
    assert app.test_cli_runner().invoke(args=["route-handlers"]).output == "the app's\n"


def test_the_start_of_an_app_imports_no_command(tmp_path):
    write_files(tmp_path, {"wsgi.py": WSGI, **TREE})
    code = "import sys, wsgi; print([name for name in sys.modules if '.cli.' in name])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def below_root(shown):
    """An output with files as the command shows them in the folder of the project."""
    shown = re.sub(r"^(  (?:middleware|handler) +)", r"\1app/api/", shown, flags=re.M)
    return re.sub(r"((?:: |405, |passed over )(?=\S+/route\.py))", r"\1app/api/", shown)


def test_the_command_finds_the_app_as_flask_does(flask):
    factory = f"def create_app():\n{indent(WSGI, '    ')}    return app\n"
    files = TREE | {"wsgi.py": WSGI, "shop.py": factory}
    handled = (0, below_root(HANDLED), "")
    assert flask(files, *MATCH, "get", "/api/users/7") == handled
    assert flask({}, "--app", "shop:create_app()", *MATCH, "get", "/api/users/7") == handled
    no_method = below_root(NO_METHOD)
    by_variable = flask({}, *MATCH, "DELETE", "/api/users/me", env={"FLASK_APP": "shop"})
    assert by_variable == (1, no_method, "")


def test_in_debug_mode_a_broken_file_is_shown(flask):
    files = {"wsgi.py": WSGI.replace("RouteHandlers(", "app.debug = True\nRouteHandlers(", 1)}
    files |= {"app/api/broken/route.py": "1 / 0", **TREE}
    status, output, errors = flask(files, *MATCH, "GET", "/api/broken")
    assert (status, errors) == (1, "")
    assert output.startswith("GET /api/broken: 500, app/api/broken/route.py or its middleware ")


def test_bytes_that_are_not_utf8_are_printed(tmp_path):
    write_files(tmp_path, {"wsgi.py": WSGI, **TREE})
    status, output, errors = flask_in_child(tmp_path, *MATCH, "GET", b"/api/ids/\xff")
    assert (status, errors) == (1, "")
    assert output.startswith("GET /api/ids/\\udcff: 404, no route file\n")
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
        'Write RouteHandlers(app, root="app/api") where the app is made.',
    ),
    "no root": ({"wsgi.py": WSGI}, (), "Error: 1 problem in {}/app/api:\n\napp/api\n"),
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
def test_an_app_that_cannot_be_loaded_is_an_error(flask, tmp_path, files, options, said):
    status, output, errors = flask(files, *options, *MATCH, "GET", "/api/users")
    assert (status, output) == (2, "")
    assert errors[errors.index("Error: ") :].startswith(said.replace("{}", str(tmp_path)))
    assert "Traceback" not in errors


def test_every_problem_of_a_tree_is_printed(flask, tmp_path):
    status, output, errors = flask(BROKEN_TREE, *MATCH, "GET", "/api/users")
    assert (status, output) == (2, "")
    assert errors.startswith(f"Error: 2 problems in {tmp_path}/app/api:\n\n")
    assert "app/api/[a]/route.py\napp/api/[b]/route.py\n  " in errors
    assert "did you mean [post_id]?" in errors.lower()


def test_every_failed_import_is_printed(flask, tmp_path):
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


def test_flask_prints_an_import_error_of_the_app(flask):
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
        (
            RouteTreeError("/srv/api", [Problem("Why.", "Do this.", ("x/route.py",))]),
            "x/route.py\n",
        ),
    ],
    ids=["an error", "an exit", "a tree"],
)
def test_a_factory_that_fails_is_an_error(failure, said):
    def create_app() -> Flask:
        raise failure

    result = CliRunner().invoke(
        group, ["match", "GET", "/x"], obj=ScriptInfo(create_app=create_app)
    )
    assert result.exit_code == 2
    assert said in result.output
