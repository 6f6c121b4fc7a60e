"""The statements of ``docs/testing.md`` about pytest, coverage and pytest-flask, in a project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pytest_cov")
pytest.importorskip("pytest_flask")

pytestmark = pytest.mark.ci

REPOSITORY = Path(__file__).parents[1]
SAMPLE = Path(__file__).parent / "samples/testing"
ROUTE = "app/posts/[id=int]/route.py"


@pytest.fixture
def project(tmp_path):
    return shutil.copytree(SAMPLE, tmp_path / "project")


def run(folder, *command):
    """Run a module of this environment; return its exit status and output."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
        | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
    )
    return done.returncode, done.stdout


def outcome(output):
    """Return the closing line of pytest without the time."""
    return re.findall(r"(\d+ [a-z].*?) in [\d.]+s", output)


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_three_ways_of_testing_work(project):
    status, output = run(project, "pytest", "-p", "no:flask", "-W", "error")
    assert (status, outcome(output)) == (0, ["13 passed"]), output


ON_A_SERVER = """
from urllib.request import urlopen


def test_a_real_server(live_server):
    with urlopen(live_server.url("/posts/1")) as response:
        assert response.read() == b'{"id":1,"title":"One"}\\n'
"""


def test_pytest_flask_runs_the_same_tests(project):
    (project / "tests/test_server.py").write_text(ON_A_SERVER, encoding="utf-8")
    # From Python 3.12 on, the fork of its server warns of the event loop's thread.
    fork = "ignore:This process:DeprecationWarning"
    status, output = run(project, "pytest", "-W", "error::pytest.PytestWarning", "-W", fork)
    assert (status, outcome(output)) == (0, ["14 passed"]), output


def test_pytest_flask_needs_only_the_app(project):
    conftest = project / "tests/conftest.py"
    edit(conftest, "@pytest.fixture\ndef client(app):\n    return app.test_client()\n", "")
    status, output = run(project, "pytest")
    assert (status, outcome(output)) == (0, ["13 passed"]), output


def cover(project):
    """Run the tests with coverage; return the missing lines of each file."""
    status, output = run(project, "pytest", "-p", "no:flask", "--cov", "--cov-report=json")
    assert status == 0, output
    report = json.loads((project / "coverage.json").read_text(encoding="utf-8"))
    return {file: data["missing_lines"] for file, data in report["files"].items()}


@pytest.fixture(scope="module")
def covered(tmp_path_factory):
    """A project whose tests have run with coverage, and the missing lines of each file."""
    project = shutil.copytree(SAMPLE, tmp_path_factory.mktemp("covered") / "project")
    return project, cover(project)


def test_coverage_counts_every_file(covered):
    project, missing = covered
    files = {path.relative_to(project).as_posix() for path in project.glob("app/**/*.py")}
    assert missing.keys() == files
    lines = (project / ROUTE).read_text(encoding="utf-8").split("\n")
    assert [lines[number - 1].strip() for number in missing[ROUTE]] == [
        "del POSTS[id]",
        'return "", 204',
    ]
    assert missing["app/files/[...path]/route.py"] == []
    assert missing["app/.well-known/security.txt/route.py"] == []
    assert missing["app/_lib/unused.py"] == [1, 2]


def test_without_settings_coverage_misses_files(project):
    edit(project / "pyproject.toml", "include_namespace_packages = true\n", "")
    missing = cover(project)
    assert "app/_lib/unused.py" not in missing
    assert ROUTE in missing


@pytest.mark.parametrize(
    ("pattern", "files"),
    [
        ("app/posts/[id=int]/*", []),
        ("app/posts/?id=int?/*", [ROUTE]),
        ("app/files/?...path?/*", ["app/files/[...path]/route.py"]),
        ("app/(admin)/*", ["app/(admin)/middleware.py", "app/(admin)/stats/route.py"]),
    ],
)
def test_coverage_patterns_need_question_marks(pattern, files, covered):
    project, _ = covered
    _, output = run(project, "coverage", "report", f"--include={pattern}")
    assert re.findall(r"^(app/\S+)", output, re.M) == files


def test_pytest_refuses_a_path_with_brackets(project):
    status, output = run(project, "pytest", "app/posts/[id=int]")
    assert status == 4
    assert "ERROR: path cannot contain [] parametrization: app/posts/[id=int]" in output


NEXT_TO_A_ROUTE = """
import sys

from . import route


def test_it_is_the_module_of_the_app(app):
    assert sys.modules["app.posts.[id=int].route"] is route
    assert app.test_client().get("/posts/1").json == route.GET(id=1)
"""


def test_a_test_can_be_next_to_its_route_file(project):
    test = project / "app/posts/[id=int]/test_route.py"
    test.write_text(NEXT_TO_A_ROUTE, encoding="utf-8")
    shutil.move(project / "tests/conftest.py", project / "conftest.py")
    status, output = run(project, "pytest", "-p", "no:flask", "app")
    assert (status, outcome(output)) == (0, ["1 passed"]), output
