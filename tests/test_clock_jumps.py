"""The clocks of machines jump by an hour while an app serves: nothing fails, nothing stays old."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.servers import Gunicorn, gunicorn, redis_server
from tests.support import until, write_files

CC = shutil.which("cc") or shutil.which("gcc")
HOUR = 3600

#: Loaded into a process, it adds the seconds in a file to the time of day. Nothing else is faked:
#: the time that passes is that of the machine, as it is when somebody sets the clock.
CLOCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    char text[32] = {0};
    int file = open(getenv("CLOCK_OFFSET"), O_RDONLY);
    if (file < 0) return 0;
    read(file, text, sizeof text - 1);
    close(file);
    return atol(text);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) now->tv_sec += offset();
    return result;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
"""

WSGI = """
import os
import time

from flask import Flask

from flask_routehandlers import RouteHandlers

app = Flask(__name__)
app.config["SECRET_KEY"] = "shared by all"
app.config["ROUTE_HANDLERS_CACHE_URL"] = os.environ.get("REDIS")
app.config["ROUTE_HANDLERS_CACHE_TIMEOUT"] = 5
RouteHandlers(app)
"""
FILES = {
    "wsgi.py": WSGI,
    # What a machine's clock says, and no cache.
    "app/api/clock/route.py": "import time\ndef GET():\n    return {'now': time.time()}\n",
    # When it was computed, by a clock that does not jump and that all processes share.
    "app/api/second/[key]/route.py": "import time\nrevalidate = 1\n"
    "def GET():\n    return {'made': time.monotonic()}\n",
    "app/api/told/[key]/route.py": "import time\nrevalidate = False\ncache_tags = ['told']\n"
    "def GET():\n    return {'made': time.monotonic()}\n",
    "app/api/tell/route.py": "from flask_routehandlers import revalidate_tag\n"
    "def POST():\n    revalidate_tag('told')\n    return {}\n",
}


class Clock:
    """A clock that some processes have, and that can be set."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / name
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(folder / "clock.so"),
            "CLOCK_OFFSET": str(self._file),
        }

    def set(self, offset: int) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset}\n")
        new.replace(self._file)


@pytest.fixture
def make_clock(tmp_path: Path) -> Callable[[str], Clock]:
    if CC is None:
        pytest.skip("no C compiler: apt-get install gcc libc6-dev")
    (tmp_path / "clock.c").write_text(CLOCK)
    command = [CC, "-shared", "-fPIC", "-O", "-w", "-o", "clock.so", "clock.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    return lambda name: Clock(tmp_path, name)


class Client:
    """Asks all the time, and notes what was not as it should be."""

    def __init__(self, running: Gunicorn) -> None:
        self._running = running

    def ask(self, path: str, method: str = "GET") -> Any:
        connection = HTTPConnection("127.0.0.1", self._running.port, timeout=20)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200, (path, response.status, self._running.output)
            age = response.headers["Age"]
            assert age is None or int(age) >= 0
            return json.loads(body)
        finally:
            connection.close()

    def age(self, path: str) -> float:
        """Seconds since the answer was computed."""
        return time.monotonic() - self.ask(path)["made"]

    def clock(self) -> float:
        """By how many seconds the clock of the workers is wrong."""
        return self.ask("/api/clock")["now"] - time.time()

    @contextmanager
    def others(self) -> Iterator[None]:
        """While the block runs, others ask again and again."""
        ends = False

        def ask(number: int) -> int:
            answers = 0
            while not ends:
                self.ask(f"/api/second/{number}")
                self.ask(f"/api/told/{number}")
                answers += 1
                time.sleep(0.01)
            return answers

        with ThreadPoolExecutor(2) as pool:
            asking = [pool.submit(ask, number) for number in range(2)]
            try:
                yield
            finally:
                ends = True
            assert all(asked.result() > 10 for asked in asking)


def go_through_jumps(client: Client, clocks: list[Clock], jumps: tuple[int, ...]) -> None:
    with client.others():
        client.ask("/api/second/a")
        assert until(lambda: client.age("/api/second/a") < 0.5)
        told = client.ask("/api/told/a")["made"]
        for offset in jumps:
            for clock in clocks:
                clock.set(offset)
            # Refreshed on, each second; what is stale is given once.
            assert until(lambda: client.age("/api/second/a") < 0.5)
            time.sleep(1.2)
            client.ask("/api/second/a")
            assert until(lambda: client.age("/api/second/a") < 0.5)
            # What is fresh until revalidated is computed again then, and not before.
            assert client.ask("/api/told/a")["made"] == told
            client.ask("/api/tell", "POST")
            before, told = told, client.ask("/api/told/a")["made"]
            assert told > before
            assert client.ask("/api/told/a")["made"] == told
            # What no one has asked for before is computed and stored.
            path = f"/api/told/{time.monotonic()}"
            first = client.ask(path)
            assert client.age(path) < 5
            assert client.ask(path) == first


SHORT, FULL = (HOUR, -HOUR), (HOUR, 0, -HOUR, HOUR, -HOUR, 0) * 3
WORKERS = ("--workers=2", "--threads=4", "--worker-class=gthread", "--worker-connections=8")


each_size = pytest.mark.parametrize(
    "jumps",
    [pytest.param(SHORT, marks=pytest.mark.ci), pytest.param(FULL, marks=pytest.mark.soak)],
    ids=["", "full size"],
)


@each_size
@pytest.mark.parametrize("which", ["the server's", "the workers'", "both", "in turns"])
def test_clocks_that_jump_stop_nothing(tmp_path, make_clock, which, jumps):
    write_files(tmp_path, FILES)
    of_server, of_workers = make_clock("server"), make_clock("workers")
    jumping = {
        "the server's": [of_server],
        "the workers'": [of_workers],
        "both": [of_server, of_workers],
        "in turns": [],
    }[which]
    with (
        redis_server(**of_server.environment) as server,
        gunicorn(tmp_path, *WORKERS, REDIS=server.url, **of_workers.environment) as running,
        server.client() as redis,
    ):
        client = Client(running)
        of_server.set(HOUR)
        of_workers.set(-HOUR)
        assert redis.time()[0] - time.time() == pytest.approx(HOUR, abs=60)
        assert client.clock() == pytest.approx(-HOUR, abs=60)
        of_server.set(0)
        of_workers.set(0)
        if jumping:
            go_through_jumps(client, jumping, jumps)
        else:
            for one, other in pairwise((0, *jumps)):
                go_through_jumps(client, [of_server], (one,))
                go_through_jumps(client, [of_workers], (other,))


@each_size
def test_memory_ignores_clocks_that_jump(tmp_path, make_clock, jumps):
    write_files(tmp_path, FILES)
    clock = make_clock("workers")
    with gunicorn(
        tmp_path, "--workers=1", "--threads=8", "--worker-class=gthread", **clock.environment
    ) as running:
        client = Client(running)
        clock.set(HOUR)
        assert client.clock() == pytest.approx(HOUR, abs=60)
        clock.set(0)
        go_through_jumps(client, [clock], jumps)
