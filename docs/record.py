"""Record the output of commands for the pages: ``python docs/record.py [NAME...]``.

Each recording becomes ``docs/recordings/NAME.svg``. The commands run in a new project, and at a
terminal, since they print colours only there. ``tests/test_recordings.py`` runs them again and
compares. The name ``messages`` stands for ``docs/messages.md``, which ``tests/test_messages.py``
compares.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).parent
RECORDINGS_FOLDER = DOCS / "recordings"

#: The folder of the project, as a recording shows it.
SHOWN_FOLDER = "/srv/shop"

#: The width of the terminal. Longer lines continue on the next row.
COLUMNS = 90

#: Seconds that a command can take.
TIMEOUT = 60

#: The project of every recording.
PROJECT = {
    "wsgi.py": "from flask import Flask\n\nfrom flask_routehandlers import RouteHandlers\n\n"
    "app = Flask(__name__)\nRouteHandlers(app)\n",
    "app/api/middleware.py": "def middleware(call_next):\n    return call_next()\n",
    "app/api/users/route.py": "def GET():\n    return []\n",
    "app/api/users/me/route.py": "def GET():\n    return {}\n",
    "app/api/users/[id=int]/middleware.py": "def middleware(call_next):\n    return call_next()\n",
    "app/api/users/[id=int]/route.py": "def GET(id): ...\n\n\ndef DELETE(id): ...\n",
}


@dataclass(frozen=True)
class Recording:
    """Commands, and the files that their project has in addition to ``PROJECT``."""

    commands: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)


RECORDINGS = {
    "new": Recording(
        (
            "flask route-handlers new 'posts/[id=int]' GET PATCH --middleware",
            "cat 'app/api/posts/[id=int]/route.py'",
        )
    ),
    "check": Recording(
        ("flask route-handlers check",),
        {
            "app/api/orders/route.py": "def get():\n    return []\n",
            "app/api/orders/[number]/route.py": "def GET(number: int): ...\n",
            "app/api/users/routes.py": "def GET(): ...\n",
            "app/api/users/[post-id]/route.py": "def GET(post_id): ...\n",
        },
    ),
    "match": Recording(
        (
            "flask route-handlers match DELETE /api/users/7",
            "flask route-handlers match DELETE /api/users/me",
        )
    ),
}


def transcript(recording: Recording) -> str:
    """Run the commands of a recording; return them with their output and its escape sequences."""
    with tempfile.TemporaryDirectory() as above:
        folder = Path(above).resolve() / Path(SHOWN_FOLDER).name
        for name, content in (PROJECT | dict(recording.files)).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content, encoding="utf-8")
        parts = []
        for command in recording.commands:
            printed = run_at_terminal(command, folder).replace(str(folder), SHOWN_FOLDER)
            parts.append(f"\x1b[1m$ {command}\x1b[0m\n{printed.rstrip()}\n")
    return "\n".join(parts)


def run_at_terminal(command: str, folder: Path) -> str:
    """Run a command at a terminal; return its output, whatever its exit status."""
    name, *arguments = shlex.split(command)
    call = [sys.executable, "-m", name, *arguments] if name == "flask" else [name, *arguments]
    left_out = ("FLASK_", "NO_COLOR", "PYTEST_", "COV_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    environment["PYTHONPATH"] = str(DOCS.parent)
    environment |= {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    terminal, side_of_the_child = pty.openpty()
    try:
        child = subprocess.Popen(  # noqa: S603 - a command of this file
            call,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=side_of_the_child,
            stderr=side_of_the_child,
        )
    finally:
        os.close(side_of_the_child)
    try:
        text = _read_all(terminal)
    finally:
        os.close(terminal)
        child.kill()
        child.wait()
    return text.replace("\r\n", "\n").replace(f"{sys.executable} -m flask", "flask")


def _read_all(terminal: int) -> str:
    read = b""
    end = time.monotonic() + TIMEOUT
    while (left := end - time.monotonic()) > 0:
        if not select.select([terminal], [], [], left)[0]:
            break
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # on Linux: the other side is closed
            chunk = b""
        if not chunk:
            return read.decode()
        read += chunk
    raise TimeoutError(f"the command printed for more than {TIMEOUT} s: {read!r}")


def without_escapes(text: str) -> str:
    """Remove the escape sequences for colours from a string."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


#: Like rich's template, but with fonts that readers have: nothing is loaded from the network.
SVG = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font: bold 18px sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(name: str, text: str) -> str:
    """Return a transcript as SVG."""
    from rich.console import Console
    from rich.text import Text

    lines = Text.from_ansi(text).split("\n", allow_blank=True)
    rows = [row for line in lines for row in line.divide(range(COLUMNS, len(line), COLUMNS))]
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        console.print(Text("\n").join(rows), soft_wrap=True)
    svg = console.export_svg(title=SHOWN_FOLDER, unique_id=name, code_format=SVG)
    # rich draws the ends of lines too, outside the picture.
    svg = re.sub(r"<text [^>]*>\n</text>", "", svg).replace("<text ", "\n<text ")
    return "".join(f"{line.strip()}\n" for line in svg.splitlines() if line.strip())


def main(names: list[str]) -> None:
    RECORDINGS_FOLDER.mkdir(exist_ok=True)
    for name in names or [*RECORDINGS, "messages"]:
        if name == "messages":
            file, content = DOCS / "messages.md", messages()
        else:
            file = RECORDINGS_FOLDER / f"{name}.svg"
            content = picture(name, transcript(RECORDINGS[name]))
        file.write_text(content, encoding="utf-8")
        print(file)


def messages() -> str:
    """Return the page with every message of the package."""
    sys.path.insert(0, str(DOCS.parent))
    from tests.catalogue.page import make_page

    return make_page()


if __name__ == "__main__":
    main(sys.argv[1:])
