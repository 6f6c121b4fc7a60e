"""The apps whose documents other people's tools read, and these tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.servers import gunicorn

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
SAMPLES = HERE.parent / "samples"

#: Where programs are: of npm, and of Python's environment, which has Node.js too.
PATH = os.pathsep.join(
    [str(HERE / "node_modules/.bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
)

#: Tools that ask whether they may report how they are used, or look for a newer version.
QUIET = {
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "NO_COLOR": "1",
}

_EXAMPLE = """
from example_app import create_app

app = create_app({
    "DATABASE": __file__ + ".sqlite",
    "ADMIN_TOKEN": "secret",
    "WEBHOOK_SECRET": "secret",
    "EVENTS_SECONDS": 0,
})
"""


@dataclass(frozen=True)
class App:
    """An app whose document is tested.

    :param folder: the sample that is copied, if it is one.
    :param files: further files.
    :param environment: environment variables of the server.
    """

    folder: Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the app to a folder."""
        if self.folder is not None:
            shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        for name, content in self.files.items():
            (folder / name).write_text(content, encoding="utf-8")


APPS = {
    "library": App(SAMPLES / "library"),
    "conduit": App(SAMPLES / "conduit", environment={"DATABASE_URL": "sqlite:///conduit.db"}),
    "example": App(files={"wsgi.py": _EXAMPLE}),
}


@dataclass(frozen=True)
class Served:
    """An app below a server.

    :param name: its name in ``APPS``.
    :param url: the URL of its root.
    """

    name: str
    url: str


@contextmanager
def serve(name: str, folder: Path, files: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Serve an app of ``APPS`` with gunicorn and two workers.

    :param files: files that replace those of the app.
    """
    app = APPS[name]
    app.write(folder)
    for file, content in (files or {}).items():
        (folder / file).write_text(content, encoding="utf-8")
    # One process: the samples keep what they receive in memory.
    options = ["--threads", "4"] if name == "library" else ["--workers", "2"]
    # As long as a query that is refused for its length.
    with gunicorn(folder, *options, "--limit-request-line", "0", **app.environment) as server:
        yield Served(name, f"http://127.0.0.1:{server.port}")


def write_document(name: str, folder: Path) -> Path:
    """Write the document of an app to a file, with the command."""
    app = APPS[name]
    app.write(folder)
    file = folder / "openapi.json"
    run(["flask", "--app", "wsgi", "route-handlers", "openapi", "-o", file], folder)
    return file


def run(
    command: list[Any], folder: Path, *, expected: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder and return what it wrote; its exit status is expected.

    The test is skipped where the program is not installed.
    """
    program = str(command[0])
    if not shutil.which(program, path=PATH):
        pytest.skip(f"{program} is not installed: nox -s conformance")
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**os.environ, **QUIET, "PATH": PATH, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=600,
    )
    assert done.returncode == expected, f"{done.stdout}\n{done.stderr}"
    return done
