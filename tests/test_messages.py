"""The reference of messages: written from examples, up to date, and complete."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import flask_routehandlers
from tests.catalogue.page import make_page
from tests.pages import DOCS, PAGES

PACKAGE = Path(flask_routehandlers.__file__).parent

#: Calls that make a message: of these names, and of classes whose name ends with ``Error``.
CALLS = ("Problem", "BadParameter")

#: An error that no one sees but who changes this package.
INTERNAL = "AssertionError"

#: Messages that are on no page, each with the reason.
NOT_SHOWN = {
    "\0 object has no attribute \0": "Python's own words",
    "\0 has no attribute \0": "Python's own words",
    "\0 got bad yield: \0": "asyncio's own words",
    "\0 got \0 attached to a different loop": "asyncio's own words",
    "The coroutine was cancelled.": "code that cancels itself below asgiref",
    "\0 leads to \0, not \0.": "an app whose rules change while it runs",
    "it is nested too deeply": "a part of the description of a 400",
    "it is not UTF-8": "a part of the description of a 400",
    "\0 is not a part of a URL.": "a kind of segment that does not exist",
    "mypy is not installed. \0": "an environment without mypy",
    "Typed bodies need pydantic, which is not installed.": "an environment without pydantic",
    "\0 makes the document invalid: \0.": "an environment with openapi-spec-validator",
    "Write it as OpenAPI 3.1 defines it.": "an environment with openapi-spec-validator",
    "\0 declares its answers, but neither pydantic nor msgspec is installed: fields that are not "
    "declared are not left out.": "an environment without both",
    "Install one of them, or remove the return annotation.": "an environment without both",
    "\0 answers with a date in a TypedDict, which Flask writes as in an HTTP header: Fri, 02 Jan "
    "2026 00:00:00 GMT.": "a matter of taste, for --strict",
    "Return a model or a dataclass for 2026-01-02T00:00:00.": "a matter of taste, for --strict",
    "DELETE has a \0, which some clients and proxies do not send.": (
        "a matter of taste, for --strict"
    ),
    "Use Query, or POST to another URL.": "a matter of taste, for --strict",
    "The locale makes Python read file names as \0, not as UTF-8, so this one cannot be read.": (
        "a process with another locale"
    ),
    "Start Python with the environment variable PYTHONUTF8=1, or set LC_ALL=C.UTF-8.": (
        "a process with another locale"
    ),
}


def messages_in(file: Path) -> Iterator[str]:
    """The literal messages of a module; NUL is where a value is filled in."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in CALLS or (name.endswith("Error") and name != INTERNAL):
                yield from filter(None, map(as_text, node.args))


def as_text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (p.value if isinstance(p, ast.Constant) else "\0" for p in node.values)
        return "".join(map(str, parts))
    return ""


def is_shown(message: str, text: str) -> bool:
    return re.search(".*?".join(map(re.escape, re.split("\0+", message))), text) is not None


@pytest.mark.ci
def test_the_page_is_up_to_date():
    shown = (DOCS / "messages.md").read_text(encoding="utf-8")
    assert make_page() == shown, "Run python docs/record.py messages"


def test_the_page_is_the_same_everywhere():
    shown = (DOCS / "messages.md").read_text(encoding="utf-8")
    assert str(PACKAGE) not in shown
    assert not re.findall(r"\S*/flask_routehandlers/\S+\.py", shown)


@pytest.mark.ci
def test_every_message_is_on_a_page():
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    missing = {
        message
        for file in sorted(PACKAGE.rglob("*.py"))
        for message in messages_in(file)
        if len(re.findall(r"\w+", message)) > 2 and not is_shown(message, text)
    }
    assert sorted(missing - set(NOT_SHOWN)) == []
    assert sorted(set(NOT_SHOWN) - missing) == []
