"""A tree that is refused: commands print the problems, not the frames of Flask and Click."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import click
import pytest
from flask.cli import routes_command, run_command

from flask_routehandlers import Problem, RouteHandlers, RouteHandlersWarning, RouteTreeError
from flask_routehandlers.refusal import RefusedTreeError, report
from tests.commands import WSGI, child_environment
from tests.support import bare_app, until, write_files

FILES = {"wsgi.py": WSGI, "app/api/x/route.py": "def get(): ..."}
BROKEN = {"app/api/y/route.py": "\nimport nothing"}


def problems(folder: Path) -> str:
    """The message of the error for the tree in a folder."""
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(folder))
    return str(caught.value)


@pytest.mark.parametrize("arguments", [["routes"], ["run", "--no-reload", "--port", "0"]], ids=str)
def test_commands_print_the_problems_only(flask, tmp_path, arguments):
    status, output, errors = flask(FILES, *arguments)
    assert (status, output) == (1, "")
    assert errors == f"Error: {problems(tmp_path)}\n"


def test_a_failed_import_has_a_traceback_of_the_file(flask, tmp_path):
    status, output, errors = flask(FILES | BROKEN, "routes")
    assert (status, output) == (1, "")
    assert errors == (
        f"Error: {problems(tmp_path)}\n"
        "\n"
        "Traceback (most recent call last):\n"
        f'  File "{tmp_path}/app/api/y/route.py", line 2, in <module>\n'
        "    import nothing\n"
        "ModuleNotFoundError: No module named 'nothing'\n"
        "\n"
    )


@pytest.mark.parametrize("root", ["app/api", "pages"])
def test_files_are_shown_as_they_can_be_opened(tree, monkeypatch, root):
    folder = tree({"x/route.py": "", "x/routes.py": ""})
    write_files(folder, {"pages/x/route.py": "", "pages/x/routes.py": ""})
    shown = {
        folder: f"{root}/x/route.py",
        folder / root: "x/route.py",
        folder.parent: f"{folder.name}/{root}/x/route.py",
        folder / root / "x": "route.py",
        Path(__file__).parent: f"{folder}/{root}/x/route.py",
    }
    for place, file in shown.items():
        monkeypatch.chdir(place)
        with pytest.warns(RouteHandlersWarning) as warned, pytest.raises(RouteTreeError) as error:
            RouteHandlers(bare_app(folder), root)
        assert str(error.value).split("\n\n")[1].startswith(f"{file}\n  The file has no handler.")
        assert str(warned[0].message).startswith(
            f"{file.replace('route.py', 'routes.py')} is not "
        )
        assert error.value.problems[0].files == ("x/route.py",)


#: Folders and files whose names a terminal would obey.
ESCAPES = ["\x1b[31mred/route.py", "a\nb/route.py", "\u202egnp.exe/route.py", "x/\x1b[2J.py"]


def test_control_characters_are_printed_escaped(flask, tmp_path):
    files = {"wsgi.py": WSGI} | {f"app/api/{file}": "def GET(): ..." for file in ESCAPES}
    for command in (["routes"], ["route-handlers", "check"], ["route-handlers", "match", "/y"]):
        _, output, errors = flask(files, *command)
        printed = output + errors
        assert {c for c in printed if not c.isprintable()} <= {"\n"}
        assert "\\x1b" in printed


def test_outside_of_commands_the_error_is_raised(tree):
    with pytest.raises(RouteTreeError) as caught:
        RouteHandlers(bare_app(tree({"x/route.py": ""})))
    assert type(caught.value) is RouteTreeError


ERROR = RouteTreeError("/srv/api", [Problem("Why.", "Do this.", ("x/route.py",))])


def test_under_the_reloader_each_request_shows_it(tmp_path, monkeypatch, capsys):
    app = bare_app(tmp_path)
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    with click.Context(run_command):
        assert report(app, ERROR)
    assert capsys.readouterr().err == f"{ERROR}\n"
    for _ in range(2):
        response = app.test_client().get("/anything")
        assert (response.status_code, response.mimetype) == (500, "text/plain")
        assert response.text == f"{ERROR}\n"
    assert capsys.readouterr().err == ""


def test_other_commands_of_a_served_app_end(tmp_path, monkeypatch):
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")  # inherited from the server
    with click.Context(routes_command), pytest.raises(RefusedTreeError) as caught:
        report(bare_app(tmp_path), ERROR)
    assert (caught.value.root, caught.value.problems) == (ERROR.root, ERROR.problems)


@pytest.mark.ci
def test_flask_run_prints_the_problems_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path, FILES | BROKEN)
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "flask", "run", "--debug", "--port", "0"],
            cwd=tmp_path,
            env=child_environment(),
            stdout=output,
            stderr=output,
        )
        try:
            # Twice: the first process and the one that serves print the address.
            pattern = r"Running on (http://127\.0\.0\.1:\d+)"
            assert until(lambda: "Debugger PIN" in log.read_text(), 60)
            [url, *_] = re.findall(pattern, log.read_text())
            for _ in range(3):
                with pytest.raises(HTTPError) as caught:
                    urlopen(url, timeout=60)
                assert problems(tmp_path) in caught.value.read().decode()
        finally:
            server.terminate()
            server.wait(60)
    text = log.read_text()
    assert text.count("Did you mean GET?") == 1
    assert text.count("Traceback") == 1
