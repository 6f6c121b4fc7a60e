"""The form of an example: the files of a project, and what is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

DEFAULT_GET = "def GET(): ...\n"


@dataclass(frozen=True)
class Example:
    """Files that cause messages.

    Without ``asks`` and ``commands`` the app is started, and checked if it starts.

    :param files: contents by path, relative to the project.
    :param named: route files, or folders, below ``app/api`` of which only the path matters.
    :param note: what a reader has to know in addition to the messages.
    :param imports: the beginning of the route file, which the page leaves out.
    :param prepare: commands that make what files cannot express.
    :param given: a condition of :data:`tests.projects.CONDITIONS`.
    :param asks: Python statements, each of which prints a value or raises an exception.
    :param commands: commands that print messages.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    note: str = ""
    imports: str = ""
    prepare: tuple[str, ...] = ()
    given: str = ""
    asks: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()

    @property
    def is_about_tree(self) -> bool:
        """Whether the messages are problems of the tree, caused by files alone."""
        return not (self.asks or self.commands or self.prepare or self.given)


@dataclass(frozen=True)
class Section:
    """A heading of the page, and the examples below it.

    :param title: the heading with its number signs.
    """

    title: str
    examples: tuple[Example, ...] = ()
    text: str = ""


def route(folder: str, code: str = DEFAULT_GET) -> dict[str, str]:
    """Return a route file, by its folder."""
    return {_path(folder, "route.py"): code}


def middleware(folder: str, code: str) -> dict[str, str]:
    """Return a middleware file, by its folder."""
    return {_path(folder, "middleware.py"): code}


def dependencies(folder: str, code: str) -> dict[str, str]:
    """Return a file of dependencies, by its folder."""
    return {_path(folder, "dependencies.py"): code}


def _path(folder: str, name: str) -> str:
    return "/".join(part for part in ("app/api", folder, name) if part)


def wsgi(
    *lines: str, imports: str = "", app: str = "Flask(__name__)", arguments: str = "app"
) -> dict[str, str]:
    """Return a ``wsgi.py``.

    :param lines: code between the app and its tree.
    :param imports: additional imports, as lines.
    :param app: the expression that makes the app.
    :param arguments: those of ``RouteHandlers``.
    """
    head = f"from flask import Flask\nfrom flask_routehandlers import RouteHandlers\n{imports}"
    body = "\n".join([f"app = {app}", *lines, f"RouteHandlers({arguments})"])
    return {"wsgi.py": f"{head}\n{body}\n"}
