"""Requests for a server, from wrk, and the time that the server takes for them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from tests.servers import Server, free_port, started

TICKS = os.sysconf("SC_CLK_TCK")


class Rate(NamedTuple):
    """Requests per second, and per second of processor time: other load does not change that."""

    per_second: float
    per_cpu_second: float


@contextmanager
def python_server(folder: Path, command: str) -> Iterator[Server]:
    """Run a server of a Python module.

    :param folder: the current folder of the server.
    :param command: the module and its options, with ``{port}`` for the port.
    """
    port, output = free_port(), folder / "output.txt"
    words = [sys.executable, "-m", *command.format(port=port).split()]
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin"}
    with ExitStack() as stack:
        running = started(words, port, output, cwd=folder, env=environment)
        yield Server(port, stack.enter_context(running), output)
        with redirect_stdout(StringIO()):  # the output, which is printed if something fails
            stack.close()


def measure(server: Server, path: str, seconds: int, *options: str) -> Rate:
    """Return the rate of a server for a path.

    :param options: further options of wrk.
    """
    before = processor_seconds(server.process.pid)
    requests, taken = send(server.port, path, seconds, *options)
    return Rate(requests / taken, requests / (processor_seconds(server.process.pid) - before))


def send(port: int, path: str, seconds: int, *options: str) -> tuple[int, float]:
    """Send requests by 8 connections; return how many, and in how many seconds."""
    url = f"http://127.0.0.1:{port}{path}"
    command = ["wrk", "-t1", "-c8", f"-d{seconds}", *options, url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "Non-2xx" not in done.stdout, done.stdout
    [(requests, taken)] = re.findall(r"(\d+) requests in (\S+)s", done.stdout)
    return int(requests), float(taken)


def processor_seconds(pid: int) -> float:
    """Return the time of the processors that a server has taken, with its workers (Linux)."""
    ticks = 0
    for process in _descendants(pid):
        # The name of the program may contain spaces; it ends with the last parenthesis.
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


def _descendants(pid: int) -> Iterator[int]:
    """Yield a process and all that it has started, with threads that may have done so."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _descendants(int(child))
