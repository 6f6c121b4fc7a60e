"""What the commands ``match`` and ``check`` say of contracts."""

from __future__ import annotations

import json

import pytest

from flask_routehandlers.contracts import libraries
from tests.contracts.support import IMPORTS

TYPES = """
class Page(BaseModel):
    limit: int = 10
class Note(TypedDict):
    when: datetime
class Location(TypedDict):
    Location: str
"""


@pytest.fixture
def run(make_app):
    """Return what a command prints for an app with one route file."""

    def call(code, *arguments):
        app = make_app({"x/route.py": IMPORTS + TYPES + code})
        result = app.test_cli_runner().invoke(args=["route-handlers", *arguments])
        return result.output

    return call


def findings(output):
    """Return the reasons and hints of ``check --json``."""
    [tree] = json.loads(output)["trees"]
    return [(finding["reason"], finding["hint"]) for finding in tree["findings"]]


def test_match_shows_inputs_and_answers(run):
    code = """
def POST(body: Body[Note], page: Query[Page], tag: Query[tuple[str, ...]] = (),
         trace: Header[int | None] = None, token: Bearer = "",
         ) -> tuple[Page, Literal[201], Location] | NoContent | Conflict | Gone: ...
"""
    assert run(code, "match", "POST", "/api/x").split("\n")[6:] == [
        "  body        body: Note",
        "  query       page: Page, tag: tuple[str, ...]",
        "  header      trace: int | None",
        "  credential  token: str",
        "  answers     201 Page with Location; 204; 400, 401, 409, 410, 415, 422",
        "",
    ]


@pytest.mark.parametrize(
    ("code", "answers"),
    [
        ("def GET() -> list[Page] | NotFound: ...", "200 list[Page]; 404"),
        ("def GET(page: Query[Page]): ...", "422"),
        ("def GET() -> tuple[Page, int]: ...", "any status Page"),
        ("def GET() -> Page | tuple[Note, Literal[202]]: ...", "200 Page; 202 Note"),
        ("def GET() -> dict[str, Page] | Literal['a'] | Gone: ...",
         "200 dict[str, Page]; 200 Literal['a']; 410"),
    ],
)  # fmt: skip
def test_match_shows_answers(run, code, answers):
    explanation = json.loads(run(code, "match", "GET", "/api/x", "--json"))
    assert explanation["answers"] == answers


def test_match_shows_nothing_of_plain_handlers(run):
    output = run("def GET(): ...", "match", "GET", "/api/x")
    assert "answers" not in output


DECORATED = """
import functools
def plain(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs): return f(*args, **kwargs)
    return wrapper
@plain
def GET(page: Query[Page]): ...
@plain
def POST() -> Page: ...
"""

IS_DECORATED = (
    "GET has a decorator, which runs after the values of the request are read.",
    "If it guards the handler, write it as a middleware: that runs before.",
)


def test_check_warns_of_decorated_handlers(run):
    assert findings(run(DECORATED, "check", "--json")) == [IS_DECORATED]


def test_check_warns_of_answers_that_are_not_read(run):
    output = run("def GET() -> 'Missing': ...", "check", "--json")
    assert findings(output) == [
        (
            "GET annotates its answers as Missing, which cannot be evaluated: "
            "name 'Missing' is not defined.",
            "Import its names at run time if it should declare them.",
        )
    ]


def test_check_warns_where_no_library_is_installed(run, monkeypatch):
    monkeypatch.setattr(libraries, "find_spec", lambda name: None)
    assert findings(run("def GET() -> Note: ...", "check", "--json")) == [
        (
            "GET declares its answers, but neither pydantic nor msgspec is installed: "
            "fields that are not declared are not left out.",
            "Install one of them, or remove the return annotation.",
        )
    ]


STRICT = '''
def GET() -> list[Note] | NotFound:
    """List notes."""
def POST():
    """Add a note."""
def PUT() -> Page:
    """Replace it."""
def DELETE(body: Body[int]) -> NoContent:
    """Remove notes."""
'''


def test_check_strict_wants_types_and_no_surprises(run):
    assert findings(run(STRICT, "check", "--json")) == []
    assert findings(run(STRICT, "check", "--strict", "--json")) == [
        (
            "POST has no return annotation.",
            "Write what it answers, for example -> list[Article] | NotFound.",
        ),
        (
            "GET answers with a date in a TypedDict, which Flask writes as in an HTTP header: "
            "Fri, 02 Jan 2026 00:00:00 GMT.",
            "Return a model or a dataclass for 2026-01-02T00:00:00.",
        ),
        (
            "DELETE has a Body, which some clients and proxies do not send.",
            "Use Query, or POST to another URL.",
        ),
    ]


def test_check_names_the_marker_for_a_plain_parameter(run):
    output = run("def GET(limit: int = 20, page: Query[Page] = None): ...", "check", "--json")
    assert findings(output) == [
        (
            "GET has the parameter limit: int = 20, which no client can set.",
            "Write limit: Query[int] = 20 if it should come from the query: "
            "from flask_routehandlers import Query.",
        )
    ]
