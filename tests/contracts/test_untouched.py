"""No client sets an argument without a marker, and handlers without contracts stay as they are."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from tests.contracts.support import IMPORTS

SIGNATURES = [
    "",
    "limit=10",
    "limit: int = 10, page: int | None = None",
    "q: str = '', tags: list[str] = ['a']",
    "body: dict[str, int] = {'a': 1}",
    "query: Page = Page()",
    "form: dict = {}, *, json=None",
    "user_id: UUID | None = None, admin: bool = False",
    "request, limit=10",
    "id, limit=10",
    "id, params, request, limit: 'Literal[1, 2]' = 1",
    "id='none', **rest",
    "*args, limit=10, **rest",
    "token: str = 'x', authorization=None, x_key=None, session=None",
    "limit: Annotated[int, 'not a marker'] = 3",
]

NAMES = ("limit", "page", "q", "tags", "body", "query", "form", "json", "user_id", "admin", "id",
         "token", "authorization", "x_key", "x-key", "session", "rest", "args", "params",
         "request", "call_next", "self", "kwargs")  # fmt: skip


def noisy_request(rng):
    """Return the options of a request that sends values in every place."""

    def values():
        return {
            name: rng.choice(["x", "5", "true", "null", "[]"]) for name in rng.sample(NAMES, 8)
        }

    headers = {name.replace("_", "-"): value for name, value in values().items()}
    headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in values().items())
    headers |= {"Authorization": "Bearer x", "X-HTTP-Method-Override": "DELETE"}
    options = {"query_string": values(), "headers": headers}
    body = rng.choice(["json", "data", "multipart"])
    if body == "multipart":
        return {**options, "data": values(), "content_type": "multipart/form-data"}
    return {**options, body: values()}


@pytest.mark.parametrize("prefix", ["", "async "])
def test_nothing_sent_changes_an_argument(make_app, prefix):
    files = {
        f"f{number}/[id]/route.py": f"""{IMPORTS}
class Page(BaseModel):
    limit: int = 3
def shown(arguments):
    hidden = ("request", "params")
    return {{name: repr(value) for name, value in arguments.items() if name not in hidden}}
{prefix}def POST({signature}): return shown(locals())
PUT = PATCH = DELETE = POST
"""
        for number, signature in enumerate(SIGNATURES)
    }
    client = make_app(files).test_client(use_cookies=False)
    rng = Random(1)
    for number in range(len(SIGNATURES)):
        expected = client.post(f"/api/f{number}/7").json
        for method in ("POST", "PUT", "PATCH", "DELETE", "POST", "PUT"):
            response = client.open(f"/api/f{number}/7", method=method, **noisy_request(rng))
            assert response.json == expected


def test_marked_arguments_leave_the_others_alone(serve):
    client = serve(
        "def POST(limit: Query[int] = 1, page=2, *, q: str = 'none'): return [limit, page, q]"
    )
    for seed in range(20):
        options = noisy_request(Random(seed)) | {"query_string": "limit=5&page=9&q=9"}
        assert client.post("/api/x", **options).json == [5, 2, "none"]


HANDLERS = [
    "return 'x'",
    "return {'when': __import__('datetime').datetime(2026, 1, 2)}",
    "return [1], 201, {'X': 'y'}",
    "return b'x'",
    "return iter(['a', 'b'])",
    "yield 'a'",
]

PLAIN = ["", " -> str", " -> dict[str, int]", " -> 'Missing'", " -> Any", " -> tuple[str, int]",
         " -> ResponseReturnValue", " -> dict", " -> Iterator[str]", " -> Response",
         " -> object"]  # fmt: skip


@pytest.mark.parametrize("handler", HANDLERS)
def test_plain_annotations_change_no_answer(make_app, handler):
    start = "from typing import *\nfrom flask import Response\nfrom flask.typing import *\n"
    files = {
        f"f{number}/route.py": f"{start}def GET(){annotation}: {handler}\n"
        for number, annotation in enumerate(PLAIN)
    }
    app = make_app(files, url_prefix="")
    app.add_url_rule("/plain", view_func=_view(handler))
    client = app.test_client()
    expected = client.get("/plain")
    for number in range(len(PLAIN)):
        response = client.get(f"/f{number}")
        assert (response.status, response.headers, response.data) == (
            expected.status,
            expected.headers,
            expected.data,
        )


def _view(handler):
    names = {}
    exec(f"def view(): {handler}", names)
    return names["view"]


IMPORTED = """
import sys
from flask import Flask
import flask_routehandlers
print([name for name in ("pydantic", "msgspec", "attrs") if name in sys.modules])
app = Flask("app", root_path=sys.argv[1])
flask_routehandlers.RouteHandlers(app)
assert app.test_client().get("/api/x").status_code == 200
print([name for name in ("pydantic", "msgspec", "attrs") if name in sys.modules])
"""


@pytest.fixture
def run(tree):
    """Return the lines that a new process prints which serves one route file."""

    def run(code):
        command = [sys.executable, "-c", IMPORTED, str(tree({"x/route.py": code}))]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split(
            "\n"
        )

    return run


def test_an_app_without_contracts_imports_no_library(run):
    code = "def GET(limit: int = 3) -> dict[str, int]: return {}"
    assert run(code)[:2] == ["[]", "[]"]


def test_a_library_is_imported_with_its_first_type(run):
    code = "import msgspec\nfrom flask_routehandlers import *\n"
    code += "class S(msgspec.Struct):\n    a: int = 1\n"
    first, second, *_ = run(f"{code}def GET(s: Query[S]) -> S: return s")
    assert (first, second) == ("[]", "['msgspec']")
    code = "from flask_routehandlers import *\ndef GET(token: Bearer | None = None): return ''"
    assert run(code)[:2] == ["[]", "[]"]
