"""What type checkers find in a tree: ``tests/samples/typing`` has a correct one and mistakes.

A line that is wrong ends with what is found in it, by rule: ``# by mypy: index; by pyright: ...``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import flask_routehandlers
from tests.support import write_files

REPOSITORY = Path(__file__).parents[1]
SAMPLES = Path(__file__).parent / "samples/typing"
#: The folder that pyright leaves out, which has its own configuration.
HIDDEN = "app/.well-known"

ENVIRONMENT = Path(sys.executable).parent
needs_mypy = pytest.mark.skipif(
    not shutil.which("mypy", path=ENVIRONMENT), reason="needs --group lint"
)
needs_pyright = pytest.mark.skipif(
    not shutil.which("pyright", path=ENVIRONMENT), reason="needs --group lint"
)


@pytest.fixture(scope="module", autouse=True)
def _shared_cache(tmp_path_factory):
    """One cache of mypy's, so that each run need not read Python's and Flask's types again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.mktemp("mypy")))
        yield


@pytest.fixture
def sample(tmp_path):
    """Copy a sample to a folder without caches, whose module names are not in use."""

    def copy(name):
        return shutil.copytree(SAMPLES / name, tmp_path / name)

    return copy


def run(folder, *command, **environment):
    """Exit status, standard output and standard error of a command of Python's environment."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("FLASK_", "MYPYPATH", "COV_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=kept | {"PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"} | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    return done.returncode, done.stdout, done.stderr


TYPECHECK = ("route-handlers", "typecheck")


def typecheck(folder, *arguments):
    return run(folder, "flask", *TYPECHECK, *arguments)


def found_by_mypy(output):
    """Each error as a file, a line and a rule."""
    errors = re.findall(r"^(.*?):(\d+): error: .*\[([\w-]+)\]$", output, re.M)
    return sorted({(file, int(line), rule) for file, line, rule in errors})


def found_by_pyright(folder, projects=(".", HIDDEN)):
    """The same of pyright, from both of its runs."""
    found = set()
    for project in projects:
        # In .well-known the tree is found by its configuration, not by the environment.
        status, output, errors = run(
            folder, "pyright", "--outputjson", "--pythonpath", sys.executable, "-p", project
        )
        assert status in (0, 1), output + errors
        for each in json.loads(output)["generalDiagnostics"]:
            file = Path(each["file"]).relative_to(folder.resolve()).as_posix()
            found.add((file, each["range"]["start"]["line"] + 1, each["rule"]))
    return sorted(found)


def expected(folder, checker):
    """The errors that the comments of a sample promise."""
    return sorted(
        (path.relative_to(folder).as_posix(), number, rule)
        for path in folder.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), start=1)
        for rules in re.findall(rf"# .*\bby {checker}: ([\w, -]+)", line)
        for rule in rules.split(", ")
    )


@pytest.mark.ci
@needs_mypy
def test_mypy_accepts_every_file_of_a_correct_tree(sample):
    folder = sample("correct")
    files = len(list(folder.rglob("*.py")))
    success = f"Success: no issues found in {files} source files\n"
    assert typecheck(folder, "--root", "app") == (0, success, "")


@pytest.mark.ci
@needs_mypy
def test_mypy_finds_each_mistake(sample):
    folder = sample("mistakes")
    status, output, errors = typecheck(folder, "--root", "app")
    assert (status, errors) == (1, "")
    assert found_by_mypy(output) == expected(folder, "mypy")
    assert len(expected(folder, "mypy")) > 15


@pytest.mark.ci
@needs_pyright
def test_pyright_accepts_a_correct_tree(sample):
    assert found_by_pyright(sample("correct")) == []


@pytest.mark.ci
@needs_pyright
def test_pyright_finds_each_mistake(sample):
    folder = sample("mistakes")
    assert found_by_pyright(folder) == expected(folder, "pyright")
    assert len(expected(folder, "pyright")) > 12


@pytest.mark.ci
@needs_mypy
def test_mypy_alone_stops_at_the_folders(sample):
    status, output, errors = run(sample("mistakes"), "mypy", ".")
    assert (status, errors) == (2, "")
    assert 'error: Duplicate module named "route"' in output


@pytest.mark.ci
@needs_mypy
@pytest.mark.parametrize(
    "arguments",
    [
        ("--strict", "."),
        ("--strict", "wsgi.py"),
        ("--strict", "wsgi.py", "app/posts/route.py"),
        ("--strict", "wsgi.py", "app/posts/[id=int]/route.py", "app/files"),
        (),  # files = ["wsgi.py"] in the configuration
    ],
    ids=" ".join,
)
def test_files_that_are_named_are_checked_once(arguments, sample):
    status, output, errors = typecheck(sample("correct"), "--root", "app", *arguments)
    assert (status, errors) == (0, "")
    assert output == "Success: no issues found in 15 source files\n"


@pytest.mark.ci
@needs_mypy
def test_modules_and_packages_can_be_named_too(sample):
    folder = sample("correct")
    for arguments in (("-m", "app.posts.route"), ("-p", "app"), ("-p", "app.posts")):
        assert typecheck(folder, "--root", "app", *arguments)[0] == 0


@pytest.mark.ci
@needs_mypy
def test_what_is_excluded_is_not_checked(sample):
    folder = sample("mistakes")
    leave_out = ["--exclude=/_lib/", r"--exclude=^app/(files|\.well-known)/", "--exclude=are.py$"]
    _, output, _ = typecheck(folder, "--root", "app", "--follow-imports=silent", *leave_out)
    files = {file for file, _, _ in found_by_mypy(output)}
    assert files == {
        "app/(admin)/stats/[[...words]]/route.py",
        "app/posts/[id=int]/route.py",
        "app/posts/route.py",
        "app/sitemap.xml/route.py",
    }


@pytest.mark.ci
@needs_mypy
def test_options_of_mypy_are_mypys(sample):
    folder = sample("mistakes")
    status, output, errors = typecheck(folder, "--root", "app", "--no-error-summary", "--pretty")
    assert (status, errors) == (1, "")
    assert "    return POSTS[id]  # by mypy" in output
    assert "Found" not in output
    status, output, errors = typecheck(folder, "--root", "app", "--strickt")
    assert (status, output) == (2, "")
    assert "flask route-handlers typecheck: error: unrecognized arguments: --strickt" in errors


@pytest.mark.ci
@needs_mypy
def test_a_syntax_error_ends_with_status_2(sample):
    folder = sample("correct")
    (folder / "app/files/[...path]/route.py").write_text("def GET(path:\n", encoding="utf-8")
    status, output, errors = typecheck(folder, "--root", "app")
    assert status == 2
    [error, _] = (output + errors).splitlines()
    assert re.fullmatch(r"app/files/\[\.\.\.path\]/route\.py:\d+: error: .*  \[syntax\]", error)


@pytest.mark.ci
@needs_mypy
def test_nothing_of_the_app_is_executed(sample):
    folder = sample("correct")
    for file in ("wsgi.py", "app/posts/route.py"):
        path = folder / file
        path.write_text(f"{path.read_text(encoding='utf-8')}\nraise SystemExit(3)\n")
    assert typecheck(folder, "--root", "app")[0] == 0


PACKAGE = {
    "src/shop/__init__.py": "",
    "src/shop/prices.py": "PRICE: int = 3\n",
    "src/shop/app/api/orders/[id]/route.py": (
        "from shop.prices import PRICE\n"
        "from .....prices import PRICE as SAME\n"
        "def GET(id: str) -> str:\n    return PRICE + SAME\n"
    ),
}


@pytest.mark.ci
@needs_mypy
def test_a_tree_in_a_package_is_a_part_of_it(tmp_path):
    write_files(tmp_path, PACKAGE)
    status, output, _ = typecheck(tmp_path, "--root", "src/shop/app/api", "--strict")
    file = "src/shop/app/api/orders/[id]/route.py"
    assert (status, found_by_mypy(output)) == (1, [(file, 4, "return-value")])


@pytest.mark.ci
@needs_mypy
def test_several_roots_are_checked_together(tmp_path):
    wrong = 'def GET() -> int:\n    return ""\n'
    write_files(tmp_path, {"app/api/route.py": wrong, "app/hooks.v2/[id]/route.py": wrong})
    _, output, _ = typecheck(tmp_path, "--root", "app/api", "--root", "app/hooks.v2")
    assert {file for file, _, _ in found_by_mypy(output)} == {
        "app/api/route.py",
        "app/hooks.v2/[id]/route.py",
    }


def test_a_root_that_does_not_exist_is_refused(tmp_path):
    status, output, errors = typecheck(tmp_path)
    assert (status, output) == (2, "")
    assert errors.endswith(
        f"Error: Invalid value for --root: There is no folder {tmp_path.resolve()}/app/api. "
        "Give the root of RouteHandlers, as in --root app.\n"
    )


def test_without_mypy_the_command_needs_it(tmp_path):
    # The folder of the project comes first, so this file is imported instead of mypy.
    write_files(tmp_path, {"app/api/route.py": "", "mypy.py": ""})
    status, output, errors = typecheck(tmp_path)
    assert (status, output) == (2, "")
    assert errors == 'Error: mypy is not installed. Install it: pip install "mypy>=1.11".\n'


APP = """
from flask import Flask
from flask_routehandlers import RouteHandlers

app = Flask(__name__)
for root in ("app", "pages"):
    RouteHandlers(app, root)
"""


@pytest.mark.ci
@needs_mypy
def test_the_roots_are_those_of_the_named_app(tmp_path):
    wrong = 'def GET() -> int:\n    return ""\n'
    refused = f"{wrong}def get() -> int:\n    return 1\n"
    files = {"shop/__init__.py": APP, "shop/app/route.py": wrong, "shop/pages/x/route.py": wrong}
    write_files(tmp_path, files | {"shop/pages/y/route.py": refused})
    status, output, errors = run(tmp_path, "flask", "--app", "shop", *TYPECHECK)
    assert (status, errors) == (1, "")
    assert {file for file, _, _ in found_by_mypy(output)} == {
        "shop/app/route.py",
        "shop/pages/x/route.py",
        "shop/pages/y/route.py",
    }
    (tmp_path / "shop/__init__.py").write_text("app = 1 / 0")
    status, output, errors = run(tmp_path, "flask", "--app", "shop", *TYPECHECK)
    assert (status, output) == (2, "")
    assert errors.endswith("\nTo check a tree without its app, name its root: --root app/api.\n")


@needs_mypy
def test_a_root_that_python_cannot_import_is_refused(tmp_path):
    write_files(tmp_path, {"app.py": "", "app/api/route.py": ""})
    status, output, errors = typecheck(tmp_path)
    assert (status, output) == (2, "")
    assert "Rename app.py, for example to wsgi.py: flask run finds the app there too." in errors


NAMES = """
import os, sys
import wsgi
from flask_routehandlers.importing.names import name_root
from flask_routehandlers.cli.mypy import python_files

root = os.path.abspath("app")
for path, name in python_files(root, name_root(root, "", os.getcwd())):
    if path.endswith(("route.py", "middleware.py")):
        print(path, sys.modules[name].__file__ == os.path.abspath(path))
"""


@pytest.mark.ci
@needs_mypy
def test_mypy_uses_the_names_of_the_import_system(sample):
    folder = sample("correct")
    write_files(folder, {"names.py": NAMES})
    status, output, errors = run(folder, "names")
    assert (status, errors) == (0, "")
    assert sorted(output.splitlines()) == sorted(
        f"{path.relative_to(folder)} True"
        for name in ("route.py", "middleware.py")
        for path in folder.rglob(name)
    )


@pytest.mark.ci
@needs_pyright
def test_the_package_itself_passes_pyright():
    status, output, errors = run(REPOSITORY, "pyright", "--pythonpath", sys.executable)
    assert status == 0, output + errors


def test_the_package_says_that_it_is_typed():
    assert (Path(flask_routehandlers.__file__).parent / "py.typed").is_file()
