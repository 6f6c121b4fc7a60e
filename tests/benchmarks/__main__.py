"""Run the benchmarks named on the command line, or all of them."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = (
    "requests",
    "middleware",
    "dependencies",
    "static",
    "startup",
    "scan",
    "check",
    "running",
    "openapi",
)

for name in sys.argv[1:] or NAMES:
    for line in import_module(f"tests.benchmarks.{name}").run():
        print(f"{name:12} {line}", flush=True)
