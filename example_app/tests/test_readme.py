"""The commands of the README, in Bash and with curl, print what it shows."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.pages import agrees, blocks, commands
from tests.projects import environment, serving

pytestmark = [
    pytest.mark.ci,
    pytest.mark.skipif(shutil.which("curl") is None, reason="no curl: apt-get install curl"),
]

EXAMPLE = Path(__file__).parents[1]

SETTINGS = {
    "WEBHOOK_SECRET": "a long secret",
    "ADMIN_TOKEN": "a-long-token",
    "CORS_ORIGINS": "https://app.example",
}

#: Parts of an output that differ from run to run.
VARYING = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"(Date|Server|X-Request-ID): .*", r"\1"),
    (r"ttl=\d+", "ttl=N"),
    (r"\r", ""),
]

BLOCKS = [
    commands(block.text) for block in blocks(EXAMPLE / "README.md") if block.kind == "console"
]
[START, MATCH, API, ADMINISTRATION, PREFLIGHT, FEEDS, EXPORT] = map(list, BLOCKS)


@pytest.fixture
def folder(tmp_path):
    """A project with a copy of the example."""
    shutil.copytree(EXAMPLE, tmp_path / "example_app")
    return tmp_path


def without_varying_parts(output):
    for pattern, replacement in VARYING:
        output = re.sub(pattern, replacement, output)
    return output


def compare(shown, folder, port=0):
    """Run commands in one shell; compare their outputs with those that are shown."""
    year = str(datetime.now(UTC).year)
    flask = f"'{sys.executable}' -m flask"
    script = "".join(f"{command}\necho; echo END\n" for command, _ in shown)
    script = script.replace("127.0.0.1:5000", f"127.0.0.1:{port}").replace(
        "2026.csv", f"{year}.csv"
    )
    done = subprocess.run(
        ["bash"],
        input=f'flask() {{ {flask} "$@"; }}\n{script}',
        cwd=folder,
        env=environment() | SETTINGS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
    )
    outputs = done.stdout.split("\nEND\n")[:-1]
    for (_, expected), output in zip(shown, outputs, strict=True):
        expected, real = map(without_varying_parts, (expected, output))
        assert agrees(expected.rstrip(), real.rstrip())


def test_the_commands_print_what_the_readme_shows(folder):
    exports, _ = START
    assert all(f'{name}="{value}"' in exports[0] for name, value in SETTINGS.items())
    with serving(folder, folder / "log.txt", "--app", "example_app", **SETTINGS) as port:
        compare([*API, *ADMINISTRATION, *PREFLIGHT, *FEEDS], folder, port)


@pytest.mark.parametrize("block", [MATCH, EXPORT], ids=["match", "export"])
def test_the_readme_shows_route_commands(folder, block):
    compare(block, folder)
