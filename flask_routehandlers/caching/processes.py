"""Tell whether several processes are likely to serve an app, each with a store of its own."""

from __future__ import annotations

import ast
import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cache import Cache

#: What gunicorn reads from the folder in which it is started.
GUNICORN_FILE = "gunicorn.conf.py"


def find_split_store(cache: Cache, *, by_settings: bool) -> Iterator[tuple[str, str]]:
    """That several processes store the same, each for itself: the reason and the hint.

    :param by_settings: whether to go by the settings of servers too where none is running.
    """
    several = find_several(by_settings=by_settings)
    if several and cache.settings.url is None:
        yield (
            "Static handlers store what they answer in the memory of each process, and several "
            f"processes are likely: {several}. Revalidating reaches only one of them.",
            "Set ROUTE_HANDLERS_CACHE_URL in app.config to the URL of a Redis or Valkey server.",
        )


def find_several(*, by_settings: bool) -> str | None:
    """What says that several processes serve the app; ``None`` if nothing does.

    The server that runs this process knows. Of its processes only the first one is told, so that
    it is said once.
    """
    for ask in (_ask_gunicorn, _ask_uwsgi):
        running = ask()
        if running is not None:
            name, count, is_first = running
            return f"{name} runs {count}" if count > 1 and is_first else None
    return _read_settings(os.environ) if by_settings else None


def _ask_gunicorn() -> tuple[str, int, bool] | None:
    """Below gunicorn, what loads the app is a worker, or the master if it preloads the app."""
    frame: FrameType | None = sys._getframe()
    while frame:
        if frame.f_globals.get("__name__") in ("gunicorn.workers.base", "gunicorn.arbiter"):
            server = frame.f_locals.get("self")
            config = getattr(server, "cfg", None)
            if config is not None:
                return "gunicorn", config.workers, getattr(server, "age", 1) == 1
        frame = frame.f_back
    return None


def _ask_uwsgi() -> tuple[str, int, bool] | None:
    uwsgi = sys.modules.get("uwsgi")  # a module only inside of uWSGI
    count = getattr(uwsgi, "numproc", None)
    if uwsgi is None or count is None:
        return None
    return "uWSGI", count, uwsgi.worker_id() < 2


def _read_settings(environ: Mapping[str, str]) -> str | None:
    """What gunicorn, and others that know the same variable, would go by: the first that says."""
    arguments = _read_arguments(environ.get("GUNICORN_CMD_ARGS", ""))
    if arguments is not None:
        return f"GUNICORN_CMD_ARGS asks for {arguments}" if arguments > 1 else None
    value = _read_file()
    if value is not None:
        return f"{GUNICORN_FILE} has workers = {value}" if value not in ("0", "1") else None
    count = environ.get("WEB_CONCURRENCY", "")
    return f"WEB_CONCURRENCY is {count}" if count.isdecimal() and int(count) > 1 else None


def _read_arguments(text: str) -> int | None:
    """The number of workers that options of gunicorn ask for."""
    parser = ArgumentParser(add_help=False)
    parser.add_argument("-w", "--workers", nargs="?")
    workers = parser.parse_known_args(text.split())[0].workers
    return int(workers) if workers and workers.isdecimal() else None


def _read_file() -> str | None:
    """What ``workers`` is in the file of gunicorn, which is not run."""
    try:
        with open(GUNICORN_FILE, encoding="utf-8") as file:
            module = ast.parse(file.read())
    except (OSError, ValueError, SyntaxError):
        return None
    values = [
        node.value
        for node in module.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == "workers"
    ]
    return ast.unparse(values[-1]) if values else None
