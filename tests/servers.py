"""Real servers for a test: Redis, nginx and gunicorn, on free ports, ended with the test."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from flask_routehandlers.caching.settings import Settings

#: The beginning of all keys in a server.
PREFIX = Settings().prefix


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class RedisServer:
    """A server that can be killed, stopped and started anew on its port."""

    def __init__(self, folder: str, environment: Mapping[str, str]) -> None:
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            pytest.skip("no redis-server: apt-get install redis-server")
        self._folder = folder
        self._environment = os.environ | environment
        self._program = program
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self, *options: str) -> None:
        call = [self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(
            [*call, "--appendonly", "no", "--dir", self._folder, *options],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as peer:
                peer.sendall(b"PING\r\n")
                if peer.recv(64).startswith(b"+PONG"):
                    return
            time.sleep(0.01)
        self.kill()
        pytest.fail("redis-server does not start")

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """Let it accept connections, and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """A plain client, to look at what is in it."""
        import redis

        client = redis.Redis(port=self.port, socket_timeout=5)
        try:
            yield client
        finally:
            # close() of redis-py 5.0 leaves connections to the garbage collector.
            client.connection_pool.disconnect()

    def make_stale(self, seconds: float = 10_000) -> None:
        """Set back the time at which every entry was stored."""
        with self.client() as client:
            for name in client.scan_iter(f"{PREFIX}e:*"):
                client.hincrby(name, "stored", -round(seconds * 1000))


@contextmanager
def redis_server(**environment: str) -> Iterator[RedisServer]:
    """A server for as long as the block lasts; the test is skipped where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(folder, environment)
        try:
            yield server
        finally:
            server.kill()


NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed: apt-get install nginx-light"
)
_CONFIG = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""


@contextmanager
def started(command: list[str], port: int, output: Path, **options: Any) -> Iterator[Any]:
    """Run a process until the end of the block, which begins when it answers on its port.

    What it printed is printed at the end: pytest shows that when the test fails.
    """
    with output.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, **options)
    try:
        until = time.monotonic() + 60
        while not answers(port):
            assert process.poll() is None, f"{command[0]} has ended"
            assert time.monotonic() < until, f"{command[0]} does not answer"
            time.sleep(0.02)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)
        print(f"The output of {command[0]}:\n{output.read_text(errors='replace')}")


@contextmanager
def nginx(folder: Path, server: str, http: str = "") -> Iterator[int]:
    """nginx with some configuration of its server, and of what lies around it. Its port."""
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(_CONFIG.format(folder=folder, port=port, server=server, http=http))
    assert NGINX is not None
    command = [NGINX, "-p", str(folder), "-c", str(config)]
    with started(command, port, folder / "nginx.txt"):
        yield port


class Gunicorn:
    """gunicorn, that can be asked for its processes."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], output: Path) -> None:
        self.port = port
        self.process = process
        self._output = output

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def workers(self) -> set[int]:
        """The process ids of its workers."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return {int(child) for child in children.split()}


@contextmanager
def gunicorn(
    folder: Path, *options: str, app: str = "wsgi:app", **environment: str
) -> Iterator[Gunicorn]:
    """gunicorn for an app in a folder."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", app, "--bind", f"127.0.0.1:{port}"]
    checkout = str(Path(__file__).parents[1])
    output = folder / "gunicorn.txt"
    with started(
        [*command, "--worker-tmp-dir", str(folder), *options],
        port,
        output,
        cwd=folder,
        # It keeps a socket at home, one for all that run there.
        env=os.environ | {"PYTHONPATH": checkout, "HOME": str(folder)} | environment,
    ) as process:
        yield Gunicorn(port, process, output)


POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [
    Path(found).parent for found in [shutil.which("postgres")] if found
]
needs_postgres = pytest.mark.skipif(
    not POSTGRES, reason="PostgreSQL is not installed: apt-get install postgresql"
)


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """PostgreSQL with its data in a folder that only this test uses. The URL of a database.

    It refuses to run as root, so root starts it as the user that Debian's package has made.
    """
    programs = POSTGRES[-1]
    port = free_port()
    options: dict[str, Any] = {}
    data = Path(tempfile.mkdtemp(prefix="postgres"))
    if os.geteuid() == 0:
        shutil.chown(data, "postgres", "postgres")
        options = {"user": "postgres", "group": "postgres", "extra_groups": []}
    try:
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "test", "--auth=trust", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            **options,
        )
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
        with started(
            [*command, "-h", "127.0.0.1", "-F"], port, folder / "postgres.txt", **options
        ):
            yield f"postgresql://test@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(data)


class Server:
    """A server of WSGI for an app in a folder."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], output: Path) -> None:
        self.port = port
        self.process = process
        self._output = output

    @property
    def output(self) -> str:
        return self._output.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


@contextmanager
def wsgi_server(
    folder: Path, name: str, *options: str, app: str = "wsgi:app", **environment: str
) -> Iterator[Server]:
    """A server for an app in a folder: gunicorn, waitress, granian, uwsgi, ``flask`` (the
    development server) or ``python`` (a script that runs the app on the port in ``PORT``).

    :param options: further options of its command.
    """
    port = free_port()
    commands = {
        "gunicorn": ["gunicorn", app, f"--bind=127.0.0.1:{port}", f"--worker-tmp-dir={folder}"],
        "waitress": ["waitress", f"--listen=127.0.0.1:{port}"],
        "granian": ["granian", "--interface=wsgi", f"--port={port}"],
        "flask": ["flask", f"--app={app}", "run", f"--port={port}"],
    }
    if name == "python":
        command = [sys.executable, f"{app.partition(':')[0]}.py", *options]
    elif name == "uwsgi":
        command = [_uwsgi(), f"--http-socket=127.0.0.1:{port}", "--master", "--die-on-term"]
        command += [*(options or (f"--module={app}",)), "--callable=app", "--need-app"]
    else:
        command = [sys.executable, "-m", *commands[name], *options]
    if name in ("waitress", "granian"):
        command.append(app)
    checkout = str(Path(__file__).parents[1])
    output = folder / f"{name}.txt"
    with started(
        command,
        port,
        output,
        cwd=folder,
        env=os.environ
        | {"PYTHONPATH": checkout, "HOME": str(folder), "PORT": str(port)}
        | environment,
    ) as process:
        yield Server(port, process, output)


def _uwsgi() -> str:
    """Return the path of uWSGI: of the wheel, or what the system has."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    program = shutil.which("pyuwsgi", path=path) or shutil.which("uwsgi", path=path)
    if program is None:
        pytest.skip("uWSGI is not installed: pip install pyuwsgi")
    return program
