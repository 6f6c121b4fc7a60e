"""An event loop of each kind, and scripts that run in separate processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flask_routehandlers.running.engine import Engine, SharedEngine
from flask_routehandlers.running.process import process

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def shared_loop() -> Iterator[None]:
    """The loop of systems where threads of requests run their own coroutines."""
    yield from _with_engine(SharedEngine())


@pytest.fixture(params=["shared", "hop"])
def any_loop(request: pytest.FixtureRequest) -> Iterator[str]:
    """The loop of each kind in turn."""
    if request.param == "shared":
        engine: Engine = SharedEngine()
    else:
        engine = Engine(asyncio.new_event_loop())
    for _ in _with_engine(engine):
        yield request.param


def _with_engine(engine: Engine) -> Iterator[None]:
    before, process.engine = process.engine, engine
    yield
    engine.close()
    process.engine = before


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., str]:
    """Run a script in a separate process, and return what it prints."""

    def run(script: str, *options: str, code: int = 0, **environment: str) -> str:
        path = tmp_path / "script.py"
        path.write_text(script)
        result = subprocess.run(
            [sys.executable, *options, str(path)],
            env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr, result.stderr
        return result.stdout

    return run
