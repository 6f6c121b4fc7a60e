"""Scan and check a large tree, without loading it. The one absolute figure, in seconds."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from flask_routehandlers.importing.loader import find_name_clashes
from flask_routehandlers.tree.conflicts import find_conflicts
from flask_routehandlers.tree.discovery import discover
from tests.benchmarks.startup import write_route_files

COUNT = 10_000
RUNS = 7


def run() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        write_route_files(Path(name), COUNT)
        taken = []
        for _ in range(RUNS):
            begin = time.perf_counter()
            tree = discover(str(Path(name, "app/api")))
            problems = [*tree.problems, *find_conflicts(tree), *find_name_clashes(tree)]
            taken.append(time.perf_counter() - begin)
            assert len(tree.routes) == COUNT
            assert not problems
        yield f"{COUNT} route files: {median(taken):.2f} s"
