"""``flask route-handlers check`` on a large tree, against the start-up of its app."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.benchmarks.startup import write_route_files

COUNT = 5000
RUNS = 5

# Each in a new process, without the import of Flask, which both need. The command is called
# without `flask`, which would load the commands of all installed extensions.
_START = """
import time
import flask.cli
begin = time.process_time()
import wsgi
wsgi.app.url_map.update()
print(time.process_time() - begin)
"""
_CHECK = """
import io, sys, time
from contextlib import redirect_stdout
from flask.cli import ScriptInfo
begin = time.process_time()
from flask_routehandlers.cli import group
with redirect_stdout(io.StringIO()) as printed:
    try:
        group.main(["check"], obj=ScriptInfo(app_import_path="wsgi"))
    except SystemExit as error:
        status = error.code
seconds = time.process_time() - begin
assert status == 0 and printed.getvalue().startswith("%d route files: ")
print(seconds)
"""


def measure(folder: Path, code: str) -> float:
    """Return the processor time of a start with bytecode on disk, as after the first start."""
    output = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        capture_output=True,
        check=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
    ).stdout
    return float(output)


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        write_route_files(Path(name), COUNT)
        codes = (_START, _CHECK % COUNT)
        for code in codes:
            measure(Path(name), code)  # writes the bytecode
        taken: dict[str, list[float]] = {code: [] for code in codes}
        for number in range(RUNS):
            for code in codes if number % 2 else reversed(codes):
                taken[code].append(measure(Path(name), code))
        start, check = (median(taken[code]) for code in codes)
        yield f"{COUNT} route files: check against start-up {check / start:.2f}"
