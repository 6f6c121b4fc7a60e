"""Apps for the tests of ``RouteHandlers``, and a look at what they serve or refuse."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.routing import BaseConverter

from flask_routehandlers import RouteHandlers
from tests.support import ECHO, bare_app, refused, write_files

#: Counts its calls: a second copy of the module would begin again.
COUNTER = "from itertools import count\nnumbers = count(1)\ndef GET(): return f'{next(numbers)}'\n"

#: Shows the parameters with their types.
PARAMS = "def GET(params):\n    return repr(sorted(params.items()))\n"


def mounted_app(project: Path, root: str | os.PathLike[str], **options: Any) -> Flask:
    """Return an app that serves ``hello/route.py`` below a root, which is created."""
    app = bare_app(project)
    write_files(project / root, {"hello/route.py": ECHO})
    RouteHandlers(app, root, **options)
    return app


def rules(app: Flask) -> list[str]:
    """Return the rules of an app as strings."""
    return [rule.rule for rule in app.url_map.iter_rules()]


def messages(app: Flask, root: str = "app/api", **options: Any) -> list[str]:
    """Return the problems for which a tree is refused, as strings."""
    return [str(problem) for problem in refused(app, root, **options)]


class NeedyConverter(BaseConverter):
    """A converter that cannot be made without arguments."""

    def __init__(self, url_map: Any, argument: str) -> None:
        super().__init__(url_map)
