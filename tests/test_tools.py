"""The settings for ruff on ``docs/tools.md``: enough for a correct tree, and no more than that."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support import write_files

REPOSITORY = Path(__file__).parents[1]
SAMPLE = REPOSITORY / "tests/samples/typing/correct"
PAGE = (REPOSITORY / "docs/tools.md").read_text(encoding="utf-8")
[BLOCK] = re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)
#: The rules of the page's table.
RULES = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M))


@pytest.fixture
def project(tmp_path):
    """The sample, with the settings of the page and nothing else."""
    folder = shutil.copytree(SAMPLE, tmp_path / "project")
    (folder / "pyproject.toml").write_text(BLOCK, encoding="utf-8")
    return folder


def complaints(folder, *arguments):
    """What ruff finds: each file with a rule."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json"]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.returncode in (0, 1), done.stderr
    return {
        (Path(each["filename"]).relative_to(folder.resolve()).as_posix(), each["code"])
        for each in json.loads(done.stdout)
    }


def rules(found):
    return {rule for _, rule in found}


def edit(project, old, new):
    path = project / "pyproject.toml"
    assert BLOCK.count(old) == 1
    path.write_text(BLOCK.replace(old, new), encoding="utf-8")


def test_a_correct_tree_passes_with_the_settings(project):
    assert complaints(project, "app") == set()


def test_without_settings_the_rules_of_the_page_fail(project):
    families = tomllib.loads(BLOCK)["tool"]["ruff"]["lint"]["extend-select"]
    found = complaints(project, "--isolated", f"--extend-select={','.join(families)}", "app")
    assert rules(found) == RULES == {"INP001", "N999", "N802", "A002", "ARG001"}
    files = {file for file, rule in found if rule == "INP001"}
    assert {"app/.well-known/security.txt/route.py", "app/files/[...path]/route.py"} <= files


@pytest.mark.parametrize(
    ("left_out", "expected"),
    [
        ('namespace-packages = ["app"]', {"INP001", "N999"}),
        ('"app/**/route.py" = ["A002", "N802"]', {"A002", "N802"}),
        ('"app/**/middleware.py" = ["A002", "ARG001"]', {"A002", "ARG001"}),
    ],
)
def test_each_setting_is_needed(left_out, expected, project):
    edit(project, left_out, "")
    assert rules(complaints(project, "app")) == expected


def test_the_settings_silence_nothing_elsewhere(project):
    wrong = "def GET(id, other):\n    return id\n"
    write_files(project, {"app/_lib/wrong.py": wrong, "scripts/wrong.py": wrong})
    of_a_function = {"N802", "A002", "ARG001"}
    found = complaints(project)
    assert rules({each for each in found if each[0] == "app/_lib/wrong.py"}) == of_a_function
    assert rules({each for each in found if each[0] == "scripts/wrong.py"}) == {
        *of_a_function,
        "INP001",
    }


def test_an_unused_argument_is_still_found(project):
    write_files(project, {"app/posts/[id=int]/route.py": "def GET(id, request):\n    return id\n"})
    assert complaints(project, "app") == {("app/posts/[id=int]/route.py", "ARG001")}


@pytest.mark.parametrize(("pattern", "silenced"), [("[id=int]", False), ("?id=int?", True)])
def test_question_marks_in_a_pattern_match_brackets(pattern, silenced, project):
    write_files(project, {"app/posts/[id=int]/route.py": "import os\n"})
    last = '"app/**/middleware.py" = ["A002", "ARG001"]'
    edit(project, last, f'{last}\n"app/posts/{pattern}/*" = ["F401"]')
    found = complaints(project, "app")
    assert found == (set() if silenced else {("app/posts/[id=int]/route.py", "F401")})


def test_the_sample_has_the_settings_of_the_page():
    own = tomllib.loads((SAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    shown = tomllib.loads(BLOCK)["tool"]["ruff"]
    assert own["namespace-packages"] == shown["namespace-packages"]
    assert own["lint"]["per-file-ignores"] == shown["lint"]["per-file-ignores"]
