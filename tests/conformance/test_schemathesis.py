"""schemathesis sends what the documents allow, and what they do not, and looks at the answers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.conformance.support import SAMPLES, Served, run, serve


@dataclass(frozen=True)
class Setup:
    """What schemathesis has to know about an app.

    :param config: its configuration: values of parameters that exist, and settings of checks.
    :param headers: headers of each request.
    """

    config: str = ""
    headers: dict[str, str] = field(default_factory=dict)


LIBRARY = Setup(
    '[parameters]\nisbn = "9780141439518"\n',
    {"X-Staff-Key": "open-sesame", "Authorization": "Bearer ada"},
)

#: Its validators know more than a schema can say: what a URL is, or a tag. The webhook refuses
#: whoever cannot sign before it says which methods it has. The schema of a stream is that of a
#: string, and is taken for one of each event.
EXAMPLE = Setup(
    """
[checks]
positive_data_acceptance.enabled = false

[[operations]]
include-path = "/api/webhook"
checks.unsupported_method.enabled = false

[[operations]]
include-path = "/api/events"
checks.response_schema_conformance.enabled = false
""",
    {"Authorization": "Bearer secret"},
)

#: A username that is taken is as valid as any other, for a schema.
CONDUIT = """
[parameters]
slug = "{slug}"
username = "ada"

[[operations]]
include-name = "DELETE {prefix}/articles/{{slug}}"
parameters = {{ slug = "another" }}

[[operations]]
include-path-regex = "users?$"
checks.positive_data_acceptance.enabled = false
"""


def check(
    url: str, document: str | Path, folder: Path, setup: Setup, *options: object, expected: int = 0
) -> str:
    """Check what a server answers, in all ways that schemathesis has; return what it prints.

    :param expected: its exit status, 1 if it finds something.
    """
    config = folder / "schemathesis.toml"
    config.write_text(setup.config)
    command = ["schemathesis", "--config-file", config, "run", document, "--url", url]
    for name, value in setup.headers.items():
        command += ["--header", f"{name}: {value}"]
    command += ["--no-color", "--max-examples", 20, *options]
    done = run(command, folder, expected=expected, SCHEMATHESIS_HOOKS="tests.conformance.hooks")
    return done.stdout


def post(url: str, document: object, **headers: str) -> dict[str, dict[str, str]]:
    """Send JSON; return the document of the answer."""
    body = json.dumps(document).encode()
    headers = {"Content-Type": "application/json", **headers}
    with urlopen(Request(url, body, headers)) as response:
        answer: dict[str, dict[str, str]] = json.load(response)
    return answer


def prepare_conduit(url: str, prefix: str = "/api") -> Setup:
    """Register a user and publish an article, so that there is something to read.

    :param url: the URL of the API.
    :param prefix: how the paths of the document begin.
    """
    user = {"username": "ada", "email": "ada@example.com", "password": "countess"}
    token = post(f"{url}/users", {"user": user})["user"]["token"]
    headers = {"Authorization": f"Token {token}"}
    article = {"title": "Notes", "description": "On an engine", "body": "It weaves."}
    slug = post(f"{url}/articles", {"article": article}, **headers)["article"]["slug"]
    return Setup(CONDUIT.format(slug=slug, prefix=prefix), headers)


@pytest.fixture(scope="session")
def setup(served: Served) -> Setup:
    """Return what schemathesis has to know about each app."""
    if served.name == "conduit":
        return prepare_conduit(f"{served.url}/api")
    return {"library": LIBRARY, "example": EXAMPLE}[served.name]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_documents_are_true(served, setup, seed, tmp_path):
    phases = "examples,coverage,fuzzing" if seed == 1 else "fuzzing"
    document = f"{served.url}/api/openapi.json"
    output = check(served.url, document, tmp_path, setup, "--seed", seed, "--phases", phases)
    [count] = re.findall(r"generated, ([0-9]+) passed", output)
    assert int(count) > 100


#: Changes that make a document of the library lie: a file, a string and its replacement; a path
#: where it shows, and what schemathesis calls it.
LIES = {
    "an undocumented status": (
        "app/api/health/route.py",
        'return {"status": "ok"}',
        'return {"status": "ok"}, 418',
        "/api/health",
        "Undocumented status code",
    ),
    "a response that does not fit": (
        "app/api/members/route.py",
        "def GET(",
        'openapi = {"GET": {"responses": {"200": {"content": {"application/json": '
        '{"schema": {"type": "string"}}}}}}}\n\n\ndef GET(',
        "/api/members",
        "Response violates schema",
    ),
    "a limit that is lower": (
        "app/api/books/route.py",
        "def GET(",
        'openapi = {"GET": {"parameters": [{"name": "limit", "in": "query", '
        '"schema": {"type": "integer", "minimum": 1, "maximum": 1000}}]}}\n\n\ndef GET(',
        "/api/books",
        "Schema-valid request rejected",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_found(lie, tmp_path):
    """The test above would fail if a document was not true."""
    file, old, new, path, failure = LIES[lie]
    source = (SAMPLES / "library" / file).read_text("utf-8")
    assert source.count(old) == 1
    with serve("library", tmp_path, {file: source.replace(old, new)}) as served:
        document = f"{served.url}/api/openapi.json"
        options = ("--seed", 1, "--phases", "coverage,fuzzing", "--include-path", path)
        output = check(served.url, document, tmp_path, LIBRARY, *options, expected=1)
    assert failure in output
